import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { contentDigest, recordHash } from '../../../src/log/chain.js';
import { RELEASE_INPUTS_VERSION } from '../../../src/log/kept-names.js';
import { readContent } from '../../../src/log/record-content.js';
import { type ReadableLog, verifyLog } from '../../../src/log/verify-log.js';
import { CRL, keepingLog, keptInputs, objectsOfDecisions, ROOT } from './kept-evidence.js';
import { type LocalStore, localStores } from './local-store.js';
import { dropping, judged, makePruningDue, openLog } from './recorded.js';

const openStore = localStores();

const NO_EVIDENCE = { keptHeads: [], keys: null } as const;

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const problemsIn = async (log: ReadableLog) => (await verifyLog(log, NO_EVIDENCE)).problems;

const codesIn = async (log: ReadableLog) =>
  (await problemsIn(log)).map(({ code, seq, decisionId }) => [code, seq, decisionId]);

/** What belongs to nothing. */
const STRAY = ['index_mismatch', null, null];

type Kept = Awaited<ReturnType<typeof keepingLog>>;

/** What the second of three decisions rests on, and how many of them do. */
const OBJECTS: readonly (readonly [string, (kept: Kept) => string, 'all' | 'one'])[] = [
  ['a CRL', () => sha256(CRL), 'all'],
  ['a root of the configuration', () => sha256(ROOT), 'all'],
  ['the configuration', ({ inputs }) => inputs[1]?.configuration ?? '', 'all'],
  ['the request', ({ ids }) => sha256(`{"request":"${ids[1]}"}`), 'one'],
  ['the inputs', ({ inputs }) => inputs[1]?.sha256 ?? '', 'one'],
];

const link = (store: LocalStore, decisionId = '', digest = '') =>
  store.file.run('INSERT INTO decision_objects (decision_id, sha256) VALUES (?, ?)', [decisionId, digest]);

describe('verifying what is kept', () => {
  it('finds nothing where nobody touched it, and counts it', async () => {
    const { store } = await keepingLog(openStore());
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({
      problems: [],
      decisions: 3,
      objects: objectsOfDecisions(3),
    });
  });

  it.each(OBJECTS)('AUD-01 finds that %s is missing, once, and names who rests on it first', async (_, of, who) => {
    const kept = await keepingLog(openStore());
    const { store, chain, ids } = kept;
    store.file.run('DELETE FROM objects WHERE sha256 = ?', [of(kept)]);
    const first = who === 'all' ? 0 : 1;
    const detail = `the kept object ${of(kept)}, which it rests on, is not there`;
    expect(await problemsIn(store)).toEqual([
      { code: 'object_missing', chain, seq: first + 1, decisionId: ids[first], detail },
    ]);
  });

  it.each(OBJECTS)('AUD-01 finds that %s is missing where its links are, too', async (_, of, who) => {
    const kept = await keepingLog(openStore());
    kept.store.file.run('DELETE FROM decision_objects WHERE sha256 = ?', [of(kept)]);
    kept.store.file.run('DELETE FROM objects WHERE sha256 = ?', [of(kept)]);
    const first = who === 'all' ? 0 : 1;
    expect(await codesIn(kept.store)).toEqual([['object_missing', first + 1, kept.ids[first]]]);
  });

  it.each(OBJECTS)('AUD-01 finds that %s was changed, once', async (_, of) => {
    const kept = await keepingLog(openStore());
    kept.store.file.run("UPDATE objects SET bytes = CAST('{}' AS BLOB) WHERE sha256 = ?", [of(kept)]);
    const detail = `the kept object ${of(kept)} has other bytes than those of its digest`;
    expect(await problemsIn(kept.store)).toEqual([
      { code: 'object_changed', chain: null, seq: null, decisionId: null, detail },
    ]);
  });

  it.each(OBJECTS)('AUD-01 finds that a decision is not linked to %s, though it rests on it', async (_, of, who) => {
    const kept = await keepingLog(openStore());
    const { store, ids } = kept;
    store.file.run('DELETE FROM decision_objects WHERE decision_id = ? AND sha256 = ?', [ids[1] ?? '', of(kept)]);
    expect(await codesIn(store)).toEqual([['index_mismatch', 2, ids[1]], ...(who === 'one' ? [STRAY] : [])]);
  });

  it('AUD-01 finds that a decision is linked to what it does not rest on', async () => {
    const { store, ids } = await keepingLog(openStore());
    link(store, ids[0], sha256(`{"request":"${ids[1]}"}`));
    expect(await problemsIn(store)).toMatchObject([
      {
        code: 'index_mismatch',
        seq: 1,
        decisionId: ids[0],
        detail: 'the kept objects that it is linked to are not those that it rests on',
      },
    ]);
  });

  it('AUD-01 finds that a decision is linked to something whose record names nothing', async () => {
    const { store, log, ids } = await keepingLog(openStore());
    const bare = judged();
    await log.record(bare);
    link(store, bare.decision.decisionId, sha256(CRL));
    expect(await codesIn(store)).toEqual([['index_mismatch', 4, bare.decision.decisionId]]);
    expect(ids).toHaveLength(3);
  });

  it('AUD-01 finds objects, and links, that belong to nothing', async () => {
    const { store } = await keepingLog(openStore());
    await store.putObject({ sha256: sha256('x'), bytes: Buffer.from('x') });
    link(store, 'nobody', sha256(CRL));
    expect(await problemsIn(store)).toMatchObject([
      {
        code: 'index_mismatch',
        seq: null,
        detail: '2 entries of the index, heads, links or kept objects belong to nothing in the log',
      },
    ]);
  });

  it('AUD-03 misses nothing of decisions whose content was dropped, and keeps what others rest on', async () => {
    const { store, log, clock } = await keepingLog(openStore());
    clock.at = new Date('2026-01-16T12:00:01Z');
    const decided = judged({ decidedAt: clock.at });
    await log.record({ ...decided, inputs: keptInputs('of the last') });
    await makePruningDue(store);
    log.watch();
    await vi.waitFor(
      async () => expect(await store.prunable(new Date('2026-01-15T12:00:01Z'), null, 1)).toEqual([]),
      10_000,
    );
    await log.close();
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({
      problems: [],
      decisions: 1,
      objects: objectsOfDecisions(1),
    });
  });

  it('passes over a decision whose content is dropped while it is read', async () => {
    const { store, chain, ids } = await keepingLog(openStore());
    const pruning: ReadableLog = {
      ...store,
      objectsOf: async (...asked) => {
        await store.prune(await dropping(store, chain, [1, 2]));
        return store.objectsOf(...asked);
      },
    };
    expect(await codesIn(pruning)).toEqual([]);
    expect(await store.find(ids[1] ?? '')).toBeNull();
  });

  it('reads what many decisions rest on once', async () => {
    const { store } = await keepingLog(openStore(), 600);
    const object = vi.spyOn(store, 'object');
    const objects = vi.spyOn(store, 'objects');
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], objects: objectsOfDecisions(600) });
    // The inputs of each, and the configuration.
    expect(object).toHaveBeenCalledTimes(601);
    expect(objects.mock.calls.map(([, limit]) => limit)).toEqual(Array.from({ length: 6 }, () => 256));
  });

  it('says how far it is, and may be ended there', async () => {
    const { store } = await keepingLog(openStore());
    const read: (readonly [number, number])[] = [];
    await verifyLog(store, { ...NO_EVIDENCE, onRead: (...counts) => read.push(counts) });
    expect(read).toEqual([
      [4, 0],
      [4, 9],
    ]);
    const ended = new Error('ended');
    const onRead = (_: number, objects: number) => {
      if (objects > 0) throw ended;
    };
    await expect(verifyLog(store, { ...NO_EVIDENCE, onRead })).rejects.toBe(ended);
  });
});

describe('what a decision rests on, made to break what reads it', () => {
  /** A record of a decision that is right by all its hashes, and names an object that may have any form. */
  async function forged(inputs: string, ...others: readonly string[]) {
    const store = openStore();
    const { chain, log } = await openLog(store);
    await log.record({ ...judged(), inputs: keptInputs('a request') });
    const [record, decided] = [await store.last(chain), (await store.records({ chain, seq: 0 }, 1))[0]];
    const content = JSON.stringify({ ...JSON.parse(decided?.content ?? ''), inputs: sha256(inputs) }).replaceAll(
      /[0-9a-f]{8}-[0-9a-f-]{27}/g,
      '019bc186-de00-77ff-b48c-aa1296a94251',
    );
    const salt = new Uint8Array(32);
    const position = { chain, seq: 2 };
    const linked = { previous: record?.hash ?? '', contentSha256: contentDigest(salt, content) };
    const hash = recordHash(position, linked);
    const entry = readContent(content)?.entry ?? null;
    const objects = [inputs, ...others].map((text) => ({ sha256: sha256(text), bytes: Buffer.from(text) }));
    await store.append([
      { ...position, ...linked, hash, salt, content, entry, withdraws: null, release: null, objects },
    ]);
    return store;
  }
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const whole = (configuration: string) => `{"inputs":{},"configuration":"${sha256(configuration)}"}`;

  it('has its form', async () => {
    expect(await codesIn(await forged(whole('{"roots":[]}'), '{"roots":[]}'))).toEqual([]);
  });

  it.each([
    ['is no JSON', 'x'],
    ['is a list', '[]'],
    ['has no inputs', `{"configuration":"${sha256('x')}"}`],
    ['names no configuration', '{"inputs":{},"configuration":1}'],
    ['names bytes by no digest', `{"inputs":{"$bytes":"x"},"configuration":"${sha256('x')}"}`],
    ['is nested deeply', `{"inputs":${deep},"configuration":"${sha256('x')}"}`],
  ])('is object_changed where it %s', async (_, inputs) => {
    const detail = `the kept object ${sha256(inputs)} does not have the form of what a decision rests on`;
    expect(await problemsIn(await forged(inputs))).toMatchObject([
      { code: 'object_changed', seq: 2, decisionId: '019bc186-de00-77ff-b48c-aa1296a94251', detail },
    ]);
  });

  it.each([
    ['is no JSON', 'x'],
    ['names bytes by no digest', '{"roots":[{"$bytes":"x"}]}'],
    ['is nested deeply', deep],
  ])('is object_changed where its configuration %s', async (_, configuration) => {
    const store = await forged(whole(configuration), configuration);
    expect((await codesIn(store)).map(([code, seq]) => [code, seq])).toEqual([['object_changed', 2]]);
  });

  it('is not known where a later version kept it, and its chain is named', async () => {
    const store = await forged(`{"v":${RELEASE_INPUTS_VERSION + 1},"all":[]}`);
    const [record] = await store.records(null, 1);
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], later: [record?.chain] });
    expect(await verifyLog(await forged(`{"v":1,${whole('{}').slice(1)}`, '{}'), NO_EVIDENCE)).toMatchObject({
      problems: [],
      later: [],
    });
  });

  it('is content_changed where its record names it by no digest', async () => {
    const store = await forged(whole('{}'), '{}');
    const [record] = await store.records(null, 1);
    expect(readContent(record?.content ?? '')?.inputs).toBeNull();
    const [, , decided] = await store.records(null, 3);
    const content = JSON.parse(decided?.content ?? '');
    expect(readContent(JSON.stringify(content))?.inputs).toBe(sha256(whole('{}')));
    expect(readContent(JSON.stringify({ ...content, inputs: 'x' }))).toBeNull();
  });
});
