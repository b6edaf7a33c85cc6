import { describe, expect, it } from 'vitest';
import { findRecorded } from '../../../src/log/find-recorded.js';
import { localStores } from './local-store.js';
import { judged, openLog } from './recorded.js';
import { release } from './released.js';

const openStore = localStores();

/** Two decisions, of records 1 and 2. */
async function filled() {
  const store = openStore();
  const { log } = await openLog(store);
  const both = [judged(), judged()];
  for (const each of both) await log.record(each);
  await log.close();
  const [first = '', second = ''] = both.map(({ decision }) => decision.decisionId);
  return { store, first, second };
}

const OTHER = 'ab'.repeat(32);

describe('a decision that is looked for', () => {
  it('is found as it was recorded', async () => {
    const { store, first } = await filled();
    expect((await findRecorded(store, first))?.record.content).toContain(first);
    expect(await findRecorded(store, '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11')).toBeNull();
  });

  it('is found without its content, where that was dropped', async () => {
    const { store, first } = await filled();
    store.file.run('UPDATE records SET salt = NULL, content = NULL WHERE seq = 1', []);
    expect((await findRecorded(store, first))?.record).toMatchObject({ seq: 1, content: null });
  });

  it.each([
    ['its content', "UPDATE records SET content = replace(content, 'allow', 'deny') WHERE seq = 1"],
    ['its salt', "UPDATE records SET salt = x'00' WHERE seq = 1"],
    ['the digest of its content', `UPDATE records SET content_sha256 = '${OTHER}' WHERE seq = 1`],
    ['its hash', `UPDATE records SET hash = '${OTHER}' WHERE seq = 1`],
    ['what it follows', `UPDATE records SET previous = '${OTHER}' WHERE seq = 1`],
    ['its place in the index', 'UPDATE decisions SET seq = 2 WHERE seq = 1'],
    ['its tenant in the index', "UPDATE decisions SET tenant = 'another' WHERE seq = 1"],
  ])('AUD-01 is not shown where somebody changed %s', async (_, sql) => {
    const { store, first, second } = await filled();
    store.file.run(sql, []);
    await expect(findRecorded(store, first)).rejects.toMatchObject({
      name: 'ChangedDecisionError',
      message:
        'what is stored of this decision is not what was recorded: the store was changed; veritee decisions verify says where',
    });
    expect((await findRecorded(store, second))?.record.seq).toBe(2);
  });

  it.each(['salt', 'content'])('AUD-01 is not shown where its %s alone is gone', async (column) => {
    const { store, first } = await filled();
    store.file.run(`UPDATE records SET ${column} = NULL WHERE seq = 1`, []);
    await expect(findRecorded(store, first)).rejects.toMatchObject({ name: 'ChangedDecisionError' });
  });
});

describe('the release of a decision that is looked for', () => {
  /** Two releases: records 1 to 3, and 4 to 6. */
  async function releases() {
    const store = openStore();
    const { log } = await openLog(store);
    const [one, other] = [await release(log), await release(log)];
    await log.close();
    return { store, one: one.decision.decisionId, other: other.decision.decisionId };
  }

  it('is found as it was recorded', async () => {
    const { store, one } = await releases();
    const found = await findRecorded(store, one);
    expect(found?.releaseRecords.map(({ seq }) => seq)).toEqual([2, 3]);
  });

  it.each([
    ['the content of the attempt', "UPDATE records SET content = replace(content, 'db-key', 'db-kez') WHERE seq = 2"],
    ['the content of the result', "UPDATE records SET content = replace(content, 'released', 'refused') WHERE seq = 3"],
    ['the salt of the result', "UPDATE records SET salt = x'00' WHERE seq = 3"],
    ['the hash of the result', `UPDATE records SET hash = '${OTHER}' WHERE seq = 3`],
    ['the content of the result, which is gone', 'UPDATE records SET salt = NULL, content = NULL WHERE seq = 3'],
    ['the index, so that the result is of another decision', 'UPDATE releases SET seq = 6 WHERE seq = 3'],
    ['the index, so that the result is no release', 'UPDATE releases SET seq = 0 WHERE seq = 3'],
  ])('AUD-01 is not shown where somebody changed %s', async (_, sql) => {
    const { store, one } = await releases();
    store.file.run(sql, []);
    await expect(findRecorded(store, one)).rejects.toMatchObject({
      name: 'ChangedDecisionError',
      message:
        'what is stored of its release is not what was recorded: the store was changed; veritee decisions verify says where',
    });
  });
});
