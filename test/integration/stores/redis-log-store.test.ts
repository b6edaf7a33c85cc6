import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { newDecisionId } from '../../../src/app/decision-id.js';
import { type KeptObject, StoreUnavailableError } from '../../../src/core/decision-log.js';
import { UnfitError } from '../../../src/core/errors.js';
import { verifyLog } from '../../../src/log/verify-log.js';
import type { RedisLogStore } from '../../../src/stores/redis/redis-log-store.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { keptInputs } from '../../unit/log/kept-evidence.js';
import { ALL, behavesAsLogStore, chained } from '../../unit/log/log-store-behaviour.js';
import { dropping, judged, openLog, policy } from '../../unit/log/recorded.js';
import { release } from '../../unit/log/released.js';
import { type Fault, FaultyProxy } from './faulty-proxy.js';
import { PATIENT } from './shared-challenges.js';
import { DURABLE, type LogReplica, LogReplicas } from './shared-decisions.js';
import { isWithoutValkey, Valkey } from './valkey.js';

const HOST = '127.0.0.1';
const UNFIT = /^store cannot be used$/;
const LOST = 'the store lacks records that it had';
const NO_EVIDENCE = { keptHeads: [], keys: null };

const replicas = new LogReplicas();
let valkey: Valkey;

const start = (replica: LogReplica = {}) => replicas.start(valkey.port, replica);

/** Waits until the store answers again. */
const isBack = (store: RedisLogStore) => vi.waitFor(() => store.last(randomUUID()), PATIENT);

/** Does something with a server of its own. */
async function withServer(settings: readonly string[], work: (server: Valkey) => Promise<void>): Promise<void> {
  const server = await Valkey.start(...settings);
  try {
    await work(server);
  } finally {
    await replicas.close();
    await server.close();
  }
}

describe.skipIf(isWithoutValkey('decisions in a server of Valkey'))('decisions in a server', () => {
  beforeAll(async () => {
    valkey = await Valkey.start(...DURABLE);
  });

  beforeEach(() => valkey.command('flushall'));

  afterEach(() => replicas.close());

  afterAll(() => valkey.close());

  behavesAsLogStore(() => start());

  describe('at the start', () => {
    it.each([
      ['STO-03', 'has no append-only file', [], 'has no append-only file, so a restart would lose decisions'],
      [
        'STO-03',
        'syncs once a second',
        ['appendonly yes', 'appendfsync everysec'],
        'appendfsync is everysec, and has to be always',
      ],
      [
        'STO-03',
        'may drop keys',
        [...DURABLE, 'maxmemory-policy volatile-lru'],
        'maxmemory-policy is volatile-lru, and has to be noeviction',
      ],
    ])('%s refuse one that %s', async (_, __, settings, why) => {
      await withServer(settings, async ({ port }) => {
        // For good: it is not waited for.
        const refused = replicas.start(port, { startLimitMs: 60_000 });
        await expect(refused).rejects.toThrow(UnfitError);
        await expect(refused).rejects.toThrow(why);
      });
    });

    it('STO-03 refuse one that never syncs, also where it does not tell its configuration', async () => {
      await withServer(['appendonly yes', 'appendfsync no', 'rename-command CONFIG ""'], async ({ port }) => {
        const refused = replicas.start(port, { commandTimeoutMs: 400 });
        await expect(refused).rejects.toThrow('is not synced within 300 ms: appendfsync has to be always');
      });
    });

    it('STO-03 refuse one without as many replicas as have to confirm', async () => {
      const refused = start({ replicas: 1, commandTimeoutMs: 2000 });
      await expect(refused).rejects.toThrow('0 of 1 replicas confirm within 1500 ms');
    });

    it('STO-03 refuse a log of another form', async () => {
      await valkey.command('set', '{veritee}:log:form', '2');
      await expect(start()).rejects.toThrow('has a decision log that another version of veritee wrote (form 2, this');
    });
  });

  describe('once they are stored', () => {
    it('STO-01 are there after the server was killed', async () => {
      const store = await start();
      const { log } = await openLog(store);
      const told = Array.from({ length: 40 }, () => judged());
      await Promise.all(told.map((each) => log.record(each)));
      await valkey.kill();
      await expect(store.list(ALL)).rejects.toThrow(StoreUnavailableError);
      await expect(log.record(judged())).rejects.toThrow(StoreUnavailableError);
      await valkey.run();
      await isBack(store);
      for (const { decision } of told) expect(await store.find(decision.decisionId)).not.toBeNull();
      await log.record(judged());
      expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], decisions: 41 });
    });

    it('STO-01 are missed where the server went back to what it had before, and the chain does not go on', async () => {
      const store = await start();
      const { log, lines, chain } = await openLog(store);
      await log.record(judged());
      const putBack = await valkey.copyOfFiles();
      const gone = judged();
      await log.record(gone);
      const { hash } = (await store.last(chain)) ?? {};
      await valkey.kill();
      await putBack();
      await valkey.run();
      await isBack(store);
      expect(await store.find(gone.decision.decisionId)).toBeNull();
      await expect(log.record(judged())).rejects.toThrow('does not have the record that this one follows');
      for (let count = 0; count < 2; count++) await expect(log.record(judged())).rejects.toThrow(LOST);
      expect(log.isAvailable).toBe(false);
      expect(await store.last(chain)).toMatchObject({ seq: 1 });
      const told = lines.lines.filter(({ message }) => message.startsWith('the decision store lacks records'));
      expect(told).toMatchObject([{ level: 'error', fields: { chain, stored: { seq: 2, hash }, found: { seq: 1 } } }]);
      // What is started anew begins a chain of its own.
      const anew = await openLog(store);
      await anew.log.record(judged());
      expect((await verifyLog(store, NO_EVIDENCE)).problems).toEqual([]);
      const head = lines.lines.filter(({ message }) => message === 'decision log head').at(-1)?.fields;
      expect(head).toMatchObject({ chain, seq: 0 });
    });

    it('STO-01 are missed where the server is an empty one now', async () => {
      const store = await start();
      const { log } = await openLog(store);
      await log.record(judged());
      await valkey.command('flushall');
      await expect(log.record(judged())).rejects.toThrow('does not have the record that this one follows');
      await expect(log.record(judged())).rejects.toThrow(LOST);
      expect(await store.records(null, 10)).toEqual([]);
    });
  });

  describe('of which nobody knows', () => {
    it.each<[Fault, number]>([
      ['half the command passes', 0],
      ['the answer does not pass', 1],
      ['half the answer passes', 1],
    ])(
      'STO-04, STO-06 since %s, are not sent again, and are withdrawn where they are stored',
      async (fault, stored) => {
        const proxy = await FaultyProxy.start(valkey.port);
        try {
          const store = await replicas.start(proxy.port);
          const { log } = await openLog(store, { retentionMs: 1e12 });
          const lost = judged();
          proxy.failNext(fault);
          await expect(log.record(lost)).rejects.toThrow(StoreUnavailableError);
          await expect(log.record(judged())).rejects.toThrow('the store is out of reach');
          await vi.waitFor(() => log.record(judged()), PATIENT);
          const found = await store.find(lost.decision.decisionId);
          expect(found === null ? 0 : 1).toBe(stored);
          if (found !== null) expect(found.withdrawn).toBe(true);
          expect((await verifyLog(store, NO_EVIDENCE)).problems).toEqual([]);
        } finally {
          await proxy.close();
        }
      },
    );

    it('STO-04 are refused where they come after the store was asked what it has', async () => {
      const proxy = await FaultyProxy.start(valkey.port);
      try {
        const [store, late] = [await replicas.start(proxy.port), await start()];
        const chain = randomUUID();
        const [first, second, third] = chained(chain, [{}, {}, {}]);
        await store.append([first as never]);
        proxy.failNext('half the command passes');
        await expect(store.append([second as never])).rejects.toThrow(StoreUnavailableError);
        const asked = await vi.waitFor(() => store.last(chain), PATIENT);
        expect(asked).toMatchObject({ seq: 0 });
        // As over the connection of before.
        await expect(late.append([second as never])).rejects.toThrow('the store was asked what it has meanwhile');
        await store.append([second as never, third as never]);
        expect(await store.last(chain)).toMatchObject({ seq: 2 });
      } finally {
        await proxy.close();
      }
    });

    it('STO-04 since the server does not answer in time, are withdrawn once it does', async () => {
      const store = await start({ commandTimeoutMs: 300, startLimitMs: PATIENT.timeout });
      const { log } = await vi.waitFor(() => openLog(store), PATIENT);
      valkey.pause();
      const slow = judged();
      try {
        await expect(log.record(slow)).rejects.toThrow('no answer within 300 ms');
      } finally {
        valkey.resume();
      }
      await vi.waitFor(() => log.record(judged()), PATIENT);
      // It reads what was sent before it stood still ahead of what comes over the next connection.
      expect(await store.find(slow.decision.decisionId)).toMatchObject({ withdrawn: true });
      expect((await verifyLog(store, NO_EVIDENCE)).problems).toEqual([]);
    });
  });

  it('AUD-01 are refused where they follow another record than the one at that place', async () => {
    const store = await start();
    const chain = randomUUID();
    const [first, second] = chained(chain, [{}, {}]);
    const [, foreign] = chained(chain, [{ content: '{"kind":"other"}' }, {}]);
    await store.append([first as never]);
    await expect(store.append([foreign as never])).rejects.toThrow(
      new StoreUnavailableError('the store does not have the record that this one follows'),
    );
    expect(await store.last(chain)).toMatchObject({ seq: 0 });
    await store.append([second as never]);
    expect(await store.last(chain)).toMatchObject({ seq: 1, hash: second?.hash });
  });

  describe('over a connection', () => {
    it('STO-03 are not stored once the append-only file is off, and not before it is on again', async () => {
      const log = new RecordingLog();
      const store = await start({ log });
      const chain = randomUUID();
      const [first, second] = chained(chain, [{}, {}]);
      await store.append([first as never]);
      await valkey.command('config', 'set', 'appendonly', 'no');
      try {
        await expect(store.append([second as never])).rejects.toThrow('WAITAOF cannot be used');
        await valkey.command('client', 'kill', 'skipme', 'yes');
        await vi.waitFor(() => expect(log.of(UNFIT)).toHaveLength(1), PATIENT);
        expect(log.of(UNFIT)).toMatchObject([{ why: expect.stringContaining('has no append-only file') }]);
        await expect(store.last(chain)).rejects.toThrow('the store is out of reach');
      } finally {
        await valkey.command('config', 'set', 'appendonly', 'yes');
      }
      await isBack(store);
      expect(await store.last(chain)).toMatchObject({ seq: 1 });
    });

    it('are confirmed by as many replicas as were asked for, or nobody knows', async () => {
      const replica = await Valkey.start(`replicaof ${HOST} ${valkey.port}`, ...DURABLE);
      try {
        await vi.waitFor(async () => expect(await replica.info('master_link_status')).toBe('up'), PATIENT);
        const store = await start({ replicas: 1, commandTimeoutMs: 2000, startLimitMs: PATIENT.timeout });
        const { log } = await vi.waitFor(() => openLog(store), PATIENT);
        const told = judged();
        await vi.waitFor(() => log.record(told), PATIENT);
        await replica.kill();
        const untold = judged();
        await expect(log.record(untold)).rejects.toThrow('0 of 1 replicas confirm within 1500 ms');
        await replica.run();
        await vi.waitFor(() => log.record(judged()), PATIENT);
        expect(await store.find(untold.decision.decisionId)).toMatchObject({ withdrawn: true });
        expect((await verifyLog(store, NO_EVIDENCE)).problems).toEqual([]);
      } finally {
        await replica.close();
      }
    });

    it('LOG-02 are refused by a server without memory, which lets them be read and dropped', async () => {
      const proxy = await FaultyProxy.start(valkey.port);
      try {
        const store = await replicas.start(proxy.port);
        const { log, chain } = await openLog(store);
        const objects = [{ sha256: 'a'.repeat(64), bytes: new Uint8Array(9) }];
        const stored = judged();
        await log.record({ ...stored, inputs: { sha256: 'a'.repeat(64), objects } });
        const before = await store.records(null, 10);
        await valkey.command('config', 'set', 'maxmemory', 1);
        await expect(log.record(judged())).rejects.toThrow(/^OOM /);
        proxy.failNext('the answer does not pass');
        await expect(store.last(randomUUID())).rejects.toThrow(StoreUnavailableError);
        await isBack(store);
        expect(await store.records(null, 10)).toEqual(before);
        expect(await store.find(stored.decision.decisionId)).not.toBeNull();
        expect(await store.prune(await dropping(store, chain, [1, 1]))).toBe(1);
        expect(await store.object('a'.repeat(64))).toBeNull();
        await expect(log.record(judged())).rejects.toThrow(StoreUnavailableError);
        await valkey.command('config', 'set', 'maxmemory', 0);
        await log.record(judged());
        expect(await store.list(ALL)).toHaveLength(1);
      } finally {
        await valkey.command('config', 'set', 'maxmemory', 0);
        await proxy.close();
      }
    });
  });

  describe('in many answers of the server', () => {
    it('are listed, verified and dropped, with bounded work for each', async () => {
      const store = await start();
      const chain = randomUUID();
      const at = (count: number) => new Date(Date.UTC(2026, 0, 1) + count);
      const said = Array.from({ length: 1200 }, (_, count) => ({ entry: { decisionId: newDecisionId(at(count)) } }));
      await store.append(chained(chain, said));
      for (let count = 0; count < 600; count++) {
        await store.append(chained(randomUUID(), [{ entry: { decisionId: newDecisionId(at(count)) } }]));
      }
      expect(await store.chains()).toHaveLength(601);
      expect(await store.strays()).toBe(0);
      expect(await store.list({ ...ALL, tenant: null, limit: 5 })).toHaveLength(5);
      const prunable = await store.prunable(at(700), null, 2000);
      expect(prunable).toHaveLength(1300);
      expect(prunable).toEqual(prunable.toSorted());
    });
  });

  describe('that somebody has changed', () => {
    const key = (part: string) => `{veritee}:log:${part}`;

    /** @param isReleasing whether a key was released by a seventh decision: records 7 to 9 */
    async function filled({ isReleasing = false } = {}) {
      const store = await start();
      const { log, chain } = await openLog(store);
      const ids: string[] = [];
      for (let count = 0; count < 6; count++) {
        const each = judged({ policies: [policy('payments'), policy('baseline')] });
        ids.push(each.decision.decisionId);
        await log.record({ ...each, inputs: keptInputs(`{"n":${count}}`) });
      }
      const released = isReleasing ? (await release(log)).decision.decisionId : '';
      await log.close();
      expect((await verifyLog(store, NO_EVIDENCE)).problems).toEqual([]);
      const place = (seq: number) => `${chain} ${String(seq).padStart(16, '0')}`;
      const record = async (seq: number) => {
        const found = await valkey.command('zrange', key('records'), `[${place(seq)} `, `(${place(seq)}!`, 'bylex');
        return String((found as readonly string[])[0]);
      };
      return { store, chain, ids, released, place, record, id: (seq: number) => String(ids[seq - 1]) };
    }

    /** The request of the third decision, and of the one after. */
    const [OWN_OF_THIRD = '', OWN_OF_FOURTH = ''] = [2, 3].map((count) =>
      createHash('sha256').update(`{"n":${count}}`).digest('hex'),
    );

    type Filled = Awaited<ReturnType<typeof filled>>;

    it.each<[string, (log: Filled) => Promise<unknown>, readonly unknown[]]>([
      [
        'in what it says',
        async ({ place }) => {
          const kept = String(await valkey.command('hget', key('contents'), place(3)));
          await valkey.command('hset', key('contents'), place(3), kept.replaceAll('"allow"', '"deny"'));
        },
        ['content_changed', 3],
      ],
      [
        'in its content, which is gone',
        ({ place }) => valkey.command('hdel', key('contents'), place(3)),
        ['content_missing', 3],
      ],
      [
        'in being there',
        async ({ record }) => valkey.command('zrem', key('records'), await record(3)),
        ['record_missing', 4],
      ],
      [
        'in its hashes',
        async ({ record }) => {
          const member = await record(3);
          await valkey.command('zrem', key('records'), member);
          await valkey.command('zadd', key('records'), 0, member.slice(0, -64) + 'a'.repeat(64));
        },
        ['record_changed', 3],
      ],
      [
        'in its place among others',
        async ({ record }) => valkey.command('zadd', key('records'), 1, await record(3)),
        ['record_missing', 4],
      ],
      [
        'in the index of outcomes',
        ({ id }) => valkey.command('zrem', key('outcomes'), `default allow ${id(3)}`),
        ['index_mismatch', 3],
      ],
      [
        'in the order of an index',
        ({ id }) => valkey.command('zadd', key('outcomes'), 1, `default allow ${id(3)}`),
        ['index_mismatch', 3],
      ],
      [
        'in the index of policies',
        ({ id }) => valkey.command('zrem', key('policies'), `default payments allow ${id(3)}`),
        ['index_mismatch', 3],
      ],
      [
        'in what it is found by',
        ({ id }) => valkey.command('hset', key('decisions'), id(3), '["x"'),
        ['index_mismatch', 3],
      ],
      [
        'in what lists show',
        async ({ id }) => {
          const entry = String(await valkey.command('hget', key('decisions'), id(3)));
          await valkey.command('hset', key('decisions'), id(3), entry.replaceAll('gate', 'gaze'));
        },
        ['index_mismatch', 3],
      ],
      ['in being found', ({ id }) => valkey.command('hdel', key('decisions'), id(3)), ['index_mismatch', 3]],
      [
        'in its place',
        ({ place, id }) => valkey.command('zrem', key('places'), `${place(3)} ${id(3)}`),
        ['index_mismatch', 3],
      ],
      ['in being withdrawn', ({ id }) => valkey.command('sadd', key('withdrawn'), id(3)), ['index_mismatch', 3]],
      [
        'with an entry of nothing',
        () => valkey.command('zadd', key('outcomes'), 0, 'default allow x'),
        ['index_mismatch', null],
      ],
      [
        'with a policy of nothing',
        ({ id }) => valkey.command('zadd', key('policies'), 0, `default mine allow ${id(3)}`),
        ['index_mismatch', null],
      ],
      ['with a word in an index', () => valkey.command('zadd', key('policies'), 0, 'x'), ['index_mismatch', null]],
      [
        'with a decision of nothing',
        () => valkey.command('hset', key('decisions'), 'x', '{}'),
        ['index_mismatch', null],
      ],
      [
        'with a place of nothing',
        ({ place }) => valkey.command('zadd', key('places'), 0, `${place(99)} x`),
        ['index_mismatch', null],
      ],
      [
        'in an object that it rests on',
        () => valkey.command('hset', key('objects'), OWN_OF_THIRD, 'x'),
        ['object_changed', null],
      ],
      [
        'in an object that it rests on, which is gone',
        () => valkey.command('hdel', key('objects'), OWN_OF_THIRD),
        ['object_missing', 3],
      ],
      [
        'in what it rests on',
        async ({ id }) => {
          const named = String(await valkey.command('hget', key('kept'), id(3)));
          await valkey.command('hset', key('kept'), id(3), named.replace(OWN_OF_THIRD, OWN_OF_FOURTH));
        },
        ['index_mismatch', 3],
      ],
      ['with links of nothing', () => valkey.command('hset', key('kept'), 'x', OWN_OF_THIRD), ['index_mismatch', null]],
      ['with an object of nothing', () => valkey.command('hset', key('objects'), 'x', 'y'), ['index_mismatch', null]],
      ['with the digest of nothing', () => valkey.command('zadd', key('digests'), 0, 'x'), ['index_mismatch', null]],
      [
        'with a head of nothing',
        () => valkey.command('zadd', key('heads'), 0, `x ${'0'.repeat(16)} y`),
        ['index_mismatch', null],
      ],
    ])('AUD-01 %s are found', async (_, change, problem) => {
      const log = await filled();
      await change(log);
      const { problems } = await verifyLog(log.store, NO_EVIDENCE);
      expect(problems.map(({ code, seq }) => [code, seq])).toContainEqual(problem);
    });

    it.each<[string, (log: Filled) => Promise<unknown>, readonly unknown[]]>([
      [
        'in an attempt that its decision does not find',
        ({ place, released }) => valkey.command('zrem', key('releases'), `${released} ${place(8)} release-attempt`),
        ['index_mismatch', 8],
      ],
      [
        'in a result at no place',
        ({ place, released }) => valkey.command('zrem', key('releasePlaces'), `${place(9)} ${released} release-result`),
        ['index_mismatch', 9],
      ],
      [
        'in the order of releases',
        ({ place, released }) => valkey.command('zadd', key('releases'), 1, `${released} ${place(9)} release-result`),
        ['index_mismatch', 9],
      ],
      [
        'with the release of another decision',
        ({ place, id }) => valkey.command('zadd', key('releasePlaces'), 0, `${place(9)} ${id(3)} release-result`),
        ['index_mismatch', null],
      ],
      [
        'with a release of nothing',
        async ({ place, id }) => {
          await valkey.command('zadd', key('releases'), 0, `${id(3)} ${place(99)} release-result`);
          await valkey.command('zadd', key('releasePlaces'), 0, `${place(99)} ${id(3)} release-result`);
        },
        ['index_mismatch', null],
      ],
      [
        'with words in the index of releases',
        async () => {
          await valkey.command('zadd', key('releases'), 0, 'x');
          await valkey.command('zadd', key('releasePlaces'), 0, 'x');
        },
        ['index_mismatch', null],
      ],
    ])('AUD-01 of a release, %s, are found', async (_, change, problem) => {
      const log = await filled({ isReleasing: true });
      await change(log);
      const { problems } = await verifyLog(log.store, NO_EVIDENCE);
      expect(problems.map(({ code, seq }) => [code, seq])).toContainEqual(problem);
    });

    it('AUD-01 into something else are found, and say so', async () => {
      const { store } = await filled();
      await valkey.command('zadd', key('records'), 0, 'x');
      await expect(verifyLog(store, NO_EVIDENCE)).rejects.toThrow(
        'the decision log in the store has a record at no place',
      );
      await valkey.command('del', key('heads'));
      await valkey.command('set', key('heads'), 'a text');
      await expect(store.heads(randomUUID(), 0, 1)).rejects.toThrow(StoreUnavailableError);
    });

    it('AUD-02 at the end are found by a head that was kept', async () => {
      const { store, chain, record, place, id } = await filled();
      const keptHeads = (await store.heads(chain, 0, 100)).map(({ jws }) => jws);
      for (const seq of [7, 6]) await valkey.command('zrem', key('records'), await record(seq));
      await valkey.command('zremrangebylex', key('heads'), `[${place(7)} `, '+');
      await valkey.command('zrem', key('places'), `${place(6)} ${id(6)}`);
      await valkey.command('zrem', key('outcomes'), `default allow ${id(6)}`);
      for (const each of ['payments', 'baseline'])
        await valkey.command('zrem', key('policies'), `default ${each} allow ${id(6)}`);
      for (const part of ['decisions', 'kept']) await valkey.command('hdel', key(part), id(6));
      expect((await verifyLog(store, NO_EVIDENCE)).problems).toEqual([]);
      const { problems } = await verifyLog(store, { keptHeads, keys: null });
      expect(problems.map(({ code, seq }) => [code, seq])).toEqual([['chain_missing', 7]]);
    });

    it('do not keep others from being listed and dropped', async () => {
      const { store, chain, id } = await filled();
      await valkey.command('hset', key('decisions'), id(3), '[1]');
      await valkey.command('hdel', key('decisions'), id(4));
      expect(await store.list(ALL)).toHaveLength(4);
      expect([await store.find(id(3)), await store.find(id(4))]).toEqual([null, null]);
      const wrong = [3, 4].map((seq) => ({ decisionId: id(seq), chain, seq, through: seq }));
      expect(await store.prune([...(await dropping(store, chain, [0, 6])), ...wrong])).toBe(6);
    });
  });

  it.each(['hincrby', 'hsetnx', 'zadd'])(
    'STO-05 are stored whole or not at all where the user may not run %s any more',
    async (command) => {
      await valkey.command('acl', 'setuser', 'few', 'on', '>secret', '~*', '+@all');
      try {
        const settings = { user: 'few', password: 'secret' };
        const store = await start({ settings });
        const { log } = await openLog(store);
        await valkey.command('acl', 'setuser', 'few', `-${command}`);
        const kept = { ...judged(), inputs: keptInputs('{}') };
        await expect(log.record(kept)).rejects.toThrow(
          `NOPERM the user may not run ${command.toUpperCase()} within scripts`,
        );
        const refused = start({ startLimitMs: 60_000, settings });
        await expect(refused).rejects.toThrow(UnfitError);
        await expect(refused).rejects.toThrow(`does not let the user run ${command.toUpperCase()}: docs/stores.md`);
        await valkey.command('acl', 'setuser', 'few', `+${command}`);
        await log.record(kept);
        expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], decisions: 1 });
      } finally {
        await valkey.command('acl', 'deluser', 'few');
      }
    },
  );

  it('need no more than the commands and keys of the documentation', async () => {
    const page = readFileSync(new URL('../../../docs/stores.md', import.meta.url), 'utf8');
    const [acl = ''] = /^ACL SETUSER veritee .*$/m.exec(page) ?? [];
    const [, , ...rules] = acl.replace('>…', '>secret').split(' ');
    await valkey.command('acl', 'setuser', ...rules);
    try {
      const settings = { user: 'veritee', password: 'secret' };
      const store = await start({ settings });
      const { log, chain } = await openLog(store);
      const [old, young] = [judged({ policies: [policy('payments')] }), judged()];
      const inputs = keptInputs('{}');
      const [object] = inputs.objects as [KeptObject];
      await log.record({ ...old, inputs });
      await log.record(young);
      await log.withdraw(young.decision.decisionId, 'late');
      expect(await store.object(object.sha256)).toEqual(Uint8Array.from(object.bytes));
      expect(await store.list({ ...ALL, tenant: null, policy: 'payments' })).toHaveLength(1);
      expect(await store.prunable(new Date(), null, 10)).toHaveLength(2);
      expect(await store.claimPruning(new Date(), 1)).toBe(false);
      await expect(store.append(chained(chain, [{}]))).rejects.toThrow('does not have the record');
      expect(await store.last(chain)).toMatchObject({ seq: 3 });
      expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], heads: 1 });
      expect(await store.prune(await dropping(store, chain, [1, 1]))).toBe(1);
      await valkey.command('acl', 'setuser', 'veritee', '-waitaof');
      await expect(start({ startLimitMs: 60_000, settings })).rejects.toThrow(/NOPERM .* 'waitaof' command/);
    } finally {
      await valkey.command('acl', 'deluser', 'veritee');
    }
  });
});
