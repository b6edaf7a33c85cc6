import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { markOf } from '../../files/disk-files.js';
import { type ReadBytes, readBoundedFile } from '../../files/whole-files.js';

/** Reads files, and returns a mark that changes with the file. */
interface Disk {
  readonly read: ReadBytes;
  readonly mark: (path: string) => Promise<string>;
}

interface FileWatchOptions {
  /** Called after a change. Must not throw. */
  readonly onChange: () => void;
  readonly disk?: Disk;
  readonly pollMs?: number;
}

const POLL_MS = 5_000;

/**
 * Polls files that were read, and detects changes. Polling works on network file systems and mounted volumes too. A
 * change is reported once it is unchanged between two polls, since files are seldom written in one step. A file that is
 * rewritten with the same content has not changed: Kubernetes makes the files of a volume anew whenever it renews a
 * token in it.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #disk: Disk;
  /** The content of files by path, valid while the mark is the same. */
  readonly #contents = new Map<string, { readonly mark: string; readonly content: string }>();
  /** Contents when files were read, or when a change was last reported. */
  readonly #known = new Map<string, string>();
  /** Contents at the last poll. */
  #before: ReadonlyMap<string, string> = new Map();
  #timer: NodeJS.Timeout | null = null;
  /** A poll in progress. Never rejects. */
  #looking: Promise<void> | null = null;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#disk = options.disk ?? { read: readBoundedFile, mark: markOf };
  }

  /**
   * Reads a file, and watches it from now on. Notes its content before the read, so a change during the read is
   * detected.
   */
  readonly readBytes: ReadBytes = async (path) => {
    await this.note(path);
    return this.#disk.read(path);
  };

  /** Adds a file to the watched set. The caller reads it. */
  async note(path: string): Promise<void> {
    this.#known.set(path, await this.#contentOf(path));
  }

  /** Starts polling. Does not keep the process alive. */
  watch(): void {
    this.#timer ??= setInterval(() => {
      // Polls must not pile up on a file system that hangs.
      this.#looking ??= this.#look().finally(() => {
        this.#looking = null;
      });
    }, this.#options.pollMs ?? POLL_MS).unref();
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#looking;
  }

  async #look(): Promise<void> {
    const looks = [...this.#known.keys()].map(async (path) => [path, await this.#contentOf(path)] as const);
    const now = new Map(await Promise.all(looks));
    const isChanged = [...now].some(([path, content]) => this.#known.get(path) !== content);
    const isSettled = isDeepStrictEqual(now, this.#before);
    this.#before = now;
    if (!isChanged || !isSettled || this.#timer === null) return;
    // Updates the map instead of replacing it: files may have been added meanwhile.
    for (const [path, content] of now) this.#known.set(path, content);
    this.#options.onChange();
  }

  /** The digest of a file's content; its mark if it cannot be read. Reads it again only if the mark differs. */
  async #contentOf(path: string): Promise<string> {
    const mark = await this.#disk.mark(path);
    const known = this.#contents.get(path);
    if (known?.mark === mark) return known.content;
    const content = await this.#disk.read(path).then(digestOf, () => mark);
    this.#contents.set(path, { mark, content });
    return content;
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}
