/**
 * How files and folders that the configuration names are read. What is read for each use (passwords, tokens, keys that are
 * released) does not go this way.
 */
export interface ConfiguredFiles {
  /**
   * The bytes of a file of at most 1 MiB.
   * @throws {UnfitError} where it is no file, or too large
   * @throws {Error} of the system where it cannot be read
   */
  read(path: string): Promise<Uint8Array>;
  /** Names in a folder, in no order. @throws {Error} of the system, with ENOENT where there is no folder */
  names(folder: string): Promise<readonly string[]>;
  /** A text that changes when the file, or what it links to, is written or replaced. Says so where there is none; never rejects. */
  mark(path: string): Promise<string>;
  /** The text of a file of a policy directory. @throws {PolicyFileError} */
  policy(directory: string, name: string): Promise<string>;
}

/** Those that are no policies. */
export type ConfiguredMaterial = Omit<ConfiguredFiles, 'policy'>;

/** Files as each part of a service reads them, by the name of the part that a reload calls it by. */
export type ConfiguredFilesOf = (part: string) => ConfiguredFiles;
