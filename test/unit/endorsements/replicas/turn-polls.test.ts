import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { TurnPolls } from '../../../../src/endorsements/replicas/turn-polls.js';
import type { Lease, LeaseEnd, SharedAnswer, TurnQuestion } from '../../../../src/model/shared-endorsements.js';

const LANE = 'lane';
const LEASE: Lease = { id: 'a', lane: LANE, token: '1' };
const LEAD: SharedAnswer = { state: 'lead', lease: LEASE };
const wait = (ms: number, pauseMs = 0): SharedAnswer => ({ state: 'wait', ms, pauseMs });

type Asked = readonly TurnQuestion[];

/** A store that answers each command as it is told, the last way ever after. */
class ToldStore {
  readonly asked: Asked[] = [];
  readonly ended: [Lease, LeaseEnd][] = [];
  underWay = 0;
  mostUnderWay = 0;
  readonly #answers: ((asked: Asked) => SharedAnswer | Promise<SharedAnswer>)[];

  constructor(...answers: ((asked: Asked) => SharedAnswer | Promise<SharedAnswer>)[]) {
    this.#answers = answers;
  }

  async askInTurn(_lane: string, _leaseMs: number, questions: Asked): Promise<readonly SharedAnswer[]> {
    this.asked.push(questions);
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    const answer = this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0];
    try {
      const given = await answer?.(questions);
      return questions.map(() => given ?? wait(60_000));
    } finally {
      this.underWay -= 1;
    }
  }

  async end(lease: Lease, end: LeaseEnd): Promise<void> {
    this.ended.push([lease, end]);
  }
}

function setUp(...answers: ((asked: Asked) => SharedAnswer | Promise<SharedAnswer>)[]) {
  const store = new ToldStore(...answers);
  const polls = new TurnPolls(store, 20_000);
  const ask = (id: string, { signal = new AbortController().signal, principals = new Set(['p']) } = {}) =>
    polls.ask(LANE, {
      question: () => ({ id, unwanted: null, principals: [...principals] }),
      signal,
      patienceMs: 10_000,
    });
  return { store, ask };
}

const never = () => new Promise<never>(() => {});
const failing = () => Promise.reject(new Error('no answer within 100 ms'));

describe('TurnPolls', () => {
  it('asks for all that waits in one command, and not for each by itself', async () => {
    let answerFirst = (_: SharedAnswer) => {};
    const first = new Promise<SharedAnswer>((resolve) => {
      answerFirst = resolve;
    });
    const { store, ask } = setUp(
      () => first,
      () => LEAD,
    );
    const waiting = Array.from({ length: 200 }, (_, index) => ask(`${index}`));
    answerFirst(wait(60_000));
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => LEAD));
    // In parts, so that the store does other things in between.
    expect(store.asked.map(({ length }) => length)).toEqual([1, 128, 72]);
    expect(store.mostUnderWay).toBe(1);
  });

  it('sleeps as long as the one that has to ask first', async () => {
    const answers = [wait(60_000), wait(1)];
    const { store, ask } = setUp(
      () => wait(60_000),
      () => LEAD,
    );
    store.askInTurn = async (_lane, _leaseMs, asked) => {
      store.asked.push(asked);
      return store.asked.length < 3 ? asked.map((_, index) => answers[index] ?? LEAD) : asked.map(() => LEAD);
    };
    expect(await Promise.all([ask('a'), ask('b')])).toEqual([LEAD, LEAD]);
    expect(store.asked.map((asked) => asked.map(({ id }) => id))).toEqual([['a'], ['a', 'b'], ['a', 'b']]);
  });

  it('does not ask anew for each that comes meanwhile', async () => {
    const { store, ask } = setUp(() => wait(60_000));
    const over = new AbortController();
    const waiting = [];
    for (let index = 0; index < 50; index += 1) {
      waiting.push(ask(`${index}`, { signal: over.signal }));
      await new Promise(setImmediate);
    }
    await vi.waitFor(() => expect(store.asked.at(-1)).toHaveLength(50));
    over.abort();
    await Promise.allSettled(waiting);
    // However slow the machine is, some come in between.
    expect(store.asked.length).toBeLessThan(25);
  });

  it('names those who want it now', async () => {
    const principals = new Set(['p']);
    const { store, ask } = setUp(
      () => {
        principals.add('q');
        return wait(1);
      },
      () => LEAD,
    );
    expect(await ask('a', { principals })).toEqual(LEAD);
    expect(store.asked.map(([question]) => question?.principals)).toEqual([['p'], ['p', 'q']]);
  });

  it('does not lose all places to one answer that is late', async () => {
    const { store, ask } = setUp(failing, () => LEAD);
    expect(await ask('a')).toEqual(LEAD);
    expect(store.asked).toHaveLength(2);
  });

  it('says that a store is out of reach that fails twice', async () => {
    const { store, ask } = setUp(failing);
    expect(await ask('a')).toBeNull();
    expect(store.asked).toHaveLength(2);
  });

  it('waits for a pause that is short enough, and for no other', async () => {
    const { ask } = setUp(
      () => wait(1, 10_000),
      () => wait(1, 10_001),
    );
    expect(await ask('a')).toEqual(wait(1, 10_001));
  });

  it('leaves at once with its signal, and does not ask any more', async () => {
    const over = new AbortController();
    const { store, ask } = setUp(
      () => wait(60_000),
      () => LEAD,
    );
    const left = ask('a', { signal: over.signal });
    await vi.waitFor(() => expect(store.underWay).toBe(0));
    over.abort();
    await expect(left).rejects.toMatchObject({ fault: 'no_time' });
    expect(await ask('b')).toEqual(LEAD);
    expect(store.asked.map((asked) => asked.map(({ id }) => id))).toEqual([['a'], ['b']]);
  });

  it('does not ask for what is over already', async () => {
    const { store, ask } = setUp(never);
    await expect(ask('a', { signal: AbortSignal.abort() })).rejects.toMatchObject({ fault: 'no_time' });
    expect(store.asked).toHaveLength(0);
  });

  it('gives a turn back for which nobody waits any more', async () => {
    const over = new AbortController();
    const { store, ask } = setUp(async () => {
      over.abort();
      return LEAD;
    });
    await expect(ask('a', { signal: over.signal })).rejects.toMatchObject({ fault: 'no_time' });
    await vi.waitFor(() => expect(store.ended).toEqual([[LEASE, { entry: null, throttled: null }]]));
  });

  it('leaves an idle store alone', async () => {
    const { store, ask } = setUp(() => LEAD);
    await ask('a');
    await sleep(60);
    expect(store.asked).toHaveLength(1);
  });
});
