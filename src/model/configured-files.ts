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
  /**
   * The policies of a directory; null where there is none.
   * @throws {PolicyFileError} where it keeps changing while it is read
   * @throws {Error} of the system where it cannot be read
   */
  policies(directory: string): Promise<PolicyTexts | null>;
}

/** What the files of a policy directory held at one moment. */
export interface PolicyTexts {
  /** Changes when a file comes, goes, is written or replaced. */
  readonly fingerprint: string;
  /** In the order of their names. */
  readonly files: readonly PolicyText[];
}

/** The text of a policy file, or why there is none. */
export type PolicyText = { readonly name: string } & ({ readonly text: string } | { readonly why: string });

/** How configured files other than policies are read. */
export type ConfiguredMaterial = Omit<ConfiguredFiles, 'policies'>;

/**
 * Files as each part of a service reads them, by the name of the part that a reload calls it by. Undefined: from the disk, at which the
 * part looks from time to time by itself.
 */
export type ConfiguredFilesOf = (part: string) => ConfiguredFiles | undefined;
