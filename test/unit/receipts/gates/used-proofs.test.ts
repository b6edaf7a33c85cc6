import { describe, expect, it } from 'vitest';
import { UsedProofs } from '../../../../src/receipts/gates/used-proofs.js';

const REPLAYED = expect.objectContaining({ code: 'dpop_replayed' });

function memory(maximum?: number) {
  const clock = { at: 0, monotonicMs: () => clock.at };
  return { clock, used: new UsedProofs(clock, maximum) };
}

describe('the memory of proofs', () => {
  it('GAT-02 takes an id of a key once', () => {
    const { used } = memory();
    used.use('key', 'id');
    expect(() => used.use('key', 'id')).toThrow(REPLAYED);
    used.use('other key', 'id');
    used.use('key', 'other id');
  });

  it('keeps it until no clock in the bounds of the watch accepts the time of the proof', () => {
    const { clock, used } = memory();
    used.use('key', 'id');
    clock.at = 200_000;
    expect(() => used.use('key', 'id')).toThrow(REPLAYED);
    clock.at = 200_001;
    used.use('key', 'id');
  });

  it('refuses what it has no room for, and forgets nothing for it', () => {
    const { clock, used } = memory(2);
    used.use('key', 'a');
    clock.at = 1;
    used.use('key', 'b');
    expect(() => used.use('key', 'c')).toThrow(expect.objectContaining({ code: 'dpop_memory' }));
    expect(() => used.use('key', 'a')).toThrow(REPLAYED);
    clock.at = 200_001;
    used.use('key', 'c');
    expect(() => used.use('key', 'b')).toThrow(REPLAYED);
  });

  it('forgets a thousand old ones in a call, so that none is held up', () => {
    const { clock, used } = memory(1_001);
    for (let count = 0; count <= 1_000; count++) used.use('key', `${count}`);
    clock.at = 200_001;
    expect(() => used.use('key', '1000')).toThrow(REPLAYED);
    used.use('key', '1000');
  });
});
