import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exportLines } from '../../../src/log/export-lines.js';
import { readLines } from '../../../src/log/read-lines.js';
import { stageLog } from '../../../src/log/stage-log.js';
import { verifyLog } from '../../../src/log/verify-log.js';
import { behavesAsImportTarget } from '../../unit/log/import-behaviour.js';
import { keepingLog } from '../../unit/log/kept-evidence.js';
import { localStores } from '../../unit/log/local-store.js';
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
