import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../../../src/core/decision-log.js';
import { contentDigest, recordHash } from '../../../../src/log/chain.js';
import { verifyLog } from '../../../../src/log/verify-log.js';
import { appendChains, attach } from '../../../../src/stores/sqlite/append-chains.js';
import { CRL, keepingLog, objectsOfDecisions } from '../../log/kept-evidence.js';
import { type LocalStore, localStores } from '../../log/local-store.js';
import { dropping, judged, openLog, policy } from '../../log/recorded.js';
import { release } from '../../log/released.js';

const openStore = localStores();

const NO_EVIDENCE = { keptHeads: [], keys: null } as const;

/** A chain with a start and decisions. */
async function filled(store = openStore(), decisions = 3) {
  const { log, chain } = await openLog(store);
  const ids: string[] = [];
  for (let count = 0; count < decisions; count++) {
    const decided = judged({ policies: [policy('payments'), policy('baseline')] });
    ids.push(decided.decision.decisionId);
    await log.record(decided);
  }
  return { store, chain, log, ids };
}

/** The same records, heads and index, up to a place in its chains. */
function copyOf(store: LocalStore, from = 0, through = 100): LocalStore {
  const copy = openStore();
  copy.file.read(() => attach(copy.file, store.path));
  copy.file.transaction(() => appendChains(copy.file));
  const places = `seq < ${from} OR seq > ${through}`;
  for (const table of ['records', 'heads', 'decisions']) copy.file.run(`DELETE FROM ${table} WHERE ${places}`, []);
  copy.file.run('DELETE FROM decision_policies WHERE decision_id NOT IN (SELECT decision_id FROM decisions)', []);
  copy.file.run('DETACH staged', []);
  return copy;
}

function append(store: LocalStore, other: LocalStore) {
  store.file.read(() => attach(store.file, other.path));
  const appended = store.file.transaction(() => appendChains(store.file));
  store.file.run('DETACH staged', []);
  return appended;
}

const problemsOf = async (store: LocalStore) => (await verifyLog(store, NO_EVIDENCE)).problems;

const QUERY = { tenant: 'default', policy: 'baseline', decision: null, since: null, cursor: null, limit: 10 } as const;

describe('appending the chains of another file', () => {
  it('fills an empty one with records, heads and what decisions are found by', async () => {
    const { store: other, ids } = await filled();
    const store = openStore();
    expect(append(store, other)).toEqual({ conflicts: [], records: 4, known: 0, heads: 1, objects: 0 });
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], records: 4, decisions: 3, heads: 1 });
    expect((await store.list(QUERY)).map(({ decisionId }) => decisionId).sort()).toEqual([...ids].sort());
  });

  it('puts chains beside those that are there, and skips those that it has', async () => {
    const { store } = await filled();
    const other = copyOf(store);
    await filled(store);
    await filled(other);
    expect(append(store, other)).toEqual({ conflicts: [], records: 4, known: 4, heads: 1, objects: 0 });
    expect(append(store, other)).toEqual({ conflicts: [], records: 0, known: 8, heads: 0, objects: 0 });
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], records: 12, decisions: 9 });
  });

  it('takes over what was released', async () => {
    const { store: other, log } = await filled();
    const { decision } = await release(log);
    const store = openStore();
    expect(append(store, other)).toMatchObject({ conflicts: [], records: 7 });
    expect((await store.find(decision.decisionId))?.releaseRecords.map(({ seq }) => seq)).toEqual([5, 6]);
    expect(await problemsOf(store)).toEqual([]);
  });

  it('skips a chain that goes on in the store', async () => {
    const { store } = await filled();
    expect(append(store, copyOf(store, 0, 2))).toEqual({ conflicts: [], records: 0, known: 3, heads: 0, objects: 0 });
  });

  it('keeps what is dropped as it is, on either side', async () => {
    const { store: whole, chain } = await filled();
    const store = copyOf(whole);
    expect(await store.prune(await dropping(store, chain, [1, 1]))).toBe(1);
    expect(append(store, whole)).toMatchObject({ records: 0, known: 4 });
    expect((await store.records(null, 10)).map(({ content }) => content === null)).toEqual([false, true, false, false]);
    expect(await store.list(QUERY)).toHaveLength(2);
    const empty = openStore();
    expect(append(empty, store)).toMatchObject({ records: 4 });
    expect((await empty.records(null, 10)).map(({ content }) => content === null)).toEqual([false, true, false, false]);
    expect(append(whole, store)).toMatchObject({ records: 0 });
    expect(await whole.list(QUERY)).toHaveLength(3);
  });

  it('shows a decision as withdrawn', async () => {
    const { store: other, log, ids } = await filled();
    await log.withdraw(ids[0] ?? '', 'late');
    const store = openStore();
    append(store, other);
    expect((await store.find(ids[0] ?? ''))?.withdrawn).toBe(true);
    expect((await store.find(ids[1] ?? ''))?.withdrawn).toBe(false);
    expect(await problemsOf(store)).toEqual([]);
  });

  it('AUD-01 shows no decision as withdrawn that a record of another chain withdraws', async () => {
    const { store, ids } = await filled();
    const { store: other, log } = await filled();
    await log.withdraw(ids[0] ?? '', 'late');
    expect(append(store, other)).toMatchObject({ conflicts: [], records: 5 });
    expect(await store.find(ids[0] ?? '')).toMatchObject({ withdrawn: false });
  });

  /** Another record at the end of a chain, which follows the one before. */
  async function forked(store: LocalStore, chain: string) {
    const last = await store.last(chain);
    if (last === null) throw new Error('no chain');
    const salt = new Uint8Array(32);
    const content = '{"kind":"stopped","time":"2026-01-15T12:00:00Z"}';
    const position = { chain, seq: last.seq + 1 };
    const linked = { previous: last.hash, contentSha256: contentDigest(salt, content) };
    await store.append([
      {
        ...position,
        ...linked,
        hash: recordHash(position, linked),
        salt,
        content,
        entry: null,
        withdraws: null,
        release: null,
        objects: [],
      },
    ]);
  }

  const NOTHING = { records: 0, known: 0, heads: 0, objects: 0 };

  it('AUD-01 takes nothing where one chain goes on behind its end in the store', async () => {
    const { store: other, chain } = await filled();
    const store = copyOf(other, 0, 2);
    await filled(other);
    expect(append(store, other)).toEqual({ conflicts: [{ chain, seq: 3 }], ...NOTHING });
    expect(await store.chains()).toMatchObject([{ chain, seq: 2 }]);
  });

  it('AUD-01 takes nothing where one chain has another record at a place', async () => {
    const { store, chain } = await filled();
    const other = copyOf(store, 0, 2);
    await forked(other, chain);
    await filled(other);
    expect(append(store, other)).toEqual({ conflicts: [{ chain, seq: 3 }], ...NOTHING });
    expect(await store.chains()).toHaveLength(1);
  });

  it('AUD-01 names the first record of each chain that is not that of the store, also before an end that is', async () => {
    const { store, chain } = await filled();
    const { chain: another } = await filled(store);
    const other = copyOf(store);
    other.file.run(`UPDATE records SET hash = '${'a'.repeat(64)}' WHERE seq IN (1, 2)`, []);
    const places = [chain, another].sort().map((each) => ({ chain: each, seq: 1 }));
    expect(append(store, other)).toEqual({ conflicts: places, ...NOTHING });
  });

  describe('with what decisions rest on', () => {
    const problemsAnd = async (store: LocalStore) => {
      const { problems, objects } = await verifyLog(store, NO_EVIDENCE);
      return { codes: problems.map(({ code, seq }) => [code, seq]), objects };
    };

    it('takes objects once, and links', async () => {
      const store = openStore();
      const [one, other] = [await keepingLog(openStore()), await keepingLog(openStore())];
      expect(append(store, one.store)).toMatchObject({ records: 4, objects: objectsOfDecisions(3) });
      expect(append(store, other.store)).toMatchObject({ records: 4, objects: 6 });
      expect(append(store, one.store)).toMatchObject({ records: 0, known: 4, objects: 0 });
      expect(await problemsAnd(store)).toEqual({ codes: [], objects: objectsOfDecisions(6) });
    });

    it('takes nothing that no decision rests on', async () => {
      const { store: other } = await keepingLog(openStore());
      await other.putObject({ sha256: 'f'.repeat(64), bytes: new Uint8Array(1) });
      other.file.run("INSERT INTO decision_objects VALUES ('nobody', ?)", ['f'.repeat(64)]);
      const store = openStore();
      expect(append(store, other)).toMatchObject({ objects: objectsOfDecisions(3) });
      expect(await problemsAnd(store)).toEqual({ codes: [], objects: objectsOfDecisions(3) });
    });

    it('brings nothing back of a decision whose content was dropped', async () => {
      const { store: other, chain } = await keepingLog(openStore());
      const store = openStore();
      append(store, other);
      await store.prune(await dropping(store, chain, [1, 2]));
      expect(append(store, other)).toMatchObject({ records: 0, known: 4, objects: 0 });
      expect(await store.strays()).toBe(0);
      expect(await store.objects(null, 100)).toHaveLength(objectsOfDecisions(1));
    });

    it('changes no object that is there', async () => {
      const [{ store }, { store: other }] = [await keepingLog(openStore()), await keepingLog(openStore())];
      const crl = createHash('sha256').update(CRL).digest('hex');
      store.file.run("UPDATE objects SET bytes = CAST('x' AS BLOB) WHERE sha256 = ?", [crl]);
      expect(append(store, other)).toMatchObject({ records: 4 });
      expect((await problemsAnd(store)).codes).toEqual([['object_changed', null]]);
    });
  });

  it('takes nothing where it fails', async () => {
    const { store, ids } = await filled();
    const { store: other } = await filled();
    other.file.run('UPDATE decisions SET decision_id = ? WHERE seq = 1', [ids[0] ?? '']);
    expect(() => append(store, other)).toThrow(StoreUnavailableError);
    store.file.open();
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], records: 4 });
  });
});
