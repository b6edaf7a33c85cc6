import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { DROPPED_AT_ONCE, ExpiredRecords } from '../../../src/stores/expired-records.js';

describe('expired records are dropped', () => {
  const drop = vi.fn<() => Promise<number>>();
  let ms = 0;
  let expired: ExpiredRecords;

  beforeEach(() => {
    drop.mockReset().mockResolvedValue(0);
    expired = new ExpiredRecords({ monotonicMs: () => ms }, drop);
  });

  /** @returns the number of drops */
  async function dropsAt(time: number): Promise<number> {
    ms = time;
    drop.mockClear();
    expired.dropIfDue();
    await setImmediate();
    return drop.mock.calls.length;
  }

  it('at the first record, also in the first second of a clock', async () => {
    expect(await dropsAt(0)).toBe(1);
  });

  it('once a second', async () => {
    expect([await dropsAt(5000), await dropsAt(5999), await dropsAt(6000)]).toEqual([1, 0, 1]);
  });

  it('in steps, until one is not full', async () => {
    drop.mockResolvedValueOnce(DROPPED_AT_ONCE);
    expect(await dropsAt(0)).toBe(2);
  });

  it('again after a failure', async () => {
    drop.mockRejectedValueOnce(new Error('gone'));
    expect([await dropsAt(0), await dropsAt(1000)]).toEqual([1, 1]);
  });
});
