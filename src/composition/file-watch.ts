import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { DISK_FILES, fingerprintOfPolicies } from '../files/disk-files.js';
import type { ConfiguredFiles } from '../model/configured-files.js';

interface FileWatchOptions {
  /** Hears that something has changed. Must not throw. */
  readonly onChange: () => void;
  readonly disk?: ConfiguredFiles;
  readonly pollMs?: number;
}

const POLL_MS = 5_000;

/**
 * Looks from time to time whether files that were read have changed since: that works on network file systems and mounted volumes
 * too. A change is told once it has stayed as it is from one look to the next, since files are seldom written in one step. A file that
 * is written again with the same content has not changed: Kubernetes makes the files of a volume anew whenever it renews a token in it.
 */
export class FileWatch {
  /** Files as they are on the disk. Whatever is read is looked at from then on. */
  readonly files: ConfiguredFiles;
  readonly #options: FileWatchOptions;
  readonly #disk: ConfiguredFiles;
  /** How the state of each is found out. */
  readonly #looks = new Map<string, () => Promise<string>>();
  /** What files held, by path, while each has the mark. */
  readonly #contents = new Map<string, { readonly mark: string; readonly content: string }>();
  /** As they were when they were read, or when a change was last told. */
  #known = new Map<string, string>();
  /** As they were at the last look. */
  #before: ReadonlyMap<string, string> = new Map();
  #timer: NodeJS.Timeout | null = null;
  /** A look that is under way. Never rejects. */
  #looking: Promise<void> | null = null;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#disk = options.disk ?? DISK_FILES;
    const disk = this.#disk;
    const content = (path: string) => this.#contentOf(path);
    this.files = {
      read: this.#noting('file', content, (path) => disk.read(path)),
      names: this.#noting(
        'folder',
        (folder) => this.#namesIn(folder),
        (folder) => disk.names(folder),
      ),
      mark: this.#noting('file', content, (path) => disk.mark(path)),
      policies: this.#noting(
        'policies',
        (path) => this.#policiesOf(path),
        (path) => disk.policies(path),
      ),
    };
  }

  /** Looks at a file that somebody else reads next. */
  async note(path: string): Promise<void> {
    await this.files.mark(path);
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

  /** Notes what is read. Its state is that of before the reading: what changes meanwhile is a change. */
  #noting<T>(kind: string, look: (path: string) => Promise<string>, read: (path: string) => Promise<T>) {
    return async (path: string): Promise<T> => {
      const name = `${kind} ${path}`;
      this.#looks.set(name, () => look(path));
      this.#known.set(name, await look(path));
      return read(path);
    };
  }

  async #look(): Promise<void> {
    const looks = [...this.#looks].map(async ([name, look]) => [name, await look()] as const);
    const now = new Map(await Promise.all(looks));
    const isChanged = [...now].some(([name, state]) => this.#known.get(name) !== state);
    const isSettled = isDeepStrictEqual(now, this.#before);
    this.#before = now;
    if (!isChanged || !isSettled || this.#timer === null) return;
    this.#known = new Map(now);
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

  async #namesIn(folder: string): Promise<string> {
    const names = await this.#disk.names(folder).catch(() => null);
    return names === null ? 'none' : [...names].sort().join('\n');
  }

  async #policiesOf(directory: string): Promise<string> {
    return (await fingerprintOfPolicies(directory, this.#disk).catch(() => 'unreadable')) ?? 'none';
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}
