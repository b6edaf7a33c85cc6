import { folderProblem, isSystemError } from '../../model/file-problem.js';
import type { Log } from '../../model/ports.js';
import { type PreparedPart, unfitPart } from '../../model/reload.js';
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
  /** What to call it in the log. */
  readonly what: string;
}

/** A folder as it was read. */
interface ReadFolder {
  /** Null: there is none. */
  readonly fingerprint: string | null;
  readonly recognised: RecognisedFolder;
}

export interface RecognisedFolder {
  readonly refused: readonly RefusedFile[];
  /** How much there is of what, for the log. */
  readonly counts: object;
  /** Uses it from now on. */
  readonly use: () => void;
}

/**
 * A folder of the operator's, read at start and whenever it changes. One that is not there is an empty one.
 *
 * It is looked at from time to time instead of being watched: that works on network file systems and mounted volumes
 * too, and for a folder that comes later.
 */
export abstract class WatchedFolder {
  readonly #options: WatchedFolderOptions;
  /** Of what is in force. Undefined: nothing was read yet. */
  #fingerprint: string | null | undefined = undefined;
  /** How often what was read was taken over. */
  #taken = 0;
  #wasThere = false;
  /** The fault that the log has been told of. */
  #fault: string | null = null;
  /** The last reading that was asked for. Never rejects. */
  #reading: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: WatchedFolderOptions) {
    this.#options = options;
  }

  /** Reads the folder, and goes on looking at it until `close`. */
  async start(): Promise<void> {
    await this.refresh();
    if (this.#isClosed) return;
    this.#timer = setInterval(() => void this.refresh(), this.#options.pollMs).unref();
  }

  /** Reads the folder again where it has changed. Never rejects: what it had stays. */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      const read = await this.#read({ unlessIs: this.#fingerprint });
      if (read !== null && read !== 'unchanged') this.#takeOver(read);
    });
  }

  /** Reads the folder again, whether it has changed or not. Never rejects. */
  prepareReload(): Promise<PreparedPart> {
    const { key: name } = this.#options;
    return this.#inTurn(async () => {
      const read = await this.#read({ unlessIs: undefined });
      if (read === null || read === 'unchanged') return unfitPart(name);
      const taken = this.#taken;
      // Else something newer was taken meanwhile.
      const commit = () => (this.#taken === taken ? this.#takeOver(read) : undefined);
      return { name, isFit: true, commit };
    });
  }

  /** What the files of the folder are. Changes nothing that is in use. */
  protected abstract recognise(files: MaterialFiles): RecognisedFolder;

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#reading.then(work);
    this.#reading = done;
    return done;
  }

  /** What the folder holds; null where it cannot be read, as the log says. */
  async #read({ unlessIs }: { unlessIs: string | null | undefined }): Promise<ReadFolder | 'unchanged' | null> {
    const { folder, material } = this.#options;
    try {
      const fingerprint = await fingerprintOf(folder, material);
      this.#fault = null;
      if (fingerprint === unlessIs) return 'unchanged';
      return { fingerprint, recognised: this.recognise(await readMaterialFiles(folder, material)) };
    } catch (error) {
      const fault = String(error);
      if (fault !== this.#fault) this.#say(error);
      this.#fault = fault;
      return null;
    }
  }

  #takeOver({ fingerprint, recognised: { refused, counts, use } }: ReadFolder): void {
    const { folder, key, log, what } = this.#options;
    this.#taken += 1;
    use();
    for (const { name, why } of refused) log.warn({ file: name, why }, `file of the ${what} not taken`);
    if (fingerprint === null && this.#wasThere) {
      log.warn({ key, folder }, `${what} is gone: nothing of it is used any more`);
    }
    log.info(counts, `${what} read`);
    this.#fingerprint = fingerprint;
    this.#wasThere = fingerprint !== null;
  }

  /** What the system refuses is for the operator to set right: a stack would not help. */
  #say(error: unknown): void {
    const { folder, key, log, what } = this.#options;
    const fields = isSystemError(error) ? { key, folder, why: folderProblem(error) } : { key, folder, err: error };
    log.error(fields, `${what} cannot be read`);
  }
}
