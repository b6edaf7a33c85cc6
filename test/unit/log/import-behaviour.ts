import { createHash, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type AppendedChains, type LogStore, StoreUnavailableError } from '../../../src/core/decision-log.js';
import { verifyLog } from '../../../src/log/verify-log.js';
import { appendChains, attach } from '../../../src/stores/sqlite/append-chains.js';
import { CRL, keepingLog, objectsOfDecisions } from './kept-evidence.js';
import { type LocalStore, localStores } from './local-store.js';
import { chained } from './log-store-behaviour.js';
import { dropping, judged, openLog, policy } from './recorded.js';
import { release } from './released.js';

/** A store that chains of a file are appended to. */
export interface ImportTarget extends LogStore {
  appendOf(other: LocalStore): Promise<AppendedChains>;
}

const NO_EVIDENCE = { keptHeads: [], keys: null } as const;

/** Appends the chains of one file to another. */
export function appendFile(file: LocalStore['file'], other: LocalStore): AppendedChains {
  file.read(() => attach(file, other.path));
  const appended = file.transaction(() => appendChains(file));
  file.run('DETACH staged', []);
  return appended;
}

/** A chain with a start and decisions. */
async function filled<S extends LogStore>(store: S, decisions = 3) {
  const { log, chain } = await openLog(store);
  const ids: string[] = [];
  for (let count = 0; count < decisions; count++) {
    const decided = judged({ policies: [policy('payments'), policy('baseline')] });
    ids.push(decided.decision.decisionId);
    await log.record(decided);
  }
  return { store, chain, log, ids };
}

const problemsOf = async (store: LogStore) => (await verifyLog(store, NO_EVIDENCE)).problems;

const QUERY = { tenant: 'default', policy: 'baseline', decision: null, since: null, cursor: null, limit: 10 } as const;

const NOTHING = { records: 0, known: 0, heads: 0, objects: 0 };

/** Another record at the end of a chain, which follows the one before. */
async function fork(store: LogStore, chain: string) {
  await store.append(
    chained(chain, [{ content: '{"kind":"stopped","time":"2026-01-15T12:00:00Z"}' }], await store.last(chain)),
  );
}

/** Appending whole chains of a file, to any store. @param open opens an empty one */
export function behavesAsImportTarget(open: () => Promise<ImportTarget>): void {
  const openFile = localStores();

  /** The same records, heads and index, up to a place in its chains. */
  function copyOf(store: LocalStore, through = 100): LocalStore {
    const copy = openFile();
    appendFile(copy.file, store);
    for (const table of ['records', 'heads', 'decisions'])
      copy.file.run(`DELETE FROM ${table} WHERE seq > ?`, [through]);
    copy.file.run('DELETE FROM decision_policies WHERE decision_id NOT IN (SELECT decision_id FROM decisions)', []);
    return copy;
  }

  it('fills an empty one with records, heads and what decisions are found by', async () => {
    const { store: other, ids } = await filled(openFile());
    const store = await open();
    expect(await store.appendOf(other)).toEqual({ conflicts: [], records: 4, known: 0, heads: 1, objects: 0 });
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], records: 4, decisions: 3, heads: 1 });
    expect((await store.list(QUERY)).map(({ decisionId }) => decisionId).sort()).toEqual([...ids].sort());
    expect(await store.records(null, 10)).toEqual(await other.records(null, 10));
  });

  it('lets a chain go on where it ended', async () => {
    const { store: other, chain } = await filled(openFile());
    const store = await open();
    await store.appendOf(other);
    await fork(store, chain);
    expect(await store.last(chain)).toMatchObject({ seq: 4 });
    expect(await problemsOf(store)).toEqual([]);
  });

  it('puts chains beside those that are there, and skips those that it has', async () => {
    const { store: other } = await filled(openFile());
    const store = await open();
    await store.appendOf(other);
    await filled(store);
    await filled(other);
    expect(await store.appendOf(other)).toEqual({ conflicts: [], records: 4, known: 4, heads: 1, objects: 0 });
    expect(await store.appendOf(other)).toEqual({ conflicts: [], records: 0, known: 8, heads: 0, objects: 0 });
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], records: 12, decisions: 9 });
  });

  it('takes over what was released', async () => {
    const { store: other, log } = await filled(openFile());
    const { decision } = await release(log);
    const store = await open();
    expect(await store.appendOf(other)).toMatchObject({ conflicts: [], records: 7 });
    expect((await store.find(decision.decisionId))?.releaseRecords.map(({ seq }) => seq)).toEqual([5, 6]);
    expect(await problemsOf(store)).toEqual([]);
  });

  it('skips a chain that goes on in the store', async () => {
    const { store: other } = await filled(openFile());
    const store = await open();
    await store.appendOf(other);
    const shorter = copyOf(other, 2);
    expect(await store.appendOf(shorter)).toEqual({ conflicts: [], records: 0, known: 3, heads: 0, objects: 0 });
  });

  it('keeps dropped content dropped, on either side', async () => {
    const { store: whole, chain } = await filled(openFile());
    const store = await open();
    await store.appendOf(whole);
    const isDropped = async () => (await store.records(null, 10)).map(({ content }) => content === null);
    expect(await store.prune(await dropping(store, chain, [1, 1]))).toBe(1);
    expect(await store.appendOf(whole)).toMatchObject({ records: 0, known: 4 });
    expect(await isDropped()).toEqual([false, true, false, false]);
    expect(await store.list(QUERY)).toHaveLength(2);
    const { store: other, chain: another } = await filled(openFile());
    await other.prune(await dropping(other, another, [2, 2]));
    expect(await store.appendOf(other)).toMatchObject({ records: 4 });
    expect((await isDropped()).filter(Boolean)).toHaveLength(2);
    expect(await store.list(QUERY)).toHaveLength(4);
  });

  it('shows a decision as withdrawn', async () => {
    const { store: other, log, ids } = await filled(openFile());
    await log.withdraw(ids[0] ?? '', 'late');
    const store = await open();
    await store.appendOf(other);
    expect((await store.find(ids[0] ?? ''))?.withdrawn).toBe(true);
    expect((await store.find(ids[1] ?? ''))?.withdrawn).toBe(false);
    expect(await problemsOf(store)).toEqual([]);
  });

  it('AUD-01 shows no decision as withdrawn that a record of another chain withdraws', async () => {
    const store = await open();
    const { ids } = await filled(store);
    const { store: other, log } = await filled(openFile());
    await log.withdraw(ids[0] ?? '', 'late');
    expect(await store.appendOf(other)).toMatchObject({ conflicts: [], records: 5 });
    expect(await store.find(ids[0] ?? '')).toMatchObject({ withdrawn: false });
  });

  it('AUD-01 takes nothing where one chain goes on behind its end in the store', async () => {
    const { store: other, chain } = await filled(openFile());
    const store = await open();
    await store.appendOf(copyOf(other, 2));
    await filled(other);
    expect(await store.appendOf(other)).toEqual({ conflicts: [{ chain, seq: 3 }], ...NOTHING });
    expect(await store.chains()).toMatchObject([{ chain, seq: 2 }]);
  });

  it('AUD-01 takes nothing where one chain has another record at a place', async () => {
    const { store: whole, chain } = await filled(openFile());
    const store = await open();
    await store.appendOf(whole);
    const other = copyOf(whole, 2);
    await fork(other, chain);
    await filled(other);
    expect(await store.appendOf(other)).toEqual({ conflicts: [{ chain, seq: 3 }], ...NOTHING });
    expect(await store.chains()).toHaveLength(1);
  });

  it('AUD-01 names the first record of each chain that is not that of the store, also before an end that is', async () => {
    const { store: other, chain } = await filled(openFile());
    const { chain: another } = await filled(other);
    const store = await open();
    await store.appendOf(other);
    other.file.run(`UPDATE records SET hash = '${'a'.repeat(64)}' WHERE seq IN (1, 2)`, []);
    const places = [chain, another].sort().map((each) => ({ chain: each, seq: 1 }));
    expect(await store.appendOf(other)).toEqual({ conflicts: places, ...NOTHING });
  });

  it('takes nothing where the id of a decision is taken', async () => {
    const store = await open();
    const { ids } = await filled(store);
    const { store: other } = await filled(openFile());
    other.file.run('UPDATE decisions SET decision_id = ? WHERE seq = 1', [ids[0] ?? '']);
    await expect(store.appendOf(other)).rejects.toThrow(StoreUnavailableError);
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], records: 4 });
  });

  describe('with what decisions rest on', () => {
    const problemsAnd = async (store: LogStore) => {
      const { problems, objects } = await verifyLog(store, NO_EVIDENCE);
      return { codes: problems.map(({ code, seq }) => [code, seq]), objects };
    };

    it('takes objects once, and links', async () => {
      const store = await open();
      const [one, other] = [await keepingLog(openFile()), await keepingLog(openFile())];
      expect(await store.appendOf(one.store)).toMatchObject({ records: 4, objects: objectsOfDecisions(3) });
      expect(await store.appendOf(other.store)).toMatchObject({ records: 4, objects: 6 });
      expect(await store.appendOf(one.store)).toMatchObject({ records: 0, known: 4, objects: 0 });
      expect(await problemsAnd(store)).toEqual({ codes: [], objects: objectsOfDecisions(6) });
    });

    it('takes nothing that no decision rests on', async () => {
      const { store: other } = await keepingLog(openFile());
      await other.putObject({ sha256: 'f'.repeat(64), bytes: new Uint8Array(1) });
      other.file.run("INSERT INTO decision_objects VALUES ('nobody', ?)", ['f'.repeat(64)]);
      const store = await open();
      expect(await store.appendOf(other)).toMatchObject({ objects: objectsOfDecisions(3) });
      expect(await problemsAnd(store)).toEqual({ codes: [], objects: objectsOfDecisions(3) });
    });

    it('brings nothing back of a decision whose content was dropped', async () => {
      const { store: other, chain } = await keepingLog(openFile());
      const store = await open();
      await store.appendOf(other);
      await store.prune(await dropping(store, chain, [1, 2]));
      expect(await store.appendOf(other)).toMatchObject({ records: 0, known: 4, objects: 0 });
      expect(await store.strays()).toBe(0);
      expect(await store.objects(null, 100)).toHaveLength(objectsOfDecisions(1));
    });

    it('changes no object that is there', async () => {
      const store = await open();
      const sha256 = createHash('sha256').update(CRL).digest('hex');
      await store.append(chained(randomUUID(), [{ entry: {}, objects: [{ sha256, bytes: Buffer.from('x') }] }]));
      const { store: other } = await keepingLog(openFile());
      expect(await store.appendOf(other)).toMatchObject({ records: 4, objects: objectsOfDecisions(3) - 1 });
      expect((await problemsAnd(store)).codes).toContainEqual(['object_changed', null]);
    });
  });
}
