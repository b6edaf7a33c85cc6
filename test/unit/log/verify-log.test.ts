import { createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { CompactSign, calculateJwkThumbprint } from 'jose';
import { describe, expect, it } from 'vitest';
import { whatIsNotKnown } from '../../../src/cli/log-report.js';
import { type LogRecord, NO_RECORD } from '../../../src/core/decision-log.js';
import type { JsonObject } from '../../../src/core/json.js';
import { contentDigest, recordHash } from '../../../src/log/chain.js';
import { type LogEvidence, verifyLog } from '../../../src/log/verify-log.js';
import { LocalSigningKey } from '../../../src/receipts/signing-key.js';
import { type LocalStore, localStores } from './local-store.js';
import { judged, openLog, policy, SetClock, SIGNER, signerOf } from './recorded.js';
import { rewriteRecords } from './rewrite-records.js';

const openStore = localStores();

const CHAIN = '11111111-1111-4111-8111-111111111111';

const EVERY = { tenant: null, policy: null, decision: null, since: null, cursor: null, limit: 1 };

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

/** Adds a record that follows the last one by all its hashes, whatever it says. */
async function forge(store: LocalStore, chain: string, content: string): Promise<number> {
  const last = await store.last(chain);
  if (last === null) throw new Error('no chain');
  const salt = new Uint8Array(32);
  const position = { chain, seq: last.seq + 1 };
  const linked = { previous: last.hash, contentSha256: contentDigest(salt, content) };
  const hash = recordHash(position, linked);
  await store.append([
    { ...position, ...linked, hash, salt, content, entry: null, withdraws: null, release: null, objects: [] },
  ]);
  return position.seq;
}

/** Of the fifth record, with what it is found by. */
function dropFifth(store: LocalStore): void {
  tamper(store, 'DELETE FROM decision_policies WHERE decision_id = (SELECT decision_id FROM decisions WHERE seq = 5)');
  tamper(store, 'DELETE FROM decisions WHERE seq = 5');
  tamper(store, 'UPDATE records SET salt = NULL, content = NULL WHERE seq = 5');
}

/** Says that content of records was dropped as that of decisions that are dated before. */
const droppedRuns = (before: string, ...chains: readonly JsonObject[]) =>
  JSON.stringify({ kind: 'pruned', time: '2026-01-15T12:00:00.000Z', before, chains });

const droppedThrough = (chain: string, seq: number) =>
  JSON.stringify({ kind: 'pruned', time: '2026-01-15T12:00:00.000Z', chains: [{ chain, seq }] });

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

  describe('of a later version', () => {
    it('finds nothing wrong with what it does not know, and names the chain', async () => {
      const { store, chain } = await filled();
      const decided = JSON.parse((await store.records({ chain, seq: 0 }, 1))[0]?.content ?? '');
      await forge(store, chain, JSON.stringify({ ...decided, v: 2, decision: { verdict: 'allow' } }));
      await forge(store, chain, JSON.stringify({ v: 2, kind: 'pruned', time: [2026], chains: 'all', keys: 'none' }));
      expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({
        problems: [],
        decisions: 12,
        later: [chain],
        chains: [{ seq: 15, until: '2026-01-15T12:00:00.000Z' }],
      });
    });

    it('does not compare what its decisions are found by', async () => {
      const { store, chain } = await filled();
      const summary = JSON.stringify({ verdict: 'allow' });
      store.file.run('UPDATE decisions SET summary = ? WHERE seq = 5', [summary]);
      expect(await problemsOf(store)).toEqual([['index_mismatch', 5]]);
      store.file.close();
      rewriteRecords(store.path, (content, seq) => (seq < 5 ? content : content.replace('"v":1', '"v":2')));
      store.file.open();
      const { problems, later } = await verifyLog(store, NO_EVIDENCE);
      expect(problems.map(({ code }) => code)).not.toContain('index_mismatch');
      expect(later).toEqual([chain]);
    });

    it('AUD-01 verifies its hashes all the same', async () => {
      const { store } = await filled();
      tamper(store, `UPDATE records SET content = replace(content, '"v":1', '"v":2') WHERE seq = 5`);
      expect(await problemsOf(store)).toEqual([['content_changed', 5]]);
      expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ later: [] });
    });

    it('AUD-03 counts what it says in the form of today', async () => {
      const { store, chain } = await filled();
      dropFifth(store);
      expect(await problemsOf(store)).toEqual([['content_missing', 5]]);
      await forge(store, chain, JSON.stringify({ ...JSON.parse(droppedThrough(chain, 5)), v: 2, more: [] }));
      // A signed head has to vouch for it, whatever its version.
      expect(await problemsOf(store)).toEqual([['content_missing', 5]]);
      tamper(store, 'DELETE FROM heads');
      expect(await problemsOf(store)).toEqual([]);
    });
  });

  it('AUD-01 names the first record of a chain whose content is gone, whatever a record says of it', async () => {
    const { store, chain } = await filled();
    const dropped = { kind: 'pruned', time: '2026-01-15T12:00:00.000Z', chains: [{ chain, seq: 0 }] };
    await forge(store, chain, JSON.stringify(dropped));
    expect(await problemsOf(store)).toEqual([]);
    tamper(store, 'UPDATE records SET salt = NULL, content = NULL WHERE seq = 0');
    expect(await problemsOf(store, { keptHeads: [], keys: [SIGNER.jwk] })).toEqual([['content_missing', 0]]);
    // In a chain that nothing signs, what the record says counts.
    tamper(store, 'DELETE FROM heads');
    expect(await problemsOf(store)).toEqual([['content_missing', 0]]);
  });

  describe('content that is gone', () => {
    it('AUD-01 is missing where the record that says so is behind the last signed head', async () => {
      const { store, chain } = await filled();
      dropFifth(store);
      await forge(store, chain, droppedThrough(chain, 5));
      expect(await problemsOf(store)).toEqual([['content_missing', 5]]);
    });

    it('AUD-01 is missing where only an unsigned chain says that it was dropped', async () => {
      const { store, chain } = await filled();
      dropFifth(store);
      const { log, chain: other } = await openLog(store, { signer: signerOf() });
      await log.close();
      await forge(store, other, droppedThrough(chain, 5));
      expect((await problemsOf(store)).filter(([code]) => code === 'content_missing')).toEqual([
        ['content_missing', 5],
      ]);
    });

    it('AUD-01 is missing where an unsigned chain names the end behind the last signed head', async () => {
      const { store, chain } = await filled();
      dropFifth(store);
      await forge(store, chain, droppedThrough(chain, 5));
      const { log } = await openLog(store, { signer: signerOf() });
      await log.close();
      expect(await problemsOf(store)).toEqual([['content_missing', 5]]);
    });

    it('AUD-01 is missing where of its chain the first record alone is signed', async () => {
      const store = openStore();
      const { log, chain } = await openLog(store);
      for (let count = 0; count < 6; count++) await log.record(judged());
      dropFifth(store);
      await forge(store, chain, droppedThrough(chain, 5));
      expect((await verifyLog(store, NO_EVIDENCE)).chains).toMatchObject([{ lastHead: 0 }]);
      expect(await problemsOf(store)).toEqual([['content_missing', 5]]);
    });

    it('is not missing where the record that says so is the last that is signed', async () => {
      const { store, chain } = await filled();
      dropFifth(store);
      const seq = await forge(store, chain, droppedThrough(chain, 5));
      const end = await store.last(chain);
      const payload = Buffer.from(JSON.stringify({ ...end, time: '2026-01-15T12:00:00Z' }));
      await store.putHead({ chain, seq, jws: await SIGNER.sign({ typ: 'veritee-head+jwt' }, payload) });
      expect(await problemsOf(store)).toEqual([]);
    });

    it('is not missing where nothing of its chain is signed: whoever reads the report is told', async () => {
      const store = openStore();
      const { log, chain } = await openLog(store, { signer: signerOf() });
      for (let count = 0; count < 6; count++) await log.record(judged());
      await log.close();
      dropFifth(store);
      await forge(store, chain, droppedThrough(chain, 5));
      expect(await problemsOf(store)).toEqual([]);
    });
  });

  describe('content that was dropped, by the dates around it', () => {
    const day = (date: number) => new Date(Date.UTC(2026, 0, 1, 12) + (date - 1) * 86_400_000);
    const SIGNED = { keptHeads: [], keys: [SIGNER.jwk] };

    /** A log that began on the first, with a decision of each of these days, at the places from 1 on. */
    async function dated(...days: readonly number[]) {
      const store = openStore();
      const clock = new SetClock();
      clock.at = day(1);
      const opened = await openLog(store, { clock });
      for (const each of days) await opened.log.record(judged({ decidedAt: day(each) }));
      return { store, ...opened, clock };
    }

    it('DLG-01 names a record that was dropped as old among younger ones', async () => {
      const { store, log } = await dated(10, 11, 2, 12, 13);
      expect(await log.prune(day(5))).toBe(1);
      await log.close();
      expect(await verifyLog(store, SIGNED)).toMatchObject({
        problems: [
          {
            code: 'prune_contradicted',
            seq: 3,
            detail:
              'its content was dropped as older than 2026-01-05T12:00:00.000Z, and the record before it is dated 2026-01-11T12:00:00.000Z',
          },
        ],
      });
    });

    it.each([
      ['says nothing of records behind older ones', [2, 3, 12], 2, []],
      ['names a record with none behind it', [10, 2], 1, [['prune_contradicted', 2]]],
      ['says nothing of an order that is an hour off', [2, 5, 5 - 0.5 / 24], 2, []],
      ['names a record that is more than an hour off', [2, 5.1, 4.9, 6], 2, [['prune_contradicted', 3]]],
    ] as const)('DLG-01 %s', async (_, days, count, found) => {
      const { store, log, clock } = await dated(...days);
      clock.at = day(20);
      expect(await log.prune(day(5))).toBe(count);
      await log.close();
      expect(await problemsOf(store, SIGNED)).toEqual(found);
    });

    it('DLG-01 says nothing where the record behind is old, too', async () => {
      const { store, log, chain } = await dated(10, 2, 3);
      await log.close();
      tamper(
        store,
        'DELETE FROM decision_policies WHERE decision_id IN (SELECT decision_id FROM decisions WHERE seq = 2)',
      );
      tamper(store, 'DELETE FROM decisions WHERE seq = 2');
      tamper(store, 'UPDATE records SET salt = NULL, content = NULL WHERE seq = 2');
      tamper(store, 'DELETE FROM heads');
      await forge(store, chain, droppedRuns(day(5).toISOString(), { chain, from: 2, seq: 2 }));
      expect(await problemsOf(store)).toEqual([]);
    });

    it('DLG-01 says nothing of days that were dropped one after the other', async () => {
      const { store, log, clock } = await dated(2, 3, 4, 5, 6, 7);
      await log.noteChange('policies', {});
      for (const each of [4, 6, 7]) {
        clock.at = day(each + 5);
        expect(await log.prune(day(each))).not.toBe(0);
      }
      await log.close();
      expect(await verifyLog(store, SIGNED)).toMatchObject({ problems: [], chains: [{ pruned: 5 }] });
    });

    it('DLG-01 names a record without content beside those that were named', async () => {
      const { store, log } = await dated(2, 3, 4, 9);
      expect(await log.prune(day(4))).toBe(2);
      await log.close();
      tamper(
        store,
        'DELETE FROM decision_policies WHERE decision_id IN (SELECT decision_id FROM decisions WHERE seq = 3)',
      );
      tamper(store, 'DELETE FROM decisions WHERE seq = 3');
      tamper(store, 'UPDATE records SET salt = NULL, content = NULL WHERE seq = 3');
      expect(await problemsOf(store, SIGNED)).toEqual([['content_missing', 3]]);
    });

    it.each([
      [
        'a decision',
        async ({ log, clock }: Awaited<ReturnType<typeof dated>>) => {
          clock.at = day(12);
          await log.record(judged({ decidedAt: day(12) }));
        },
      ],
      [
        'the next start',
        async ({ store, log, clock }: Awaited<ReturnType<typeof dated>>) => {
          clock.at = day(12);
          await log.close();
          await openLog(store, { clock });
        },
      ],
    ])(
      'DLG-01 names a record of content that was dropped by a clock that %s shows to have been ahead',
      async (_, go) => {
        const opened = await dated(2, 10);
        opened.clock.at = new Date('2027-01-12T12:00:00Z');
        expect(await opened.log.prune(day(4))).toBe(1);
        await go(opened);
        expect(await verifyLog(opened.store, NO_EVIDENCE)).toMatchObject({
          problems: [
            {
              code: 'prune_contradicted',
              chain: opened.chain,
              seq: 3,
              detail:
                'it says that content was dropped at 2027-01-12T12:00:00.000Z, and a later record is dated 2026-01-12T12:00:00.000Z',
            },
          ],
        });
      },
    );

    it('DLG-01 says nothing of a start that names an earlier end of the chain, nor of a clock that is an hour off', async () => {
      const { store, log, clock } = await dated(2, 10);
      clock.at = day(12);
      const other = await openLog(store, { clock });
      clock.at = day(13);
      expect(await log.prune(day(4))).toBe(1);
      clock.at = new Date(day(13).getTime() - 3_600_000);
      await log.record(judged({ decidedAt: clock.at }));
      for (const each of [log, other.log]) await each.close();
      expect(await problemsOf(store, SIGNED)).toEqual([]);
    });

    it.each([
      ['no list of records', [{ chain: CHAIN, seq: 3, from: -1 }]],
      ['a place that is none', [{ chain: CHAIN, seq: 3, from: '2' }]],
    ])('AUD-01 refuses a record that names %s', async (_, chains) => {
      const { store, chain } = await filled();
      const seq = await forge(store, chain, droppedRuns('2026-01-05T12:00:00.000Z', ...chains));
      expect(await problemsOf(store)).toEqual([['content_changed', seq]]);
    });
  });

  it('AUD-01 names a record whose salt has another length, though salt and content have the digest together', async () => {
    const { store, chain } = await filled();
    const [record] = await store.records({ chain, seq: 4 }, 1);
    const decisionId = (await store.entries(chain, 5, 5))[0]?.decisionId;
    const change = 'UPDATE records SET salt = ?, content_sha256 = ?, hash = ? WHERE seq = 5';
    const salt = Buffer.alloc(34);
    const contentSha256 = contentDigest(salt, record?.content ?? '');
    const hash = recordHash({ chain, seq: 5 }, { previous: record?.previous ?? '', contentSha256 });
    store.file.run(change, [salt, contentSha256, hash]);
    const { problems } = await verifyLog(store, NO_EVIDENCE);
    expect(problems).toContainEqual({
      code: 'content_changed',
      chain,
      seq: 5,
      decisionId,
      detail: 'its salt has 34 bytes, and a salt has 32',
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

  it('AUD-01 finds a first record that follows another one: those before it are gone', async () => {
    const { store } = await filled();
    const content = JSON.stringify({ v: 1, kind: 'stopped', time: '2026-01-15T12:00:00.000Z' });
    const [position, salt] = [{ chain: CHAIN, seq: 0 }, new Uint8Array(32)];
    const first = async (chain: string, previous: string) => {
      const linked = { previous, contentSha256: contentDigest(salt, content) };
      const hash = recordHash({ ...position, chain }, linked);
      const others = { entry: null, withdraws: null, release: null, objects: [] };
      await store.append([{ ...position, chain, ...linked, hash, salt, content, ...others }]);
    };
    await first(CHAIN, NO_RECORD);
    expect(await problemsOf(store)).toEqual([]);
    await first(CHAIN.replaceAll('1', '2'), 'ab'.repeat(32));
    expect(await problemsOf(store)).toEqual([['record_order', 0]]);
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
    await store.stage([{ ...(record as LogRecord), seq: 6, entry: null, withdraws: null, release: null, restsOn: [] }]);
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

  it.each([
    ['a decision without its request', { kind: 'decision', tenant: 'default', decision: {} }],
    [
      'a decision of no outcome',
      { kind: 'decision', tenant: 'a', request: {}, decision: { decisionId: 'x', policies: [] } },
    ],
    ['a start that names no chains', { kind: 'started' }],
    ['a start that names what is no chain', { kind: 'started', chains: [null] }],
    [
      'a start that names the place of a record without its hash',
      { kind: 'started', chains: [{ chain: CHAIN, seq: 0 }] },
    ],
    ['dropped content of what is no chain', { kind: 'pruned', chains: [{ chain: {}, seq: 0 }] }],
    ['dropped content before the first record', { kind: 'pruned', chains: [{ chain: CHAIN, seq: -1 }] }],
    ['the withdrawal of nothing', { kind: 'withdrawn' }],
    ['keys that are none', { kind: 'keys', keys: [null] }],
    ['nothing of what it is', {}],
    ['no time', { time: null }],
  ])('AUD-01 names a record that was made by somebody else, with %s', async (_, members) => {
    const { store, chain } = await filled();
    const seq = await forge(store, chain, JSON.stringify({ time: '2026-01-15T12:00:00Z', ...members }));
    expect(await problemsOf(store)).toEqual([['content_changed', seq]]);
  });

  it('AUD-01 names a record with a number that canonical JSON does not have, and its decision', async () => {
    const { store, chain } = await filled();
    const decision = '"decision":{"decisionId":"x","decision":"allow","policies":[],"evidence":1e999}';
    const seq = await forge(store, chain, `{"kind":"decision","time":"","tenant":"a","request":{},${decision}}`);
    const { problems } = await verifyLog(store, NO_EVIDENCE);
    expect(problems).toMatchObject([{ code: 'content_changed', seq, decisionId: 'x' }]);
  });

  it.each([
    ['before the first', 'UPDATE records SET seq = -1 WHERE seq = 0', -1],
    ['of a chain that has no name', "UPDATE records SET chain = 'x' WHERE seq = 0", 0],
    ['of a chain with a longer name', 'UPDATE records SET chain = chain || hex(zeroblob(99)) WHERE seq = 0', 0],
  ])('AUD-01 names a record %s', async (_, sql, seq) => {
    const { store } = await filled();
    tamper(store, sql);
    expect(await problemsOf(store)).toContainEqual(['record_changed', seq]);
  });

  it('knows records of kinds that come later', async () => {
    const { store, chain } = await filled();
    await forge(store, chain, JSON.stringify({ kind: 'later', time: '2026-01-15T12:00:00Z', chains: 1 }));
    expect(await problemsOf(store)).toEqual([]);
  });

  it('AUD-02 finds a cut end by the heads that were left', async () => {
    const { store } = await filled();
    tamper(store, 'DELETE FROM decisions WHERE seq > 8');
    tamper(store, 'DELETE FROM decision_policies WHERE decision_id NOT IN (SELECT decision_id FROM decisions)');
    tamper(store, 'DELETE FROM records WHERE seq > 8');
    expect(await problemsOf(store)).toEqual([['chain_missing', 13]]);
    tamper(store, 'DELETE FROM decisions');
    tamper(store, 'DELETE FROM decision_policies');
    tamper(store, 'DELETE FROM records');
    expect(await problemsOf(store)).toEqual([['index_mismatch', null]]);
  });

  it.each([
    ['stands at another place', 'UPDATE heads SET seq = 12 WHERE seq = 13', 12],
    ['is of another record', `UPDATE records SET hash = '${'a'.repeat(64)}' WHERE seq = 13`, 13],
  ])('counts nothing as signed by a head that %s', async (_, sql, seq) => {
    const { store } = await filled();
    tamper(store, sql);
    const { problems, chains } = await verifyLog(store, NO_EVIDENCE);
    expect(problems.map(({ code, seq }) => [code, seq])).toContainEqual(['head_mismatch', seq]);
    expect(chains).toMatchObject([{ lastHead: 0 }]);
  });

  it('says up to where heads were kept', async () => {
    const { store, chain } = await filled();
    expect((await verifyLog(store, NO_EVIDENCE)).chains).toMatchObject([{ keptHead: null }]);
    const [first, last] = await store.heads(chain, 0, 100);
    const keptHeads = [last?.jws ?? '', first?.jws ?? ''];
    expect((await verifyLog(store, { keptHeads, keys: null })).chains).toMatchObject([{ keptHead: 13 }]);
  });

  it('AUD-02 finds a log that was written anew under a key that takes the name of another', async () => {
    const forger = new LocalSigningKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...createPublicKey(privateKey).export({ format: 'jwk' }), alg: 'ES256', kid: forger.kid };
    const sign = (header: object, payload: Uint8Array) =>
      new CompactSign(payload).setProtectedHeader({ alg: 'ES256', kid: forger.kid, ...header }).sign(privateKey);
    const store = openStore();
    await openLog(store, { signer: { sign, keys: () => [jwk as JsonObject] } });
    const { problems, ownWord } = await verifyLog(store, NO_EVIDENCE);
    expect(problems).toMatchObject([
      { code: 'head_unverified', detail: expect.stringMatching(/its key "\S+" is not known$/) },
    ]);
    expect(ownWord).toEqual([]);
  });

  it('finds a record that is another one than a head says', async () => {
    const { store, chain } = await filled();
    const payload = Buffer.from(JSON.stringify({ chain, seq: 3, hash: NO_RECORD, time: '2026-01-15T12:00:00Z' }));
    const forged = await SIGNER.sign({ typ: 'veritee-head+jwt' }, payload);
    expect(await problemsOf(store, { keptHeads: [forged], keys: null })).toEqual([['head_mismatch', 3]]);
    await store.putHead({ chain, seq: 3, jws: forged });
    expect(await problemsOf(store)).toEqual([['head_mismatch', 3]]);
  });

  it('AUD-02 refuses a head of another chain that stands behind the end of a chain', async () => {
    const { store, chain } = await filled();
    const { log, chain: short } = await openLog(store);
    await log.close();
    const [{ jws = '' } = {}] = await store.heads(chain, 13, 13);
    await store.putHead({ chain: short, seq: 13, jws });
    expect((await verifyLog(store, NO_EVIDENCE)).problems).toMatchObject([
      { code: 'head_mismatch', chain: short, seq: 13 },
    ]);
  });

  it('does not take the word of the log for its keys where some were given', async () => {
    const { store } = await filled();
    expect(await problemsOf(store, { keptHeads: [], keys: [SIGNER.jwk] })).toEqual([]);
    const other = new LocalSigningKey(generateKeyPairSync('ed25519').privateKey);
    const report = await verifyLog(store, { keptHeads: [], keys: [other.jwk] });
    expect(report.problems.map(({ code, seq }) => [code, seq])).toEqual([['chain_unsigned', 0]]);
    expect(report.ownWord).toEqual([]);
  });

  describe('where keys were given', () => {
    const KEYS: LogEvidence = { keptHeads: [], keys: [SIGNER.jwk] };

    it('AUD-02 finds a chain of which the heads were taken out', async () => {
      const { store, chain } = await filled();
      store.file.run('DELETE FROM heads WHERE chain = ?', [chain]);
      expect(await problemsOf(store)).toEqual([]);
      expect(await problemsOf(store, KEYS)).toEqual([['chain_unsigned', 0]]);
      expect(await problemsOf(store, { ...KEYS, keptHeads: ['x.y.z'] })).toEqual([
        ['head_unverified', null],
        ['chain_unsigned', 0],
      ]);
    });

    it('AUD-01 finds a chain that was added without any of them', async () => {
      const { store } = await filled();
      const { log } = await openLog(store, { signer: signerOf() });
      await log.record(judged());
      await log.close();
      expect(await problemsOf(store, KEYS)).toEqual([['chain_unsigned', 0]]);
    });

    it('takes a chain that is not signed, whose end a signed chain names, and not what came after', async () => {
      const store = openStore();
      const { log, chain } = await openLog(store, { signer: signerOf() });
      await log.record(judged());
      await log.close();
      await filled(store);
      const { problems, chains } = await verifyLog(store, KEYS);
      expect(problems).toEqual([]);
      expect(chains.find((each) => each.chain === chain)).toMatchObject({ lastHead: null, vouchedFor: 2 });
      await forge(store, chain, JSON.stringify({ kind: 'keys', time: '2026-01-15T12:00:00Z', keys: [] }));
      expect((await verifyLog(store, KEYS)).chains.find((each) => each.chain === chain)).toMatchObject({
        seq: 3,
        vouchedFor: 2,
      });
    });

    it('AUD-01 finds content that a record dropped behind the last signed head, also where a later start names it', async () => {
      const { store, chain } = await filled();
      dropFifth(store);
      await forge(store, chain, droppedThrough(chain, 5));
      await filled(store);
      expect(await problemsOf(store, KEYS)).toEqual([['content_missing', 5]]);
      expect(await problemsOf(store)).toEqual([['content_missing', 5]]);
    });

    it('AUD-01 finds content that a chain without heads dropped, also where a later start names it', async () => {
      const { store, chain } = await filled();
      dropFifth(store);
      const { log, chain: added } = await openLog(store, { signer: signerOf() });
      await log.close();
      await forge(store, added, droppedThrough(chain, 5));
      await filled(store);
      expect(await problemsOf(store, KEYS)).toEqual([['content_missing', 5]]);
    });

    it('says of which chains a later start alone vouches, as where heads were taken out before it', async () => {
      const { store, chain } = await filled();
      const namedOnly = async () =>
        whatIsNotKnown(await verifyLog(store, KEYS)).filter(({ code }) => code === 'named_only');
      await filled(store);
      expect(await namedOnly()).toEqual([]);
      store.file.run('DELETE FROM heads WHERE chain = ?', [chain]);
      expect(await problemsOf(store, KEYS)).toEqual([]);
      expect(await namedOnly()).toMatchObject([{ about: [chain] }]);
    });

    it('says that a later start alone vouches for a record that was added behind the last head of a chain', async () => {
      const { store, chain } = await filled();
      const keptHeads = (await store.heads(chain, 0, 13)).map(({ jws }) => jws);
      await forge(store, chain, JSON.stringify({ kind: 'keys', time: '2026-01-15T12:00:00Z', keys: [] }));
      await filled(store);
      const report = await verifyLog(store, { ...KEYS, keptHeads });
      expect(report.problems).toEqual([]);
      expect(report.chains).toContainEqual(expect.objectContaining({ chain, seq: 14, lastHead: 13, vouchedFor: 14 }));
      const [named] = whatIsNotKnown(report).filter(({ code }) => code === 'named_only');
      expect(named?.about).toEqual([chain]);
      expect(named?.detail).toMatch(/^no signed head covers the last records of these chains; .* changed or added/);
    });

    it('takes no chain that is named behind the last signed head alone', async () => {
      const { store } = await filled();
      const [signed = ''] = (await store.chains()).map(({ chain }) => chain);
      const { log, chain } = await openLog(store, { signer: signerOf() });
      await log.close();
      const end = await store.last(chain);
      await forge(store, signed, JSON.stringify({ kind: 'started', time: '2026-01-15T12:00:00Z', chains: [end] }));
      expect(await problemsOf(store, KEYS)).toEqual([['chain_unsigned', 0]]);
    });

    it('takes a chain whose key was retired, which a chain under one of them names', async () => {
      const store = openStore();
      const retired = new LocalSigningKey(generateKeyPairSync('ed25519').privateKey);
      const { log } = await openLog(store, { signer: signerOf(retired) });
      await log.close();
      expect(await problemsOf(store, KEYS)).toEqual([['chain_unsigned', 0]]);
      await filled(store);
      expect(await problemsOf(store, KEYS)).toEqual([]);
    });

    it('AUD-01 finds content of an unsigned chain that only an unsigned record says was dropped', async () => {
      const store = openStore();
      const { log, chain } = await openLog(store, { signer: signerOf() });
      for (let count = 0; count < 6; count++) await log.record(judged());
      await log.close();
      dropFifth(store);
      await forge(store, chain, droppedThrough(chain, 5));
      expect(await problemsOf(store, KEYS)).toEqual([
        ['content_missing', 5],
        ['chain_unsigned', 0],
      ]);
    });
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

  it('AUD-02 refuses a head of an algorithm that no key of receipts has, whatever the log names', async () => {
    const { store, chain } = await filled();
    const secret = new Uint8Array(64).fill(7);
    const symmetric: JsonObject = { kty: 'oct', k: Buffer.from(secret).toString('base64url') };
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const publicJwk = (key: KeyObject) => key.export({ format: 'jwk' }) as JsonObject;
    const [end] = await store.chains();
    const payload = Buffer.from(JSON.stringify({ ...end, time: '2026-01-15T12:00:00Z' }));
    const signers = [
      ['HS256', symmetric, secret],
      ['ES384', publicJwk(p384.publicKey), p384.privateKey],
      ['PS256', publicJwk(rsa.publicKey), rsa.privateKey],
    ] as const;
    const keptHeads: string[] = [];
    for (const [alg, jwk, key] of signers) {
      const header = { alg, kid: await calculateJwkThumbprint(jwk), typ: 'veritee-head+jwt' };
      keptHeads.push(await new CompactSign(payload).setProtectedHeader(header).sign(key));
    }
    const time = '2026-01-15T12:00:00.000Z';
    await forge(store, chain, JSON.stringify({ kind: 'keys', time, keys: signers.map(([, jwk]) => jwk) }));
    const { problems } = await verifyLog(store, { keptHeads, keys: null });
    const detail = 'a head that was kept does not verify: its signature does not verify';
    expect(problems).toMatchObject(signers.map(() => ({ code: 'head_unverified', detail })));
  });

  it('keeps the first of keys with one thumbprint, whatever later ones say beside it', async () => {
    const { store } = await filled();
    expect(await problemsOf(store, { keptHeads: [], keys: [SIGNER.jwk, { ...SIGNER.jwk, alg: 'ES384' }] })).toEqual([]);
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
    ['no list of policies', "UPDATE decisions SET policies = 'x' WHERE seq = 4", 4],
    [
      'two entries',
      "INSERT INTO decisions SELECT 'x', chain, seq, tenant, outcome, '[]', summary, 0 FROM decisions WHERE seq = 4",
      4,
    ],
    ['shown as withdrawn', 'UPDATE decisions SET withdrawn = 1 WHERE seq = 4', 4],
    ['an entry of no decision', "INSERT INTO decision_policies VALUES ('default', 'other', 'allow', 'x')", null],
    ['there though its content is gone', 'UPDATE records SET salt = NULL, content = NULL WHERE seq = 4', null],
    ['beside a head of no chain', "INSERT INTO heads VALUES ('x', 0, 'y')", null],
  ])('finds what a decision is found by to be %s', async (_, sql, seq) => {
    const { store } = await filled();
    tamper(store, sql);
    expect(await problemsOf(store)).toContainEqual(['index_mismatch', seq]);
  });

  it.each([
    [
      'policy',
      "policies = replace(policies, 'baseline', 'payroll')",
      "policy = replace(policy, 'baseline', 'payroll')",
    ],
    ['id', "decision_id = 'x'", "decision_id = 'x'"],
    ['tenant', "tenant = 'other'", "tenant = 'other'"],
    ['outcome', "outcome = 'deny'", "outcome = 'deny'"],
  ])('AUD-01 finds a decision that is found by another %s throughout', async (_, set, setOfPolicies) => {
    const { store, chain } = await filled();
    const [entry] = await store.entries(chain, 4, 4);
    const id = entry?.decisionId ?? '';
    store.file.run(`UPDATE decisions SET ${set} WHERE decision_id = ?`, [id]);
    store.file.run(`UPDATE decision_policies SET ${setOfPolicies} WHERE decision_id = ?`, [id]);
    expect(await problemsOf(store)).toEqual([['index_mismatch', 4]]);
  });

  it('AUD-01 finds a decision that is shown as withdrawn, as another chain says', async () => {
    const { store, chain } = await filled();
    const [{ decisionId } = { decisionId: '' }] = await store.entries(chain, 4, 4);
    const { log, chain: other } = await openLog(store);
    await log.close();
    const time = '2026-01-15T12:00:00.000Z';
    const seq = await forge(store, other, JSON.stringify({ kind: 'withdrawn', time, decisionId }));
    store.file.run('UPDATE decisions SET withdrawn = 1 WHERE decision_id = ?', [decisionId]);
    expect((await verifyLog(store, NO_EVIDENCE)).problems).toMatchObject([
      { code: 'index_mismatch', chain: other, seq, decisionId },
      { code: 'index_mismatch', chain, seq: 4, decisionId },
    ]);
  });

  it('AUD-01 finds a record that withdraws the decision of another chain', async () => {
    const { store } = await filled();
    const [decision] = await store.list(EVERY);
    const { log, chain } = await openLog(store);
    await log.close();
    const time = '2026-01-15T12:00:00.000Z';
    const seq = await forge(
      store,
      chain,
      JSON.stringify({ kind: 'withdrawn', time, decisionId: decision?.decisionId }),
    );
    const { problems } = await verifyLog(store, NO_EVIDENCE);
    expect(problems).toMatchObject([{ code: 'index_mismatch', chain, seq, decisionId: decision?.decisionId }]);
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
