import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CacheFolder } from '../../../src/endorsements/cache-folder.js';
import { CrlMemory, isOlder } from '../../../src/endorsements/crl-memory.js';
import { RecordingLog } from './recording-log.js';

const age = (number: bigint, day: number) => ({ number, thisUpdate: new Date(Date.UTC(2026, 0, day)) });

describe('age of revocation lists', () => {
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

  const open = () => new CrlMemory(new CacheFolder(path, new RecordingLog()));

  it.each([
    ['older', age(8n, 1), age(9n, 2)],
    ['newer', age(9n, 2), age(8n, 1)],
  ])('CRT-09 keeps the newer of two lists that are relied on at once, the %s first', async (_which, one, other) => {
    const memory = open();
    await Promise.all([memory.advance('Milan', one), memory.advance('Milan', other)]);
    expect(await memory.highest('Milan')).toEqual(age(9n, 2));
    expect(await open().highest('Milan')).toEqual(age(9n, 2));
  });
});
