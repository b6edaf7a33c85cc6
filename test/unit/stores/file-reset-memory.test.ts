import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnfitError } from '../../../src/core/errors.js';
import type { ResetCounts } from '../../../src/core/vtpm-resets.js';
import { FileResetMemory } from '../../../src/stores/file-reset-memory.js';
import { makePipe } from '../../make-pipe.js';
import { RecordingLog } from '../endorsements/recording-log.js';

/**
 * A disk that fills up while a file is written, or fails, and that tells which names were written to it. What is read-only
 * takes nothing from root either, whom no mode of a folder stops.
 */
const disk = vi.hoisted(() => ({
  isFull: false,
  isReadOnly: false,
  fails: false,
  /** What each write waits for, in turn; nothing where none is left. */
  gates: [] as Promise<void>[],
  synced: [] as { folder: string; names: readonly string[] }[],
}));
vi.mock('../../../src/stores/durable-file.js', async (original) => {
  const real = await original<typeof import('../../../src/stores/durable-file.js')>();
  return {
    ...real,
    writeDurably: async (path: string, bytes: Uint8Array | string) => {
      await disk.gates.shift();
      if (disk.isReadOnly) throw Object.assign(new Error('permission denied'), { code: 'EACCES', syscall: 'open' });
      await real.writeDurably(path, disk.isFull ? '' : bytes);
      if (disk.isFull) throw Object.assign(new Error('no space left'), { code: 'ENOSPC', syscall: 'write' });
    },
    syncFolder: async (path: string) => {
      if (disk.fails) throw Object.assign(new Error('i/o error'), { code: 'EIO', syscall: 'fsync' });
      await real.syncFolder(path);
      disk.synced.push({ folder: path, names: await readdir(path) });
    },
  };
});

let root: string;
let folder: string;
let log: RecordingLog;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'veritee-'));
  folder = join(root, 'data', 'tpm-resets');
  log = new RecordingLog();
});
afterEach(async () => {
  Object.assign(disk, { isFull: false, isReadOnly: false, fails: false, gates: [], synced: [] });
  await rm(root, { recursive: true });
});

const open = (capacity?: number) =>
  new FileResetMemory({ folder, log, ...(capacity === undefined ? {} : { capacity }) });
const keyOf = (name: string | number) => createHash('sha256').update(`${name}`).digest('base64url');
const fileOf = (key: string) => join(folder, `ak-${key}`);
const counts = (resetCount: number, restartCount = 0): ResetCounts => ({ resetCount, restartCount });
const KEY = keyOf('vTPM');

/** Lets the first write pass, and the second where the gate is opened. */
function gateOfSecondWrite(): { open(): void } {
  let release = () => {};
  disk.gates = [Promise.resolve(), new Promise((resolve) => (release = resolve))];
  return { open: () => release() };
}

/** Writes a file as it stands. */
async function place(key: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(fileOf(key), text);
}

describe('the memory of vTPM resets', () => {
  it('TPM-10 twin: knows nothing of a vTPM at first, and makes no folder for that', async () => {
    expect(await open().highest(KEY)).toBeNull();
    expect(existsSync(folder)).toBe(false);
  });

  it('TPM-10 keeps the highest counts, and lower ones change nothing', async () => {
    const memory = open();
    const noted = [counts(7, 2), counts(7, 3), counts(7, 1), counts(8), counts(7, 9), counts(8)];
    const highest: ResetCounts[] = [];
    for (const each of noted) highest.push(await memory.advance(KEY, each));
    const [first, second] = [counts(7, 2), counts(7, 3)];
    expect(highest).toEqual([first, second, second, counts(8), counts(8), counts(8)]);
    expect(await memory.highest(KEY)).toEqual(counts(8));
    expect(await memory.highest(keyOf('another'))).toBeNull();
  });

  it('TPM-10 survives a restart, for its owner only, with nothing left beside it', async () => {
    const memory = open();
    await memory.advance(KEY, counts(2 ** 32 - 1, 2 ** 32 - 1));
    await memory.close();
    expect(await open().highest(KEY)).toEqual(counts(2 ** 32 - 1, 2 ** 32 - 1));
    expect(await readdir(folder)).toEqual([`ak-${KEY}`]);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(fileOf(KEY))).mode & 0o777).toBe(0o600);
    expect(await readFile(fileOf(KEY), 'utf8')).toBe('4294967295 4294967295\n');
  });

  it('TPM-10 ends with the highest of many that are noted at once, in whatever order', async () => {
    const memory = open();
    const given = Array.from({ length: 50 }, (_, index) => counts((index * 17) % 50, index));
    const highest = await Promise.all(given.map((each) => memory.advance(KEY, each)));
    given.forEach((each, index) => {
      expect(highest[index]?.resetCount).toBeGreaterThanOrEqual(each.resetCount);
    });
    expect((await memory.highest(KEY))?.resetCount).toBe(49);
    expect(await readdir(folder)).toEqual([`ak-${KEY}`]);
  });

  it('TPM-10 lets what is noted later wait for what is still being written', async () => {
    const gate = gateOfSecondWrite();
    const memory = open();
    const first = memory.advance(KEY, counts(7));
    const second = memory.advance(KEY, counts(9));
    await first;
    const third = memory.advance(KEY, counts(8));
    await Promise.race([third, setTimeout(50)]);
    gate.open();
    expect([await second, await third]).toEqual([counts(9), counts(9)]);
    expect(await memory.highest(KEY)).toEqual(counts(9));
  });

  it('TPM-10 is closed once nothing is being written', async () => {
    const gate = gateOfSecondWrite();
    const memory = open();
    await memory.advance(KEY, counts(7));
    const written = memory.advance(KEY, counts(8));
    const closed = memory.close().then(() => readFile(fileOf(KEY), 'utf8'));
    await Promise.race([closed, setTimeout(50)]);
    gate.open();
    expect([await closed, await written]).toEqual(['8 0\n', counts(8)]);
  });

  it('TPM-10 sees what another process has noted', async () => {
    const [one, other] = [open(), open()];
    await one.advance(KEY, counts(7));
    await other.advance(KEY, counts(9));
    expect(await one.highest(KEY)).toEqual(counts(9));
    expect(await one.advance(KEY, counts(8))).toEqual(counts(9));
    expect(await other.highest(KEY)).toEqual(counts(9));
  });

  it('forgets a vTPM whose file is removed', async () => {
    const memory = open();
    await memory.advance(KEY, counts(7));
    await rm(fileOf(KEY));
    expect(await memory.highest(KEY)).toBeNull();
    expect(await memory.advance(KEY, counts(1))).toEqual(counts(1));
  });

  it.each(['', '../escape', 'a'.repeat(42), 'a'.repeat(44), `${'a'.repeat(42)}/`])(
    'has no file for %j',
    async (key) => {
      await expect(open().highest(key)).rejects.toThrow(TypeError);
      await expect(open().advance(key, counts(1))).rejects.toThrow(TypeError);
      expect(existsSync(folder)).toBe(false);
    },
  );
});

describe('a file that says nothing', () => {
  it.each([
    ['empty', ''],
    ['cut off', '7'],
    ['without its end', '7 0'],
    ['one count', '7\n'],
    ['of three counts', '7 0 0\n'],
    ['signed', '-7 0\n'],
    ['hexadecimal', '0x7 0\n'],
    ['over 32 bits', '4294967296 0\n'],
    ['over 32 bits in its second', '0 4294967296\n'],
    ['followed by more', '7 0\n8 0\n'],
    ['the longest, followed by more', '4294967295 4294967295\n0'],
    ['long', `7 0\n${' '.repeat(100)}`],
    ['zeros, as after a crash', '\0'.repeat(4)],
  ])('TPM-10 is no reason to forget: %s', async (_title, text) => {
    await place(KEY, text);
    const memory = open();
    await expect(memory.highest(KEY)).rejects.toThrow(new UnfitError(`ak-${KEY}: not two counts`));
    await expect(memory.advance(KEY, counts(9))).rejects.toThrow(UnfitError);
    expect(await readFile(fileOf(KEY), 'utf8')).toBe(text);
    expect(await memory.advance(keyOf('another'), counts(1))).toEqual(counts(1));
  });

  it('TPM-10 is also what is no file', async () => {
    await mkdir(fileOf(KEY), { recursive: true });
    await expect(open().highest(KEY)).rejects.toThrow(new UnfitError(`ak-${KEY}: not a file`));
    makePipe(fileOf(keyOf('pipe')));
    await expect(open().highest(keyOf('pipe'))).rejects.toThrow(UnfitError);
  });

  it('counts again once it is repaired, or removed', async () => {
    await place(KEY, 'spoilt');
    const memory = open();
    await expect(memory.highest(KEY)).rejects.toThrow(UnfitError);
    await place(KEY, '7 0\n');
    expect(await memory.highest(KEY)).toEqual(counts(7));
    await place(KEY, 'spoilt');
    await expect(memory.advance(KEY, counts(9))).rejects.toThrow(UnfitError);
    await rm(fileOf(KEY));
    expect(await memory.advance(KEY, counts(1))).toEqual(counts(1));
  });
});

describe('a folder that cannot be used', () => {
  it('TPM-10 rejects what cannot be kept, and keeps it once it can', async () => {
    await mkdir(join(root, 'data'));
    await writeFile(folder, 'in its place');
    const memory = open();
    await expect(memory.highest(KEY)).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(memory.advance(KEY, counts(7))).rejects.toMatchObject({ code: 'ENOTDIR' });
    await rm(folder);
    expect(await memory.advance(KEY, counts(7))).toEqual(counts(7));
  });

  it('TPM-10 that is read-only says what it has, and takes nothing', async () => {
    const memory = open();
    await memory.advance(KEY, counts(7));
    await chmod(folder, 0o500);
    disk.isReadOnly = process.getuid?.() === 0;
    try {
      expect(await memory.advance(KEY, counts(7))).toEqual(counts(7));
      await expect(memory.advance(KEY, counts(8))).rejects.toMatchObject({ code: 'EACCES' });
      expect(await memory.highest(KEY)).toEqual(counts(7));
    } finally {
      await chmod(folder, 0o700);
      disk.isReadOnly = false;
    }
    expect(await memory.advance(KEY, counts(8))).toEqual(counts(8));
  });

  it('TPM-10 on a full disk takes nothing, forgets nothing, and leaves no half-written file', async () => {
    const memory = open();
    await memory.advance(KEY, counts(7));
    disk.isFull = true;
    await expect(memory.advance(KEY, counts(8))).rejects.toMatchObject({ code: 'ENOSPC' });
    await expect(memory.advance(keyOf('another'), counts(1))).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await memory.advance(KEY, counts(7))).toEqual(counts(7));
    expect(await readdir(folder)).toEqual([`ak-${KEY}`]);
    disk.isFull = false;
    expect(await memory.advance(KEY, counts(8))).toEqual(counts(8));
  });
});

describe('the log', () => {
  const begun = () => log.of(/^memory of vTPM resets cannot be used: policies that track resets do not allow$/);
  const over = () => log.of(/^memory of vTPM resets can be used again$/);
  const attempt = (memory: FileResetMemory, key: string) => memory.advance(key, counts(9)).catch(() => null);

  it('TPM-10 names a damaged file once, again where the damage changes, and once when it is over', async () => {
    const memory = open();
    const file = `ak-${KEY}`;
    const notCounts = { folder, file, why: `${file}: not two counts` };
    await place(KEY, 'spoilt');
    for (let times = 0; times < 3; times++) await attempt(memory, KEY);
    await attempt(memory, keyOf('another'));
    expect([begun(), over()]).toEqual([[notCounts], []]);
    await rm(fileOf(KEY));
    await mkdir(fileOf(KEY));
    for (let times = 0; times < 3; times++) await attempt(memory, KEY);
    const notFile = { folder, file, why: `${file}: not a file` };
    expect([begun(), over()]).toEqual([[notCounts, notFile], []]);
    await rm(fileOf(KEY), { recursive: true });
    for (let times = 0; times < 3; times++) await attempt(memory, KEY);
    expect([begun(), over()]).toEqual([[notCounts, notFile], [{ folder, file }]]);
    await place(KEY, 'spoilt');
    await attempt(memory, KEY);
    expect(begun()).toEqual([notCounts, notFile, notCounts]);
  });

  it('TPM-10 names a file that the system does not give', async () => {
    await mkdir(folder, { recursive: true });
    await symlink(fileOf(KEY), fileOf(KEY));
    const memory = open();
    await expect(memory.highest(KEY)).rejects.toMatchObject({ code: 'ELOOP' });
    await attempt(memory, keyOf('another'));
    await attempt(memory, KEY);
    expect(begun()).toEqual([{ folder, file: `ak-${KEY}`, why: expect.stringContaining('symbolic link') }]);
    expect(over()).toEqual([]);
  });

  it('TPM-10 names a folder that cannot be read once, whichever vTPMs are asked for', async () => {
    await mkdir(dirname(folder));
    await writeFile(folder, 'in its place');
    const memory = open();
    for (const key of [KEY, keyOf('another'), KEY]) await attempt(memory, key);
    expect([begun(), over()]).toEqual([[{ folder, why: 'is a file, and a folder is expected' }], []]);
    await rm(folder);
    for (const key of [KEY, keyOf('another')]) await attempt(memory, key);
    expect([begun(), over()]).toEqual([[expect.anything()], [{ folder }]]);
  });

  it('TPM-10 names a damaged file in a folder that can be read again', async () => {
    await mkdir(dirname(folder));
    await writeFile(folder, 'in its place');
    const memory = open();
    await attempt(memory, KEY);
    await rm(folder);
    await place(KEY, 'spoilt');
    await attempt(memory, KEY);
    expect(begun()).toEqual([expect.objectContaining({ folder }), expect.objectContaining({ file: `ak-${KEY}` })]);
    expect(over()).toEqual([{ folder }]);
  });

  it('TPM-10 names a folder that cannot be written once, although it can be read', async () => {
    const memory = open();
    await memory.advance(KEY, counts(7));
    disk.isFull = true;
    for (const key of [KEY, keyOf('another'), KEY]) {
      await attempt(memory, key);
      expect(await memory.highest(KEY)).toEqual(counts(7));
    }
    expect([begun(), over()]).toEqual([[{ folder, why: 'cannot be written: no space is left' }], []]);
    disk.isFull = false;
    for (const key of [KEY, keyOf('another')]) await attempt(memory, key);
    expect([begun(), over()]).toEqual([[expect.anything()], [{ folder }]]);
  });

  it('TPM-10 tells at start how many vTPMs are remembered, and of a folder that cannot be read', async () => {
    const opened = () => log.of(/^memory of vTPM resets opened$/);
    await open().start();
    expect(opened()).toEqual([{ folder, remembered: 0 }]);
    await place(KEY, '7 0\n');
    await place(keyOf('another'), 'spoilt');
    await writeFile(join(folder, 'README'), 'of the operator');
    await open().start();
    expect(opened()).toEqual([expect.anything(), { folder, remembered: 2 }]);
    await rm(folder, { recursive: true });
    await writeFile(folder, 'in its place');
    await open().start();
    expect([opened().length, begun()]).toEqual([2, [{ folder, why: 'is a file, and a folder is expected' }]]);
  });
});

describe('a folder that is gone', () => {
  const other = keyOf('another');
  const had: readonly (readonly [string, (memory: FileResetMemory) => Promise<unknown>])[] = [
    ['at the start', (memory) => memory.start()],
    ['when it was read', (memory) => memory.highest(KEY)],
    ['when it was written', (memory) => memory.advance(KEY, counts(8))],
  ];

  it.each(had)('TPM-10 is out of reach where it had counts %s', async (_title, use) => {
    await place(KEY, '7 0\n');
    const memory = open();
    await use(memory);
    await rename(folder, `${folder}.away`);
    for (const key of [KEY, other]) {
      await expect(memory.highest(key)).rejects.toMatchObject({ code: 'ENOENT' });
      await expect(memory.advance(key, counts(9))).rejects.toMatchObject({ code: 'ENOENT' });
    }
    expect(existsSync(folder)).toBe(false);
    expect(log.of(/cannot be used/)).toEqual([{ folder, why: 'is gone, and had counts of vTPMs' }]);
    await rename(`${folder}.away`, folder);
    expect((await memory.highest(KEY))?.resetCount).toBeGreaterThan(6);
    expect(await memory.advance(other, counts(1))).toEqual(counts(1));
  });

  it('TPM-10 is out of reach where what it had is damaged', async () => {
    await place(KEY, 'spoilt');
    const memory = open();
    await expect(memory.highest(KEY)).rejects.toThrow(UnfitError);
    await rm(folder, { recursive: true });
    await expect(memory.highest(KEY)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('TPM-10 is out of reach where its first counts were written just before', async () => {
    const memory = open();
    await memory.advance(KEY, counts(7));
    await rm(folder, { recursive: true });
    await expect(memory.highest(KEY)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('TPM-10 twin: is empty where it had none', async () => {
    await mkdir(folder, { recursive: true });
    const memory = open();
    await memory.start();
    expect(await memory.highest(KEY)).toBeNull();
    await rm(folder, { recursive: true });
    expect(await memory.highest(KEY)).toBeNull();
    expect(await memory.advance(KEY, counts(1))).toEqual(counts(1));
  });

  it('TPM-10 twin: forgets all where an empty one is in its place', async () => {
    const memory = open();
    await memory.advance(KEY, counts(7));
    await rm(folder, { recursive: true });
    await mkdir(folder);
    expect(await memory.advance(KEY, counts(1))).toEqual(counts(1));
  });
});

describe('what is kept', () => {
  it('TPM-10 has its name on the disk too, and so has its folder where that is new', async () => {
    const memory = open();
    await memory.advance(KEY, counts(7));
    const ofFile = { folder, names: [`ak-${KEY}`] };
    expect(disk.synced).toEqual([{ folder: dirname(folder), names: ['tpm-resets'] }, ofFile]);
    await memory.advance(KEY, counts(8));
    await memory.advance(KEY, counts(8));
    expect(disk.synced.slice(2)).toEqual([ofFile]);
  });

  it('TPM-10 is not kept where its name is not on the disk', async () => {
    const memory = open();
    await memory.advance(KEY, counts(7));
    disk.fails = true;
    await expect(memory.advance(KEY, counts(8))).rejects.toMatchObject({ code: 'EIO' });
    expect(log.of(/cannot be used/)).toEqual([{ folder, why: 'cannot be written: the disk or the file system fails' }]);
  });
});

describe('a temporary file that a crash has left', () => {
  const temporary = (id: string) => `${fileOf(KEY)}.${id}.tmp`;
  let old: string;
  let recent: string;

  beforeEach(async () => {
    old = temporary('01234567-89ab-4cde-8f01-23456789abcd');
    recent = temporary('11234567-89ab-4cde-8f01-23456789abcd');
    await place(KEY, '7 0\n');
    await Promise.all([writeFile(old, ''), writeFile(recent, ''), writeFile(join(folder, 'notes.tmp'), '')]);
    await Promise.all([old, join(folder, 'notes.tmp'), fileOf(KEY)].map((path) => utimes(path, 0, 0)));
  });
  const expectTidied = () => {
    expect([old, recent, join(folder, 'notes.tmp')].map((path) => existsSync(path))).toEqual([false, true, true]);
  };

  it('is removed at start, and not one that may still be written', async () => {
    await open().start();
    expectTidied();
    expect(await open().highest(KEY)).toEqual(counts(7));
  });

  it('is removed when room is made', async () => {
    const memory = open(1);
    await memory.advance(keyOf('another'), counts(1));
    await memory.close();
    expectTidied();
    expect(existsSync(fileOf(KEY))).toBe(false);
  });
});

describe('a full memory', () => {
  /** Notes vTPMs one after the other, each an hour after the one before. */
  async function fill(memory: FileResetMemory, from: number, to: number): Promise<void> {
    for (let index = from; index < to; index++) {
      await memory.advance(keyOf(index), counts(1));
      await utimes(fileOf(keyOf(index)), 0, index * 3600);
    }
    await memory.close();
  }
  const known = async () => (await readdir(folder)).length;

  it('forgets the vTPM that advanced longest ago, not one that advanced since', async () => {
    const memory = open(3);
    await fill(memory, 0, 3);
    await memory.advance(keyOf(0), counts(2));
    await memory.advance(keyOf(3), counts(1));
    await memory.close();
    expect(await memory.highest(keyOf(0))).toEqual(counts(2));
    expect(await memory.highest(keyOf(1))).toBeNull();
    expect([await memory.highest(keyOf(2)), await memory.highest(keyOf(3))]).toEqual([counts(1), counts(1)]);
    expect(log.of(/oldest counts were forgotten/)).toEqual([{ forgotten: 1 }]);
  });

  it('is bounded, also after a restart', async () => {
    await fill(open(10), 0, 25);
    expect(await known()).toBe(10);
    await fill(open(10), 25, 30);
    expect(await known()).toBe(10);
    expect(await open(10).highest(keyOf(29))).toEqual(counts(1));
  });

  it('forgets one in a hundred at a time where it is large', async () => {
    await mkdir(folder, { recursive: true });
    await Promise.all(Array.from({ length: 600 }, (_, index) => writeFile(fileOf(keyOf(index)), '1 0\n')));
    const memory = open(600);
    await memory.advance(keyOf('one more'), counts(1));
    await memory.close();
    expect(await known()).toBe(594);
    await memory.advance(keyOf('another'), counts(1));
    await memory.close();
    expect(await known()).toBe(595);
  });

  it('counts what is its own only, and none for a vTPM that it knows', async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'README'), 'of the operator');
    await writeFile(`${fileOf(KEY)}.0.tmp`, '');
    const memory = open(1);
    await memory.advance(KEY, counts(1));
    await memory.advance(KEY, counts(2));
    await memory.close();
    expect([await known(), log.of(/./)]).toEqual([3, []]);
    await memory.advance(keyOf('another'), counts(1));
    await memory.close();
    expect(await known()).toBe(3);
    expect(existsSync(join(folder, 'README'))).toBe(true);
  });

  it('forgets none where there is room since files were removed', async () => {
    const memory = open(3);
    await fill(memory, 0, 3);
    await Promise.all([1, 2].map((index) => rm(fileOf(keyOf(index)))));
    await fill(memory, 3, 4);
    expect(await memory.highest(keyOf(0))).toEqual(counts(1));
    expect(log.of(/oldest counts were forgotten/)).toEqual([]);
  });

  it('goes on where the folder cannot be tidied', async () => {
    const memory = open(1);
    await memory.advance(KEY, counts(1));
    await memory.close();
    await rm(fileOf(KEY));
    // Nothing removes a folder that is in the place of a file.
    await mkdir(fileOf(KEY));
    await utimes(fileOf(KEY), 0, 0);
    expect(await memory.advance(keyOf('another'), counts(1))).toEqual(counts(1));
    await memory.close();
    expect(log.of(/cannot be tidied/)).toHaveLength(1);
    expect(await memory.highest(keyOf('another'))).toEqual(counts(1));
  });
});
