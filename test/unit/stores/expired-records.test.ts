import { setImmediate } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { DROPPED_AT_ONCE, ExpiredRecords } from '../../../src/stores/expired-records.js';

it('are dropped at the first record, once a second, in steps, and again after a failure', async () => {
  let ms = 0;
  const drop = vi.fn<() => Promise<number>>().mockResolvedValue(0);
  const expired = new ExpiredRecords({ monotonicMs: () => ms }, drop);
  const dropsAt = async (time: number) => {
    ms = time;
    drop.mockClear();
    expired.dropIfDue();
    await setImmediate();
    return drop.mock.calls.length;
  };
  expect(await dropsAt(0)).toBe(1);
  expect(await dropsAt(999)).toBe(0);
  drop.mockResolvedValueOnce(DROPPED_AT_ONCE);
  expect(await dropsAt(1000)).toBe(2);
  drop.mockRejectedValueOnce(new Error('gone'));
  expect(await dropsAt(2000)).toBe(1);
  expect(await dropsAt(3000)).toBe(1);
});
