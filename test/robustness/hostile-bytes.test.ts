import { describe, expect, it } from 'vitest';
import * as PARSERS from '../fuzz/parsers.js';
import { makeSeeds } from '../fuzz/seeds.js';
import { type Parse, type ParserName, undeclaredError } from '../fuzz/target.js';

/** Parsers under changed bytes: whatever comes, they answer with a value or a declared error. `npm run fuzz` goes deeper. */

/** Another one each run. The title of a failure names it, so that the failure can be had again. */
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const ROUNDS = 3_000;

const SEEDS = await makeSeeds();

/** Random numbers that follow from a seed (mulberry32). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** One to four changes: a byte, a run that is cut, repeated or moved, a length at its limits. */
function changed(seed: Uint8Array, random: (below: number) => number): Uint8Array {
  let bytes = Buffer.from(seed);
  for (let change = random(4); change >= 0; change -= 1) {
    const at = random(bytes.length + 1);
    const length = random(9);
    const [before, rest] = [bytes.subarray(0, at), bytes.subarray(at)];
    const edits = [
      () => Buffer.concat([before, Buffer.from([random(256)]), rest.subarray(1)]),
      () => Buffer.concat([before, rest.subarray(length)]),
      () => Buffer.concat([before, rest.subarray(0, length), rest]),
      () => Buffer.concat([before, Buffer.alloc(length, [0x00, 0xff, 0x7f, 0x80][random(4)]), rest.subarray(length)]),
      () => before,
    ];
    bytes = Buffer.from(edits[random(edits.length)]?.() ?? bytes);
  }
  return bytes;
}

describe(`hostile bytes, FUZZ_SEED=${SEED}`, () => {
  it.each(Object.entries(PARSERS) as readonly (readonly [ParserName, Parse])[])(
    'are read by the parser %s, or refused with a declared error',
    (name, parse) => {
      const seeds = SEEDS[name];
      for (const seed of seeds) expect(undeclaredError(parse, seed)).toBeNull();
      const random = generator(SEED);
      for (let round = 0; round < ROUNDS; round += 1) {
        const bytes = changed(seeds[random(seeds.length)] ?? new Uint8Array(), random);
        const error = undeclaredError(parse, bytes);
        if (error !== null) expect.fail(`${String(error)} for the input ${Buffer.from(bytes).toString('hex')}`);
      }
    },
    60_000,
  );
});
