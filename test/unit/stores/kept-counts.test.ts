import { describe, expect, it } from 'vitest';
import { KeptCounts } from '../../../src/stores/kept-counts.js';

const FULL = expect.objectContaining({ code: 'overloaded', message: 'no further proof can be kept' });

describe('STO-07 what one process keeps for each owner', () => {
  const time = { ms: 0 };
  const counts = new KeptCounts({ monotonicMs: () => time.ms }, 'proof', 2);

  it('STO-07 has a bound, which others do not reach, until the whole second after the end of a record', () => {
    counts.add('a', 1500);
    counts.add('a', 60_000);
    for (const ms of [0, 1000, 1500, 1999]) {
      time.ms = ms;
      expect(() => counts.add('a', 1000)).toThrow(FULL);
    }
    counts.add('b', 1000);
    time.ms = 2000;
    counts.add('a', 60_000);
    expect(() => counts.add('a', 1000)).toThrow(FULL);
  });
});
