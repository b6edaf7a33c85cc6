import { describe, expect, it } from 'vitest';
import { isBehind, type ResetCounts, type ResetMemory } from '../../../src/core/vtpm-resets.js';
import { ReplicaResetMemory } from '../../../src/stores/replica-reset-memory.js';

const AK = 'A'.repeat(43);
const counts = (resetCount: number): ResetCounts => ({ resetCount, restartCount: 0 });

/** A memory of one vTPM; out of reach where `fails` is set. */
class OneVtpm implements ResetMemory {
  kept: ResetCounts | null;
  fails = false;

  constructor(resetCount: number | null) {
    this.kept = resetCount === null ? null : counts(resetCount);
  }

  async highest(): Promise<ResetCounts | null> {
    if (this.fails) throw new Error('out of reach');
    return this.kept;
  }

  async advance(_: string, given: ResetCounts): Promise<ResetCounts> {
    if (this.fails) throw new Error('out of reach');
    if (this.kept === null || isBehind(this.kept, given)) this.kept = given;
    return this.kept;
  }
}

function replica(ownCount: number | null, sharedCount: number | null) {
  const [own, shared] = [new OneVtpm(ownCount), new OneVtpm(sharedCount)];
  return { own, shared, memory: new ReplicaResetMemory(own, shared) };
}

describe('what a replica remembers', () => {
  it.each([
    [null, null, null],
    [9, null, 9],
    [null, 9, 9],
    [9, 5, 9],
    [5, 9, 9],
    [9, 9, 9],
  ])('TPM-10 is, of %s of its own and %s of the store, %s', async (own, shared, highest) => {
    const { memory } = replica(own, shared);
    expect(await memory.highest(AK)).toEqual(highest === null ? null : counts(highest));
  });

  it('TPM-10 comes back to a store that has lost it', async () => {
    for (const lost of [null, 5]) {
      const { memory, shared } = replica(9, lost);
      await memory.highest(AK);
      expect(shared.kept).toEqual(counts(9));
    }
  });

  it('TPM-10 is not changed by what the store says', async () => {
    const { memory, own } = replica(5, 9);
    await memory.highest(AK);
    expect(own.kept).toEqual(counts(5));
  });

  it.each(['own', 'shared'] as const)('TPM-10 is out of reach where the %s memory is', async (which) => {
    const parts = replica(9, 9);
    parts[which].fails = true;
    await expect(parts.memory.highest(AK)).rejects.toThrow('out of reach');
    await expect(parts.memory.advance(AK, counts(10))).rejects.toThrow('out of reach');
    const without = replica(null, null);
    without[which].fails = true;
    await expect(without.memory.highest(AK)).rejects.toThrow('out of reach');
  });
});

describe('counts that a replica allows', () => {
  it.each([
    [null, null, 9],
    [7, 8, 9],
    [12, 8, 12],
    [7, 12, 12],
  ])(
    'TPM-10 are noted in both: 9 after %s of its own and %s of the store is %i',
    async (ownCount, sharedCount, highest) => {
      const { memory, own, shared } = replica(ownCount, sharedCount);
      expect(await memory.advance(AK, counts(9))).toEqual(counts(highest));
      expect(own.kept).toEqual(counts(Math.max(9, ownCount ?? 0)));
      expect(shared.kept).toEqual(counts(highest));
    },
  );
});
