import { describe, expect, it } from 'vitest';
import { VerificationSlots } from '../../../src/http/verification-slots.js';

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

  it('let no more begin than may compute, and others once one of them waits elsewhere', async () => {
    const slots = new VerificationSlots({ running: 3, computing: 1, waiting: 3 });
    const [computes, answers] = [openWork(), openWork()];
    const [second, third] = [openWork(), openWork()];
    const first = slots.run(async () => {
      await computes.work();
      return slots.elsewhere(answers.work);
    });
    const others = [slots.run(second.work), slots.run(third.work)];
    await settle();
    expect([second.started(), slots.figures]).toMatchObject([false, { running: 1, computing: 1, waiting: 2 }]);
    computes.end('computed');
    await settle();
    expect([second, third].map((one) => one.started())).toEqual([true, false]);
    expect(slots.figures).toMatchObject({ running: 2, computing: 1, waiting: 1 });
    answers.end('answered');
    expect(await first).toBe('answered');
    await settle();
    // The second one still computes.
    expect(third.started()).toBe(false);
    second.end('second');
    await settle();
    expect(third.started()).toBe(true);
    third.end('third');
    expect(await Promise.all(others)).toEqual(['second', 'third']);
  });

  it('let no more wait elsewhere than may run', async () => {
    const slots = new VerificationSlots({ running: 2, computing: 1, waiting: 1 });
    const asked = openWork();
    const waiting = [1, 2].map(() => slots.run(() => slots.elsewhere(asked.work)));
    const third = openWork();
    const last = slots.run(third.work);
    await settle();
    expect(third.started()).toBe(false);
    expect(() => slots.requireRoom()).toThrow(expect.objectContaining({ code: 'overloaded' }));
    asked.end('asked');
    await Promise.all(waiting);
    third.end('third');
    expect(await last).toBe('third');
  });

  it('count what failed elsewhere as back', async () => {
    const slots = new VerificationSlots({ running: 3, computing: 1, waiting: 1 });
    const fails = () => slots.elsewhere(() => Promise.reject(new Error('failed')));
    await expect(slots.run(fails)).rejects.toThrow('failed');
    const [first, second] = [openWork(), openWork()];
    const results = [slots.run(first.work), slots.run(second.work)];
    await settle();
    expect([first.started(), second.started()]).toEqual([true, false]);
    first.end('first');
    second.end('second');
    await Promise.all(results);
    expect(slots.figures).toMatchObject({ running: 0, computing: 0, waiting: 0 });
  });
});
