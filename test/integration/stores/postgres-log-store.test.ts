import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type NewRecord, StoreUnavailableError } from '../../../src/core/decision-log.js';
import { verifyLog } from '../../../src/log/verify-log.js';
import { keepingLog, keptInputs, objectsOfDecisions } from '../../unit/log/kept-evidence.js';
import { ALL, behavesAsLogStore, chained } from '../../unit/log/log-store-behaviour.js';
import { dropping, judged, openLog } from '../../unit/log/recorded.js';
import { FaultyProxy } from './faulty-proxy.js';
import { PostgresLogs, SERVICE } from './postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from './postgres-server.js';

const NO_EVIDENCE = { keptHeads: [], keys: null };

let logs: PostgresLogs;

describe.skipIf(isWithoutPostgres('decisions in PostgreSQL'))('decisions in PostgreSQL', () => {
  beforeAll(async () => {
    logs = new PostgresLogs(await PostgresServer.start());
    await logs.migrate();
  });

  beforeEach(() => logs.empty());

  afterEach(() => logs.close());

  afterAll(() => logs.server.close());

  behavesAsLogStore(() => logs.start());

  it('of many replicas make one log that verifies', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => logs.start()));
    const replicas = await Promise.all(stores.map((store) => openLog(store)));
    const each = Array.from({ length: 25 }, (_, count) => keptInputs(`{"n":${count % 3}}`));
    await Promise.all(replicas.flatMap(({ log }) => each.map((inputs) => log.record({ ...judged(), inputs }))));
    const report = await verifyLog(await logs.start(), NO_EVIDENCE);
    expect(report).toMatchObject({ problems: [], decisions: 100, objects: objectsOfDecisions(3) });
  });

  it('are read as they were when the reading began', async () => {
    const store = await logs.start();
    const { log } = await openLog(store);
    await log.record(judged());
    await store.snapshot(async (snapshot) => {
      expect(await snapshot.records(null, 10)).toHaveLength(2);
      await log.record(judged());
      expect(await snapshot.records(null, 10)).toHaveLength(2);
      expect((await verifyLog(snapshot, NO_EVIDENCE)).problems).toEqual([]);
    });
    expect(await store.records(null, 10)).toHaveLength(3);
    const failed = store.snapshot(async () => Promise.reject(new Error('of the work')));
    await expect(failed).rejects.toThrow(new Error('of the work'));
    await logs.close();
    await expect(store.snapshot(async () => 0)).rejects.toThrow(StoreUnavailableError);
  });

  it('are many in one answer, with bounded work for each', async () => {
    const store = await logs.start();
    const said = Array.from({ length: 1200 }, () => ({ entry: {} }));
    await store.append(chained(randomUUID(), said));
    for (let count = 0; count < 40; count++) await store.append(chained(randomUUID(), [{ entry: {} }]));
    expect(await store.chains()).toHaveLength(41);
    expect(await store.list({ ...ALL, tenant: null, limit: 5 })).toHaveLength(5);
    const prunable = await store.prunable(new Date(Date.now() + 1000), null, 2000);
    expect(prunable).toHaveLength(1240);
    expect(prunable).toEqual(prunable.toSorted());
  });

  it('have objects of some MiB in one answer', async () => {
    const store = await logs.start();
    const objects = Array.from({ length: 6 }, (_, count) => ({
      sha256: String(count).repeat(64),
      bytes: new Uint8Array(1.5 * 1024 * 1024).fill(count),
    }));
    await store.append(chained(randomUUID(), [{ entry: {}, objects }]));
    expect((await store.objects(null, 10)).map(({ sha256 }) => sha256[0])).toEqual(['0', '1', '2']);
    const rest = await store.objects('2'.repeat(64), 10);
    expect(rest.map(({ sha256, bytes }) => [sha256[0], bytes.length, bytes.at(-1)])).toEqual(
      [3, 4, 5].map((count) => [String(count), 1.5 * 1024 * 1024, count]),
    );
  });

  describe('whose content is dropped', () => {
    it('AUD-03 keep objects that a transaction on its way is linked to', async () => {
      const proxy = await FaultyProxy.start(logs.server.port);
      try {
        const [store, late] = [await logs.start(), await logs.start({ port: proxy.port })];
        const objects = [{ sha256: 'a'.repeat(64), bytes: new Uint8Array(9) }];
        const chain = randomUUID();
        await store.append(chained(chain, [{ entry: {}, objects }]));
        const held = proxy.holdNext('COMMIT\0');
        const append = late.append(chained(randomUUID(), [{ entry: {}, objects }]));
        append.catch(() => undefined);
        const passOn = await held;
        const pruned = store.prune(await dropping(store, chain, [0, 0]));
        // Longer than the drop waits for the lock at a time.
        await sleep(300);
        passOn();
        expect(await pruned).toBe(1);
        expect(await store.object('a'.repeat(64))).not.toBeNull();
        expect(await store.strays()).toBe(0);
      } finally {
        await logs.close();
        await proxy.close();
      }
    });

    it('AUD-03 stay while others append for too long', async () => {
      const store = await logs.start();
      const { log, chain } = await openLog(store);
      await log.record(judged());
      const owner = await logs.connect({ user: logs.server.user });
      await owner.writer.transaction({ timeoutMs: 20_000 }, async (session) => {
        await session.run('SELECT pg_advisory_xact_lock_shared(1986359913, 1)');
        await expect(store.prune(await dropping(store, chain, [1, 1]))).rejects.toThrow('lock timeout');
        await log.record(judged());
      });
      expect(await store.prune(await dropping(store, chain, [1, 1]))).toBe(1);
    });
  });

  describe('by the role of the service', () => {
    it.each([
      'DELETE FROM records',
      "UPDATE records SET hash = ''",
      "UPDATE records SET previous = ''",
      'DELETE FROM chains',
      'DELETE FROM heads',
      'TRUNCATE records',
      'DROP TABLE records',
      'ALTER TABLE records ADD COLUMN more int',
      'CREATE TABLE more (n int)',
      "UPDATE decisions SET outcome = 'allow'",
      "UPDATE objects SET bytes = ''",
    ])('cannot be changed: %s', async (statement) => {
      const run = logs.server.sql(`SET search_path = veritee; ${statement}`, undefined, SERVICE);
      await expect(run).rejects.toThrow(/permission denied|must be owner/);
    });

    it.each(['objects', 'decision_objects', 'decisions', 'records'])(
      'STO-05 are stored whole or not at all if it may not insert into %s',
      async (table) => {
        const store = await logs.start();
        const { log } = await openLog(store);
        const kept = { ...judged(), inputs: keptInputs('{}') };
        await logs.sql(`REVOKE INSERT ON ${table} FROM ${SERVICE}`);
        try {
          await expect(log.record(kept)).rejects.toThrow(`permission denied for table ${table}`);
        } finally {
          await logs.sql(`GRANT INSERT ON ${table} TO ${SERVICE}`);
        }
        await log.record(kept);
        expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], decisions: 1 });
      },
    );
  });

  it('AUD-03 come back whole from a dump', async () => {
    const { store, chain } = await keepingLog(await logs.start());
    const before = await store.records(null, 100);
    const dump = await logs.server.dump(undefined, ['--exclude-table-data=veritee.challenges']);
    await logs.close();
    await logs.sql('DROP SCHEMA veritee CASCADE');
    await logs.server.restore(dump);
    const restored = await logs.start();
    expect(await restored.records(null, 100)).toEqual(before);
    expect((await verifyLog(restored, NO_EVIDENCE)).problems).toEqual([]);
    const [next] = chained(chain, [{}], await restored.last(chain)) as [NewRecord];
    await restored.append([next]);
  });
});
