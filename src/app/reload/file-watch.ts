import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { markOf } from '../../files/disk-files.js';
import { type ReadBytes, readBoundedFile } from '../../files/whole-files.js';

/** How files are read, and what tells that one has changed. */
interface Disk {
  readonly read: ReadBytes;
  readonly mark: (path: string) => Promise<string>;
}

interface FileWatchOptions {
  /** Hears that something has changed. Must not throw. */
  readonly onChange: () => void;
  readonly disk?: Disk;
  readonly pollMs?: number;
}

const POLL_MS = 5_000;

/**
 * Looks from time to time whether files that were read have changed since: that works on network file systems and mounted volumes
 * too. A change is told once it has stayed as it is from one look to the next, since files are seldom written in one step. A file that
 * is written again with the same content has not changed: Kubernetes makes the files of a volume anew whenever it renews a token in it.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #disk: Disk;
  /** The content of files, by path, while each has the mark. */
  readonly #contents = new Map<string, { readonly mark: string; readonly content: string }>();
  /** Contents when files were read, or when a change was last told. */
  readonly #known = new Map<string, string>();
  /** As they were at the last look. */
  #before: ReadonlyMap<string, string> = new Map();
  #timer: NodeJS.Timeout | null = null;
  /** A look that is under way. Never rejects. */
  #looking: Promise<void> | null = null;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#disk = options.disk ?? { read: readBoundedFile, mark: markOf };
  }

  /** The bytes of a file, at which it looks from now on. Notes its state of before: what changes meanwhile is a change. */
  readonly readBytes: ReadBytes = async (path) => {
    await this.note(path);
    return this.#disk.read(path);
  };

  /** Adds a file to the watched set. The caller reads it. */
  async note(path: string): Promise<void> {
    this.#known.set(path, await this.#contentOf(path));
  }

  /** Nothing of it keeps the process alive. */
  watch(): void {
    this.#timer ??= setInterval(() => {
      // On a file system that hangs, looks must not pile up.
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
    // Not replaced: files may have been noted meanwhile.
    for (const [path, content] of now) this.#known.set(path, content);
    this.#options.onChange();
  }

  /** The digest of what a file holds; its mark, where it cannot be read. Read again only where the mark is another one. */
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
