import { describe, expect, it } from 'vitest';
import { type Slot, VerificationSlots } from '../../../src/judge/verification-slots.js';

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
    const results = [first, second, third].map((one) => slots.run('a', one.work));
    await settle();
    expect([first, second, third].map((one) => one.started())).toEqual([true, false, false]);
    first.end('first');
    await settle();
    expect([first, second, third].map((one) => one.started())).toEqual([true, true, false]);
    second.end('second');
    third.end('third');
    expect(await Promise.all(results)).toEqual(['first', 'second', 'third']);
  });

  it('REL-08 begin with the principal that has fewest, whoever waited longer', async () => {
    const slots = new VerificationSlots({ running: 2, computing: 2, waiting: 9 });
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const ask = (principal: string, name: string) =>
      slots.run(principal, () => {
        begun.push(name);
        return new Promise<void>((resolve) => ends.push(resolve));
      });
    const all = [ask('many', 'many 1'), ask('many', 'many 2'), ask('many', 'many 3'), ask('few', 'few 1')];
    await settle();
    // One of two places is for others than who asks for many.
    expect(begun).toEqual(['many 1', 'few 1']);
    all.push(ask('few', 'few 2'), ask('third', 'third'));
    for (let index = 0; index < all.length; index += 1) {
      ends[index]?.();
      await settle();
    }
    await Promise.all(all);
    expect(begun).toEqual(['many 1', 'few 1', 'third', 'many 2', 'few 2', 'many 3']);
  });

  it('REL-08 displace the newest of whoever waits most, and refuse others before their body only if theirs is as long', async () => {
    const slots = new VerificationSlots({ running: 1, waiting: 2 });
    const works = [openWork(), openWork(), openWork(), openWork()] as const;
    const results = works.slice(0, 3).map((one) => slots.run('many', one.work));
    expect(() => slots.requireRoom('many')).toThrow(expect.objectContaining({ code: 'overloaded' }));
    slots.requireRoom('few');
    const other = slots.run('few', works[3].work);
    await expect(results[2]).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 1 });
    expect(() => slots.requireRoom('few')).toThrow(expect.objectContaining({ code: 'overloaded' }));
    for (const one of works) one.end('ended');
    expect(await Promise.all([results[0], results[1], other])).toEqual(['ended', 'ended', 'ended']);
    expect(works.map((one) => one.started())).toEqual([true, true, false, true]);
  });

  it('REL-08 refuse before its body whose line would be as long as the longest', async () => {
    const slots = new VerificationSlots({ running: 1, waiting: 3 });
    const work = openWork();
    const results = ['many', 'many', 'many', 'few'].map((principal) => slots.run(principal, work.work));
    expect(() => slots.requireRoom('few')).toThrow(expect.objectContaining({ code: 'overloaded' }));
    slots.requireRoom('third');
    work.end('ended');
    expect(await Promise.all(results)).toEqual(['ended', 'ended', 'ended', 'ended']);
  });

  it('REL-08 refuse before its body who has all places that one may have, and let another begin', async () => {
    const slots = new VerificationSlots({ running: 2, waiting: 1 });
    const [work, other] = [openWork(), openWork()];
    const results = [slots.run('many', work.work), slots.run('many', work.work)];
    expect(() => slots.requireRoom('many')).toThrow(expect.objectContaining({ code: 'overloaded' }));
    slots.requireRoom('few');
    results.push(slots.run('few', other.work));
    await settle();
    expect(other.started()).toBe(true);
    for (const each of [work, other]) each.end('ended');
    expect(await Promise.all(results)).toEqual(['ended', 'ended', 'ended']);
  });

  it('refuse what neither runs nor may wait, and say when to come back', async () => {
    const slots = new VerificationSlots({ running: 1, waiting: 1 });
    const [first, second, third] = [openWork(), openWork(), openWork()];
    const results = [slots.run('a', first.work), slots.run('a', second.work)];
    await expect(slots.run('a', third.work)).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 1 });
    expect(third.started()).toBe(false);
    first.end('first');
    second.end('second');
    await Promise.all(results);
    expect(await slots.run('a', async () => 'again')).toBe('again');
  });

  it('give the slot back when the work fails', async () => {
    const slots = new VerificationSlots({ running: 1, waiting: 0 });
    const fail = () => Promise.reject(new Error('failed'));
    await expect(slots.run('a', fail)).rejects.toThrow('failed');
    await expect(
      slots.run('a', () => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
    expect(await slots.run('a', async () => 'done')).toBe('done');
  });

  it('let no more begin than may compute, and others once one of them waits elsewhere', async () => {
    const slots = new VerificationSlots({ running: 3, computing: 1, waiting: 3 });
    const [computes, answers] = [openWork(), openWork()];
    const [second, third] = [openWork(), openWork()];
    const first = slots.run('a', async (slot) => {
      await computes.work();
      return slot.elsewhere(answers.work);
    });
    const others = [slots.run('a', second.work), slots.run('a', third.work)];
    await settle();
    expect([second.started(), slots.figures]).toMatchObject([false, { running: 1, computing: 1, waiting: 2 }]);
    computes.end('computed');
    await settle();
    expect([second, third].map((one) => one.started())).toEqual([true, false]);
    expect(slots.figures).toMatchObject({ running: 2, computing: 1, waiting: 1 });
    answers.end('answered');
    await settle();
    // The second one still computes. Then the first goes on, and the third after it.
    expect(slots.figures).toMatchObject({ running: 2, computing: 1, waiting: 1 });
    second.end('second');
    expect(await first).toBe('answered');
    await settle();
    expect(third.started()).toBe(true);
    third.end('third');
    expect(await Promise.all(others)).toEqual(['second', 'third']);
  });

  it('let those that are back go on in the order in which they came back', async () => {
    const slots = new VerificationSlots({ running: 4, computing: 1, waiting: 0 });
    const asked = [openWork(), openWork()];
    const wentOn: number[] = [];
    const results = asked.map((one, index) =>
      slots.run('a', async (slot) => {
        await slot.elsewhere(one.work);
        wentOn.push(index);
      }),
    );
    const computes = openWork();
    results.push(slots.run('b', () => computes.work().then(() => undefined)));
    asked[1]?.end('answered');
    await settle();
    asked[0]?.end('answered');
    await settle();
    expect(wentOn).toEqual([]);
    computes.end('computed');
    await Promise.all(results);
    expect(wentOn).toEqual([1, 0]);
  });

  it('let no more wait elsewhere than may run', async () => {
    const slots = new VerificationSlots({ running: 2, computing: 1, waiting: 1 });
    const asked = openWork();
    const waiting = ['a', 'b'].map((principal) => slots.run(principal, (slot) => slot.elsewhere(asked.work)));
    const third = openWork();
    const last = slots.run('a', third.work);
    await settle();
    expect(third.started()).toBe(false);
    expect(() => slots.requireRoom('a')).toThrow(expect.objectContaining({ code: 'overloaded' }));
    asked.end('asked');
    await Promise.all(waiting);
    third.end('third');
    expect(await last).toBe('third');
  });

  it('count what failed elsewhere as back', async () => {
    const slots = new VerificationSlots({ running: 3, computing: 1, waiting: 1 });
    const fails = (slot: Slot) => slot.elsewhere(() => Promise.reject(new Error('failed')));
    await expect(slots.run('a', fails)).rejects.toThrow('failed');
    const [first, second] = [openWork(), openWork()];
    const results = [slots.run('a', first.work), slots.run('a', second.work)];
    await settle();
    expect([first.started(), second.started()]).toEqual([true, false]);
    first.end('first');
    second.end('second');
    await Promise.all(results);
    expect(slots.figures).toMatchObject({ running: 0, computing: 0, waiting: 0 });
  });

  it('let no more compute than may, also where each wait ends at once', async () => {
    const slots = new VerificationSlots({ running: 64, computing: 2, waiting: 64 });
    let [open, most] = [0, 0];
    const work = async (slot: Slot) => {
      for (let step = 0; step < 3; step++) {
        open += 1;
        most = Math.max(most, open);
        await settle();
        open -= 1;
        await slot.elsewhere(async () => {});
      }
    };
    await Promise.all(Array.from({ length: 20 }, () => slots.run('a', work)));
    expect(most).toBe(2);
    expect(slots.figures).toMatchObject({ running: 0, computing: 0, waiting: 0 });
  });

  it('count a verification once that waits for several things at a time', async () => {
    const slots = new VerificationSlots({ running: 9, computing: 2, waiting: 9 });
    const [evidence, token, more] = [openWork(), openWork(), openWork()];
    const first = slots.run('a', async (slot) => {
      const both = Promise.all([
        slot.elsewhere(evidence.work),
        slot.elsewhere(token.work).then(() => slot.elsewhere(more.work)),
      ]);
      return (await both).join();
    });
    const others = [openWork(), openWork(), openWork()];
    const results = others.map((one) => slots.run('a', one.work));
    await settle();
    expect(others.map((one) => one.started())).toEqual([true, true, false]);
    token.end('token');
    evidence.end('evidence');
    await settle();
    for (const one of others) one.end('other');
    more.end('more');
    expect(await first).toBe('evidence,more');
    await Promise.all(results);
    expect(slots.figures).toMatchObject({ running: 0, computing: 0, waiting: 0 });
  });

  it('count nothing of a verification that was given up, whatever it still waits for', async () => {
    const slots = new VerificationSlots({ running: 9, computing: 1, waiting: 9 });
    const [late, later] = [openWork(), openWork()];
    let rest: Promise<unknown> = Promise.resolve();
    await slots.run('a', async (slot) => {
      rest = slot.elsewhere(late.work).then(() => slot.elsewhere(later.work));
    });
    expect(slots.figures).toMatchObject({ running: 0, computing: 0 });
    late.end('late');
    await settle();
    later.end('later');
    await rest;
    expect(slots.figures).toMatchObject({ running: 0, computing: 0 });
    // One that is given up while it waits to go on gives its room to the next.
    const [asked, computes, next] = [openWork(), openWork(), openWork()];
    const givenUp = openWork();
    const first = slots.run('a', (slot) => {
      void slot.elsewhere(asked.work);
      return givenUp.work();
    });
    const second = slots.run('a', computes.work);
    await settle();
    asked.end('asked');
    await settle();
    givenUp.end('given up');
    await first;
    computes.end('computed');
    await second;
    await settle();
    const third = slots.run('a', next.work);
    expect(next.started()).toBe(true);
    next.end('next');
    await third;
    expect(slots.figures).toMatchObject({ running: 0, computing: 0, waiting: 0 });
  });
});
