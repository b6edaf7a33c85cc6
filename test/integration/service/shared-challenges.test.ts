import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { FaultyProxy } from '../stores/faulty-proxy.js';
import { PATIENT } from '../stores/postgres-challenges.js';
import { isWithoutPostgres } from '../stores/postgres-server.js';
import { base64Url, call, challenge, lenientPolicy, NONCE, post, verdictOf } from './lab-service.js';
import { askOnce, isBack, PostgresReplicas } from './postgres-replicas.js';

const ANY_NONCE = lenientPolicy('any-nonce', { nonce: 'any' });
const UNDECIDED = ['indeterminate', 'nonce_store'];
/** What is asked must not wait for a log that is gone too. */
const CHALLENGES_ALONE = { decisions: { log: 'off' } };

let replicas: PostgresReplicas;

const replica = (...given: Parameters<PostgresReplicas['start']>) => replicas.start(...given);

describe.skipIf(isWithoutPostgres('replicas of the service that share challenges'))(
  'replicas that share challenges',
  () => {
    beforeAll(async () => {
      replicas = await PostgresReplicas.create();
      await replicas.lab.writePolicy(ANY_NONCE);
    });

    afterEach(() => replicas.reset());

    afterAll(() => replicas.close());

    it('FRS-02 take each from any of them, and only once among them', async () => {
      const { lab } = replicas;
      const [one, other] = [await replica(), await replica()];
      const nonce = await challenge(one);
      expect(verdictOf(await lab.verify(other, { nonce }))).toEqual(['allow']);
      for (const service of [one, other]) {
        expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(['deny', 'nonce_used']);
        const anyNonce = await lab.verify(service, { nonce, members: { policy: 'any-nonce' } });
        expect(verdictOf(anyNonce)).toEqual(['deny', 'nonce_used']);
      }
    });

    it('FRS-02 allow one of a hundred requests at once, and deny the rest', async () => {
      const services = [await replica(CHALLENGES_ALONE), await replica(CHALLENGES_ALONE)];
      const [first] = services;
      if (first === undefined) throw new Error('no service');
      const body = replicas.lab.verifyBody({ nonce: await challenge(first) });
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) => post(services[index % 2]?.url ?? '', '/verify', body)),
      );
      const verdicts = answers.map((answer) => verdictOf(answer).join(' '));
      expect(verdicts.filter((verdict) => verdict === 'allow')).toHaveLength(1);
      expect(verdicts.filter((verdict) => verdict === 'deny nonce_used')).toHaveLength(99);
    });

    it('FRS-07 know them after a restart of a replica: unused ones are good, used ones are used', async () => {
      const { lab } = replicas;
      const before = await replica();
      const [unused, used] = [await challenge(before), await challenge(before)];
      expect(verdictOf(await lab.verify(before, { nonce: used }))).toEqual(['allow']);
      await before.close();
      const after = await replica();
      expect(verdictOf(await lab.verify(after, { nonce: used }))).toEqual(['deny', 'nonce_used']);
      expect(verdictOf(await lab.verify(after, { nonce: unused }))).toEqual(['allow']);
    });

    it('FRS-01 keep their scope', async () => {
      const { lab } = replicas;
      const [one, other] = [await replica(), await replica()];
      const nonce = await challenge(one, { audience: 'https://gate.example' });
      expect(verdictOf(await lab.verify(other, { nonce }))).toEqual(['deny', 'nonce_scope']);
      const fitting = { nonce, members: { audience: 'https://gate.example' } };
      expect(verdictOf(await lab.verify(other, fitting))).toEqual(['allow']);
    });

    it('STO-01 cannot tell after the database was killed and started', async () => {
      const { lab, server } = replicas;
      const service = await replica(CHALLENGES_ALONE);
      const [used, unused, lost] = [await challenge(service), await challenge(service), await challenge(service)];
      expect(verdictOf(await lab.verify(service, { nonce: used }))).toEqual(['allow']);
      await server.stop('immediate');
      expect(verdictOf(await lab.verify(service, { nonce: unused }))).toEqual(UNDECIDED);
      const { status, body } = await askOnce(service.url);
      expect([status, body.code]).toEqual([503, 'overloaded']);
      await server.run();
      const fresh = await isBack(service);
      // As if the record had been lost.
      await replicas.logs.sql(`DELETE FROM challenges WHERE NOT used AND server_started < pg_postmaster_start_time()
        AND id <> (SELECT id FROM challenges WHERE NOT used AND server_started < pg_postmaster_start_time() ORDER BY id LIMIT 1)`);
      for (const nonce of [unused, lost]) {
        const answer = await lab.verify(service, { nonce });
        expect([verdictOf(answer), answer.body.retryable]).toEqual([UNDECIDED, true]);
      }
      expect(verdictOf(await lab.verify(service, { nonce: used }))).toEqual(['deny', 'nonce_used']);
      expect(verdictOf(await lab.verify(service, { nonce: fresh }))).toEqual(['allow']);
    });

    it('STO-04 cannot tell where the database is gone in the middle of an answer, and ask nobody twice', async () => {
      const proxy = await FaultyProxy.start(replicas.server.port);
      const service = await replica({ ...CHALLENGES_ALONE, stores: { url: replicas.url(proxy.port), connections: 4 } });
      const nonce = await challenge(service);
      const body = replicas.lab.verifyBody({ nonce });
      proxy.failNext('half the answer passes');
      expect(verdictOf(await post(service.url, '/verify', body))).toEqual(UNDECIDED);
      await isBack(service);
      expect(verdictOf(await post(service.url, '/verify', body))).toEqual(['deny', 'nonce_used']);
      await service.close();
      await proxy.close();
    });

    it('FRS-03 cannot tell while the database is slow, issue none then, and have nothing of their own to ask instead', async () => {
      const { lab, logs } = replicas;
      const service = await replica(CHALLENGES_ALONE, { storeTimeoutMs: 1000 });
      const bodies = [await isBack(service), await isBack(service)].map((nonce) => lab.verifyBody({ nonce }));
      // Whoever has this lock keeps all others from the table.
      const locking = logs.sql('BEGIN; LOCK TABLE challenges; SELECT pg_sleep(600)').catch(() => undefined);
      const locked =
        "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND relation IS NOT NULL";
      await vi.waitFor(async () => expect(await logs.sql(locked)).toBe('1'), PATIENT);
      try {
        expect(verdictOf(await post(service.url, '/verify', bodies[0] ?? ''))).toEqual(UNDECIDED);
        const { status, body } = await askOnce(service.url);
        expect([status, body.code]).toEqual([503, 'overloaded']);
        // Requests that need no store are verified.
        expect(verdictOf(await lab.verify(service, { nonce: NONCE }))).toEqual(['allow']);
      } finally {
        await logs.sql(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()",
        );
        await locking;
      }
      await isBack(service);
      expect(verdictOf(await post(service.url, '/verify', bodies[1] ?? ''))).toEqual(['allow']);
    });

    it('STO-02 do not start with another key than the others', async () => {
      await replica();
      const key = join(replicas.lab.root, 'another.key');
      await writeFile(key, randomBytes(32));
      await expect(replica({ challenges: { key } })).rejects.toThrow(
        /^stores\.url: cannot be used: .*holds challenges of replicas with another challenge key/,
      );
      await replica();
    });

    it('STO-03 do not start on tables of before, nor without a database, which they wait for a few seconds', async () => {
      await replicas.logs.sql('UPDATE schema_version SET version = version - 1');
      await expect(replica()).rejects.toThrow(
        /^stores\.url: cannot be used: 127\.0\.0\.1:\d+: its schema has version 0/,
      );
      await replicas.logs.sql('UPDATE schema_version SET version = version + 1');
      await replicas.server.stop();
      try {
        await expect(replica()).rejects.toThrow(/^stores\.url: cannot be used: 127\.0\.0\.1:\d+: connect ECONNREFUSED/);
      } finally {
        await replicas.server.run();
      }
    });

    it('are not ready while the clock of the database is far from theirs, and say so', async () => {
      const { lab } = replicas;
      const from = lab.output.length;
      const { SYSTEM_CLOCK } = await import('../../../src/app/system.js');
      const late = { now: () => new Date(Date.now() - 6000), monotonicMs: () => SYSTEM_CLOCK.monotonicMs() };
      const service = await replica({}, { clock: late });
      const { status, body } = await call(service.url, '/readyz');
      expect([status, body.problems]).toEqual([
        503,
        [{ code: 'clock', reason: 'the clock of the database is more than 5 seconds off' }],
      ]);
      expect(lab.output.slice(from)).toContain('the clock of the database is more than 5 seconds off');
    });

    it('say where challenges are, and not what they are', async () => {
      const { lab } = replicas;
      const from = lab.output.length;
      const service = await replica();
      const nonce = await challenge(service);
      expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(['allow']);
      await service.close();
      const written = lab.output.slice(from);
      expect(written).toContain('a restart or failover of the database voids outstanding challenges');
      expect(written).not.toContain(base64Url(nonce));
      const stored = await replicas.logs.sql('SELECT * FROM challenges');
      expect(stored).not.toContain(base64Url(nonce));
      expect(stored).not.toBe('');
    });
  },
);
