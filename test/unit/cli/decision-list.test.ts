import { describe, expect, it } from 'vitest';
import { listDecisions, listedDecisions } from '../../../src/cli/decision-list.js';
import type { ListDecisionsOptions } from '../../../src/cli/decisions-commands.js';
import { UsageError } from '../../../src/cli/input.js';
import type { LogStore } from '../../../src/core/decision-log.js';
import { localStores } from '../log/local-store.js';
import { judged, openLog } from '../log/recorded.js';
import { KeptOutput } from './kept-output.js';
import { filledLogs } from './recorded-decisions.js';

const filled = filledLogs();
const openStore = localStores();

async function listed(store: Pick<LogStore, 'list'>, options: ListDecisionsOptions = {}, asTable = false) {
  const output = new KeptOutput(asTable);
  expect(await listDecisions(store, listedDecisions(options), output)).toBe(0);
  return output.lines;
}

const parsed = async (...args: Parameters<typeof listed>) => (await listed(...args)).map((line) => JSON.parse(line));

describe('veritee decisions list', () => {
  it('writes a line of JSON for each decision, newest first, of all tenants', async () => {
    const { store, ids } = await filled();
    const rows = await parsed(store);
    expect(rows.map(({ decisionId }) => decisionId)).toEqual(ids.toReversed());
    expect(rows[0]).toMatchObject({ decision: 'allow', tenant: 'default', principal: 'gate', withdrawn: true });
    expect(rows[1]).toMatchObject({ tenant: 'red', withdrawn: false });
  });

  it.each<[ListDecisionsOptions, readonly number[]]>([
    [{ policy: 'baseline' }, [1, 0]],
    [{ decision: 'deny' }, [3, 0]],
    [{ since: '2026-01-15T12:04:00Z' }, [5, 4]],
    [{ tenant: 'red' }, [4]],
    [{ tenant: 'nobody' }, []],
    [{ limit: '2' }, [5, 4]],
    [{ policy: 'payments', decision: 'allow', tenant: 'default', limit: '2' }, [5, 2]],
  ])('looks for %j', async (options, expected) => {
    const { store, ids } = await filled();
    expect((await parsed(store, options)).map(({ decisionId }) => ids.indexOf(decisionId))).toEqual(expected);
  });

  it.each<[ListDecisionsOptions, RegExp]>([
    [{ policy: 'Payments' }, /^--policy: "Payments" is no policy id$/],
    [{ decision: 'yes' }, /^--decision: "yes" is no decision; there are allow, deny, indeterminate$/],
    [{ since: 'yesterday' }, /^--since: .*RFC 3339/],
    [{ limit: '0' }, /^--limit: "0" is no number from 1 to 999999999$/],
    [{ limit: '1e3' }, /^--limit: "1e3" is no number from 1 to 999999999$/],
    [{ limit: '1000000000' }, /^--limit: "1000000000" is no number from 1 to 999999999$/],
  ])('refuses %j', (options, message) => {
    expect(() => listedDecisions(options)).toThrow(UsageError);
    expect(() => listedDecisions(options)).toThrow(message);
  });

  it('lists 50 where nobody says how many, and asks again for what does not fit into one answer', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    await Promise.all(Array.from({ length: 1100 }, () => log.record(judged())));
    expect(await listed(store)).toHaveLength(50);
    const ids = (await parsed(store, { limit: '1050' })).map(({ decisionId }) => decisionId);
    expect([ids.length, new Set(ids).size]).toEqual([1050, 1050]);
  });

  it('is a table on a terminal', async () => {
    const { store, ids } = await filled();
    expect(await listed(store, { limit: '3' }, true)).toEqual([
      `2026-01-15T12:05:00.000Z  allow          ${ids[5]}  default  snp under payments (withdrawn: answered audit_unavailable)`,
      `2026-01-15T12:04:00.000Z  allow          ${ids[4]}  red      snp under payments`,
      `2026-01-15T12:03:00.000Z  deny           ${ids[3]}  default  snp under payments: nonce_used, snp_tcb, ak_binding, and 1 more`,
      'the newest 3; --limit lists more',
    ]);
    expect(await listed(store, { limit: '7' }, true)).toHaveLength(6);
    expect(await listed(store, { tenant: 'nobody' }, true)).toEqual(['no decisions']);
  });

  it('says of a decision that it is historical', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    await log.record(judged({ historical: true }));
    expect((await listed(store, {}, true))[0]).toMatch(/ \(historical\)$/);
  });

  it.each([true, false])('AUD-01 leaves out what is no decision, and says so: as a table %s', async (asTable) => {
    const { store, ids } = await filled();
    store.file.run(`UPDATE decisions SET summary = '{}' WHERE tenant = 'red'`, []);
    store.file.run(`UPDATE decisions SET summary = 'x' WHERE decision_id = ?`, [ids[0] ?? '']);
    const output = new KeptOutput(asTable);
    await expect(listDecisions(store, listedDecisions({}), output)).rejects.toThrow(
      'left out: what is stored of 2 decisions does not have the form of a record: the store was changed; veritee decisions verify says where',
    );
    expect(output.lines).toHaveLength(4);
  });

  it('shows nothing that a terminal would obey', async () => {
    const { store } = await filled();
    store.file.run(`UPDATE decisions SET summary = replace(summary, '"red"', '"\\u001b[2J"')`, []);
    const [row = ''] = await listed(store, { tenant: 'red' }, true);
    expect(row).toContain('\\u001b[2J');
    expect(row).not.toContain('\u001b');
  });
});
