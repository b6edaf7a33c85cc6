import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type NewRecord, StoreUnavailableError } from '../../../src/core/decision-log.js';
import { verifyLog } from '../../../src/log/verify-log.js';
import { keptInputs } from '../../unit/log/kept-evidence.js';
import { ALL, chained } from '../../unit/log/log-store-behaviour.js';
import { judged, openLog } from '../../unit/log/recorded.js';
import { type Fault, FaultyProxy } from './faulty-proxy.js';
import { PostgresLogs } from './postgres-logs.js';
import { isWithoutPostgres, PostgresServer, type ServerOptions } from './postgres-server.js';

/** How long tests wait for an event: machines that run them may be busy. */
const PATIENT = { timeout: 20_000, interval: 20 };
const NO_EVIDENCE = { keptHeads: [], keys: null };
const LOST = 'the store lacks records that it had';
const NOT_FOLLOWING = 'the store does not have the record that this one follows';

let logs: PostgresLogs;

/** As the client sends it: BEGIN names an isolation level that has the same word. */
const COMMIT = 'COMMIT\0';

/** Two records of a new chain. */
function twoRecords() {
  const chain = randomUUID();
  const [first, second] = chained(chain, [{}, {}]) as [NewRecord, NewRecord];
  return { chain, first, second };
}

/** Does something with a proxy in front of the server. */
async function withProxy(work: (proxy: FaultyProxy) => Promise<void>): Promise<void> {
  const proxy = await FaultyProxy.start(logs.server.port);
  try {
    await work(proxy);
  } finally {
    await logs.close();
    await proxy.close();
  }
}

/** Does something with logs on a server of its own. */
async function withServer(options: ServerOptions, work: (own: PostgresLogs) => Promise<void>): Promise<void> {
  const own = new PostgresLogs(await PostgresServer.start(options));
  try {
    await own.migrate();
    await work(own);
  } finally {
    await own.close();
    await own.server.close();
  }
}

const problemsOf = async (store: Parameters<typeof verifyLog>[0]) => (await verifyLog(store, NO_EVIDENCE)).problems;

describe.skipIf(isWithoutPostgres('appends to PostgreSQL in doubt'))('appends to PostgreSQL', () => {
  beforeAll(async () => {
    logs = new PostgresLogs(await PostgresServer.start());
    await logs.migrate();
  });

  beforeEach(() => logs.empty());

  afterEach(() => logs.close());

  afterAll(() => logs.server.close());

  it.each<[Exclude<Fault, 'the command is held'>, string, number]>([
    ['half the command passes', 'INSERT INTO records', 0],
    ['the answer does not pass', 'INSERT INTO records', 0],
    ['half the command passes', COMMIT, 0],
    ['the answer does not pass', COMMIT, 1],
    ['half the answer passes', COMMIT, 1],
  ])('STO-04, STO-06 are not sent again and are withdrawn if stored: %s at %j', async (fault, text, stored) => {
    await withProxy(async (proxy) => {
      const store = await logs.start({ port: proxy.port });
      const { log, chain } = await openLog(store);
      // The head of the first record is stored meanwhile, in a transaction of its own.
      await vi.waitFor(async () => expect(await store.heads(chain, 0, 0)).toHaveLength(1), PATIENT);
      const lost = judged();
      proxy.failNext(fault, text);
      await expect(log.record(lost)).rejects.toThrow(StoreUnavailableError);
      await vi.waitFor(() => log.record(judged()), PATIENT);
      const found = await store.find(lost.decision.decisionId);
      expect(found === null ? 0 : 1).toBe(stored);
      if (found !== null) expect(found.withdrawn).toBe(true);
      expect(await problemsOf(store)).toEqual([]);
    });
  });

  it.each(['first', 'second'] as const)(
    'STO-04 are waited for if the COMMIT of the %s record is on its way',
    async (which) => {
      await withProxy(async (proxy) => {
        const [direct, store] = [await logs.start(), await logs.start({ port: proxy.port, appendMs: 500 })];
        const { chain, first, second } = twoRecords();
        const [before, late] = which === 'first' ? [[], first] : [[first], second];
        await direct.append(before);
        const held = proxy.holdNext(COMMIT);
        await expect(store.append([late])).rejects.toThrow('no answer within 500 ms');
        const release = await held;
        // The old transaction has not ended, so nothing can be said of the chain.
        await expect(store.last(chain)).rejects.toThrow(StoreUnavailableError);
        release();
        await vi.waitFor(() => store.last(chain), PATIENT);
        expect(await store.last(chain)).toMatchObject({ seq: late.seq, hash: late.hash });
      });
    },
  );

  it('STO-04 are not stored once the answer said so', async () => {
    await withProxy(async (proxy) => {
      const store = await logs.start({ port: proxy.port, appendMs: 500 });
      const { chain, first } = twoRecords();
      const held = proxy.holdNext('INSERT INTO chains');
      await expect(store.append([first])).rejects.toThrow('no answer within 500 ms');
      expect(await store.last(chain)).toBeNull();
      (await held)();
      await store.append([first]);
      expect(await store.last(chain)).toMatchObject({ seq: 0 });
      expect(await store.records(null, 10)).toHaveLength(1);
    });
  });

  it('AUD-01 are refused if they follow another record than the one at that place', async () => {
    const store = await logs.start();
    const { chain, first, second } = twoRecords();
    const [, foreign] = chained(chain, [{ content: '{"kind":"other"}' }, {}]) as [NewRecord, NewRecord];
    await store.append([first]);
    await expect(store.append([foreign])).rejects.toThrow(NOT_FOLLOWING);
    await expect(store.append([first])).rejects.toThrow(NOT_FOLLOWING);
    expect(await store.last(chain)).toMatchObject({ seq: 0 });
    await store.append([second]);
    expect(await store.last(chain)).toMatchObject({ seq: 1, hash: second.hash });
  });

  it('of two processes that took the same chain are taken from one alone', async () => {
    const stores = [await logs.start(), await logs.start(), await logs.start()];
    const { chain, first } = twoRecords();
    const forks = stores.map((_, index) => chained(chain, [{ content: `{"n":${index}}` }]));
    const settled = await Promise.allSettled(stores.map((store, index) => store.append(forks[index] ?? [])));
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await stores[0]?.records(null, 10)).toHaveLength(1);
    expect(first.seq).toBe(0);
  });

  it('STO-04 end after a lock is waited for too long, and leave nothing waiting on the server', async () => {
    const store = await logs.start({ appendMs: 400 });
    const { chain, first, second } = twoRecords();
    await store.append([first]);
    const owner = await logs.connect({ user: logs.server.user });
    await owner.writer.transaction({ timeoutMs: 20_000 }, async (session) => {
      await session.run('SELECT 1 FROM chains WHERE chain = $1 FOR UPDATE', [chain]);
      await expect(store.append([second])).rejects.toThrow(/statement timeout|no answer within 400 ms/);
      await expect(store.last(chain)).rejects.toThrow(/statement timeout|no answer within 400 ms/);
      const waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'service' AND wait_event_type = 'Lock'";
      await vi.waitFor(async () => expect(await logs.sql(waiting)).toBe('0'), PATIENT);
    });
    expect(await store.last(chain)).toMatchObject({ seq: 0 });
    await store.append([second]);
  });

  describe('once they are stored', () => {
    it('STO-01 are there after the server was stopped at once, again and again', async () => {
      const store = await logs.start();
      const replicas = [await openLog(store), await openLog(await logs.start()), await openLog(await logs.start())];
      const told: string[] = [];
      let isOver = false;
      const writing = replicas.map(async ({ log }) => {
        while (!isOver) {
          const each = judged();
          await log.record(each).then(
            () => told.push(each.decision.decisionId),
            () => new Promise((resolve) => setTimeout(resolve, 20)),
          );
        }
      });
      for (let stop = 1; stop <= 2; stop++) {
        await vi.waitFor(() => expect(told.length).toBeGreaterThan(stop * 15), PATIENT);
        await logs.server.restart('immediate');
      }
      const before = told.length;
      await vi.waitFor(() => expect(told.length).toBeGreaterThan(before + 15), PATIENT);
      isOver = true;
      await Promise.all(writing);
      for (const { log } of replicas) await vi.waitFor(() => log.record(judged()), PATIENT);
      for (const id of told) expect(await store.find(id)).toMatchObject({ withdrawn: false });
      const all = await store.list({ ...ALL, limit: 100_000 });
      expect(all.filter(({ withdrawn }) => !withdrawn)).toHaveLength(told.length + replicas.length);
      expect(await problemsOf(store)).toEqual([]);
    });

    it('STO-01 are missed if the disk was put back, and the chain does not go on', async () => {
      const store = await logs.start();
      const { log, lines, chain } = await openLog(store);
      await log.record(judged());
      await logs.server.stop();
      const putBack = await logs.server.copyOfFiles();
      await logs.server.run();
      const gone = judged();
      await vi.waitFor(() => log.record(gone), PATIENT);
      const { seq, hash } = (await store.last(chain)) ?? {};
      await logs.server.stop();
      await putBack();
      await logs.server.run();
      await vi.waitFor(async () => expect(await store.find(gone.decision.decisionId)).toBeNull(), PATIENT);
      await vi.waitFor(() => expect(log.record(judged())).rejects.toThrow(LOST), PATIENT);
      expect(log.isAvailable).toBe(false);
      const told = lines.lines.filter(({ message }) => message.startsWith('the decision store lacks records'));
      expect(told).toMatchObject([{ level: 'error', fields: { chain, stored: { seq, hash } } }]);
      // A process that is started anew begins a chain of its own.
      const anew = await openLog(store);
      await anew.log.record(judged());
      expect(await problemsOf(store)).toEqual([]);
    });
  });

  describe('with a synchronous standby', () => {
    const synchronous = { synchronous_standby_names: 'standby', synchronous_commit: 'off' };

    it('wait for it also where the server commits without waiting, and are in doubt while it lags', async () => {
      await withServer({}, async (own) => {
        const standby = await own.server.standby();
        try {
          await own.server.configure(synchronous);
          await own.sql('SELECT pg_reload_conf()');
          const store = await own.start({ appendMs: 800 });
          const { log, chain } = await openLog(store);
          await log.record(judged());
          const resume = await standby.pause('walreceiver');
          const untold = judged();
          await expect(log.record(untold)).rejects.toThrow('no answer within 800 ms');
          await expect(store.last(chain)).rejects.toThrow(StoreUnavailableError);
          resume();
          await vi.waitFor(() => log.record(judged()), PATIENT);
          expect(await store.find(untold.decision.decisionId)).toMatchObject({ withdrawn: true });
          expect(await problemsOf(store)).toEqual([]);
        } finally {
          await standby.close();
        }
      });
    });

    it('count as not stored if the server stops waiting for it', async () => {
      await withServer({}, async (own) => {
        // There is no standby at all.
        await own.server.configure(synchronous);
        await own.sql('SELECT pg_reload_conf()');
        const store = await own.start({ appendMs: 20_000 });
        const { chain, first } = twoRecords();
        const append = store.append([first]);
        append.catch(() => undefined);
        const cancel = `SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`;
        await vi.waitFor(async () => expect(await own.sql(cancel)).toBe('1'), PATIENT);
        await expect(append).rejects.toThrow('the server said at COMMIT');
        expect(await store.last(chain)).toMatchObject({ seq: 0 });
      });
    });
  });

  it('LOG-02 are refused whole by a full disk, and what is stored can be read', async () => {
    // No file has room for more than two MiB.
    await withServer({ fileBlocks: 4096 }, async (own) => {
      const store = await own.start();
      const { log } = await openLog(store);
      await log.record(judged());
      const fill = async () => {
        for (let count = 0; count < 10; count++) {
          await log.record({ ...judged(), inputs: keptInputs(randomBytes(256 * 1024).toString('hex')) });
        }
      };
      await expect(fill()).rejects.toThrow(/could not extend file/);
      await log.record(judged());
      const report = await verifyLog(store, NO_EVIDENCE);
      expect(report.problems).toEqual([]);
      expect(report.records).toBeGreaterThan(3);
    });
  });
});
