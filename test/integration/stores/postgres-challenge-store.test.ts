import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChallengeScope } from '../../../src/core/challenge.js';
import { RefusedError, UnfitError, VoidChallengeError } from '../../../src/core/errors.js';
import { SCHEMA_NAME } from '../../../src/stores/postgres/settings.js';
import { behavesAsChallengeStore, until } from '../../unit/stores/challenge-store-behaviour.js';
import { MovableClock } from '../service/lab-service.js';
import { FaultyProxy } from './faulty-proxy.js';
import {
  ANYTHING,
  ASKED,
  emptyChallenges,
  inSeconds,
  isBack,
  LIFETIME_MS,
  OTHER_KEY,
  PATIENT,
  type Replica,
  startChallenges,
  stateOf,
} from './postgres-challenges.js';
import { PostgresLogs } from './postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from './postgres-server.js';

const OTHER = 'holds challenges of replicas with another challenge key';

let logs: PostgresLogs;
const others: PostgresLogs[] = [];

const start = (replica: Replica = {}) => startChallenges(logs, replica);

/** Replicas on another server than that of most tests. */
function onServer(server: PostgresServer): PostgresLogs {
  const started = new PostgresLogs(server);
  others.push(started);
  return started;
}

async function newServer(settings: Readonly<Record<string, string>> = {}): Promise<PostgresLogs> {
  const started = onServer(await PostgresServer.start({ settings }));
  await started.migrate();
  return started;
}

describe.skipIf(isWithoutPostgres('challenges in PostgreSQL'))('challenges in PostgreSQL', () => {
  beforeAll(async () => {
    logs = new PostgresLogs(await PostgresServer.start());
    await logs.migrate();
  });

  beforeEach(() => emptyChallenges(logs));

  afterEach(async () => {
    await logs.close();
    for (const each of others.splice(0)) {
      await each.close();
      await each.server.close();
    }
  });

  afterAll(() => logs.server.close());

  behavesAsChallengeStore(
    () => start(),
    () => new Date(),
  );

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

    it('FRS-02 lets exactly one of sixty-four connections consume a challenge, and no other tenant', async () => {
      const stores = await Promise.all([1, 2].map(() => start({ connections: 35 })));
      for (let round = 0; round < 20; round++) {
        const id = `c${round}`;
        await stores[0]?.put(id, ANYTHING, inSeconds(300));
        const states = await Promise.all(
          stores.flatMap((store) =>
            Array.from({ length: 32 }, (_, index) =>
              stateOf(store.consume(id, index % 4 === 0 ? { ...ASKED, tenant: 'b' } : ASKED)),
            ),
          ),
        );
        expect(states.filter((state) => state === 'consumed')).toHaveLength(1);
        expect(states.filter((state) => state === 'scope')).toHaveLength(16);
        expect(states.filter((state) => state === 'used')).toHaveLength(47);
      }
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
      await logs.close();
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
      const audience = 'https://gate/=ü?\u{1f511}"\\\'; DROP TABLE challenges';
      await store.put('c', { ...ANYTHING, audience }, inSeconds(300));
      expect(await stateOf(store.consume('c', { ...ASKED, audience: `${audience} ` }))).toBe('scope');
      expect(await store.consume('c', { ...ASKED, audience })).toMatchObject({ purpose: { audience } });
    });
  });

  describe('the lifetime', () => {
    it('FRS-10 is counted by the database, whatever the wall clock of the replica says then', async () => {
      const clock = new MovableClock();
      clock.setBy(-6 * 60 * 60_000);
      const store = await start({ clock });
      await store.put('c', ANYTHING, until(new Date(clock.now().getTime() + 60_000)));
      const left = Number(await logs.sql('SELECT extract(epoch FROM expires_at - clock_timestamp()) FROM challenges'));
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(60);
    });

    it('FRS-10 ends an unused challenge that is still there', async () => {
      const store = await start();
      await store.put('c', ANYTHING, inSeconds(300));
      await logs.sql('UPDATE challenges SET expires_at = clock_timestamp(), born = pg_current_xact_id()');
      expect(await stateOf(store.consume('c', ASKED))).toBe('expired');
      expect(await logs.sql('SELECT used FROM challenges')).toBe('f');
    });

    it('STO-07 ends records a thousand at a time, once they have expired for a minute', async () => {
      const store = await start();
      await logs.sql(`
        INSERT INTO challenges (id, tenant, issued_at, expires_at, system_identifier, server_started)
        SELECT 'old' || n, 'a', now(), now() - CASE WHEN n > 2500 THEN interval '10 seconds' ELSE interval '2 minutes' END, 1, now()
        FROM generate_series(1, 2600) n`);
      await store.put('c', ANYTHING, inSeconds(300));
      await vi.waitFor(async () => expect(await logs.sql('SELECT count(*) FROM challenges')).toBe('101'), PATIENT);
    });
  });

  describe('STO-07 the most challenges of a tenant', () => {
    it('FRS-03 overloaded is said where there is no room, which others do not take, and the database is not asked', async () => {
      const store = await start({ capacity: 2 });
      for (const id of ['c1', 'c2']) await store.put(id, ANYTHING, inSeconds(300));
      await store.consume('c1', ASKED);
      await logs.server.stop('immediate');
      try {
        await expect(store.put('c3', ANYTHING, inSeconds(300))).rejects.toThrow(RefusedError);
      } finally {
        await logs.server.run();
      }
      await vi.waitFor(() => store.put('c4', { ...ANYTHING, tenant: 'b' }, inSeconds(300)), PATIENT);
    });

    it('are counted by each process for itself', async () => {
      const [one, other] = [await start({ capacity: 1 }), await start({ capacity: 1 })];
      await one.put('c1', ANYTHING, inSeconds(300));
      await other.put('c2', ANYTHING, inSeconds(300));
      await expect(one.put('c3', ANYTHING, inSeconds(300))).rejects.toThrow('no further challenge can be kept');
    });

    it('STO-07 are neither kept nor used up once nobody waits for them', async () => {
      const store = await start();
      await store.put('c', ANYTHING, inSeconds(300));
      const givenUp = AbortSignal.abort();
      await expect(store.put('late', ANYTHING, inSeconds(300), givenUp)).rejects.toThrow('the caller gave up');
      await expect(store.consume('c', ASKED, givenUp)).rejects.toThrow('the caller gave up');
      expect(await stateOf(store.consume('c', ASKED))).toBe('consumed');
      expect(await logs.sql('SELECT count(*) FROM challenges')).toBe('1');
    });
  });

  describe('the challenge key', () => {
    it('STO-02 of another replica keeps one from starting', async () => {
      await start();
      await expect(start({ key: OTHER_KEY })).rejects.toThrow(UnfitError);
      await expect(start({ key: OTHER_KEY })).rejects.toThrow(OTHER);
    });

    it('STO-02 can be another one once the fingerprint is deleted, which the message names', async () => {
      await start();
      const refused = await start({ key: OTHER_KEY }).catch((error: Error) => error.message);
      const statement = `DELETE FROM ${SCHEMA_NAME}.challenge_key`;
      expect(refused).toContain(statement);
      await logs.server.sql(statement);
      await start({ key: OTHER_KEY });
    });

    it('STO-02 is compared with each step: a database that was emptied and taken by others is out of reach', async () => {
      const store = await start();
      await store.put('c', ANYTHING, inSeconds(300));
      await logs.sql("UPDATE challenge_key SET fingerprint = 'other'");
      const why = 'the challenge key registered in the database is no longer the one of this replica';
      await expect(store.put('d', ANYTHING, inSeconds(300))).rejects.toThrow(why);
      await expect(store.consume('c', ASKED)).rejects.toThrow(why);
      expect(await logs.sql('SELECT id, used FROM challenges')).toBe('c|f');
    });
  });

  describe('STO-01 a server', () => {
    it('STO-01 that was killed and started voids what is outstanding, says so of what it may have lost, and what was used stays used', async () => {
      const store = await start();
      for (const id of ['used', 'unused']) await store.put(id, ANYTHING, inSeconds(300));
      expect(await stateOf(store.consume('used', ASKED))).toBe('consumed');
      await logs.server.restart('immediate');
      await isBack(store);
      expect(await stateOf(store.consume('used', ASKED))).toBe('used');
      await expect(store.consume('unused', ASKED)).rejects.toThrow(VoidChallengeError);
      // Another tenant still learns nothing.
      expect(await store.consume('unused', { ...ASKED, tenant: 'b' })).toEqual({ state: 'scope' });
      const lost = await store.consume('lost', ASKED);
      const started = Number(await logs.sql('SELECT extract(epoch FROM pg_postmaster_start_time()) * 1000'));
      expect(lost).toMatchObject({ state: 'unknown' });
      expect(lost.state === 'unknown' && Math.abs(lost.lostUntil.getTime() - started - LIFETIME_MS)).toBeLessThan(2);
    });

    it('STO-01 with a disk of before a challenge was used lets nobody use it again', async () => {
      const own = await newServer();
      const store = await startChallenges(own);
      await store.put('c', ANYTHING, inSeconds(300));
      await own.server.stop();
      const putBack = await own.server.copyOfFiles();
      await own.server.run();
      // For the use, as if it were not void by then: what follows must not depend on that.
      await own.sql('UPDATE challenges SET server_started = pg_postmaster_start_time()');
      await own.sql('UPDATE challenges SET born = pg_current_xact_id()');
      await vi.waitFor(async () => expect(await stateOf(store.consume('c', ASKED))).toBe('consumed'), PATIENT);
      await own.server.stop();
      await putBack();
      await own.server.run();
      await isBack(store);
      await expect(store.consume('c', ASKED)).rejects.toThrow(VoidChallengeError);
    });

    it('STO-01 with a restored dump of before a challenge was used lets nobody use it again, without any restart', async () => {
      const store = await start();
      await store.put('c', ANYTHING, inSeconds(300));
      const dump = await logs.server.dump(undefined, ['--clean', '--if-exists']);
      expect(await stateOf(store.consume('c', ASKED))).toBe('consumed');
      await logs.close();
      await logs.server.restore(dump);
      const after = await start();
      await expect(after.consume('c', ASKED)).rejects.toThrow(VoidChallengeError);
      await isBack(after);
    });

    it('STO-01 that started in the same moment as the one that issued a challenge, and is another, lets nobody use it', async () => {
      const store = await start();
      for (const id of ['c', 'd']) await store.put(id, ANYTHING, inSeconds(300));
      // As the server itself writes a row: only who issued it differs.
      const issuedBy = (id: string, server: string) =>
        logs.sql(`UPDATE challenges SET system_identifier = ${server}, born = pg_current_xact_id() WHERE id = '${id}'`);
      await issuedBy('c', 'system_identifier + 1');
      await issuedBy('d', 'system_identifier');
      await expect(store.consume('c', ASKED)).rejects.toThrow(VoidChallengeError);
      expect(await stateOf(store.consume('d', ASKED))).toBe('consumed');
    });

    it('STO-01 that was promoted while it lagged lets nobody use a challenge again, from its first statement on', async () => {
      const own = await newServer();
      const store = await startChallenges(own);
      await own.sql("SELECT pg_create_physical_replication_slot('s')");
      const standby = onServer(await own.server.standby());
      await store.put('c', ANYTHING, inSeconds(300));
      await store.put('d', ANYTHING, inSeconds(300));
      await vi.waitFor(async () => expect(await standby.sql('SELECT count(*) FROM challenges')).toBe('2'), PATIENT);
      await standby.server.sql("ALTER SYSTEM SET primary_conninfo = ''");
      await standby.server.sql('SELECT pg_reload_conf()');
      const receivers = () => standby.server.sql('SELECT count(*) FROM pg_stat_wal_receiver');
      await vi.waitFor(async () => expect(await receivers()).toBe('0'), PATIENT);
      expect(await stateOf(store.consume('c', ASKED))).toBe('consumed');
      await own.server.stop('immediate');
      await standby.server.promote();
      const after = await startChallenges(standby);
      for (const id of ['c', 'd']) await expect(after.consume(id, ASKED)).rejects.toThrow(VoidChallengeError);
      await isBack(after);
    });
  });

  describe('STO-04 a server that is gone', () => {
    it('STO-04 in the middle of an answer is not asked again for the same', async () => {
      const proxy = await FaultyProxy.start(logs.server.port);
      const store = await start({ port: proxy.port });
      await store.put('c', ANYTHING, inSeconds(300));
      proxy.failNext('half the answer passes');
      await expect(store.consume('c', ASKED)).rejects.toThrow();
      await isBack(store);
      expect(await stateOf(store.consume('c', ASKED))).toBe('used');
      await logs.close();
      await proxy.close();
    });

    it('STO-04 fails what comes meanwhile, and queues nothing', async () => {
      const own = await newServer();
      const store = await startChallenges(own);
      await own.server.stop('immediate');
      await expect(store.put('c', ANYTHING, inSeconds(300))).rejects.toThrow();
      await vi.waitFor(() => expect(store.isReachable).toBe(false), PATIENT);
      await own.server.run();
      await vi.waitFor(() => expect(store.isReachable).toBe(true), PATIENT);
      await isBack(store);
      expect(await stateOf(store.consume('c', ASKED))).toBe('unknown');
    });
  });
});
