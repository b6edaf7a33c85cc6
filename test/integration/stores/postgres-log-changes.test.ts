import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { verifyLog } from '../../../src/log/verify-log.js';
import type { PostgresLogStore } from '../../../src/stores/postgres/postgres-log-store.js';
import { keptInputs } from '../../unit/log/kept-evidence.js';
import { judged, openLog, policy } from '../../unit/log/recorded.js';
import { release } from '../../unit/log/released.js';
import { PostgresLogs } from './postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from './postgres-server.js';

const NO_EVIDENCE = { keptHeads: [], keys: null };

let logs: PostgresLogs;

async function problemsOf(store: PostgresLogStore) {
  const { problems } = await verifyLog(store, NO_EVIDENCE);
  return problems.map(({ code, seq }) => [code, seq]);
}

describe.skipIf(isWithoutPostgres('changes of decisions in PostgreSQL'))('changes of decisions in PostgreSQL', () => {
  beforeAll(async () => {
    logs = new PostgresLogs(await PostgresServer.start());
    await logs.migrate();
  });

  beforeEach(() => logs.empty());

  afterEach(() => logs.close());

  afterAll(() => logs.server.close());

  /** The request of the third decision, and of the one after. */
  const [OWN_OF_THIRD, OWN_OF_FOURTH] = [2, 3].map((count) =>
    createHash('sha256').update(`{"n":${count}}`).digest('hex'),
  );

  async function filled() {
    const store = await logs.start();
    const { log, chain } = await openLog(store);
    const ids: string[] = [];
    for (let count = 0; count < 6; count++) {
      const each = judged({ policies: [policy('payments'), policy('baseline')] });
      ids.push(each.decision.decisionId);
      await log.record({ ...each, inputs: keptInputs(`{"n":${count}}`) });
    }
    // Records 7 to 9.
    const released = (await release(log)).decision.decisionId;
    await log.close();
    expect(await problemsOf(store)).toEqual([]);
    return { store, chain, released, id: (seq: number) => String(ids[seq - 1]) };
  }

  type Filled = Awaited<ReturnType<typeof filled>>;
  const X = 'x'.repeat(64);

  it.each<[string, (log: Filled) => string, readonly unknown[]]>([
    [
      'in the content',
      () =>
        "UPDATE records SET content = replace(convert_from(content, 'UTF8'), '\"allow\"', '\"deny\"')::bytea WHERE seq = 3",
      ['content_changed', 3],
    ],
    [
      'in the content, which is gone',
      () => 'UPDATE records SET content = NULL, salt = NULL WHERE seq = 3',
      ['content_missing', 3],
    ],
    ['in the record, which is gone', () => 'DELETE FROM records WHERE seq = 3', ['record_missing', 4]],
    ['in the hash', () => `UPDATE records SET hash = '${X}' WHERE seq = 3`, ['record_changed', 3]],
    [
      'in the index of policies',
      () => "DELETE FROM decision_policies WHERE policy = 'payments'",
      ['index_mismatch', 3],
    ],
    [
      'in the outcome',
      ({ id }) => `UPDATE decisions SET outcome = 'deny' WHERE decision_id = '${id(3)}'`,
      ['index_mismatch', 3],
    ],
    [
      'in the summary',
      ({ id }) => `UPDATE decisions SET summary = '{}' WHERE decision_id = '${id(3)}'`,
      ['index_mismatch', 3],
    ],
    [
      'in the entry, which is gone',
      ({ id }) => `DELETE FROM decisions WHERE decision_id = '${id(3)}'`,
      ['index_mismatch', 3],
    ],
    ['in the place', ({ id }) => `UPDATE decisions SET seq = 99 WHERE decision_id = '${id(3)}'`, ['index_mismatch', 3]],
    [
      'in the withdrawal',
      ({ id }) => `UPDATE decisions SET withdrawn = true WHERE decision_id = '${id(3)}'`,
      ['index_mismatch', 3],
    ],
    [
      'with a policy of nothing',
      () => "INSERT INTO decision_policies VALUES ('default', 'p', 'allow', 'x')",
      ['index_mismatch', null],
    ],
    [
      'with a decision of nothing',
      ({ chain }) => `INSERT INTO decisions VALUES ('x', '${chain}', 99, 'default', 'allow', '{}', '{}')`,
      ['index_mismatch', null],
    ],
    ['in an object', () => `UPDATE objects SET bytes = 'x' WHERE sha256 = '${OWN_OF_THIRD}'`, ['object_changed', null]],
    [
      'in an object, which is gone',
      () => `DELETE FROM objects WHERE sha256 = '${OWN_OF_THIRD}'`,
      ['object_missing', 3],
    ],
    [
      'in a link',
      () => `UPDATE decision_objects SET sha256 = '${OWN_OF_FOURTH}' WHERE sha256 = '${OWN_OF_THIRD}'`,
      ['index_mismatch', 3],
    ],
    [
      'with a link of nothing',
      () => `INSERT INTO decision_objects VALUES ('x', '${OWN_OF_THIRD}')`,
      ['index_mismatch', null],
    ],
    ['with an object of nothing', () => `INSERT INTO objects VALUES ('${X}', 'y')`, ['index_mismatch', null]],
    ['with a head of nothing', () => "INSERT INTO heads VALUES ('x', 0, 'y')", ['index_mismatch', null]],
    ['in the end of the chain', () => 'UPDATE chains SET seq = 5', ['index_mismatch', null]],
    ['in the chain, which is gone', () => 'DELETE FROM chains', ['index_mismatch', null]],
    ['in a release, which is gone', () => 'DELETE FROM releases WHERE seq = 8', ['index_mismatch', 8]],
    [
      'in the decision of a release',
      ({ id }) => `UPDATE releases SET decision_id = '${id(3)}' WHERE seq = 9`,
      ['index_mismatch', 9],
    ],
    [
      'with a release of nothing',
      ({ chain }) => `INSERT INTO releases VALUES ('x', '${chain}', 99, 'release-result')`,
      ['index_mismatch', null],
    ],
  ])('AUD-01 %s are found', async (_, change, problem) => {
    const log = await filled();
    await logs.sql(change(log));
    expect(await problemsOf(log.store)).toContainEqual(problem);
  });

  it('AUD-01 hide no chain from an export', async () => {
    const { store, chain } = await filled();
    await logs.sql('DELETE FROM chains');
    expect(await store.chains()).toMatchObject([{ chain }]);
  });

  it('AUD-02 at the end are found by a head that was kept', async () => {
    const { store, chain } = await filled();
    const keptHeads = (await store.heads(chain, 0, 100)).map(({ jws }) => jws);
    const { seq = 0 } = (await store.last(chain)) ?? {};
    for (const table of ['records', 'heads', 'decisions', 'releases'])
      await logs.sql(`DELETE FROM ${table} WHERE seq > 5`);
    await logs.sql(`
      DELETE FROM decision_policies WHERE decision_id NOT IN (SELECT decision_id FROM decisions);
      DELETE FROM decision_objects WHERE decision_id NOT IN (SELECT decision_id FROM decisions);
      DELETE FROM objects WHERE sha256 NOT IN (SELECT sha256 FROM decision_objects);
      UPDATE chains SET seq = 5, hash = (SELECT hash FROM records WHERE seq = 5)`);
    expect(await problemsOf(store)).toEqual([]);
    const { problems } = await verifyLog(store, { keptHeads, keys: null });
    expect(problems.map(({ code, seq: at }) => [code, at])).toEqual([['chain_missing', seq]]);
  });
});
