import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Lease, SharedAnswer, TurnQuestion } from '../../../src/model/shared-endorsements.js';
import type { RedisEndorsementStore, SharingLimits } from '../../../src/stores/redis/redis-endorsement-store.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { PATIENT } from './shared-challenges.js';
import { SharingReplicas } from './shared-endorsements.js';
import { isWithoutValkey, Valkey } from './valkey.js';

const PASSWORD = 'correct-horse-battery-staple';
const ENTRY = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const LANE = 'c0ffee';
const LONG_MS = 600_000;

const replicas = new SharingReplicas();
let valkey: Valkey;

const start = (limits: Partial<SharingLimits> = {}) => replicas.store(valkey.port, { limits });
const idOf = (name: string) => Buffer.from(name).toString('hex');

function question(name: string, leaseMs = LONG_MS) {
  return { id: idOf(name), unwanted: null, leaseMs } as const;
}

/** How one replica asks for one thing. */
interface Place extends TurnQuestion {
  readonly leaseMs: number;
}

function turnOf(principal: string, name: string, leaseMs = LONG_MS): Place {
  return { ...question(name, leaseMs), principals: [idOf(principal)] };
}

async function inTurn(store: RedisEndorsementStore, place: Place, lane = LANE): Promise<SharedAnswer> {
  const [answer] = await store.askInTurn(lane, place.leaseMs, [place]);
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

function leaseOf(answer: SharedAnswer): Lease {
  if (answer.state !== 'lead') throw new Error(`no lease but ${answer.state}`);
  return answer.lease;
}

const kept = (bytes: Uint8Array = ENTRY, lifetimeMs = LONG_MS) => ({ entry: { bytes, lifetimeMs }, throttled: null });
const NOTHING = { entry: null, throttled: null };

/** Fetches under a lease, as one replica does for all. */
async function keep(store: RedisEndorsementStore, name: string, end = kept()): Promise<void> {
  await store.end(leaseOf(await store.ask({ ...question(name), unwanted: 'any' })), end);
}

async function stateOf(answer: Promise<SharedAnswer>): Promise<string> {
  return (await answer).state;
}

/** Who has the next turns: asks for all places again and again, and ends each turn at once. */
async function orderOf(store: RedisEndorsementStore, places: readonly Place[]): Promise<readonly string[]> {
  const order: string[] = [];
  const waiting = new Set(places);
  while (waiting.size > 0) {
    for (const place of waiting) {
      const answer = await inTurn(store, place);
      if (answer.state !== 'lead') continue;
      waiting.delete(place);
      order.push(Buffer.from(place.id, 'hex').toString());
      await store.end(answer.lease, NOTHING);
    }
  }
  return order;
}

describe.skipIf(isWithoutValkey('endorsements in a server of Valkey'))('endorsements in a server', () => {
  beforeAll(async () => {
    valkey = await Valkey.start();
  });

  beforeEach(() => valkey.command('flushall'));

  afterEach(() => replicas.close());

  afterAll(() => valkey.close());

  it('gives every replica what one has kept, byte for byte', async () => {
    const [one, other] = [await start(), await start()];
    await keep(one, 'a');
    expect(await other.ask(question('a'))).toEqual({ state: 'entry', bytes: ENTRY });
  });

  it('does not give an entry to whoever has no use for it, until there is another', async () => {
    const store = await start();
    await keep(store, 'a');
    const unwanted = ENTRY.slice(0, 32);
    const lease = leaseOf(await store.ask({ ...question('a'), unwanted }));
    const other = ENTRY.toReversed();
    await store.end(lease, kept(other));
    expect(await store.ask({ ...question('a'), unwanted })).toEqual({ state: 'entry', bytes: other });
    expect(await stateOf(store.ask({ ...question('a'), unwanted: 'any' }))).toBe('lead');
  });

  it('lets one of many replicas fetch at a time, and the next one after a lease that ended without an entry', async () => {
    const stores = await Promise.all(Array.from({ length: 10 }, () => start()));
    const answers = await Promise.all(stores.map((store) => store.ask(question('a'))));
    expect(answers.filter(({ state }) => state === 'lead')).toHaveLength(1);
    expect(answers.filter(({ state }) => state === 'wait')).toHaveLength(9);
    const led = answers.findIndex(({ state }) => state === 'lead');
    await stores[led]?.end(leaseOf(answers[led] as SharedAnswer), NOTHING);
    expect(await stateOf((stores[(led + 1) % 10] as RedisEndorsementStore).ask(question('a')))).toBe('lead');
  });

  it('waits no longer than a lease for a replica that died', async () => {
    const store = await start();
    await store.ask(question('a', 50));
    await inTurn(store, turnOf('p', 'b', 50));
    await vi.waitFor(async () => expect(await stateOf(store.ask(question('a', 50)))).toBe('lead'), PATIENT);
    await vi.waitFor(async () => expect(await stateOf(inTurn(store, turnOf('p', 'b', 50)))).toBe('lead'), PATIENT);
  });

  it('does not take a lease away from the next one, whose turn it is by now', async () => {
    const store = await start();
    const [late, lateTurn] = [
      leaseOf(await store.ask(question('a', 50))),
      leaseOf(await inTurn(store, turnOf('p', 'b', 50))),
    ];
    await vi.waitFor(async () => expect(await stateOf(store.ask(question('a')))).toBe('lead'), PATIENT);
    await vi.waitFor(async () => expect(await stateOf(inTurn(store, turnOf('p', 'b')))).toBe('lead'), PATIENT);
    await Promise.all([store.end(late, NOTHING), store.end(lateTurn, NOTHING)]);
    expect(await stateOf(store.ask(question('a')))).toBe('wait');
    expect(await stateOf(inTurn(store, turnOf('p', 'b')))).toBe('wait');
  });

  it.each([
    ['without an end', []],
    ['with a late end', ['PX', LONG_MS]],
  ])('cuts a lease that somebody made too long, and a pause %s', async (_title, ending) => {
    const store = await start({ longestPauseMs: 50 });
    await valkey.command('zadd', '{veritee}:endorsements:leases', 9e15, idOf('a'));
    expect(await stateOf(store.ask(question('a')))).toBe('lead');
    await valkey.command('zadd', `{veritee}:turns:${LANE}:turns`, 9e15, `${idOf('p')} ${idOf('b')}`);
    await valkey.command('set', `{veritee}:turns:${LANE}:pause`, '1', ...ending);
    await vi.waitFor(async () => expect(await stateOf(inTurn(store, turnOf('p', 'b')))).toBe('lead'), PATIENT);
  });

  it('forgets entries past their life', async () => {
    const store = await start();
    await keep(store, 'a', kept(ENTRY, 1));
    await vi.waitFor(async () => expect(await stateOf(store.ask(question('a', 1)))).not.toBe('entry'), PATIENT);
    await keep(store, 'b');
    expect(await valkey.command('hlen', '{veritee}:endorsements:entries')).toBe(1);
  });

  it.each([
    ['number', { entries: 3 }],
    ['bytes', { bytes: 3 * ENTRY.length }],
  ])('bounds entries by their %s: what ends soonest makes room', async (_what, limits) => {
    const store = await start(limits);
    await keep(store, 'soon', kept(ENTRY, LONG_MS / 2));
    for (const name of ['a', 'b', 'c']) await keep(store, name);
    const states = await Promise.all(['soon', 'a', 'b', 'c'].map((name) => stateOf(store.ask(question(name)))));
    expect(states).toEqual(['lead', 'entry', 'entry', 'entry']);
  });

  it('counts the bytes of an entry once, however often it is replaced: no other one makes room', async () => {
    const store = await start({ bytes: 2 * ENTRY.length });
    await keep(store, 'soon', kept(ENTRY, LONG_MS / 2));
    for (let times = 0; times < 3; times += 1) await keep(store, 'replaced');
    expect(await stateOf(store.ask(question('soon')))).toBe('entry');
    expect(await stateOf(store.ask(question('replaced')))).toBe('entry');
  });

  it('does not keep an entry over all bounds, and goes on', async () => {
    const store = await start({ bytes: 10 });
    await keep(store, 'a');
    expect(await stateOf(store.ask(question('a')))).toBe('lead');
    await keep(store, 'b', kept(Uint8Array.of(1)));
    expect(await stateOf(store.ask(question('b')))).toBe('entry');
  });

  it('keeps entries again after somebody changed their sum', async () => {
    const store = await start();
    await valkey.command('hset', '{veritee}:endorsements:state', 'bytes', '1000000000000000');
    await keep(store, 'a');
    await keep(store, 'b');
    expect(await stateOf(store.ask(question('b')))).toBe('entry');
  });

  describe('turns', () => {
    it('alternate between principals, whichever replica they ask', async () => {
      const store = await start({ turns: 1 });
      const busy = leaseOf(await inTurn(store, turnOf('many', 'under way')));
      const places = [
        ...[0, 1, 2, 3].map((chip) => turnOf('many', `many ${chip}`)),
        ...[0, 1].map((chip) => turnOf('few', `few ${chip}`)),
      ];
      for (const place of places) expect(await stateOf(inTurn(store, place))).toBe('wait');
      await store.end(busy, NOTHING);
      expect(await orderOf(store, places)).toEqual(['few 0', 'many 0', 'few 1', 'many 1', 'many 2', 'many 3']);
    });

    it('are never all of one principal', async () => {
      const store = await start({ turns: 3 });
      const many = await Promise.all([0, 1, 2].map((chip) => stateOf(inTurn(store, turnOf('many', `many ${chip}`)))));
      expect(many).toEqual(['lead', 'lead', 'wait']);
      expect(await stateOf(inTurn(store, turnOf('few', 'few')))).toBe('lead');
    });

    it('are one for each object, whoever wants it', async () => {
      const store = await start();
      expect(await stateOf(inTurn(store, turnOf('a', 'chip')))).toBe('lead');
      expect(await stateOf(inTurn(store, turnOf('b', 'chip')))).toBe('wait');
    });

    it('come in the shortest line of those who want an object', async () => {
      const store = await start({ turns: 1 });
      const busy = leaseOf(await inTurn(store, turnOf('many', 'under way')));
      const places = [0, 1, 2].map((chip) => turnOf('many', `many ${chip}`));
      for (const place of places) await inTurn(store, place);
      const [first, second, last] = places as [Place, Place, Place];
      const joined = { ...last, principals: [...last.principals, idOf('few')] };
      await inTurn(store, joined);
      await store.end(busy, NOTHING);
      expect(await orderOf(store, [first, second, joined])).toEqual(['many 2', 'many 0', 'many 1']);
    });

    it('have a bounded number of places: the newest of the longest line goes, and nobody else', async () => {
      const store = await start({ turns: 1, places: 3 });
      await inTurn(store, turnOf('many', 'under way'));
      for (const chip of [0, 1, 2]) await inTurn(store, turnOf('many', `many ${chip}`));
      expect(await stateOf(inTurn(store, turnOf('many', 'many 3')))).toBe('busy');
      expect(await stateOf(inTurn(store, turnOf('few', 'few')))).toBe('wait');
      expect(await stateOf(inTurn(store, turnOf('many', 'many 2')))).toBe('busy');
      expect(await stateOf(inTurn(store, turnOf('many', 'many 1')))).toBe('wait');
    });

    it('do not wait for a place for which nobody asks any more', async () => {
      const store = await start({ turns: 1, placeMs: 50 });
      const busy = leaseOf(await inTurn(store, turnOf('a', 'under way')));
      await inTurn(store, turnOf('b', 'of a replica that died'));
      await inTurn(store, turnOf('c', 'given up'));
      await store.withdraw(LANE, turnOf('c', 'given up'));
      await store.end(busy, NOTHING);
      await vi.waitFor(async () => expect(await stateOf(inTurn(store, turnOf('d', 'next')))).toBe('lead'), PATIENT);
    });

    it('are one at a time after a 429, with a pause after each, for all replicas', async () => {
      const [one, other] = [await start({ spacingMs: LONG_MS }), await start({ spacingMs: LONG_MS })];
      const leases = [leaseOf(await inTurn(one, turnOf('a', '1'))), leaseOf(await inTurn(one, turnOf('b', '2')))];
      await one.end(leases[0] as Lease, { entry: null, throttled: { retryAfterMs: 1 } });
      expect(await inTurn(other, turnOf('c', '3'))).toMatchObject({ state: 'wait' });
      await one.end(leases[1] as Lease, NOTHING);
      const waiting = await inTurn(other, turnOf('c', '3'));
      expect(waiting).toMatchObject({ state: 'wait', ms: 2_000 });
      expect('pauseMs' in waiting && waiting.pauseMs).toBeGreaterThan(LONG_MS / 2);
    });

    it('keep the pause that the server asked for, whichever turn ends in it', async () => {
      const store = await start();
      const leases = [leaseOf(await inTurn(store, turnOf('a', '1'))), leaseOf(await inTurn(store, turnOf('b', '2')))];
      await store.end(leases[0] as Lease, { entry: null, throttled: { retryAfterMs: LONG_MS } });
      await store.end(leases[1] as Lease, NOTHING);
      const waiting = await inTurn(store, turnOf('c', '3'));
      expect('pauseMs' in waiting && waiting.pauseMs).toBeGreaterThan(LONG_MS / 2);
    });

    it('have no pause where the server asked for none', async () => {
      const store = await start({ spacingMs: LONG_MS });
      await store.end(leaseOf(await inTurn(store, turnOf('a', '1'))), NOTHING);
      expect(await stateOf(inTurn(store, turnOf('a', '2')))).toBe('lead');
    });

    it('of one server do not wait for those of another', async () => {
      const store = await start({ turns: 1 });
      await inTurn(store, turnOf('a', '1'));
      expect(await stateOf(inTurn(store, turnOf('a', '2'), 'f00d'))).toBe('lead');
    });

    it('are asked for together: each question has its own answer', async () => {
      const store = await start({ turns: 4, places: 2 });
      await keep(store, 'fetched');
      await inTurn(store, turnOf('c', 'under way'));
      const places = [
        turnOf('a', 'fetched'),
        turnOf('c', 'under way'),
        turnOf('a', '1'),
        turnOf('b', '2'),
        turnOf('b', '3'),
        turnOf('b', '2'),
      ];
      const answers = await store.askInTurn(LANE, LONG_MS, places);
      expect(answers.map(({ state }) => state)).toEqual(['entry', 'wait', 'lead', 'lead', 'busy', 'wait']);
      expect([leaseOf(answers[2] as SharedAnswer).id, leaseOf(answers[3] as SharedAnswer).id]).toEqual([
        idOf('1'),
        idOf('2'),
      ]);
    });

    it('keep the place that one replica gives up where another waits for it too', async () => {
      const [one, other] = [await start({ turns: 1 }), await start({ turns: 1 })];
      const busy = leaseOf(await inTurn(one, turnOf('a', 'under way')));
      const [both, later] = [turnOf('a', 'of both'), turnOf('a', 'later')];
      for (const store of [one, other]) await inTurn(store, both);
      await inTurn(other, later);
      await one.withdraw(LANE, both);
      await one.end(busy, NOTHING);
      expect(await orderOf(other, [later, both])).toEqual(['of both', 'later']);
    });

    it('end with what was fetched, for all who want it', async () => {
      const store = await start();
      await store.end(leaseOf(await inTurn(store, turnOf('a', '1'))), kept());
      expect(await inTurn(store, turnOf('b', '1'))).toEqual({ state: 'entry', bytes: ENTRY });
    });
  });

  it('needs no permission of the server that the documented user does not have', async () => {
    const [acl = ''] = /^ACL SETUSER veritee .*$/m.exec(readFileSync('docs/stores.md', 'utf8')) ?? [];
    const rules = acl.replace('>…', `>${PASSWORD}`).split(' ').slice(3);
    await valkey.command('acl', 'setuser', 'veritee', ...rules);
    try {
      const user = { user: 'veritee', password: PASSWORD };
      const store = await replicas.store(valkey.port, { limits: { entries: 1 }, user });
      await keep(store, 'a');
      await keep(store, 'b');
      const lease = leaseOf(await inTurn(store, turnOf('p', 'c')));
      await store.end(lease, { ...kept(), throttled: { retryAfterMs: null } });
      expect(await stateOf(inTurn(store, turnOf('p', 'd')))).toBe('wait');
      await store.withdraw(LANE, turnOf('p', 'd'));
      expect(await stateOf(inTurn(store, turnOf('p', 'c')))).toBe('entry');
    } finally {
      await valkey.command('acl', 'deluser', 'veritee');
    }
  });

  it('STO-04 fails at once while the server is gone, says so once, and is there again by itself', async () => {
    const server = await Valkey.start();
    const log = new RecordingLog();
    try {
      const store = await replicas.store(server.port, { log });
      await keep(store, 'a');
      await server.kill();
      await vi.waitFor(() => expect(store.isReachable).toBe(false), PATIENT);
      for (const name of ['a', 'b', 'c']) await expect(store.ask(question(name))).rejects.toThrow('out of reach');
      await server.run();
      await vi.waitFor(async () => expect(await stateOf(store.ask(question('b')))).toBe('lead'), PATIENT);
      expect(log.of(/^store out of reach$/)).toMatchObject([{ of: 'endorsements' }]);
      expect(log.of(/^store answers again$/)).toMatchObject([{ of: 'endorsements' }]);
    } finally {
      await replicas.close();
      await server.close();
    }
  });
});
