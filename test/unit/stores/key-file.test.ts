import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { KeyFiles, readKeyFile } from '../../../src/stores/key-file.js';
import { makePipe } from '../../make-pipe.js';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-key-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function written(bytes: number): Promise<string> {
  const path = join(folder, `${bytes}.key`);
  await writeFile(path, Buffer.alloc(bytes, 7));
  return path;
}

it.each([1, 32, 65_536])('reads all of a key of %i bytes, into memory of its own', async (length) => {
  const bytes = await readKeyFile(await written(length));
  expect(bytes).toHaveLength(length);
  expect(bytes.every((byte) => byte === 7)).toBe(true);
  // The overwritten bytes must not be shared with others.
  expect(bytes.buffer.byteLength).toBe(length + 1);
});

it.each([
  [0, 'is empty'],
  [65_537, 'has more than 65536 bytes'],
])('refuses a file of %i bytes', async (length, why) => {
  await expect(readKeyFile(await written(length))).rejects.toThrow(why);
});

it('refuses what is no file, and one that is not there', async () => {
  await expect(readKeyFile(folder)).rejects.toThrow('is no file');
  await expect(readKeyFile(join(folder, 'absent'))).rejects.toThrow('ENOENT');
});

it('refuses a pipe, and does not wait for it', async () => {
  makePipe(join(folder, 'pipe'));
  await expect(readKeyFile(join(folder, 'pipe'))).rejects.toThrow('is no file');
});

it('refuses a file that has less in it than it says', async () => {
  // Files of the kernel have no size, or a greater one.
  await expect(readKeyFile('/sys/kernel/mm/transparent_hugepage/enabled')).rejects.toThrow('changed while it was read');
});

it('reads two files at a time, and goes on once one of them has been read or has failed', async () => {
  const ends: ((error?: Error) => void)[] = [];
  const files = new KeyFiles(
    () =>
      new Promise((resolve, reject) => {
        ends.push((error) => (error === undefined ? resolve(Uint8Array.of(ends.length)) : reject(error)));
      }),
  );
  const reads = Array.from({ length: 4 }, () => files.read('/any').catch((error: Error) => error.message));
  await vi.waitFor(() => expect(ends).toHaveLength(2));
  ends[0]?.(new Error('EIO'));
  await vi.waitFor(() => expect(ends).toHaveLength(3));
  ends[2]?.();
  await vi.waitFor(() => expect(ends).toHaveLength(4));
  ends[1]?.();
  ends[3]?.();
  expect(await Promise.all(reads)).toEqual(['EIO', Uint8Array.of(4), Uint8Array.of(3), Uint8Array.of(4)]);
  const later = files.read('/any');
  await vi.waitFor(() => expect(ends).toHaveLength(5));
  ends[4]?.();
  expect(await later).toEqual(Uint8Array.of(5));
});
