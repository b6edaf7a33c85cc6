import { describe, expect, it } from 'vitest';
import type { DecisionLog } from '../../../src/log/decision-log.js';
import { type LogEvidence, verifyLog } from '../../../src/log/verify-log.js';
import { type LocalStore, localStores } from './local-store.js';
import { judged, openLog } from './recorded.js';
import { attemptOf, release, releasing, resultOf, VAULT_KEY } from './released.js';
import { rewriteRecords } from './rewrite-records.js';

const openStore = localStores();

const NO_EVIDENCE: LogEvidence = { keptHeads: [], keys: null };

async function problemsOf(store: LocalStore, evidence: LogEvidence = NO_EVIDENCE) {
  const { problems } = await verifyLog(store, evidence);
  return problems.map(({ code, seq }) => [code, seq]);
}

/** A log of what a process wrote that did not do what it should. */
async function written(write: (log: DecisionLog) => Promise<void>): Promise<LocalStore> {
  const store = openStore();
  const { log } = await openLog(store);
  await write(log);
  await log.close();
  return store;
}

/** Records 1 to 3 are a decision, an attempt and its result; 4 and 5 a decision without a release, and one not ended. */
async function filled() {
  const store = openStore();
  const { log, chain } = await openLog(store);
  const released = await release(log);
  await log.record(judged());
  const unknown = releasing();
  await log.record(unknown);
  await log.releaseAttempt(attemptOf(unknown));
  await log.close();
  return { store, chain, released, unknown };
}

describe('verifying what was released', () => {
  it('finds nothing in a log that nobody touched, whether an attempt has a result or not', async () => {
    const { store } = await filled();
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], decisions: 3 });
  });

  it.each<[string, (log: DecisionLog) => Promise<void>, readonly unknown[]]>([
    [
      'an attempt of a decision that is not there',
      (log) => log.releaseAttempt(attemptOf(releasing())),
      ['release_decision_missing', 1],
    ],
    [
      'an attempt of a decision that is no allow',
      async (log) => {
        const denied = releasing({ decision: 'deny' });
        await log.record(denied);
        await log.releaseAttempt(attemptOf(denied));
      },
      ['release_not_allowed', 2],
    ],
    [
      'an attempt of a dry run',
      async (log) => {
        const dry = releasing({}, { dryRun: true });
        await log.record(dry);
        await log.releaseAttempt(attemptOf(dry));
      },
      ['release_not_allowed', 2],
    ],
    [
      'an attempt of a decision by which nothing is to be released',
      async (log) => {
        const decided = judged();
        await log.record(decided);
        await log.releaseAttempt(attemptOf(decided));
      },
      ['release_not_allowed', 2],
    ],
    [
      'an attempt for another key',
      async (log) => {
        const decided = releasing();
        await log.record(decided);
        await log.releaseAttempt(attemptOf(decided, { keyId: 'other' }));
      },
      ['release_not_allowed', 2],
    ],
    ...(
      [
        ['by another caller', { caller: { principal: 'other', tenant: 'default' } }],
        ['in another tenant', { caller: { principal: 'gate', tenant: 'other' } }],
        ['with another bound key', { key: { ...VAULT_KEY, jkt: 'other' } }],
        ['with another token', { key: { ...VAULT_KEY, targetSha256: 'ef'.repeat(32) } }],
      ] as const
    ).map(([how, changes]): [string, (log: DecisionLog) => Promise<void>, readonly unknown[]] => [
      `an attempt ${how}`,
      async (log) => {
        const decided = releasing();
        await log.record(decided);
        await log.releaseAttempt(attemptOf(decided, changes));
      },
      ['release_not_allowed', 2],
    ]),
    [
      'an attempt before its decision',
      async (log) => {
        const decided = releasing();
        await log.releaseAttempt(attemptOf(decided));
        await log.record(decided);
      },
      ['release_order', 1],
    ],
    [
      'two attempts for one decision',
      async (log) => {
        const decided = releasing();
        await log.record(decided);
        await log.releaseAttempt(attemptOf(decided));
        await log.releaseAttempt(attemptOf(decided));
      },
      ['release_repeated', 3],
    ],
    [
      'two results of one attempt',
      async (log) => {
        const decided = await release(log);
        await log.releaseResult(resultOf(decided, { outcome: 'refused', code: 'release_refused' }));
      },
      ['release_repeated', 4],
    ],
    [
      'a result without an attempt',
      async (log) => {
        const decided = releasing();
        await log.record(decided);
        await log.releaseResult(resultOf(decided));
      },
      ['release_attempt_missing', 2],
    ],
    [
      'a result of a decision that is not there',
      (log) => log.releaseResult(resultOf(releasing())),
      ['release_attempt_missing', 1],
    ],
    [
      'a result before its attempt',
      async (log) => {
        const decided = releasing();
        await log.record(decided);
        await log.releaseResult(resultOf(decided));
        await log.releaseAttempt(attemptOf(decided));
      },
      ['release_order', 2],
    ],
  ])('AUD-01 names %s', async (_, write, problem) => {
    const store = await written(write);
    expect(await problemsOf(store)).toEqual([problem]);
  });

  it('AUD-01 names an attempt, and a result, of the decision of another chain', async () => {
    const store = openStore();
    const [{ log: one }, { log: other, chain }] = [await openLog(store), await openLog(store)];
    const decided = releasing();
    await one.record(decided);
    await other.releaseAttempt(attemptOf(decided));
    await other.releaseResult(resultOf(decided));
    const { problems } = await verifyLog(store, NO_EVIDENCE);
    const { decisionId } = decided.decision;
    expect(problems).toMatchObject([
      { code: 'release_decision_missing', chain, seq: 1, decisionId },
      { code: 'release_attempt_missing', chain, seq: 2, decisionId },
    ]);
  });

  it('AUD-01 names a result in another chain than its attempt', async () => {
    const store = openStore();
    const [{ log: one }, { log: other, chain }] = [await openLog(store), await openLog(store)];
    const decided = releasing();
    await one.record(decided);
    await one.releaseAttempt(attemptOf(decided));
    // Places are of a chain: what stands later in one is not later than what stands in another.
    for (let before = 0; before < 3; before++) await other.record(judged());
    await other.releaseResult(resultOf(decided));
    const { problems } = await verifyLog(store, NO_EVIDENCE);
    const { decisionId } = decided.decision;
    expect(problems).toMatchObject([{ code: 'release_attempt_missing', chain, seq: 4, decisionId }]);
  });

  it.each([
    ['an attempt', 2, 'vault.example', 'vault.exampl'],
    ['a result', 3, '"outcome":"released"', '"outcome":"refused"'],
  ])('AUD-01 names the content of %s that was changed, and its decision', async (_, seq, before, after) => {
    const { store, released } = await filled();
    store.file.run('UPDATE records SET content = replace(content, ?, ?) WHERE seq = ?', [before, after, seq]);
    const { problems } = await verifyLog(store, NO_EVIDENCE);
    expect(problems).toContainEqual(
      expect.objectContaining({ code: 'content_changed', seq, decisionId: released.decision.decisionId }),
    );
  });

  it.each([
    ['an attempt without its key', 2, '"key":{', '"keys":{'],
    ['an attempt for a key of no kind', 2, '"type":"vault"', '"type":"cloud"'],
    ['an attempt without its target', 2, '"targetSha256":"', '"targetSha256":"x'],
    ['a result of no outcome', 3, '"outcome":"released"', '"outcome":"lost"'],
    ['a result that has no digest of what was handed out', 3, '"valueSha256":"cd', '"valueSha256":"secret'],
    ['a decision that releases what is no key', 1, '"keyId":"db-key"', '"keyId":7'],
  ])('AUD-01 names %s, whatever its hashes', async (_, at, before, after) => {
    const { store } = await filled();
    store.file.close();
    rewriteRecords(store.path, (content, seq) => (seq === at ? content.replace(before, after) : content));
    store.file.open();
    expect(await problemsOf(store)).toContainEqual(['content_changed', at]);
  });

  it('AUD-01 names what follows a result that was written anew with all its hashes', async () => {
    const { store } = await filled();
    store.file.close();
    rewriteRecords(store.path, (content, seq) => (seq === 3 ? content.replace('"released"', '"refused"') : content));
    store.file.open();
    expect(await problemsOf(store)).toContainEqual(['record_order', 4]);
  });

  it.each([
    ['an attempt that is taken out', 'DELETE FROM releases WHERE seq = 2', ['index_mismatch', 2]],
    ['a result that is taken out', 'DELETE FROM releases WHERE seq = 3', ['index_mismatch', 3]],
    ['a result as an attempt', "UPDATE releases SET kind = 'release-attempt' WHERE seq = 3", ['index_mismatch', 3]],
    ['another decision', "UPDATE releases SET decision_id = 'x' WHERE seq = 3", ['index_mismatch', 3]],
    ['a second decision', "INSERT INTO releases SELECT 'x', chain, seq, kind FROM releases", ['index_mismatch', 2]],
    [
      'what is no release',
      "INSERT INTO releases SELECT decision_id, chain, 4, 'release-attempt' FROM decisions WHERE seq = 1",
      ['index_mismatch', 4],
    ],
    [
      'a record that is not there',
      "INSERT INTO releases SELECT decision_id, chain, 99, 'release-attempt' FROM decisions WHERE seq = 1",
      ['index_mismatch', null],
    ],
  ])('AUD-01 names an index with %s', async (_, sql, problem) => {
    const { store } = await filled();
    store.file.run(sql, []);
    expect(await problemsOf(store)).toContainEqual(problem);
  });

  it('AUD-01 names the content of a result that is gone, while its decision is there', async () => {
    const { store } = await filled();
    store.file.run('DELETE FROM releases WHERE seq = 3', []);
    store.file.run('UPDATE records SET salt = NULL, content = NULL WHERE seq = 3', []);
    expect(await problemsOf(store)).toEqual([['content_missing', 3]]);
  });

  it('finds nothing wrong with what a later version recorded of a release', async () => {
    const { store, chain } = await filled();
    store.file.close();
    rewriteRecords(store.path, (content, seq) => (seq === 6 ? content.replace('"v":1', '"v":2') : content));
    store.file.open();
    const { problems, later } = await verifyLog(store, NO_EVIDENCE);
    expect(problems.map(({ code }) => code)).not.toContain('release_decision_missing');
    expect(later).toEqual([chain]);
  });

  it('does not name what is dropped while it is read', async () => {
    const store = await written((log) => log.releaseAttempt(attemptOf(releasing())));
    const find = store.find;
    store.find = async (decisionId) => {
      store.file.run('DELETE FROM releases WHERE seq = 1', []);
      store.file.run('UPDATE records SET salt = NULL, content = NULL WHERE seq = 1', []);
      return find(decisionId);
    };
    expect(await problemsOf(store)).toEqual([]);
  });

  it('tells nothing of a decision that does not hold, which is named by itself', async () => {
    const { store } = await filled();
    store.file.run(`UPDATE records SET content = replace(content, '"allow"', '"deny"') WHERE seq = 1`, []);
    expect((await problemsOf(store)).map(([code, seq]) => [code, seq])).toContainEqual(['content_changed', 1]);
    store.file.run("UPDATE records SET content = 'x' WHERE seq = 1", []);
    expect(await problemsOf(store)).not.toContainEqual(['release_not_allowed', 2]);
  });
});
