import { folderProblem, isSystemError } from '../../core/file-problem.js';
import type { Log } from '../../core/ports.js';
import type { PartOutcome } from '../../core/reload.js';
import { fingerprintOf, type MaterialFiles, type RefusedFile, readMaterialFiles } from './material-files.js';

export interface FolderOptions {
  readonly folder: string;
  /** How often the folder is looked at. */
  readonly pollMs: number;
  readonly log: Log;
}

interface WatchedFolderOptions extends FolderOptions {
  /** Which files count, by their names. */
  readonly material: RegExp;
  /** The key of the configuration that names it. */
  readonly key: string;
  /** The name of the folder in the log. */
  readonly what: string;
}

/** The result of reading a folder. */
export interface TakenFolder {
  readonly refused: readonly RefusedFile[];
  /** How much there is of what, for the log. */
  readonly counts: object;
}

/**
 * A folder of the operator's, read at start and whenever it changes. One that is not there is an empty one.
 *
 * It is looked at from time to time instead of being watched: that works on network file systems and mounted volumes
 * too, and for a folder that comes later.
 */
export abstract class WatchedFolder {
  readonly #options: WatchedFolderOptions;
  /** Of what is in force. Undefined: to be read, whatever it is. */
  #fingerprint: string | null | undefined = undefined;
  #changes = 0;
  #wasThere = false;
  /** The fault that was logged. */
  #fault: string | null = null;
  /** The last reading that was asked for. Never rejects. */
  #reading: Promise<boolean> = Promise.resolve(true);
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: WatchedFolderOptions) {
    this.#options = options;
  }

  /** How often the folder was read. */
  get changes(): number {
    return this.#changes;
  }

  /** Reads the folder, and goes on looking at it until `close`. */
  async start(): Promise<void> {
    await this.refresh();
    if (this.#isClosed) return;
    this.#timer = setInterval(() => void this.refresh(), this.#options.pollMs).unref();
  }

  /**
   * Reads the folder again where it has changed. Never rejects: what it had stays.
   * @returns whether what the folder holds is in force
   */
  refresh(): Promise<boolean> {
    this.#reading = this.#reading.then(() => this.#readIfChanged());
    return this.#reading;
  }

  /** Reads the folder again, whether it has changed or not. Never rejects. */
  async reload(): Promise<PartOutcome> {
    this.#reading = this.#reading.then(() => {
      this.#fingerprint = undefined;
      return this.#readIfChanged();
    });
    return { name: this.#options.key, isTaken: await this.#reading };
  }

  /** Uses the files of the folder from now on. */
  protected abstract take(files: MaterialFiles): TakenFolder;

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #readIfChanged(): Promise<boolean> {
    const { folder, key, material, log, what } = this.#options;
    try {
      const fingerprint = await fingerprintOf(folder, material);
      this.#fault = null;
      if (fingerprint === this.#fingerprint) return true;
      const { refused, counts } = this.take(await readMaterialFiles(folder, material));
      this.#changes += 1;
      for (const { name, why } of refused) log.warn({ file: name, why }, `file of the ${what} not taken`);
      if (fingerprint === null && this.#wasThere) {
        log.warn({ key, folder }, `${what} is gone: nothing of it is used any more`);
      }
      log.info(counts, `${what} read`);
      this.#fingerprint = fingerprint;
      this.#wasThere = fingerprint !== null;
      return true;
    } catch (error) {
      const fault = String(error);
      if (fault !== this.#fault) this.#say(error);
      this.#fault = fault;
      return false;
    }
  }

  /** An error of the file system is for the operator to correct: a stack would not help. */
  #say(error: unknown): void {
    const { folder, key, log, what } = this.#options;
    const fields = isSystemError(error) ? { key, folder, why: folderProblem(error) } : { key, folder, err: error };
    log.error(fields, `${what} cannot be read`);
  }
}
