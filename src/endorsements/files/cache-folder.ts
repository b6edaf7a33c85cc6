import { readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Log } from '../../core/ports.js';
import { readBoundedFile, writeAtomically } from '../../files/whole-files.js';
import { attempt, codeOf } from './material-files.js';

/**
 * A folder of files that can be fetched again: after any error, the service continues from memory.
 * With null as folder, nothing is ever stored.
 *
 * Changes run one after the other, in the order of the calls: otherwise, of two concurrent writes, the older CRL
 * could stay on disk.
 */
export class CacheFolder {
  readonly #folder: string | null;
  readonly #log: Log;
  #isWritable = true;
  /** Never rejects. */
  #lastChange: Promise<void> = Promise.resolve();

  constructor(folder: string | null, log: Log) {
    // An absolute path, so that a later change of the working directory has no effect.
    this.#folder = folder === null ? null : resolve(folder);
    this.#log = log;
  }

  /** The bytes of a file; null if there is no readable file. */
  async read(name: string): Promise<Uint8Array | null> {
    try {
      return await this.readOrThrow(name);
    } catch (error) {
      this.#log.warn({ err: error, file: name }, 'cached endorsement cannot be read');
      return null;
    }
  }

  /** The content of a file, as parsed by `verify`. A file that does not match its name is ignored: null. */
  async readVerified<T>(name: string, verify: (bytes: Uint8Array) => T): Promise<T | null> {
    const bytes = await this.read(name);
    if (bytes === null) return null;
    const read = attempt(() => verify(bytes));
    if (!(read instanceof Error)) return read;
    this.#log.warn({ file: name, why: read.message }, 'cached endorsement does not match and is ignored');
    return null;
  }

  /** The bytes of a file; null if there is none. @throws {Error} if it exists and cannot be read */
  async readOrThrow(name: string): Promise<Uint8Array | null> {
    if (this.#folder === null) return null;
    try {
      return await readBoundedFile(join(this.#folder, name));
    } catch (error) {
      // Also if the folder is another kind of file, so that it contains no file.
      if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return null;
      throw error;
    }
  }

  /** When a file was written; null if there is none. */
  async writtenAt(name: string): Promise<Date | null> {
    const at = this.#folder === null ? 0 : await writtenAt(join(this.#folder, name));
    return at === 0 ? null : new Date(at);
  }

  /** Writes a file. Logs a failure once, until a write succeeds. */
  write(name: string, bytes: Uint8Array | string): Promise<void> {
    return this.#change(async (folder) => {
      try {
        await writeAtomically(join(folder, name), bytes, 'owner');
        this.#isWritable = true;
      } catch (error) {
        if (this.#isWritable) {
          this.#log.warn({ err: error }, 'endorsement cache cannot be written, kept in memory only');
        }
        this.#isWritable = false;
      }
    });
  }

  remove(name: string): Promise<void> {
    return this.#change(async (folder) => {
      try {
        await rm(join(folder, name), { force: true });
      } catch (error) {
        this.#log.warn({ err: error, file: name }, 'cached endorsement cannot be removed');
      }
    });
  }

  /** Names of files with a prefix, the oldest first. */
  async namesFrom(prefix: string): Promise<readonly string[]> {
    if (this.#folder === null) return [];
    try {
      const folder = this.#folder;
      const names = (await readdir(folder)).filter((name) => name.startsWith(prefix) && !name.endsWith('.tmp'));
      const written = await Promise.all(names.map(async (name) => ({ name, at: await writtenAt(join(folder, name)) })));
      return written.sort((a, b) => a.at - b.at).map(({ name }) => name);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#log.warn({ err: error }, 'endorsement cache cannot be listed');
      return [];
    }
  }

  /** Resolves when no change is running or about to start. */
  async settled(): Promise<void> {
    let last: Promise<void>;
    do {
      last = this.#lastChange;
      await last;
      // A caller that waited for that change may have started the next one.
      await setImmediate();
    } while (last !== this.#lastChange);
  }

  async #change(make: (folder: string) => Promise<void>): Promise<void> {
    const folder = this.#folder;
    if (folder === null) return;
    this.#lastChange = this.#lastChange.then(() => make(folder));
    await this.#lastChange;
  }
}

async function writtenAt(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}
