import { describe, expect, it } from 'vitest';
import { EntrySeal, type EntrySubject } from '../../../../src/endorsements/replicas/sealed-entries.js';
import { type SharedFetch, SharedFetches } from '../../../../src/endorsements/replicas/shared-fetches.js';
import { UnfitError } from '../../../../src/model/errors.js';
import type {
  Lease,
  LeaseEnd,
  SharedAnswer,
  SharedQuestion,
  SharedStore,
  TurnQuestion,
} from '../../../../src/model/shared-endorsements.js';
import { FetchError } from '../../../../src/outgoing/fetch-error.js';
import { ManualClock } from '../manual-clock.js';
import { RecordingLog } from '../recording-log.js';

const KEY = new Uint8Array(32);
const NOW = new Date('2026-03-01T12:00:00Z');
const HOUR_MS = 60 * 60_000;
const SUBJECT: EntrySubject = { kind: 'crl', origin: 'https://kds.example', key: '/crl' };
const LEASE: Lease = { id: 'id', lane: null, token: '1' };
const LEAD: SharedAnswer = { state: 'lead', lease: LEASE };
const OWN = Buffer.from('own');
const SHARED = Buffer.from('shared');

const seal = new EntrySeal(KEY);
const hoursAgo = (hours: number) => new Date(NOW.getTime() - hours * HOUR_MS);
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** The answer of a store that has an entry. */
function entry(bytes: Uint8Array | null, fetchedAt = hoursAgo(1), by = seal, subject = SUBJECT): SharedAnswer {
  return { state: 'entry', bytes: by.seal(subject, { fetchedAt, bytes }) };
}

/** A store that answers what it is told, one after the other, and the last one ever after. */
class ToldStore implements SharedStore {
  readonly asked: (SharedQuestion | TurnQuestion)[] = [];
  readonly ended: LeaseEnd[] = [];
  readonly withdrawn: string[] = [];
  readonly #answers: (SharedAnswer | Error)[];

  constructor(...answers: (SharedAnswer | Error)[]) {
    this.#answers = answers;
  }

  async ask(question: SharedQuestion): Promise<SharedAnswer> {
    this.asked.push(question);
    const answer = this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0];
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no answer');
    return answer;
  }

  async askInTurn(
    _lane: string,
    leaseMs: number,
    [question]: readonly TurnQuestion[],
  ): Promise<readonly SharedAnswer[]> {
    if (question === undefined) throw new Error('no question');
    return [await this.ask({ ...question, leaseMs })];
  }

  async end(_lease: Lease, end: LeaseEnd): Promise<void> {
    this.ended.push(end);
  }

  async withdraw(_lane: string, { id }: Pick<TurnQuestion, 'id'>): Promise<void> {
    this.withdrawn.push(id);
  }
}

type Wanted = SharedFetch<Uint8Array, string>;

function setUp(...answers: (SharedAnswer | Error)[]) {
  const store = new ToldStore(...answers);
  const log = new RecordingLog();
  const fetches = new SharedFetches(store, seal, new ManualClock(NOW), log);
  const origin = { asked: 0, answer: async (): Promise<Uint8Array> => OWN };
  const get = (change: Partial<Wanted> = {}) =>
    fetches.get<Uint8Array, string>({
      subject: SUBJECT,
      maximumBytes: 100,
      lifetimeMs: 24 * HOUR_MS,
      since: null,
      orOlder: false,
      keeps: true,
      signal: new AbortController().signal,
      turn: null,
      fetch: () => {
        origin.asked += 1;
        return origin.answer();
      },
      encode: (bytes) => bytes,
      decode: (bytes) => bytes,
      take: (bytes, from) => `${text(bytes)} ${from.origin} ${from.fetchedAt.toISOString()}`,
      isOfUse: () => true,
      isAbsent: (error) => error.notFound,
      ...change,
    });
  return { store, log, origin, get };
}

const OWN_TAKEN = `own network ${NOW.toISOString()}`;
const SHARED_TAKEN = `shared cache ${hoursAgo(1).toISOString()}`;
const turnUntil = (signal: AbortSignal) => ({ turn: { principals: new Set(['ci']), patienceMs: 60_000, signal } });
const TURN = turnUntil(new AbortController().signal);
const fail = (status: number, retryAfterMs?: number) => async () => {
  throw new FetchError('status', `status ${status}`, {
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
};
const other = new EntrySeal(KEY.map((byte) => byte ^ 1));

describe('SharedFetches: entries', () => {
  it('takes what another replica has fetched, with the time of that fetch, and asks nobody', async () => {
    const { get, origin } = setUp(entry(SHARED));
    expect(await get()).toBe(SHARED_TAKEN);
    expect(origin.asked).toBe(0);
  });

  const forged = seal.seal(SUBJECT, { fetchedAt: hoursAgo(1), bytes: SHARED });
  forged[40] = (forged[40] ?? 0) ^ 1;

  it.each<[string, SharedAnswer]>([
    ['that was changed', { state: 'entry', bytes: forged }],
    ['of a key that is not that of the replicas', entry(SHARED, hoursAgo(1), other)],
    ['of another subject', entry(SHARED, hoursAgo(1), seal, { ...SUBJECT, key: '/other' })],
    ['that is empty', { state: 'entry', bytes: new Uint8Array(0) }],
    ['over its size', entry(Buffer.alloc(200))],
    ['past its life', entry(SHARED, hoursAgo(25))],
    ['of a clock that is an hour ahead', entry(SHARED, hoursAgo(-1))],
    ['that is a 404 of more than ten minutes ago', entry(null, hoursAgo(1))],
  ])('leaves out an entry %s, and asks the origin', async (_what, answer) => {
    const { get, store, origin } = setUp(answer, LEAD);
    expect(await get()).toBe(OWN_TAKEN);
    expect(origin.asked).toBe(1);
    // What is of no use is not given to it again, and is replaced.
    expect(store.asked[1]?.unwanted).toEqual('bytes' in answer ? answer.bytes.slice(0, 32) : null);
    expect(seal.open(SUBJECT, store.ended[0]?.entry?.bytes ?? OWN)).toEqual({
      fetchedAt: NOW,
      bytes: Uint8Array.from(OWN),
    });
  });

  it('never takes an entry that does not verify, whoever sealed it', async () => {
    const { get, origin, log } = setUp(entry(SHARED), LEAD);
    const take: Wanted['take'] = (bytes) => {
      if (text(bytes) === 'shared') throw new UnfitError('signature does not hold');
      return text(bytes);
    };
    expect(await get({ take })).toBe('own');
    expect(origin.asked).toBe(1);
    expect(log.of(/does not match and is ignored/)).toEqual([{ kind: 'crl', why: 'signature does not hold' }]);
  });

  it('never takes an entry of which others say that it is of no use', async () => {
    const { get } = setUp(entry(SHARED), LEAD);
    expect(await get({ isOfUse: (taken) => taken.startsWith('own') })).toBe(OWN_TAKEN);
  });

  it('asks the origin at last, whatever a store goes on to give', async () => {
    const { get, store, origin } = setUp(
      entry(SHARED, NOW, other),
      entry(OWN, NOW, other),
      entry(SHARED, NOW, other),
      LEAD,
    );
    expect(await get()).toBe(OWN_TAKEN);
    expect(origin.asked).toBe(1);
    expect(store.asked.at(-1)?.unwanted).toBe('any');
  });

  it.each([250, 20_000])('asks the origin where a store has it wait for ever, and needs no turn: %d ms', async (ms) => {
    const { get, origin } = setUp({ state: 'wait', ms, pauseMs: 0 });
    expect(await get()).toBe(OWN_TAKEN);
    expect(origin.asked).toBe(1);
  });

  it('asks the origin where a store gives entries that are none, and tells the log once of each kind', async () => {
    const garbage: SharedAnswer = { state: 'entry', bytes: new Uint8Array(60) };
    const { get, log, store } = setUp(garbage);
    expect(await get()).toBe(OWN_TAKEN);
    expect(await get()).toBe(OWN_TAKEN);
    expect(store.asked.length).toBeLessThanOrEqual(8);
    expect(log.of(/is not of a replica/)).toEqual([{ kind: 'crl' }]);
  });

  it.each(['busy', 'no_time'] as const)('is not counted where the origin had no say: %s', async (fault) => {
    const { get, origin } = setUp(entry(SHARED), LEAD);
    origin.answer = () => Promise.reject(new FetchError(fault, 'x'));
    await expect(get({ since: NOW, orOlder: true })).rejects.toMatchObject({ fault });
  });

  it('is not counted where whoever asked the origin has left', async () => {
    const { get, origin } = setUp(entry(SHARED), LEAD);
    const over = new AbortController();
    origin.answer = () => {
      over.abort();
      return Promise.reject(new FetchError('aborted', 'x'));
    };
    await expect(get({ since: NOW, orOlder: true, signal: over.signal })).rejects.toMatchObject({ fault: 'aborted' });
  });

  it('says that the origin was not asked where its time ends while it waits at the word of the store', async () => {
    const { get, origin } = setUp({ state: 'wait', ms: 50, pauseMs: 0 });
    const ending = AbortSignal.timeout(20);
    await expect(get({ signal: ending })).rejects.toMatchObject({ name: 'FetchError', fault: 'no_time' });
    expect(origin.asked).toBe(0);
  });

  it('keeps the pause that the origin asked for, whatever the store says then', async () => {
    const { get, origin } = setUp(LEAD);
    origin.answer = fail(429, 3_600_000);
    await expect(get(TURN)).rejects.toMatchObject({ fault: 'waiting' });
    await expect(get(TURN)).rejects.toMatchObject({ fault: 'waiting' });
    expect(origin.asked).toBe(1);
  });

  it('lets a mistake in the code through as it is', async () => {
    const { get } = setUp(entry(SHARED));
    const take = () => {
      throw new TypeError('mistake');
    };
    await expect(get({ take })).rejects.toThrow(TypeError);
  });

  it('counts a 404 of another replica as that of the origin', async () => {
    const { get, origin } = setUp(entry(null, NOW));
    await expect(get()).rejects.toMatchObject({ fault: 'status', status: 404, notFound: true });
    expect(origin.asked).toBe(0);
  });

  it('does not count what was fetched before it has to be', async () => {
    const { get, origin } = setUp(entry(SHARED), LEAD);
    expect(await get({ since: new Date(hoursAgo(1).getTime() + 1) })).toBe(OWN_TAKEN);
    expect(origin.asked).toBe(1);
  });

  it.each([
    [true, SHARED_TAKEN],
    [false, 'status'],
  ])('counts it where the origin gives nothing, if asked for: %s', async (orOlder, expected) => {
    const { get, origin } = setUp(entry(SHARED), LEAD);
    origin.answer = fail(500);
    const outcome = get({ since: NOW, orOlder }).catch((error: FetchError) => error.fault);
    expect(await outcome).toBe(expected);
  });
});

describe('SharedFetches: leases', () => {
  it('waits while another replica fetches, and takes what that one keeps', async () => {
    const { get, origin } = setUp(
      { state: 'wait', ms: 1, pauseMs: 0 },
      { state: 'wait', ms: 1, pauseMs: 0 },
      entry(SHARED),
    );
    expect(await get()).toBe(SHARED_TAKEN);
    expect(origin.asked).toBe(0);
  });

  it('waits no longer than its own time', async () => {
    const over = new AbortController();
    const { get } = setUp({ state: 'wait', ms: 20_000, pauseMs: 0 });
    const waiting = get({ signal: over.signal });
    over.abort();
    await expect(waiting).rejects.toMatchObject({ fault: 'no_time' });
  });

  it('gives a lease back where the origin gives nothing, and keeps nothing', async () => {
    const { get, store, origin } = setUp(LEAD);
    origin.answer = fail(500);
    await expect(get()).rejects.toMatchObject({ status: 500 });
    expect(store.ended).toEqual([{ entry: null, throttled: null }]);
  });

  it('keeps a 404 for all, for ten minutes', async () => {
    const { get, store, origin } = setUp(LEAD);
    origin.answer = fail(404);
    await expect(get()).rejects.toMatchObject({ status: 404 });
    const kept = store.ended[0]?.entry;
    expect(kept?.lifetimeMs).toBe(10 * 60_000);
    expect(seal.open(SUBJECT, kept?.bytes ?? OWN)).toEqual({ fetchedAt: NOW, bytes: null });
  });

  it('keeps no 404 of what is about the past', async () => {
    const { get, store, origin } = setUp(LEAD);
    origin.answer = fail(404);
    await expect(get({ keeps: false })).rejects.toMatchObject({ status: 404 });
    expect(store.ended).toEqual([{ entry: null, throttled: null }]);
  });

  it.each<[string, Partial<Wanted>]>([
    ['is about the past', { keeps: false }],
    ['is of no use to others', { isOfUse: () => false }],
    ['is over its size', { maximumBytes: 2 }],
  ])('keeps nothing that %s', async (_what, change) => {
    const { get, store } = setUp(LEAD);
    expect(await get(change)).toBe(OWN_TAKEN);
    expect(store.ended).toEqual([{ entry: null, throttled: null }]);
  });

  it('gives a lease back where what came does not verify', async () => {
    const { get, store } = setUp(LEAD);
    const take = () => {
      throw new UnfitError('no');
    };
    await expect(get({ take })).rejects.toThrow(UnfitError);
    expect(store.ended).toEqual([{ entry: null, throttled: null }]);
  });

  it('has what it fetched, also where the store does not take it', async () => {
    const { get, store } = setUp(LEAD);
    store.end = () => Promise.reject(new Error('out of reach'));
    expect(await get()).toBe(OWN_TAKEN);
  });
});

describe('SharedFetches: turns', () => {
  it('asks for a turn by pseudonyms, and gives its place up in the end', async () => {
    const { get, store } = setUp(LEAD);
    expect(await get(TURN)).toBe(OWN_TAKEN);
    expect(store.asked).toMatchObject([{ principals: [seal.pseudonym('ci')] }]);
    expect(JSON.stringify(store.asked)).not.toContain('ci"');
    expect(store.withdrawn).toEqual([seal.id(SUBJECT)]);
  });

  it('uses a turn that came at the last moment', async () => {
    const over = new AbortController();
    const { get, origin } = setUp(LEAD);
    origin.answer = async () => {
      over.abort();
      return OWN;
    };
    expect(await get(turnUntil(over.signal))).toBe(OWN_TAKEN);
  });

  it('waits for its turn no longer than it may', async () => {
    const over = new AbortController();
    const { get, origin } = setUp({ state: 'wait', ms: 60_000, pauseMs: 0 });
    const waiting = get(turnUntil(over.signal));
    over.abort();
    await expect(waiting).rejects.toMatchObject({ fault: 'no_time' });
    expect(origin.asked).toBe(0);
  });

  it('waits for another turn after a 429, and tells the store of the pause', async () => {
    const { get, store, origin } = setUp(LEAD);
    origin.answer = async () => (origin.asked === 1 ? fail(429, 7_000)() : OWN);
    expect(await get(TURN)).toBe(OWN_TAKEN);
    expect(store.ended[0]).toEqual({ entry: null, throttled: { retryAfterMs: 7_000 } });
    expect(origin.asked).toBe(2);
  });

  it('does not ask twice where no turn is needed', async () => {
    const { get, origin } = setUp(LEAD);
    origin.answer = fail(429);
    await expect(get()).rejects.toMatchObject({ status: 429 });
    expect(origin.asked).toBe(1);
  });

  it('says so where too many wait', async () => {
    await expect(setUp({ state: 'busy' }).get(TURN)).rejects.toMatchObject({ fault: 'busy' });
  });

  it('does not wait for a pause that is longer than it can', async () => {
    const { get } = setUp({ state: 'wait', ms: 1, pauseMs: 60_001 });
    await expect(get(TURN)).rejects.toMatchObject({ fault: 'waiting', retryAfterMs: 60_001 });
  });
});

describe('SharedFetches: a store out of reach', () => {
  it('asks the origin itself', async () => {
    const { get, origin } = setUp(new Error('out of reach'));
    expect(await get()).toBe(OWN_TAKEN);
    expect(origin.asked).toBe(1);
  });

  it('asks for nothing that needs a turn', async () => {
    const { get, origin } = setUp(new Error('out of reach'));
    await expect(get(TURN)).rejects.toMatchObject({ fault: 'busy', message: /out of reach/ });
    expect(origin.asked).toBe(0);
  });

  it('goes on by itself where the store is lost while it waits', async () => {
    const { get, origin } = setUp({ state: 'wait', ms: 1, pauseMs: 0 }, new Error('out of reach'));
    expect(await get()).toBe(OWN_TAKEN);
    expect(origin.asked).toBe(1);
  });
});
