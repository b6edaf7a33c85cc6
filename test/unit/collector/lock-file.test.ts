import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { withLock } from '../../../src/collector/lock-file.js';

let folder: string;
let lock: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-lock-'));
  lock = join(folder, 'lock');
  return () => rm(folder, { recursive: true });
});

const GONE = () => false;

describe('a lock', () => {
  it('has the process id while something runs, and is gone afterwards', async () => {
    expect(await withLock(lock, () => readFile(lock, 'utf8'))).toBe(`${process.pid}\n`);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is gone after a failure, too', async () => {
    const failing = withLock(lock, async () => {
      throw new Error('failed');
    });
    await expect(failing).rejects.toThrow('failed');
    expect(await readdir(folder)).toEqual([]);
  });

  it('keeps a second one out', async () => {
    const second = withLock(lock, () => withLock(lock, async () => 'both'));
    await expect(second).rejects.toMatchObject({
      code: 'locked',
      message: `${lock} is held by process ${process.pid}`,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('is taken over from a process that is gone', async () => {
    await writeFile(lock, '4194304\n');
    expect(await withLock(lock, () => readFile(lock, 'utf8'))).toBe(`${process.pid}\n`);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is put back where a faster collector took it over between', async () => {
    await writeFile(lock, '4194304\n');
    const { writeFileSync } = await import('node:fs');
    const isRunning = (pid: number) => {
      if (pid === 4194304) writeFileSync(lock, '77\n');
      return pid === 77;
    };
    await expect(withLock(lock, async () => 'ran', isRunning)).rejects.toMatchObject({ code: 'locked' });
    expect([await readdir(folder), await readFile(lock, 'utf8')]).toEqual([['lock'], '77\n']);
  });

  it('is free where its holder ended meanwhile', async () => {
    await writeFile(lock, '4194304\n');
    const { rmSync } = await import('node:fs');
    const isRunning = () => {
      rmSync(lock);
      return false;
    };
    expect(await withLock(lock, async () => 'ran', isRunning)).toBe('ran');
  });

  it.each(['', 'x\n', '0\n', '12', '123456789012345678\n'])(
    'is not taken over where it is no lock: %j',
    async (content) => {
      await writeFile(lock, content);
      const taken = withLock(lock, async () => 'ran', GONE);
      await expect(taken).rejects.toMatchObject({ code: 'locked', message: `${lock} is no lock of a collector` });
      expect(await readFile(lock, 'utf8')).toBe(content);
    },
  );

  it('cannot be taken in a folder that is not there', async () => {
    const path = join(folder, 'none', 'lock');
    await expect(withLock(path, async () => 'ran')).rejects.toMatchObject({ code: 'permission' });
  });
});
