import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogReader } from '../../../src/core/decision-log.js';
import { exportLines } from '../../../src/log/export-lines.js';
import { readLines } from '../../../src/log/read-lines.js';
import { stageLog } from '../../../src/log/stage-log.js';
import { verifyLog } from '../../../src/log/verify-log.js';
import { behavesAsImportTarget } from '../../unit/log/import-behaviour.js';
import { keepingLog } from '../../unit/log/kept-evidence.js';
import { localStores } from '../../unit/log/local-store.js';
import { PATIENT } from './postgres-challenges.js';
import { PostgresLogs } from './postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from './postgres-server.js';

const openFile = localStores();

let logs: PostgresLogs;

async function* bytesOf(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const text of texts) yield Buffer.from(text);
}

describe.skipIf(isWithoutPostgres('imports into PostgreSQL'))('appending the chains of a file to PostgreSQL', () => {
  beforeAll(async () => {
    logs = new PostgresLogs(await PostgresServer.start());
    await logs.migrate();
  });

  beforeEach(() => logs.empty());

  afterEach(() => logs.close());

  afterAll(() => logs.server.close());

  behavesAsImportTarget(async () => {
    const store = await logs.start();
    return Object.assign(store, { appendOf: (other: ReturnType<typeof openFile>) => store.appendChains(other) });
  });

  it('appends a chain once, whoever else imports it', async () => {
    const { store: other } = await keepingLog(openFile());
    const stores = [await logs.start(), await logs.start()];
    const settled = await Promise.allSettled(stores.map((store) => store.appendChains(other)));
    const records = settled.map((each) => (each.status === 'fulfilled' ? each.value.records : 0));
    expect(records.toSorted()).toEqual([0, 4]);
    expect(await verifyLog(await logs.start(), { keptHeads: [], keys: null })).toMatchObject({
      problems: [],
      records: 4,
    });
  });

  it('AUD-03 lets nobody drop content meanwhile, who would miss its links to kept objects', async () => {
    const { store: other } = await keepingLog(openFile());
    const [importing, dropping] = [await logs.start(), await logs.start()];
    let [reach, goOn] = [() => {}, () => {}];
    const reached = new Promise<void>((resolve) => (reach = resolve));
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const staged: LogReader = new Proxy(other, {
      get:
        (target, name) =>
        async (...values: readonly unknown[]) => {
          if (name === 'objects') {
            reach();
            await held;
          }
          return Reflect.apply(Reflect.get(target, name), target, values);
        },
    });
    const imported = importing.appendChains(staged);
    await reached;
    const dropped = dropping.prune([{ decisionId: 'd', chain: 'c', seq: 1, through: 1 }]).catch(() => 'gave up');
    const waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    await vi.waitFor(async () => expect(await logs.sql(waiting)).toBe('1'), PATIENT);
    goOn();
    expect((await imported).records).toBe(4);
    expect([0, 'gave up']).toContain(await dropped);
  });

  it('gives the same log back', async () => {
    const { store: other } = await keepingLog(openFile());
    const store = await logs.start();
    await store.appendChains(other);
    const back = openFile();
    await stageLog(readLines(bytesOf(exportLines(store))), back);
    expect(await back.records(null, 100)).toEqual(await other.records(null, 100));
    expect(await back.objects(null, 100)).toEqual(await other.objects(null, 100));
    expect((await verifyLog(back, { keptHeads: [], keys: null })).problems).toEqual([]);
  });
});
