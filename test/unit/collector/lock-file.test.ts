import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withLock } from '../../../src/collector/lock-file.js';

let folder: string;
let lock: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-lock-'));
  lock = join(folder, 'lock');
  return () => rm(folder, { recursive: true });
});

afterEach(() => vi.restoreAllMocks());

const GONE = () => false;

describe('a lock', () => {
  it('has the process id while something runs, and is gone afterwards', async () => {
    expect(await withLock(lock, () => readFile(lock, 'utf8'))).toBe(`${process.pid}\n`);
    expect(await readdir(folder)).toEqual([]);
  });

  it('can be read by everyone and written by root alone, whatever the umask is', async () => {
    const before = process.umask(0);
    try {
      expect(await withLock(lock, async () => (await stat(lock)).mode & 0o777)).toBe(0o644);
    } finally {
      process.umask(before);
    }
  });

  it('may be removed by an operator meanwhile', async () => {
    expect(await withLock(lock, () => rm(lock).then(() => 'ran'))).toBe('ran');
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
    const isRunning = (pid: number) => {
      if (pid === 4194304) writeFileSync(lock, '77\n');
      return pid === 77;
    };
    await expect(withLock(lock, async () => 'ran', isRunning)).rejects.toMatchObject({ code: 'locked' });
    expect([await readdir(folder), await readFile(lock, 'utf8')]).toEqual([['lock'], '77\n']);
  });

  it('belongs to whoever took it while it was put back', async () => {
    await writeFile(lock, '4194304\n');
    const isRunning = (pid: number) => {
      writeFileSync(lock, `${pid === 77 ? 88 : 77}\n`);
      return pid === 77;
    };
    await expect(withLock(lock, async () => 'ran', isRunning)).rejects.toMatchObject({
      code: 'locked',
      message: `${lock} is held by another collector`,
    });
    expect([await readdir(folder), await readFile(lock, 'utf8')]).toEqual([['lock'], '88\n']);
  });

  it('is held by a process of another user, too, which this one may not signal', async () => {
    await writeFile(lock, '4194304\n');
    vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('not permitted'), { code: 'EPERM' });
    });
    await expect(withLock(lock, async () => 'ran')).rejects.toMatchObject({
      code: 'locked',
      message: `${lock} is held by process 4194304`,
    });
  });

  it('is free where its holder ended meanwhile', async () => {
    await writeFile(lock, '4194304\n');
    const isRunning = () => {
      rmSync(lock);
      return false;
    };
    expect(await withLock(lock, async () => 'ran', isRunning)).toBe('ran');
  });

  it.each(['', 'x\n', '0\n', '12', '12345678901\n', '123456789012345678\n'])(
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
