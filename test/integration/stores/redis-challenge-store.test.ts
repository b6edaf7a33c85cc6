import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChallengeScope } from '../../../src/core/challenge.js';
import { RefusedError, UnfitError } from '../../../src/core/errors.js';
import type { RedisChallengeStore } from '../../../src/stores/redis/redis-challenge-store.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { behavesAsChallengeStore, until } from '../../unit/stores/challenge-store-behaviour.js';
import { MovableClock } from '../service/lab-service.js';
import {
  ANYTHING,
  ASKED,
  inSeconds,
  KEY,
  OTHER_KEY,
  PATIENT,
  type Replica,
  Replicas,
  stateOf,
} from './shared-challenges.js';
import { isWithoutValkey, Valkey } from './valkey.js';

const VOID = 'the challenge is from before a restart or failover of the store';
const OTHER = 'holds challenges of replicas with another challenge key';

const replicas = new Replicas();
let valkey: Valkey;

const start = (replica: Replica = {}) => replicas.start(valkey.port, replica);

/** Puts a challenge again and again until the store takes one, and returns its id. */
async function putAgain(store: RedisChallengeStore): Promise<string> {
  return vi.waitFor(async () => {
    const id = crypto.randomUUID();
    await store.put(id, ANYTHING, inSeconds(300));
    return id;
  }, PATIENT);
}

describe.skipIf(isWithoutValkey('challenges in a server of Valkey'))('challenges in a server', () => {
  beforeAll(async () => {
    valkey = await Valkey.start();
  });

  beforeEach(() => valkey.command('flushall'));

  afterEach(() => replicas.close());

  afterAll(() => valkey.close());

  behavesAsChallengeStore(
    () => start(),
    () => new Date(),
  );

  it.each([
    ['an earlier version made', ['hdel', '{veritee}:challenge:c', 'issuedAt']],
    ['somebody changed', ['hset', '{veritee}:challenge:c', 'issuedAt', 'yesterday']],
  ])('does not know when a challenge was issued whose record %s', async (_, command) => {
    const store = await start();
    await store.put('c', ANYTHING, inSeconds(300));
    await valkey.command(...(command as [string, ...string[]]));
    expect(await store.consume('c', ASKED)).toMatchObject({ state: 'consumed', issuedAt: null });
  });

  describe('single use', () => {
    it('FRS-02 lets exactly one of a thousand at two replicas consume a challenge', async () => {
      const [one, other] = [await start(), await start()];
      await one.put('c', ANYTHING, inSeconds(300));
      const consumed = Array.from({ length: 1000 }, (_, index) =>
        stateOf((index % 2 === 0 ? one : other).consume('c', ASKED)),
      );
      const states = await Promise.all(consumed);
      expect(states.filter((state) => state === 'consumed')).toHaveLength(1);
      expect(states.filter((state) => state === 'used')).toHaveLength(999);
    });

    it('knows no challenge that was never put', async () => {
      expect(await stateOf((await start()).consume('c', ASKED))).toBe('unknown');
    });

    it('keeps a second challenge from taking the place of the first', async () => {
      const store = await start();
      await store.put('c', ANYTHING, inSeconds(300));
      await store.consume('c', ASKED);
      await expect(store.put('c', ANYTHING, inSeconds(300))).rejects.toThrow('challenge id is taken');
      expect(await stateOf(store.consume('c', ASKED))).toBe('used');
    });

    it('FRS-07 outlives the replica that issued it: unused it is good, used it stays used', async () => {
      const before = await start();
      await before.put('used', ANYTHING, inSeconds(300));
      await before.put('unused', ANYTHING, inSeconds(300));
      await before.consume('used', ASKED);
      await before.close();
      const after = await start();
      expect(await stateOf(after.consume('used', ASKED))).toBe('used');
      expect(await stateOf(after.consume('unused', ASKED))).toBe('consumed');
    });
  });

  describe('scope', () => {
    const full: ChallengeScope = { tenant: 'a', audience: 'https://gate', policy: 'p', evidenceType: 'snp' };

    it.each([
      ['audience', { ...ASKED, audience: 'https://other' }],
      ['audience, none', { ...ASKED, audience: null }],
      ['policy', { ...ASKED, policies: ['q'] }],
      ['policy, the first of two', { ...ASKED, policies: ['q', 'p'] }],
      ['policy, the second of two', { ...ASKED, policies: ['p', 'q'] }],
      ['policy, none', { ...ASKED, policies: [] }],
      ['evidence type', { ...ASKED, evidenceType: 'az-snp-vtpm' }],
    ])('FRS-01 refuses another %s, and leaves the challenge to whom it belongs', async (_, asked) => {
      const store = await start();
      await store.put('c', full, inSeconds(300));
      const { tenant: _tenant, ...purpose } = full;
      expect(await store.consume('c', asked)).toEqual({ state: 'scope', purpose });
      expect(await store.consume('c', ASKED)).toMatchObject({ state: 'consumed', purpose });
    });

    it('FRS-01 tells another tenant nothing, not even whether a challenge is used', async () => {
      const store = await start();
      await store.put('c', full, inSeconds(300));
      const foreign = { ...ASKED, tenant: 'b' };
      expect(await store.consume('c', foreign)).toEqual({ state: 'scope' });
      expect(await stateOf(store.consume('c', ASKED))).toBe('consumed');
      expect(await store.consume('c', foreign)).toEqual({ state: 'scope' });
    });

    it('that says nothing but the tenant fits every use of the tenant', async () => {
      const store = await start();
      const purpose = { audience: null, policy: null, evidenceType: null };
      for (const [index, asked] of [ASKED, { ...ASKED, audience: null, policies: [] }].entries()) {
        await store.put(`c${index}`, ANYTHING, inSeconds(300));
        expect(await store.consume(`c${index}`, asked)).toMatchObject({ state: 'consumed', purpose });
      }
    });

    it('keeps what it says to the letter, whatever letters those are', async () => {
      const store = await start();
      const audience = 'https://gate/=ü?\u{1f511}"\\';
      await store.put('c', { ...ANYTHING, audience }, inSeconds(300));
      expect(await stateOf(store.consume('c', { ...ASKED, audience: `=${audience}` }))).toBe('scope');
      expect(await store.consume('c', { ...ASKED, audience })).toMatchObject({ purpose: { audience } });
    });
  });

  describe('the lifetime', () => {
    it('FRS-10 is counted by the server, whatever the wall clock of the replica says then', async () => {
      const clock = new MovableClock();
      clock.setBy(-6 * 60 * 60_000);
      const store = await start({ clock });
      await store.put('c', ANYTHING, until(new Date(clock.now().getTime() + 60_000)));
      const left = Number(await valkey.command('pttl', '{veritee}:challenge:c'));
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(60_000);
    });

    it('FRS-07 ends with the record, used or not, and nothing of it stays', async () => {
      const store = await start();
      for (const id of ['used', 'unused']) await store.put(id, ANYTHING, inSeconds(1));
      expect(await stateOf(store.consume('used', ASKED))).toBe('consumed');
      await vi.waitFor(async () => {
        expect(await stateOf(store.consume('unused', { ...ASKED, tenant: 'b' }))).toBe('unknown');
      }, PATIENT);
      expect(await stateOf(store.consume('used', ASKED))).toBe('unknown');
      expect(await stateOf(store.consume('unused', ASKED))).toBe('unknown');
      expect(await valkey.command('keys', '*')).toEqual(['{veritee}:challenge-key']);
    });
  });

  describe('the most challenges of a tenant', () => {
    it('FRS-03 overloaded is said where there is no room, which others do not take', async () => {
      const store = await start({ capacity: 2 });
      for (const id of ['c1', 'c2']) await store.put(id, ANYTHING, inSeconds(300));
      await store.consume('c1', ASKED);
      const refused = store.put('c3', ANYTHING, inSeconds(300));
      await expect(refused).rejects.toThrow(
        expect.objectContaining({ name: RefusedError.name, code: 'overloaded', retryAfterSeconds: 1 }),
      );
      await store.put('c3', { ...ANYTHING, tenant: 'b' }, inSeconds(300));
      expect(await stateOf(store.consume('c2', ASKED))).toBe('consumed');
    });

    it('are counted until they expire; what is left of them goes a little at a time', async () => {
      const store = await start({ capacity: 21 });
      const ofTenant = '{veritee}:challenges:a';
      await store.put('lasting', ANYTHING, inSeconds(300));
      await Promise.all(Array.from({ length: 20 }, (_, index) => store.put(`c${index}`, ANYTHING, inSeconds(1))));
      await vi.waitFor(async () => {
        expect(await valkey.command('zcount', ofTenant, Date.now(), '+inf')).toBe(1);
      }, PATIENT);
      const left: unknown[] = [];
      for (const id of ['next', 'one more']) {
        await store.put(id, ANYTHING, inSeconds(300));
        left.push(await valkey.command('zcard', ofTenant));
      }
      expect(left).toEqual([6, 3]);
    });
  });

  describe('the key of challenges', () => {
    it('STO-02 of another replica keeps one from starting', async () => {
      await start();
      await expect(start({ key: OTHER_KEY })).rejects.toThrow(UnfitError);
      await expect(start({ key: OTHER_KEY })).rejects.toThrow(OTHER);
      await start({ key: Uint8Array.from(KEY) });
    });

    it('STO-02 is kept as a fingerprint that does not expire, and which says nothing about it', async () => {
      await start();
      const kept = String(await valkey.command('get', '{veritee}:challenge-key'));
      expect(kept).toMatch(/^[0-9a-f]{32}$/);
      expect(Buffer.from(KEY).toString('hex')).not.toContain(kept);
      expect(await valkey.command('pttl', '{veritee}:challenge-key')).toBe(-1);
    });

    it('STO-02 can be another one once the fingerprint is deleted, which the message names', async () => {
      await (await start()).close();
      await expect(start({ key: OTHER_KEY })).rejects.toThrow('PEXPIRE {veritee}:challenge-key 0');
      await valkey.command('pexpire', '{veritee}:challenge-key', '0');
      await start({ key: OTHER_KEY });
      await expect(start()).rejects.toThrow(OTHER);
    });

    it('STO-02 is compared with each step: a store that was emptied and taken by others is out of reach', async () => {
      const log = new RecordingLog();
      const store = await start({ log });
      await store.put('c', ANYTHING, inSeconds(300));
      await valkey.command('flushall');
      await start({ key: OTHER_KEY });
      await expect(store.consume('c', ASKED)).rejects.toThrow('not of replicas with this challenge key any more');
      await vi.waitFor(() => {
        const [lost] = log.of(/^store out of reach$/);
        const [unfit] = log.of(/^store cannot be used$/);
        expect([lost, unfit]).toMatchObject([{}, { why: expect.stringContaining(OTHER) }]);
      }, PATIENT);
      await expect(store.put('d', ANYTHING, inSeconds(300))).rejects.toThrow('out of reach');
      await valkey.command('del', '{veritee}:challenge-key');
      expect(await stateOf(store.consume(await putAgain(store), ASKED))).toBe('consumed');
    });

    it('STO-02 is left again in a store that was emptied', async () => {
      const store = await start();
      await valkey.command('flushall');
      await expect(store.put('c', ANYTHING, inSeconds(300))).rejects.toThrow('not of replicas');
      expect(await stateOf(store.consume(await putAgain(store), ASKED))).toBe('consumed');
      await expect(start({ key: OTHER_KEY })).rejects.toThrow(OTHER);
    });
  });

  describe('a server that goes back in time', () => {
    it.each(['run', 'history'])('STO-01 is found out by its %s alone', async (member) => {
      const store = await start();
      await store.put('c', ANYTHING, inSeconds(300));
      const kept = String(await valkey.command('hget', '{veritee}:challenge:c', member));
      await valkey.command(
        'hset',
        '{veritee}:challenge:c',
        member,
        kept.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
      );
      await expect(store.consume('c', ASKED)).rejects.toThrow(VOID);
      await valkey.command('hset', '{veritee}:challenge:c', member, kept);
      expect(await stateOf(store.consume('c', ASKED))).toBe('consumed');
    });

    it('STO-01 killed and started from a snapshot of before a challenge was used, lets nobody use it again', async () => {
      const log = new RecordingLog();
      const store = await start({ log });
      for (const id of ['used', 'unused']) await store.put(id, ANYTHING, inSeconds(300));
      await valkey.command('save');
      expect(await stateOf(store.consume('used', ASKED))).toBe('consumed');
      await valkey.kill();
      await expect(store.consume('unused', ASKED)).rejects.toThrow();
      await valkey.run();
      const fresh = await putAgain(store);
      // The snapshot has both as unused.
      expect(await valkey.command('hget', '{veritee}:challenge:used', 'unused')).toBe('1');
      for (const id of ['used', 'unused']) await expect(store.consume(id, ASKED)).rejects.toThrow(VOID);
      for (const id of ['used', 'unused']) await expect((await start()).consume(id, ASKED)).rejects.toThrow(VOID);
      expect(await stateOf(store.consume(fresh, ASKED))).toBe('consumed');
      expect(log.entries.map(({ level, message }) => [level, message])).toEqual([
        ['error', 'store out of reach'],
        ['warn', 'the challenge store was restarted, or is another server now: challenges of before are void'],
        ['info', 'store answers again'],
      ]);
    });

    it('STO-01 failed over to a replica that lags and back again, without any restart, lets nobody use it again', async () => {
      const other = await Valkey.start();
      try {
        const store = await start();
        await store.put('c', ANYTHING, inSeconds(300));
        await other.command('replicaof', '127.0.0.1', valkey.port);
        await vi.waitFor(async () => expect(await other.info('master_link_status')).toBe('up'), PATIENT);
        // A first replica begins a history of its own, so this challenge is of the one that counts.
        const id = await putAgain(store);
        await vi.waitFor(async () => {
          expect(await other.command('exists', `{veritee}:challenge:${id}`)).toBe(1);
        }, PATIENT);
        await other.command('replicaof', 'no', 'one');
        expect(await stateOf(store.consume(id, ASKED))).toBe('consumed');
        await valkey.command('replicaof', '127.0.0.1', other.port);
        await vi.waitFor(async () => expect(await valkey.info('master_link_status')).toBe('up'), PATIENT);
        await expect(store.consume(id, ASKED)).rejects.toThrow();
        await valkey.command('replicaof', 'no', 'one');
        const fresh = await putAgain(store);
        expect(await valkey.command('hget', `{veritee}:challenge:${id}`, 'unused')).toBe('1');
        await expect(store.consume(id, ASKED)).rejects.toThrow(VOID);
        expect(await stateOf(store.consume(fresh, ASKED))).toBe('consumed');
      } finally {
        await other.close();
      }
    });
  });
});
