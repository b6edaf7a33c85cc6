import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { CompactSign } from 'jose';
import { describe, expect, it } from 'vitest';
import { contentDigest, NO_RECORD, recordHash } from '../../../src/decision-log/chain.js';
import { type LogEvidence, verifyLog } from '../../../src/decision-log/verify-log.js';
import { LocalSigningKey } from '../../../src/results/signing-key.js';
import { type LocalStore, localStores } from './local-store.js';
import { judged, openLog, policy, SIGNER, signerOf } from './recorded.js';

const openStore = localStores();

const NO_EVIDENCE: LogEvidence = { keptHeads: [], keys: null };

/** A log of twelve decisions between a start and a stop. */
async function filled(store = openStore()) {
  const { log, chain } = await openLog(store);
  for (let count = 0; count < 12; count++)
    await log.record(judged({ policies: [policy('payments'), policy('baseline')] }));
  await log.close();
  return { store, chain };
}

async function problemsOf(store: LocalStore, evidence: LogEvidence = NO_EVIDENCE) {
  const { problems } = await verifyLog(store, evidence);
  return problems.map(({ code, seq }) => [code, seq]);
}

const tamper = (store: LocalStore, sql: string) => store.file.run(sql, []);

describe('verifying a decision log', () => {
  it('finds nothing in one that nobody touched', async () => {
    const { store, chain } = await filled();
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({
      problems: [],
      records: 14,
      decisions: 12,
      heads: 2,
      ownWord: [SIGNER.kid],
      chains: [{ chain, seq: 13, beginsLog: true, lastHead: 13, pruned: 0, from: '2026-01-15T12:00:00.000Z' }],
    });
  });

  it('AUD-01 names a record whose content was changed, and its decision', async () => {
    const { store } = await filled();
    tamper(
      store,
      `UPDATE records SET content = replace(content, '"decision":"allow"', '"decision":"deny"') WHERE seq = 5`,
    );
    const { problems } = await verifyLog(store, NO_EVIDENCE);
    expect(problems.map(({ code, seq }) => [code, seq])).toContainEqual(['content_changed', 5]);
    const entry = (await store.entries(problems[0]?.chain ?? '', 5, 5))[0];
    expect(problems[0]?.decisionId).toBe(entry?.decisionId);
  });

  it('AUD-01 names a record whose content was changed with its digest', async () => {
    const { store, chain } = await filled();
    const [record] = await store.records({ chain, seq: 4 }, 1);
    const content = record?.content?.replaceAll('"allow"', '"deny"') ?? '';
    store.file.run('UPDATE records SET content = ?, content_sha256 = ? WHERE seq = 5', [
      content,
      contentDigest(record?.salt ?? new Uint8Array(0), content),
    ]);
    expect(await problemsOf(store)).toContainEqual(['record_changed', 5]);
  });

  it('AUD-01 names what follows a record that was changed with all its hashes', async () => {
    const { store, chain } = await filled();
    const [record] = await store.records({ chain, seq: 4 }, 1);
    if (record?.salt == null) throw new Error('no record');
    const content = record.content?.replaceAll('"allow"', '"deny"') ?? '';
    const contentSha256 = contentDigest(record.salt, content);
    const hash = recordHash(record, { previous: record.previous, contentSha256 });
    store.file.run('UPDATE records SET content = ?, content_sha256 = ?, hash = ? WHERE seq = 5', [
      content,
      contentSha256,
      hash,
    ]);
    expect(await problemsOf(store)).toContainEqual(['record_order', 6]);
  });

  it.each([
    ['removed', 'DELETE FROM records WHERE seq = 7', ['record_missing', 8]],
    ['removed at the beginning', 'DELETE FROM records WHERE seq = 0', ['record_missing', 1]],
    ['without its salt', 'UPDATE records SET salt = NULL WHERE seq = 4', ['content_changed', 4]],
    ['with another salt', 'UPDATE records SET salt = zeroblob(32) WHERE seq = 4', ['content_changed', 4]],
    ['without its content', 'UPDATE records SET content = NULL WHERE seq = 4', ['content_changed', 4]],
    ['that is no JSON', "UPDATE records SET content = 'x' WHERE seq = 4", ['content_changed', 4]],
    [
      'dropped without a record of it',
      'UPDATE records SET salt = NULL, content = NULL WHERE seq = 4',
      ['content_missing', 4],
    ],
    ['with a forged hash', `UPDATE records SET hash = '${'a'.repeat(64)}' WHERE seq = 4`, ['record_changed', 4]],
    ['with a hash that is none', "UPDATE records SET previous = 'x' WHERE seq = 4", ['record_changed', 4]],
  ])('AUD-01 names a record %s', async (_, sql, problem) => {
    const { store } = await filled();
    tamper(store, sql);
    expect(await problemsOf(store)).toContainEqual(problem);
  });

  it('AUD-01 names records that were exchanged', async () => {
    const { store } = await filled();
    tamper(store, 'UPDATE records SET seq = -1 WHERE seq = 5');
    tamper(store, 'UPDATE records SET seq = 5 WHERE seq = 6');
    tamper(store, 'UPDATE records SET seq = 6 WHERE seq = -1');
    const problems = await problemsOf(store);
    expect(problems).toContainEqual(['record_order', 5]);
    expect(problems).toContainEqual(['record_changed', 5]);
  });

  it('AUD-01 names a record that was inserted', async () => {
    const { store, chain } = await filled();
    for (let seq = 13; seq >= 6; seq--) tamper(store, `UPDATE records SET seq = ${seq + 1} WHERE seq = ${seq}`);
    const [record] = await store.records({ chain, seq: 4 }, 1);
    await store.append([
      { ...(record as never as Parameters<LocalStore['append']>[0][0]), seq: 6, entry: null, withdraws: null },
    ]);
    expect(await problemsOf(store)).toContainEqual(['record_order', 6]);
  });

  it('AUD-02 finds a cut tail against a head that was kept, and cannot without one', async () => {
    const { store, chain } = await filled();
    const kept = (await store.heads(chain, 0, 100)).map(({ jws }) => jws);
    tamper(store, 'DELETE FROM decisions WHERE seq > 8');
    tamper(store, 'DELETE FROM decision_policies WHERE decision_id NOT IN (SELECT decision_id FROM decisions)');
    tamper(store, 'DELETE FROM heads WHERE seq > 8');
    tamper(store, 'DELETE FROM records WHERE seq > 8');
    expect(await problemsOf(store)).toEqual([]);
    expect(await problemsOf(store, { keptHeads: kept, keys: [SIGNER.jwk] })).toEqual([['chain_missing', 13]]);
    expect((await verifyLog(store, NO_EVIDENCE)).chains).toMatchObject([{ seq: 8, lastHead: 0 }]);
  });

  it('AUD-02 finds a chain that is gone against a head that was kept', async () => {
    const { store, chain } = await filled();
    const kept = (await store.heads(chain, 0, 100)).map(({ jws }) => jws);
    const { store: other } = await filled();
    expect(await problemsOf(other, { keptHeads: kept, keys: [SIGNER.jwk] })).toEqual([
      ['chain_missing', 0],
      ['chain_missing', 13],
    ]);
  });

  it('AUD-02 finds a chain that was taken away by the one that came after it', async () => {
    const { store, chain } = await filled();
    await filled(store);
    for (const table of ['records', 'heads', 'decisions'])
      store.file.run(`DELETE FROM ${table} WHERE chain = ?`, [chain]);
    tamper(store, 'DELETE FROM decision_policies WHERE decision_id NOT IN (SELECT decision_id FROM decisions)');
    expect(await problemsOf(store)).toEqual([['chain_missing', 13]]);
  });

  it('finds a record that is another one than a head says', async () => {
    const { store, chain } = await filled();
    const payload = Buffer.from(JSON.stringify({ chain, seq: 3, hash: NO_RECORD, time: '2026-01-15T12:00:00Z' }));
    const forged = await SIGNER.sign({ typ: 'veritee-head+jwt' }, payload);
    expect(await problemsOf(store, { keptHeads: [forged], keys: null })).toEqual([['head_mismatch', 3]]);
    await store.putHead({ chain, seq: 3, jws: forged });
    expect(await problemsOf(store)).toEqual([['head_mismatch', 3]]);
  });

  it('does not take the word of the log for its keys where some were given', async () => {
    const { store } = await filled();
    expect(await problemsOf(store, { keptHeads: [], keys: [SIGNER.jwk] })).toEqual([]);
    const other = new LocalSigningKey(generateKeyPairSync('ed25519').privateKey);
    const report = await verifyLog(store, { keptHeads: [], keys: [other.jwk] });
    expect(report.problems.map(({ code, seq }) => [code, seq])).toEqual([
      ['head_unverified', 0],
      ['head_unverified', 13],
    ]);
    expect(report.ownWord).toEqual([]);
  });

  it.each([
    ['of another type', { typ: 'eat+jwt' }, { chain: randomUUID(), seq: 0, hash: NO_RECORD, time: '' }],
    ['that names no record', { typ: 'veritee-head+jwt' }, { seq: '0' }],
    ['that is no object', { typ: 'veritee-head+jwt' }, []],
  ])('refuses a head %s', async (_, header, payload) => {
    const { store } = await filled();
    const jws = await SIGNER.sign(header, Buffer.from(JSON.stringify(payload)));
    expect(await problemsOf(store, { keptHeads: [jws], keys: null })).toEqual([['head_unverified', null]]);
  });

  it('refuses a head whose signature does not verify, and what is no JWS', async () => {
    const { store, chain } = await filled();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const header = { alg: 'ES256', kid: SIGNER.kid, typ: 'veritee-head+jwt' };
    const payload = Buffer.from(JSON.stringify({ chain, seq: 3, hash: NO_RECORD, time: '2026-01-15T12:00:00Z' }));
    const forged = await new CompactSign(payload).setProtectedHeader(header).sign(privateKey);
    expect(await problemsOf(store, { keptHeads: [forged, 'x.y.z'], keys: null })).toEqual([
      ['head_unverified', null],
      ['head_unverified', null],
    ]);
  });

  it.each([
    ['another outcome', "UPDATE decisions SET outcome = 'deny' WHERE seq = 4", 4],
    ['another tenant', "UPDATE decisions SET tenant = 'other' WHERE seq = 4", 4],
    ['another summary', "UPDATE decisions SET summary = '{}' WHERE seq = 4", 4],
    ['another policy', "UPDATE decisions SET policies = '[]' WHERE seq = 4", 4],
    ['no entry', 'DELETE FROM decisions WHERE seq = 4', 4],
    [
      'no entry of one policy',
      "DELETE FROM decision_policies WHERE policy = 'payments' AND decision_id = (SELECT decision_id FROM decisions WHERE seq = 4)",
      4,
    ],
    ['the place of another record', 'UPDATE decisions SET seq = 0 WHERE seq = 4', 0],
    ['an entry of no decision', "INSERT INTO decision_policies VALUES ('default', 'other', 'allow', 'x')", null],
  ])('finds what a decision is found by to be %s', async (_, sql, seq) => {
    const { store } = await filled();
    tamper(store, sql);
    expect(await problemsOf(store)).toContainEqual(['index_mismatch', seq]);
  });

  it('finds a withdrawn decision that is not shown so', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    const late = judged();
    await log.record(late);
    await log.withdraw(late.decision.decisionId, 'late');
    tamper(store, 'UPDATE decisions SET withdrawn = 0');
    expect(await problemsOf(store)).toEqual([['index_mismatch', 1]]);
  });

  it('AUD-03 verifies two chains that were written at the same time, and says which began the log', async () => {
    const store = openStore();
    const one = await openLog(store);
    const other = await openLog(store, { signer: signerOf() });
    for (let count = 0; count < 5; count++) {
      await one.log.record(judged());
      await other.log.record(judged());
    }
    const report = await verifyLog(store, NO_EVIDENCE);
    expect(report.problems).toEqual([]);
    expect(new Map(report.chains.map(({ chain, beginsLog }) => [chain, beginsLog]))).toEqual(
      new Map([
        [one.chain, true],
        [other.chain, false],
      ]),
    );
  });

  it('reads logs of more than one page, and says how far it is', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    await Promise.all(Array.from({ length: 1200 }, () => log.record(judged())));
    const read: number[] = [];
    const report = await verifyLog(store, { ...NO_EVIDENCE, onRead: (records) => read.push(records) });
    expect(report).toMatchObject({ problems: [], records: 1201 });
    expect(read).toEqual([500, 1000, 1201]);
  });
});
