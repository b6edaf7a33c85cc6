import { describe, expect, it } from 'vitest';
import { logReport } from '../../../src/cli/log-report.js';
import { importResult } from '../../../src/cli/log-transfer.js';
import { type LogEvidence, verifyLog } from '../../../src/log/verify-log.js';
import { type LocalStore, localStores } from '../log/local-store.js';
import { openLog, SIGNER, signerOf } from '../log/recorded.js';
import { rewriteRecords } from '../log/rewrite-records.js';
import { KeptOutput } from './kept-output.js';
import { filledLogs } from './recorded-decisions.js';

const filled = filledLogs();
const openStore = localStores();

async function reported(store: LocalStore, evidence: Partial<LogEvidence> = {}, asTable = false) {
  const output = new KeptOutput(asTable);
  const exitCode = logReport(await verifyLog(store, { keptHeads: [], keys: null, ...evidence }), output);
  return { exitCode, output };
}

/** The unknown facts, by code. */
async function notKnown(store: LocalStore, evidence: Partial<LogEvidence> = {}) {
  const list: { code: string; about: unknown }[] = JSON.parse((await reported(store, evidence)).output.text).notKnown;
  return Object.fromEntries(list.map(({ code, about }) => [code, about]));
}

const CHANGED = `UPDATE records SET content = replace(content, '"deny"', '"allow"') WHERE seq = 4`;

describe('the report on a decision log', () => {
  it('ends with 0 where nothing is wrong, and with 2 where something is', async () => {
    const { store, ids, chain } = await filled();
    expect((await reported(store)).exitCode).toBe(0);
    store.file.run(CHANGED, []);
    const { exitCode, output } = await reported(store);
    expect([exitCode, JSON.parse(output.text).problems]).toEqual([
      2,
      [{ code: 'content_changed', chain, seq: 4, decisionId: ids[3], detail: expect.any(String) }],
    ]);
  });

  it('is a table on a terminal', async () => {
    const { store, log, chain } = await filled();
    await log.close();
    expect((await reported(store, {}, true)).output.lines).toEqual([
      'nothing is wrong',
      '',
      `chain ${chain}  2026-01-15T12:00:00.000Z to 2026-01-15T12:05:00.000Z`,
      '    records up to 8, signed up to 8, kept heads nowhere, vouched for up to 8, without content: 0; it began the log',
      '',
      '9 records, 6 decisions with their content, 2 signed heads, 0 kept objects, 0 kept heads',
      '',
      expect.stringMatching(/^not known {2}cut_end: without kept heads \(--heads\), /),
      expect.stringMatching(/^not known {2}unsigned: no head by a known key covers these chains: /),
      `           ${chain}`,
      expect.stringMatching(/^not known {2}own_keys: only the log itself names these signing keys: /),
      `           ${SIGNER.kid}`,
      expect.stringMatching(/^not known {2}beginning: these chains reference no earlier chain: /),
      `           ${chain}`,
    ]);
  });

  it('names in a table what is wrong first', async () => {
    const { store, ids, chain } = await filled();
    store.file.run(CHANGED, []);
    store.file.run("INSERT INTO decision_policies VALUES ('default', 'other', 'allow', 'x')", []);
    expect((await reported(store, {}, true)).output.lines.slice(0, 7)).toEqual([
      'wrong: 2',
      '',
      `content_changed  record 4 of chain ${chain} (decision ${ids[3]})`,
      '    salt and content are not those that were recorded',
      '',
      'index_mismatch',
      '    1 entries of the index, heads, links or kept objects belong to nothing in the log',
    ]);
  });

  it('says of an empty log that nothing is wrong, and what it cannot know', async () => {
    const { exitCode, output } = await reported(openStore(), {}, true);
    expect([exitCode, output.lines[2]]).toEqual([
      0,
      '0 records, 0 decisions with their content, 0 signed heads, 0 kept objects, 0 kept heads',
    ]);
    expect(await notKnown(openStore())).toEqual({ cut_end: [] });
  });

  it('shows a chain of which no content is left', async () => {
    const { store, chain } = await filled();
    store.file.run('UPDATE records SET salt = NULL, content = NULL', []);
    expect((await reported(store, {}, true)).output.lines).toContain(`chain ${chain}  no content left`);
  });

  it('AUD-02 says that nobody sees a cut end without kept heads, and where they end', async () => {
    const { store, log, chain } = await filled();
    await log.close();
    const [first, last] = (await store.heads(chain, 0, 100)).map(({ jws }) => jws);
    const keys = { cut_end: [], unsigned: [chain], own_keys: [SIGNER.kid], beginning: [chain] };
    expect(await notKnown(store)).toEqual(keys);
    expect(await notKnown(store, { keptHeads: [first ?? ''] })).toEqual({ ...keys, cut_end: [chain] });
    expect(await notKnown(store, { keptHeads: [last ?? ''] })).toEqual(keys);
    expect(await notKnown(store, { keys: [SIGNER.jwk] })).toEqual({ cut_end: [], beginning: [chain] });
  });

  it('says which chains have what a later version wrote', async () => {
    const { store, log, chain } = await filled();
    await log.close();
    store.file.close();
    rewriteRecords(store.path, (content, seq) => (seq === 4 ? content.replace('"v":1', '"v":2') : content));
    store.file.open();
    expect(await notKnown(store)).toMatchObject({ later_version: [chain] });
  });

  it('DLG-02 says which chains no head vouches for', async () => {
    const store = openStore();
    const { chain } = await openLog(store, { signer: signerOf() });
    expect(await notKnown(store)).toEqual({ cut_end: [], unsigned: [chain], beginning: [chain] });
  });
});

describe('the result of an import', () => {
  const taken = {
    problems: [],
    notKnown: [{ code: 'own_keys', detail: 'nothing else names them', about: ['kid'] }],
    records: 8,
    heads: 1,
    objects: 5,
    known: 2,
  } as const;

  it('is a line on a terminal, behind what is not known', () => {
    const output = new KeptOutput(true);
    expect(importResult(taken, output)).toBe(0);
    expect(output.lines).toEqual([
      'not known  own_keys: nothing else names them',
      '           kid',
      'taken: 8 records, 1 signed heads and 5 kept objects; 2 records were there already',
    ]);
  });

  it('ends with 2 where nothing was taken', () => {
    const output = new KeptOutput(true);
    const problem = { code: 'record_order', chain: 'c', seq: 4, decisionId: null, detail: 'x' } as const;
    expect(importResult({ ...taken, notKnown: [], problems: [problem] }, output)).toBe(2);
    expect(output.lines).toEqual(['record_order  record 4 of chain c', '    x', '', 'wrong: 1; nothing was taken']);
  });
});
