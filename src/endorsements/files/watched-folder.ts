import { folderProblem, isSystemError } from '../../core/file-problem.js';
import type { Log } from '../../core/ports.js';
import type { PartOutcome } from '../../core/reload.js';
import { fingerprintOf, type MaterialFiles, type RefusedFile, readMaterialFiles } from './material-files.js';

export interface FolderOptions {
  readonly folder: string;
  /** How often the folder is polled. */
  readonly pollMs: number;
  readonly log: Log;
}

interface WatchedFolderOptions extends FolderOptions {
  /** The names of material files. */
  readonly material: RegExp;
  /** The configuration key of the folder. */
  readonly key: string;
  /** The name of the folder in the log. */
  readonly what: string;
}

/** The result of reading a folder. */
export interface TakenFolder {
  readonly refused: readonly RefusedFile[];
  /** Numbers of accepted objects by kind, for the log. */
  readonly counts: object;
}

/**
 * A folder of the operator, read at start and after each change. A missing folder counts as empty.
 *
 * The folder is polled, not watched: polling also works on network file systems and mounted volumes,
 * and for a folder that is created later.
 */
export abstract class WatchedFolder {
  readonly #options: WatchedFolderOptions;
  /** Fingerprint of the content in use. Undefined: the folder must be read in any case. */
  #fingerprint: string | null | undefined = undefined;
  #changes = 0;
  #wasThere = false;
  /** The fault that was logged. */
  #fault: string | null = null;
  /** The last requested read. Never rejects. */
  #reading: Promise<boolean> = Promise.resolve(true);
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: WatchedFolderOptions) {
    this.#options = options;
  }

  /** Number of reads of the folder. */
  get changes(): number {
    return this.#changes;
  }

  /** Reads the folder, and polls it until `close`. */
  async start(): Promise<void> {
    await this.refresh();
    if (this.#isClosed) return;
    this.#timer = setInterval(() => void this.refresh(), this.#options.pollMs).unref();
  }

  /**
   * Reads the folder again after a change. Never rejects: after an error, the previous content stays.
   * @returns whether the content of the folder is in use
   */
  refresh(): Promise<boolean> {
    this.#reading = this.#reading.then(() => this.#readIfChanged());
    return this.#reading;
  }

  /** Reads the folder again, changed or not. Never rejects. */
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

  /** Logs an error. The operator corrects an error of the file system: a stack would not help. */
  #say(error: unknown): void {
    const { folder, key, log, what } = this.#options;
    const fields = isSystemError(error) ? { key, folder, why: folderProblem(error) } : { key, folder, err: error };
    log.error(fields, `${what} cannot be read`);
  }
}
