import { describe, expect, it } from 'vitest';
import { refuseLate, VerificationSlots } from '../../../src/http/load-limits.js';

/** Work that ends when it is told. */
function openWork() {
  let end: (value: string) => void = () => {};
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  let started = false;
  const work = () => {
    started = true;
    return ended;
  };
  return { work, end, started: () => started };
}

/** Lets everything that can go on go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('verification slots', () => {
  it('let work wait for a slot, in its order', async () => {
    const slots = new VerificationSlots({ running: 1, waiting: 2 });
    const [first, second, third] = [openWork(), openWork(), openWork()];
    const results = [first, second, third].map((one) => slots.run(one.work));
    await settle();
    expect([first, second, third].map((one) => one.started())).toEqual([true, false, false]);
    first.end('first');
    await settle();
    expect([first, second, third].map((one) => one.started())).toEqual([true, true, false]);
    second.end('second');
    third.end('third');
    expect(await Promise.all(results)).toEqual(['first', 'second', 'third']);
  });

  it('refuse what neither runs nor may wait, and say when to come back', async () => {
    const slots = new VerificationSlots({ running: 1, waiting: 1 });
    const [first, second, third] = [openWork(), openWork(), openWork()];
    const results = [slots.run(first.work), slots.run(second.work)];
    await expect(slots.run(third.work)).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 1 });
    expect(third.started()).toBe(false);
    first.end('first');
    second.end('second');
    await Promise.all(results);
    expect(await slots.run(async () => 'again')).toBe('again');
  });

  it('give the slot back when the work fails', async () => {
    const slots = new VerificationSlots({ running: 1, waiting: 0 });
    const fail = () => Promise.reject(new Error('failed'));
    await expect(slots.run(fail)).rejects.toThrow('failed');
    await expect(
      slots.run(() => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
    expect(await slots.run(async () => 'done')).toBe('done');
  });
});

it('refuses where the event loop was measured to be late', () => {
  expect(() => refuseLate(1_001)).toThrow(expect.objectContaining({ code: 'overloaded', retryAfterSeconds: 1 }));
});

it('does not refuse where the delay could not be measured', () => {
  expect(() => refuseLate(Number.POSITIVE_INFINITY)).not.toThrow();
});
