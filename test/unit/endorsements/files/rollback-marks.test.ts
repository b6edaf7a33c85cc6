import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SharedMarks } from '../../../../src/core/shared-marks.js';
import { isOlder } from '../../../../src/crypto/revocation-list.js';
import { CacheFolder } from '../../../../src/endorsements/files/cache-folder.js';
import { CrlMemory, isDamaged } from '../../../../src/endorsements/files/rollback-marks.js';
import { MarkTable } from '../mark-table.js';
import { RecordingLog } from '../recording-log.js';

const age = (number: bigint, day: number) => ({ number, thisUpdate: new Date(Date.UTC(2026, 0, day)) });

describe('age of CRLs', () => {
  it.each([
    [age(1n, 5), age(2n, 4), true],
    [age(2n, 4), age(1n, 5), false],
    [age(2n, 4), age(2n, 5), true],
    [age(2n, 5), age(2n, 5), false],
    [age(9n, 1), age(10n, 1), true],
    [age(2n ** 64n, 1), age(2n ** 64n + 1n, 1), true],
  ])('compares numbers as numbers, then dates (case %#)', (a, b, expected) => {
    expect(isOlder(a, b)).toBe(expected);
  });
});

describe('CrlMemory', () => {
  let path: string;
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'veritee-memory-'));
  });
  afterEach(() => rm(path, { recursive: true }));

  const open = (log = new RecordingLog(), shared?: SharedMarks, source: string | null = null) =>
    new CrlMemory({ folder: new CacheFolder(path, log), log, shared, source });
  const FILE = 'crl-highest-Milan';
  const file = () => join(path, FILE);

  it.each([
    ['older', age(8n, 1), age(9n, 2)],
    ['newer', age(9n, 2), age(8n, 1)],
  ])('CRT-09 keeps the newer of two lists that are relied on at once, the %s first', async (_which, one, other) => {
    const memory = open();
    await Promise.all([memory.advance('Milan', one), memory.advance('Milan', other)]);
    expect(await memory.highest('Milan')).toEqual(age(9n, 2));
    expect(await open().highest('Milan')).toEqual(age(9n, 2));
  });

  it.each([
    ['none', null],
    ['an older one', age(3n, 1)],
  ])('CRT-09 lowers no mark that another process has raised, where it knew %s', async (_which, known) => {
    const memory = open();
    if (known !== null) await memory.advance('Milan', known);
    expect(await memory.highest('Milan')).toEqual(known);
    expect(await open().advance('Milan', age(8n, 2))).toBe(true);
    expect(await memory.advance('Milan', age(5n, 1))).toBe(false);
    expect(await readFile(file(), 'utf8')).toBe('8 2026-01-02T00:00:00.000Z\n');
    expect(await memory.highest('Milan')).toEqual(age(8n, 2));
    expect(await memory.advance('Milan', age(8n, 2))).toBe(true);
    expect(await memory.advance('Milan', age(9n, 3))).toBe(true);
  });

  it('CRT-09 has what raised a mark held before the mark can be seen', async () => {
    const memory = open();
    const seen: unknown[] = [];
    const hold = async () => void seen.push(memory.changes);
    expect(await memory.advance('Milan', age(8n, 1), hold)).toBe(true);
    expect([seen, memory.changes]).toEqual([[0], 1]);
  });

  it.each([
    ['holds the same', age(8n, 1), 1],
    ['does not hold an older one', age(7n, 1), 0],
  ])('CRT-09 where another was relied on before, %s', async (_what, value, times) => {
    const memory = open();
    await memory.advance('Milan', age(8n, 1));
    const held: bigint[] = [];
    await memory.advance('Milan', value, async () => void held.push(value.number));
    expect(held).toHaveLength(times);
  });

  it('CRT-09 reads a mark again as long as there is none', async () => {
    const memory = open();
    expect(await memory.highest('Milan')).toBeNull();
    await open().advance('Milan', age(8n, 2));
    expect(await memory.highest('Milan')).toEqual(age(8n, 2));
  });

  it('CRT-09 relies on nothing where the mark was damaged meanwhile', async () => {
    const memory = open();
    await memory.advance('Milan', age(3n, 1));
    await writeFile(file(), 'damaged');
    expect(await memory.advance('Milan', age(5n, 2))).toBe(false);
    expect(await readFile(file(), 'utf8')).toBe('damaged');
    await rm(file());
    expect(await memory.advance('Milan', age(5n, 2))).toBe(true);
  });

  it('CRT-09 lowers no mark in memory where the file is behind what was noted meanwhile', async () => {
    const memory = open();
    await memory.advance('Milan', age(3n, 1));
    await open().advance('Milan', age(9n, 3));
    await Promise.all([memory.advance('Milan', age(10n, 4)), memory.advance('Milan', age(8n, 2))]);
    expect(await memory.highest('Milan')).toEqual(age(10n, 4));
    expect(await memory.advance('Milan', age(9n, 3))).toBe(false);
  });

  it.each([
    ['is empty', () => writeFile(file(), '')],
    ['is cut short', () => writeFile(file(), '9 2026-01-02T00:00:00.000Z')],
    ['names a date that is none', () => writeFile(file(), '9 2026-13-02T00:00:00.000Z\n')],
    ['is a folder', () => mkdir(file())],
  ])('CRT-09 makes every list older where a mark %s, until it is removed, and says so once', async (_what, spoil) => {
    await spoil();
    const log = new RecordingLog();
    const memory = open(log);
    for (let call = 0; call < 2; call += 1) {
      const mark = await memory.highest('Milan');
      expect([isDamaged(mark), mark !== null && isOlder(age(2n ** 160n, 31), mark)]).toEqual([true, true]);
    }
    await memory.advance('Milan', age(9n, 2));
    expect(isDamaged(await memory.highest('Milan'))).toBe(true);
    expect(log.entries).toEqual([
      {
        level: 'error',
        message:
          'rollback mark cannot be relied on: nothing in its series is accepted until it can be read or is removed',
        fields: { file: FILE, err: expect.any(Error) },
      },
    ]);
    await rm(file(), { recursive: true });
    expect(await memory.highest('Milan')).toBeNull();
    await memory.advance('Milan', age(9n, 2));
    expect(await open().highest('Milan')).toEqual(age(9n, 2));
  });

  describe('that replicas share', () => {
    const [LOW, HIGH] = ['8 2026-01-01T00:00:00.000Z\n', '9 2026-01-02T00:00:00.000Z\n'];
    const SOURCE = 'https://kds.example:8443/vcek';
    const SHARED = 'crl-shared-Milan@kds.example:8443';
    let table: MarkTable;
    beforeEach(() => {
      table = new MarkTable();
    });
    const replica = (source: string | null = SOURCE) => open(new RecordingLog(), table, source);
    const loseFolder = async () => {
      for (const name of await readdir(path)) await rm(join(path, name));
    };
    const kept = (name: string) => readFile(join(path, name), 'utf8');

    it('CRT-09 are known to a replica that lost its folder, which keeps them from then on', async () => {
      expect(await replica().advance('Milan', age(9n, 2))).toBe(true);
      expect([...table.kept]).toEqual([[SHARED, HIGH]]);
      await loseFolder();
      const memory = replica();
      expect(await memory.marks('Milan')).toEqual({ own: null, highest: age(9n, 2) });
      expect(await readdir(path)).toEqual([SHARED]);
      table.isGone = true;
      for (const known of [memory, replica()]) {
        expect(await known.marks('Milan')).toEqual({ own: null, highest: age(9n, 2) });
        expect(await known.advance('Milan', age(8n, 1))).toBe(false);
      }
    });

    it('CRT-09 refuse a list that is older than one of another replica, and leave the own mark as it is', async () => {
      const memory = replica();
      expect(await memory.advance('Milan', age(3n, 1))).toBe(true);
      table.kept.set(SHARED, HIGH);
      const held: unknown[] = [];
      for (const value of [age(3n, 1), age(8n, 1)]) {
        expect(await memory.advance('Milan', value, async () => void held.push('held'))).toBe(false);
      }
      expect([held, table.kept.get(SHARED), await kept(SHARED)]).toEqual([[], HIGH, HIGH]);
      for (const known of [memory, replica()]) {
        expect(await known.marks('Milan')).toEqual({ own: age(3n, 1), highest: age(9n, 2) });
      }
      expect(await memory.advance('Milan', age(9n, 2))).toBe(true);
      expect(await memory.advance('Milan', age(10n, 3))).toBe(true);
      expect([table.kept.get(SHARED), await kept(FILE)]).toEqual(Array(2).fill('10 2026-01-03T00:00:00.000Z\n'));
    });

    it('CRT-09 are no reason to go on with the oldest list, and stay as they are where a newer one replaces it', async () => {
      const memory = replica();
      await memory.advance('Milan', age(3n, 1));
      table.kept.set(SHARED, HIGH);
      expect(await memory.advance('Milan', age(8n, 1))).toBe(false);
      const held: bigint[] = [];
      for (const number of [8n, 7n]) {
        const hold = async () => void held.push(number);
        expect(await memory.advanceOwn('Milan', age(number, 1), hold)).toBe(number === 8n);
      }
      expect([held, table.kept.get(SHARED)]).toEqual([[8n], HIGH]);
      for (const known of [memory, replica()]) {
        expect(await known.marks('Milan')).toEqual({ own: age(8n, 1), highest: age(9n, 2) });
      }
    });

    it('CRT-09 are apart for sources with another host, and for what has no source', async () => {
      expect(await replica().advance('Milan', age(9n, 2))).toBe(true);
      await loseFolder();
      for (const other of ['https://kds.example/vcek', 'https://mirror.example:8443', null]) {
        expect(await replica(other).advance('Milan', age(8n, 1))).toBe(true);
        await loseFolder();
      }
      expect(await replica('https://kds.example:8443').advance('Milan', age(8n, 1))).toBe(false);
      const others = ['crl-shared-Milan@kds.example', 'crl-shared-Milan@mirror.example:8443', 'crl-shared-Milan'];
      expect([...table.kept.keys()]).toEqual([SHARED, ...others]);
    });

    it('CRT-09 are no reason to rely on what is older than the own mark', async () => {
      await replica().advance('Milan', age(9n, 2));
      table.kept.clear();
      const elsewhere = replica('https://mirror.example');
      expect(await elsewhere.marks('Milan')).toEqual({ own: age(9n, 2), highest: age(9n, 2) });
      expect(await elsewhere.advance('Milan', age(8n, 1))).toBe(false);
      expect(table.kept.size).toBe(0);
    });

    it('CRT-09 are asked for again each time, and raised by each that is relied on', async () => {
      const memory = replica();
      expect(await memory.highest('Milan')).toBeNull();
      await memory.advance('Milan', age(8n, 1));
      const { changes } = memory;
      expect(await memory.highest('Milan')).toEqual(age(8n, 1));
      expect(memory.changes).toBe(changes);
      table.kept.set(SHARED, HIGH);
      expect(await memory.highest('Milan')).toEqual(age(9n, 2));
      expect(memory.changes).toBeGreaterThan(changes);
    });

    it.each([
      ['has lost them', () => table.kept.clear()],
      ['is of before', () => table.kept.set(SHARED, LOW)],
    ])('CRT-09 are given back to a store that %s, and are no lower for it', async (_what, spoil) => {
      const memory = replica();
      await memory.advance('Milan', age(9n, 2));
      for (const known of [memory, replica()]) {
        spoil();
        expect(await known.highest('Milan')).toEqual(age(9n, 2));
        expect(table.kept.get(SHARED)).toBe(HIGH);
        spoil();
        expect(await known.advance('Milan', age(9n, 2))).toBe(true);
        expect(table.kept.get(SHARED)).toBe(HIGH);
      }
    });

    it('CRT-09 are those of the replica while the store is gone, and count once it is back', async () => {
      table.kept.set(SHARED, HIGH);
      table.isGone = true;
      const memory = replica();
      expect(await memory.advance('Milan', age(8n, 1))).toBe(true);
      const { changes } = memory;
      table.isGone = false;
      table.changes += 1;
      expect(memory.changes).toBeGreaterThan(changes);
      expect(await memory.marks('Milan')).toEqual({ own: age(8n, 1), highest: age(9n, 2) });
      expect(await memory.advance('Milan', age(8n, 1))).toBe(false);
    });

    it('CRT-09 make every list older that arrives where they are no marks, and the log says so once', async () => {
      await replica().advance('Milan', age(8n, 1));
      table.kept.set(SHARED, 'NaN\n');
      const log = new RecordingLog();
      const memory = open(log, table, SOURCE);
      for (let call = 0; call < 2; call += 1) {
        const { own, highest } = await memory.marks('Milan');
        expect([own, isDamaged(highest)]).toEqual([age(8n, 1), true]);
      }
      expect(await memory.advance('Milan', age(9n, 2))).toBe(false);
      expect(log.entries).toMatchObject([
        {
          fields: { file: `${SHARED} in the database`, err: expect.any(Error) },
          message:
            'rollback mark cannot be relied on: nothing in its series is accepted unless it replaces an older one in use, until it can be read or is removed',
        },
      ]);
    });

    it.each([
      ['own mark is', FILE],
      ['shared mark in the folder is', SHARED],
    ])('CRT-09 are not raised where the %s damaged', async (_what, name) => {
      await writeFile(join(path, name), 'damaged');
      const memory = replica();
      expect(isDamaged(await memory.highest('Milan'))).toBe(true);
      expect(await memory.advance('Milan', age(9n, 2))).toBe(false);
      expect([table.kept.size, await readdir(path)]).toEqual([0, [name]]);
    });

    it('CRT-09 stay as high as what was noted while the store answered', async () => {
      const memory = replica();
      await memory.advance('Milan', age(3n, 1));
      table.kept.set(SHARED, LOW);
      const [found] = await Promise.all([memory.highest('Milan'), memory.advance('Milan', age(9n, 2))]);
      expect(found?.number).toBeGreaterThanOrEqual(8n);
      expect([await memory.highest('Milan'), await readFile(file(), 'utf8')]).toEqual([age(9n, 2), HIGH]);
    });
  });

  it('CRT-09 knows of no list where there is no mark', async () => {
    const mark = await open().highest('Milan');
    expect([mark, isDamaged(mark)]).toEqual([null, false]);
  });
});
