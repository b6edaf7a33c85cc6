import { randomUUID } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import engine from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SqliteFile } from '../../../src/stores/sqlite/sqlite-file.js';
import { openLocalStore } from '../../unit/log/local-store.js';
import { judged, openLog, policy } from '../../unit/log/recorded.js';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const DECISIONS = 10_000;

/** Decisions that come at the same time. */
const AT_ONCE = 500;

/** The record that somebody tampers with. */
const SEQ = 5_003;

let cli: CommandLine;
let chain: string;

beforeAll(async () => {
  cli = await CommandLine.create();
  const store = openLocalStore(cli.path('whole.db'));
  const opened = await openLog(store);
  chain = opened.chain;
  for (let count = 0; count < DECISIONS; count += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, () => opened.log.record(judged({ policies: [policy('payments')] }))),
    );
  }
  await opened.log.close();
  store.file.rows('PRAGMA wal_checkpoint(TRUNCATE)', []);
  store.file.close();
});

afterAll(() => cli.close());

/** Verifies the store once somebody has changed it. */
async function verified(...sql: readonly string[]) {
  const path = cli.path(`${randomUUID()}.db`);
  copyFileSync(cli.path('whole.db'), path);
  const file = new SqliteFile(engine, path);
  file.open();
  for (const statement of sql) file.run(statement, []);
  file.close();
  const environment = { VERITEE__STORES__URL: `sqlite:${path}` };
  const { exitCode, stdout } = await runInProcess(cli, ['decisions', 'verify'], { environment });
  const { problems, ...report } = JSON.parse(stdout);
  return { exitCode, report, problems };
}

/** Moves what stands behind a record by one place, and its index with it. */
const MOVE = ['records', 'decisions'].flatMap((table) => [
  `UPDATE ${table} SET seq = -seq - 1 WHERE seq >= ${SEQ}`,
  `UPDATE ${table} SET seq = -seq WHERE seq < 0`,
]);

/** Exchanges two records, and their index with them. */
const EXCHANGE = ['records', 'decisions'].flatMap((table) => [
  `UPDATE ${table} SET seq = -1 WHERE seq = ${SEQ}`,
  `UPDATE ${table} SET seq = ${SEQ} WHERE seq = ${SEQ + 1}`,
  `UPDATE ${table} SET seq = ${SEQ + 1} WHERE seq = -1`,
]);

describe(`veritee decisions verify of ${DECISIONS} decisions`, () => {
  it('finds nothing where nobody changed anything', async () => {
    const { exitCode, problems, report } = await verified();
    expect([exitCode, problems]).toEqual([0, []]);
    expect(report).toMatchObject({ records: DECISIONS + 2, decisions: DECISIONS });
    expect(report.chains).toMatchObject([{ chain, seq: DECISIONS + 1, lastHead: DECISIONS + 1 }]);
  });

  it.each([
    [
      'changed',
      [`UPDATE records SET content = replace(content, '"allow"', '"deny"') WHERE seq = ${SEQ}`],
      ['content_changed', SEQ],
    ],
    [
      'removed',
      [
        `DELETE FROM decision_policies WHERE decision_id = (SELECT decision_id FROM decisions WHERE seq = ${SEQ})`,
        `DELETE FROM decisions WHERE seq = ${SEQ}`,
        `DELETE FROM records WHERE seq = ${SEQ}`,
      ],
      ['record_missing', SEQ + 1],
    ],
    [
      'inserted',
      [
        ...MOVE,
        `INSERT INTO records SELECT chain, ${SEQ}, previous, content_sha256, hash, salt, content FROM records WHERE seq = 7`,
      ],
      ['record_order', SEQ],
    ],
    ['exchanged with the next one', EXCHANGE, ['record_order', SEQ]],
  ])('AUD-01 finds the one record that was %s, and names it', async (_, sql, expected) => {
    const { exitCode, problems } = await verified(...sql);
    expect(exitCode).toBe(2);
    const [{ code, chain: of, seq }] = problems;
    expect([code, seq, of]).toEqual([...expected, chain]);
  });
});
