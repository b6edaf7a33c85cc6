import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DEFAULT_SHARING } from '../../../../src/stores/redis/redis-endorsement-store.js';
import { RESET_CAPACITY } from '../../../../src/stores/reset-counts.js';

const text = readFileSync(new URL('../../../../docs/stores.md', import.meta.url), 'utf8');

const SECOND_MS = 1_000;
const MIB = 1024 * 1024;

/** Numbers of docs/stores.md, in its words. */
it.each<readonly [string, number, number]>([
  ['four at a time', DEFAULT_SHARING.turns, 4],
  ['with ten seconds after each, for an hour', DEFAULT_SHARING.spacingMs, 10 * SECOND_MS],
  ['with ten seconds after each, for an hour', DEFAULT_SHARING.spacedMs, 3_600 * SECOND_MS],
  ['At most 256 places are in the lines', DEFAULT_SHARING.places, 256],
  ['places for five seconds after somebody last asked', DEFAULT_SHARING.placeMs, 5 * SECOND_MS],
  ['at most 64 MiB and 20 000 entries', DEFAULT_SHARING.bytes, 64 * MIB],
  ['at most 64 MiB and 20 000 entries', DEFAULT_SHARING.entries, 20_000],
  ['More than 100 000 vTPMs of a tenant', RESET_CAPACITY, 100_000],
])('docs/stores.md says %j', (words, value, said) => {
  expect(text).toContain(words);
  expect(value).toBe(said);
});
