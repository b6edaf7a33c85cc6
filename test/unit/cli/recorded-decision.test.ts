import { describe, expect, it } from 'vitest';
import { showDecision } from '../../../src/cli/recorded-decision.js';
import type { LogStore } from '../../../src/core/decision-log.js';
import { localStores } from '../log/local-store.js';
import { judged, openLog } from '../log/recorded.js';
import { KeptOutput } from './kept-output.js';
import { filledLogs } from './recorded-decisions.js';

const filled = filledLogs();
const openStore = localStores();

async function shown(store: Pick<LogStore, 'find'>, id = '', asTable = true) {
  const output = new KeptOutput(asTable);
  expect(await showDecision(store, id, output)).toBe(0);
  return output;
}

describe('veritee decisions show', () => {
  it('writes the recorded decision and its record, and ends with 0 whatever was decided', async () => {
    const { store, ids, chain } = await filled();
    expect(JSON.parse((await shown(store, ids[3], false)).text)).toMatchObject({
      decisionId: ids[3],
      decision: 'deny',
      record: { chain, seq: 4, principal: 'gate', tenant: 'default', withdrawn: false },
    });
  });

  it('is a table on a terminal, with who asked, digests, and its place in the chain', async () => {
    const { store, ids, chain } = await filled();
    const found = await store.find(ids[3] ?? '');
    const { lines } = await shown(store, ids[3]);
    expect(lines[0]).toBe('DENY  snp abababababababab');
    expect(lines).toContain('policy    payments version 1: deny');
    expect(lines.slice(lines.indexOf(`decision  ${ids[3]}`))).toEqual([
      `decision  ${ids[3]}`,
      'decided   2026-01-15T12:03:00.000Z by veritee 0.1.0',
      'asked by  gate of tenant default',
      'audience  https://gate.example',
      'asked for payments',
      `evidence  ${'ab'.repeat(32)}`,
      expect.stringMatching(/^nonce {5}[0-9a-f]{64}$/),
      `policy    ${'ab'.repeat(32)} payments version 1`,
      `chain     ${chain}`,
      'record    4, recorded at 2026-01-15T12:03:00.000Z',
      `hash      ${found?.record.hash}`,
      `previous  ${found?.record.previous}`,
      `content   ${found?.record.contentSha256}`,
    ]);
  });

  it('states first that it was stored too late', async () => {
    const { store, ids } = await filled();
    expect((await shown(store, ids[5])).lines[0]).toBe(
      'WITHDRAWN: it was stored too late, so the answer said audit_unavailable',
    );
  });

  it('names the tokens that were judged, and what the decision rests on', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    const endorsements = [{ kind: 'vcek', sha256: 'cd'.repeat(32), source: 'kds', notAfter: null, revocation: 'good' }];
    const decided = judged(
      { endorsements: endorsements as never },
      { nonce: null, attestationResults: [{ type: 'maa-token', token: 'x' }] },
    );
    await log.record(decided);
    const { text, lines } = await shown(store, decided.decision.decisionId);
    expect(text).toMatch(/^token {5}[0-9a-f]{64} maa-token$/m);
    expect(lines).toContain(`rests on  ${'cd'.repeat(32)} vcek (kds)`);
    expect(lines).toContain('asked for the default policy');
    expect(text).not.toMatch(/^(audience|nonce) /m);
  });

  it('ends with 1 where there is no such decision', async () => {
    const { store } = await filled();
    await expect(shown(store, '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11')).rejects.toMatchObject({
      name: 'UsageError',
      lines: [
        'there is no decision of this id, or its record is older than decisions are kept',
        'veritee decisions list shows those that there are',
      ],
    });
  });

  it.each([
    ['reasons', ''],
    ['checks', ''],
    ['evidence', ''],
    ['decidedAt', ''],
    ['checks', '"checks":[{}],'],
  ])('AUD-01 shows none whose record does not have its form: %s', async (member, instead) => {
    const { store, ids } = await filled();
    const { content } = (await store.find(ids[3] ?? ''))?.record ?? {};
    const { decision, ...rest } = JSON.parse(content ?? '');
    const { [member]: _, ...others } = decision;
    const changed = JSON.stringify({ ...rest, decision: others }).replace('"claims"', `${instead}"claims"`);
    store.file.run('UPDATE records SET content = ? WHERE seq = 4', [changed]);
    for (const asTable of [true, false]) {
      await expect(shown(store, ids[3], asTable)).rejects.toThrow(
        'what is recorded of this decision does not have the form of a record: the store was changed; veritee decisions verify says where',
      );
    }
  });

  it('says of one that a later version recorded that it is of a later version', async () => {
    const { store, ids } = await filled();
    store.file.run(`UPDATE records SET content = replace(content, '"v":1', '"v":2') WHERE seq = 4`, []);
    await expect(shown(store, ids[3])).rejects.toMatchObject({
      name: 'LaterVersionError',
      message: 'this decision was recorded by a later version of veritee: that one, or a later one, can read it',
    });
  });

  it('shows nothing that a terminal would obey', async () => {
    const { store, ids } = await filled();
    store.file.run(`UPDATE records SET content = replace(content, '"type":"snp"', '"type":"\\u001b[2J"')`, []);
    const { text } = await shown(store, ids[3]);
    expect(text).not.toContain('\u001b');
    expect(text).toContain('\\u001b[2J');
  });
});
