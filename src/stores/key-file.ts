import { constants, open } from 'node:fs/promises';

/** The longest key that is released from a file. */
const LONGEST_KEY = 64 * 1024;

/** Opens without blocking, so that a pipe is not waited for. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** Most concurrent reads. Each may block one of the four threads that file system, DNS and cryptography share. */
const MOST_READS = 2;

/** Reads key files, few at a time, so that an unresponsive file system does not block every thread of the process. */
export class KeyFiles {
  readonly #read: typeof readKeyFile;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(read = readKeyFile) {
    this.#read = read;
  }

  /** @throws {Error} as `readKeyFile` */
  async read(path: string): Promise<Uint8Array> {
    if (this.#underWay >= MOST_READS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#underWay += 1;
    try {
      return await this.#read(path);
    } finally {
      // The next waiting read takes over the slot.
      const next = this.#waiting.shift();
      if (next === undefined) this.#underWay -= 1;
      else next();
    }
  }
}

/**
 * Reads a key into memory of its own, so that the caller can overwrite all of it.
 * @throws {Error} if the file does not exist, is empty or too long, or changes while it is read
 */
export async function readKeyFile(path: string): Promise<Uint8Array> {
  const file = await open(path, READ);
  try {
    const state = await file.stat();
    if (!state.isFile()) throw new Error('is no file');
    if (state.size === 0) throw new Error('is empty');
    if (state.size > LONGEST_KEY) throw new Error(`has more than ${LONGEST_KEY} bytes`);
    return await readWhole(file, state.size);
  } finally {
    await file.close();
  }
}

async function readWhole(file: Awaited<ReturnType<typeof open>>, size: number): Promise<Uint8Array> {
  // Does not use the pool that other buffers share.
  const bytes = Buffer.alloc(size + 1);
  const { bytesRead } = await file.read(bytes, 0, bytes.byteLength, 0);
  if (bytesRead === size) return bytes.subarray(0, size);
  bytes.fill(0);
  throw new Error('changed while it was read');
}
