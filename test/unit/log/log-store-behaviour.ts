import { randomUUID } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { newDecisionId } from '../../../src/app/decision-id.js';
import {
  type ChainEnd,
  type DecisionQuery,
  type KeptObject,
  type LogStore,
  type NewRecord,
  NO_RECORD,
  type ReleaseEntry,
  StoreUnavailableError,
} from '../../../src/core/decision-log.js';
import { contentDigest, recordHash } from '../../../src/log/chain.js';
import { verifyLog } from '../../../src/log/verify-log.js';
import { dropping, judged, openLog, policy, SetClock, SIGNER } from './recorded.js';
import { release, releasing } from './released.js';

/** What a record says beside its place. */
export type Said = Partial<Pick<NewRecord, 'withdraws' | 'release' | 'objects' | 'content'>> & {
  readonly entry?: Partial<NonNullable<NewRecord['entry']>>;
};

/** Records that follow one another in a chain. */
export function chained(chain: string, said: readonly Said[], end: ChainEnd | null = null): readonly NewRecord[] {
  let before = end;
  return said.map(({ entry, withdraws = null, release = null, objects = [], content = '{"kind":"note"}' }) => {
    const position = { chain, seq: before === null ? 0 : before.seq + 1 };
    const salt = new Uint8Array(32).fill(position.seq);
    const linked = { previous: before?.hash ?? NO_RECORD, contentSha256: contentDigest(salt, content) };
    before = { ...position, hash: recordHash(position, linked) };
    const whole = entry === undefined ? null : { ...entryAt(new Date()), ...entry };
    return { ...before, ...linked, salt, content, entry: whole, withdraws, release, objects };
  });
}

function entryAt(time: Date) {
  return {
    decisionId: newDecisionId(time),
    tenant: 'default',
    outcome: 'allow',
    policies: ['p'],
    summary: '{}',
  } as const;
}

export const ALL: DecisionQuery = {
  tenant: 'default',
  policy: null,
  decision: null,
  since: null,
  cursor: null,
  limit: 100,
};

const NO_EVIDENCE = { keptHeads: [], keys: null };

const minute = (count: number) => new Date(Date.UTC(2026, 0, 15, 12, count));

function kept(byte: number): KeptObject {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index ^ byte);
  return { sha256: byte.toString(16).padStart(64, '0'), bytes };
}

async function filled(store: LogStore) {
  const { log } = await openLog(store);
  const ids: string[] = [];
  for (let count = 0; count < 6; count++) {
    const decision = count % 3 === 0 ? 'deny' : 'allow';
    const policies = [policy('payments', decision), ...(count < 2 ? [policy('baseline', decision)] : [])];
    const each = judged({ decidedAt: minute(count), decision, policies });
    ids.push(each.decision.decisionId);
    await log.record(each);
  }
  const foreign = judged({ decidedAt: minute(3), policies: [policy('payments')] }, {}, 'default-2');
  await log.record(foreign);
  return { ids, foreign: foreign.decision.decisionId };
}

/** What every store of the decision log does. @param open opens an empty one */
export function behavesAsLogStore(open: () => Promise<LogStore>): void {
  it('lists decisions newest first, by outcome, policy, time and tenant', async () => {
    const store = await open();
    const { ids, foreign } = await filled(store);
    const list = async (query: Partial<DecisionQuery>) =>
      (await store.list({ ...ALL, ...query })).map(({ decisionId }) => ids.indexOf(decisionId));
    expect(await list({})).toEqual([5, 4, 3, 2, 1, 0]);
    expect(await list({ decision: 'deny' })).toEqual([3, 0]);
    expect(await list({ decision: 'indeterminate' })).toEqual([]);
    expect(await list({ policy: 'baseline' })).toEqual([1, 0]);
    expect(await list({ policy: 'base' })).toEqual([]);
    expect(await list({ policy: 'payments', decision: 'allow' })).toEqual([5, 4, 2, 1]);
    expect(await list({ since: minute(4) })).toEqual([5, 4]);
    expect(await list({ since: minute(2), policy: 'payments', decision: 'deny' })).toEqual([3]);
    expect(await list({ limit: 2 })).toEqual([5, 4]);
    expect(await list({ cursor: ids[4] ?? null, limit: 2 })).toEqual([3, 2]);
    expect(await list({ policy: 'payments', cursor: ids[2] ?? null })).toEqual([1, 0]);
    const others = await store.list({ ...ALL, tenant: 'default-2' });
    expect(others.map(({ decisionId }) => decisionId)).toEqual([foreign]);
    expect(await store.list({ ...ALL, tenant: 'defaul' })).toEqual([]);
    expect(await store.list({ ...ALL, tenant: null })).toHaveLength(7);
    expect(await store.list({ ...ALL, tenant: null, limit: 3 })).toHaveLength(3);
  });

  it('finds a decision by its id, with its record', async () => {
    const store = await open();
    const { ids, foreign } = await filled(store);
    const found = await store.find(ids[2] ?? '');
    expect(found).toMatchObject({ record: { seq: 3 }, tenant: 'default', withdrawn: false });
    const [record] = await store.records({ chain: found?.record.chain ?? '', seq: 2 }, 1);
    expect(found?.record).toEqual(record);
    expect(await store.find(foreign)).toMatchObject({ tenant: 'default-2' });
    expect(await store.find('019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11')).toBeNull();
  });

  it('has records as they were given, in the order of chain and place', async () => {
    const store = await open();
    const [first = '', second = ''] = [randomUUID(), randomUUID()].sort();
    const [one, other] = [chained(first, [{}, { content: '{"ä":"ﬁ\\u0000"}' }, {}]), chained(second, [{}, {}])];
    await store.append(other.slice(0, 1));
    await store.append(one);
    await store.append(other.slice(1));
    const stored = [...one, ...other].map(
      ({ entry: _, withdraws: __, release: ____, objects: ___, ...record }) => record,
    );
    expect(await store.records(null, 100)).toEqual(stored);
    expect(await store.records(null, 4)).toEqual(stored.slice(0, 4));
    expect(await store.records({ chain: first, seq: 1 }, 2)).toEqual(stored.slice(2, 4));
    expect(await store.records({ chain: first, seq: -1 }, 1)).toEqual(stored.slice(0, 1));
    expect(await store.records({ chain: second, seq: 1 }, 2)).toEqual([]);
  });

  it('knows the last record of each chain', async () => {
    const store = await open();
    expect(await store.chains()).toEqual([]);
    const chains = Array.from({ length: 12 }, () => randomUUID()).sort();
    const ends = [];
    for (const [count, chain] of chains.entries()) {
      const records = chained(chain, Array(count + 1).fill({}));
      await store.append(records);
      ends.push({ chain, seq: count, hash: records.at(-1)?.hash });
    }
    expect(await store.chains()).toEqual(ends);
    expect(await store.last(chains[4] ?? '')).toEqual(ends[4]);
    expect(await store.last(randomUUID())).toBeNull();
  });

  it('stores all of what it is given at once, or none of it', async () => {
    const store = await open();
    const chain = randomUUID();
    const [first, ...rest] = chained(chain, [{ entry: {} }, { entry: {} }, {}]);
    if (first === undefined) throw new Error('no record');
    await store.append([first]);
    const again = { ...rest[0], entry: first.entry } as NewRecord;
    await expect(store.append([again, ...rest.slice(1)])).rejects.toThrow(StoreUnavailableError);
    await vi.waitFor(async () => expect(await store.last(chain)).toMatchObject({ seq: 0 }), 10_000);
    expect(await store.records(null, 10)).toHaveLength(1);
    expect(await store.list(ALL)).toHaveLength(1);
    // One that failed may take nothing for a moment.
    await vi.waitFor(() => store.append(rest), 10_000);
    expect(await store.records(null, 10)).toHaveLength(3);
  });

  it('has signed heads of records, one each, also of records that are not there', async () => {
    const store = await open();
    const [chain, other] = [randomUUID(), randomUUID()];
    await store.append(chained(chain, [{}]));
    for (const seq of [0, 7, 100]) await store.putHead({ chain, seq, jws: `a.b.${seq}` });
    await store.putHead({ chain: other, seq: 7, jws: 'x' });
    await store.putHead({ chain, seq: 7, jws: 'c.d.7' });
    expect(await store.heads(chain, 0, 7)).toEqual([
      { chain, seq: 0, jws: 'a.b.0' },
      { chain, seq: 7, jws: 'c.d.7' },
    ]);
    expect(await store.heads(chain, 8, Number.MAX_SAFE_INTEGER)).toEqual([{ chain, seq: 100, jws: 'a.b.100' }]);
    expect(await store.strays()).toBe(1);
  });

  it('says what decisions are found by, and which are withdrawn', async () => {
    const store = await open();
    const chain = randomUUID();
    const [withdrawn, stays] = [
      { ...entryAt(minute(1)), policies: ['b', 'a'], summary: '{"x":"ä"}' },
      { ...entryAt(minute(2)), outcome: 'deny', policies: [] } as const,
    ];
    const withdraws = withdrawn.decisionId;
    await store.append(
      chained(chain, [{}, { entry: withdrawn }, { entry: stays }, { withdraws }, { withdraws: randomUUID() }]),
    );
    expect(await store.entries(chain, 0, 10)).toEqual([
      { ...withdrawn, seq: 1, withdrawn: true },
      { ...stays, seq: 2, withdrawn: false },
    ]);
    expect(await store.entries(chain, 2, 2)).toHaveLength(1);
    expect(await store.entries(randomUUID(), 0, 10)).toEqual([]);
    expect((await store.list(ALL)).map((each) => each.withdrawn)).toEqual([false, true]);
    expect(await store.find(withdraws)).toMatchObject({ withdrawn: true });
    expect(await store.strays()).toBe(0);
  });

  it('AUD-01 marks no decision of another chain as withdrawn', async () => {
    const store = await open();
    const entry = entryAt(minute(1));
    await store.append(chained(randomUUID(), [{ entry }]));
    await store.append(chained(randomUUID(), [{ withdraws: entry.decisionId }]));
    expect(await store.find(entry.decisionId)).toMatchObject({ withdrawn: false });
  });

  it('finds the records of a release with its decision, in their order, and none of another chain', async () => {
    const store = await open();
    const [chain, other] = [randomUUID(), randomUUID()];
    const [entry, unreleased] = [entryAt(minute(1)), entryAt(minute(2))];
    const of = (kind: ReleaseEntry['kind'], { decisionId } = entry) => ({ release: { decisionId, kind } });
    await store.append(
      chained(chain, [{ entry }, of('release-attempt'), { entry: unreleased }, of('release-result'), {}]),
    );
    await store.append(chained(other, [of('release-attempt')]));
    const records = await store.records({ chain, seq: -1 }, 5);
    expect(await store.find(entry.decisionId)).toMatchObject({
      record: records[0],
      releaseRecords: [records[1], records[3]],
    });
    expect(await store.find(unreleased.decisionId)).toMatchObject({ record: records[2], releaseRecords: [] });
    const { decisionId } = entry;
    expect(await store.releaseEntries(chain, 0, 9)).toEqual([
      { seq: 1, decisionId, kind: 'release-attempt' },
      { seq: 3, decisionId, kind: 'release-result' },
    ]);
    expect(await store.releaseEntries(chain, 2, 3)).toHaveLength(1);
    expect(await store.releaseEntries(other, 0, 0)).toEqual([{ seq: 0, decisionId, kind: 'release-attempt' }]);
    expect(await store.releaseEntries(randomUUID(), 0, 9)).toEqual([]);
    expect(await store.strays()).toBe(0);
  });

  it('AUD-03 drops a release with its decision, and neither where nothing says so of its last record', async () => {
    const store = await open();
    const chain = randomUUID();
    const [old, young] = [entryAt(minute(1)), entryAt(minute(20))];
    const of = ({ decisionId }: { readonly decisionId: string }, kind: ReleaseEntry['kind']) => ({
      release: { decisionId, kind },
    });
    await store.append(
      chained(chain, [
        { entry: old },
        of(old, 'release-attempt'),
        { entry: young },
        of(young, 'release-attempt'),
        of(old, 'release-result'),
        of(young, 'release-result'),
      ]),
    );
    expect(await store.prunable(minute(10), null, 10)).toEqual([old.decisionId]);
    expect(await store.prune(await dropping(store, chain, [0, 0], 3))).toBe(0);
    expect((await store.records(null, 100)).filter(({ content }) => content === null)).toEqual([]);
    expect(await store.prune(await dropping(store, chain, [0, 0], 4))).toBe(1);
    const records = await store.records(null, 100);
    const without = records.filter(({ salt, content }) => salt === null && content === null);
    expect(without.map(({ seq }) => seq)).toEqual([0, 1, 4]);
    expect(await store.find(old.decisionId)).toBeNull();
    expect((await store.find(young.decisionId))?.releaseRecords.map(({ seq }) => seq)).toEqual([3, 5]);
    expect((await store.releaseEntries(chain, 0, 9)).map(({ seq }) => seq)).toEqual([3, 5]);
    expect(await store.prunable(minute(10), null, 10)).toEqual([]);
    expect(await store.strays()).toBe(0);
  });

  it('keeps bytes once, until the last decision that names them is dropped', async () => {
    const store = await open();
    const chain = randomUUID();
    const [shared, own] = [kept(1), kept(2)];
    const [first, second] = [
      { entry: entryAt(minute(1)), objects: [shared, own] },
      { entry: entryAt(minute(2)), objects: [shared] },
    ];
    await store.append(chained(chain, [first, second]));
    const bytesOf = ({ sha256 }: KeptObject) => store.object(sha256);
    expect(await bytesOf(shared)).toEqual(shared.bytes);
    expect(await bytesOf(own)).toEqual(own.bytes);
    const [one = shared, other = own] = [shared, own].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
    expect(await store.objects(null, 10)).toEqual([one, other]);
    expect(await store.objects(null, 1)).toEqual([one]);
    expect(await store.objects(one.sha256, 10)).toEqual([other]);
    expect(await store.objects(other.sha256, 10)).toEqual([]);
    const links = await store.objectsOf(chain, 0, 1);
    expect(links.map(({ seq, sha256, isKept }) => [seq, sha256, isKept]).sort()).toEqual(
      [
        [0, shared.sha256, true],
        [0, own.sha256, true],
        [1, shared.sha256, true],
      ].sort(),
    );
    expect(await store.strays()).toBe(0);
    expect(await store.prune(await dropping(store, chain, [0, 0]))).toBe(1);
    expect([await bytesOf(shared), await bytesOf(own)]).toEqual([shared.bytes, null]);
    expect(await store.prune(await dropping(store, chain, [1, 1]))).toBe(1);
    expect(await bytesOf(shared)).toBeNull();
  });

  it('AUD-01 keeps the bytes that came first under a digest, whatever comes under it later', async () => {
    const store = await open();
    const [first, later] = [kept(1), { ...kept(2), sha256: kept(1).sha256 }];
    for (const objects of [[first], [later]]) {
      await store.append(chained(randomUUID(), [{ entry: entryAt(minute(1)), objects }]));
    }
    expect(await store.object(first.sha256)).toEqual(first.bytes);
  });

  it('AUD-03 drops old content so many at a time, with all that it is found by, and keeps the hashes', async () => {
    const store = await open();
    const chains = [randomUUID(), randomUUID(), randomUUID()].sort();
    const [one = '', young = '', other = ''] = chains;
    const at = (count: number) => ({ entry: entryAt(minute(count)) });
    await store.append(chained(one, [{}, at(1), at(2), {}, at(3), at(20)]));
    await store.append(chained(young, [at(20)]));
    await store.append(chained(other, [at(5)]));
    const old = await store.list({ ...ALL, cursor: newDecisionId(minute(10)) });
    const ids = old.map(({ decisionId }) => decisionId).toReversed();
    expect(await store.prunable(minute(10), null, 10)).toEqual(ids);
    expect(await store.prunable(minute(10), ids[0] ?? '', 2)).toEqual(ids.slice(1, 3));
    expect(await store.prunable(minute(5), null, 10)).toEqual(ids.slice(0, 3));
    const dropped = await dropping(store, one, [0, 4]);
    expect(await store.prune(dropped.slice(0, 2))).toBe(2);
    expect(await store.prune(dropped)).toBe(1);
    expect(await store.prune(dropped)).toBe(0);
    expect(await store.prunable(minute(10), null, 10)).toEqual(ids.slice(3));
    const records = await store.records(null, 100);
    const without = records.filter(({ salt, content }) => salt === null && content === null);
    expect(without.map(({ chain, seq }) => [chain, seq])).toEqual([1, 2, 4].map((seq) => [one, seq]));
    expect(without.every(({ hash, previous, contentSha256 }) => hash && previous && contentSha256)).toBe(true);
    expect(await store.entries(one, 0, 10)).toMatchObject([{ seq: 5 }]);
    for (const { decisionId } of old.slice(1)) expect(await store.find(decisionId)).toBeNull();
    expect(await store.list({ ...ALL, policy: 'p' })).toHaveLength(3);
    expect(await store.strays()).toBe(0);
  });

  it('keeps a decision that is not at the place where its content is to be dropped', async () => {
    const store = await open();
    const chain = randomUUID();
    await store.append(chained(chain, [{}, { entry: entryAt(minute(1)) }]));
    const [decision] = await dropping(store, chain, [1, 1]);
    if (decision === undefined) throw new Error('no decision');
    expect(
      await store.prune([
        { ...decision, seq: 0 },
        { ...decision, decisionId: randomUUID() },
      ]),
    ).toBe(0);
    expect(await store.prune([{ ...decision, chain: randomUUID() }])).toBe(0);
    expect((await store.records(null, 10)).filter(({ content }) => content === null)).toEqual([]);
  });

  it('DLG-01 lets content be dropped a day after the last time, and first a day after it was asked first', async () => {
    const store = await open();
    const [day, hour] = [86_400_000, 3_600_000];
    const claimed = (at: number) => store.claimPruning(new Date(Date.UTC(2026, 0, 15) + at), day);
    expect(await claimed(0)).toBe(false);
    expect(await claimed(day - 1)).toBe(false);
    expect(await claimed(day)).toBe(true);
    expect(await claimed(day + hour)).toBe(false);
    expect(await claimed(365 * day)).toBe(true);
    // The clock is right again: what was marked is in the future.
    expect(await claimed(2 * day)).toBe(false);
    expect(await claimed(3 * day - 1)).toBe(false);
    expect(await claimed(3 * day)).toBe(true);
  });

  it('AUD-03 has a log that verifies, of two processes, with content dropped', async () => {
    const store = await open();
    const clock = new SetClock();
    clock.at = new Date('2026-01-10T10:00:00Z');
    const first = await openLog(store, { clock });
    for (let day = 10; day < 16; day++) {
      const decidedAt = new Date(Date.UTC(2026, 0, day, 11));
      await first.log.record(judged({ decidedAt, policies: [policy('payments'), policy('baseline')] }));
      if (day >= 14) await release(first.log, releasing({ decidedAt }));
    }
    const { log } = await openLog(store);
    expect(await log.prune(new Date('2026-01-14T12:00:00Z'))).toBe(6);
    await log.record(judged());
    for (const each of [log, first.log]) await each.close();
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({
      problems: [],
      ownWord: [SIGNER.kid],
      chains: expect.arrayContaining([expect.objectContaining({ pruned: 8 })]),
    });
    expect(await store.list(ALL)).toHaveLength(3);
  });
}
