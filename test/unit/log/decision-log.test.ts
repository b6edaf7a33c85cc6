import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { DecisionQuery, LogRecord, NewRecord } from '../../../src/core/decision-log.js';
import { StoreUnavailableError } from '../../../src/core/decision-log.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { ReleaseAttempt, ReleaseResult } from '../../../src/core/key-release-record.js';
import type { HeadSigner } from '../../../src/log/heads.js';
import { RecordCopy } from '../../../src/log/record-copy.js';
import { verifyLog } from '../../../src/log/verify-log.js';
import { LocalSigningKey } from '../../../src/receipts/signing-key.js';
import { localStores } from './local-store.js';
import { judged, KeptLog, openLog, policy, SIGNER, signerOf } from './recorded.js';
import { attemptOf, release, releasing, resultOf, VAULT_KEY } from './released.js';

const openStore = localStores();

const ALL: DecisionQuery = { tenant: 'default', policy: null, decision: null, since: null, cursor: null, limit: 100 };

async function contents(store: { records: (after: null, limit: number) => Promise<readonly LogRecord[]> }) {
  return (await store.records(null, 1000)).map(({ content }): JsonObject | null =>
    content === null ? null : JSON.parse(content),
  );
}

const kinds = async (store: Parameters<typeof contents>[0]) =>
  (await contents(store)).map((content) => content?.['kind']);

describe('the decision log', () => {
  it('begins with a record that says what started, and ends with one that says that it stopped', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    await log.record(judged());
    await log.close();
    const [started, , stopped] = await contents(store);
    expect(started).toMatchObject({
      v: 1,
      kind: 'started',
      version: '0.1.0',
      chains: [],
      configuration: 'c'.repeat(64),
    });
    expect(stopped).toMatchObject({ kind: 'stopped', time: '2026-01-15T12:00:00.000Z' });
    expect(await kinds(store)).toEqual(['started', 'decision', 'stopped']);
  });

  it('AUD-03 begins a chain anew with each process, which names the ends of those before', async () => {
    const store = openStore();
    const first = await openLog(store);
    await first.log.record(judged());
    const [end] = await store.chains();
    const second = await openLog(store);
    const started = (await contents(store)).find(
      (content) => Array.isArray(content?.['chains']) && content['chains'].length > 0,
    );
    expect(second.chain).not.toBe(first.chain);
    expect(started).toMatchObject({ chains: [end] });
    expect(await verifyLog(store, { keptHeads: [], keys: null })).toMatchObject({ problems: [], records: 3 });
  });

  describe('on a store with chains that other keys signed', () => {
    const OTHERS =
      'no key of the configuration signed this chain of the decision log: another service wrote it, or it was added to the store; veritee decisions verify reports details';
    const retired = new LocalSigningKey(generateKeyPairSync('ed25519').privateKey);
    const told = (lines: KeptLog) =>
      lines.lines.flatMap(({ level, fields, message }) => (level === 'error' ? [[message, fields]] : []));

    it('DLG-02 says so at a start, once a chain', async () => {
      const store = openStore();
      const chains: string[] = [];
      for (const signer of [signerOf(retired), signerOf()]) {
        const { log, chain } = await openLog(store, { signer });
        await log.close();
        chains.push(chain);
      }
      const [signed, unsigned] = chains;
      const first = await openLog(store);
      expect(told(first.lines)).toEqual([[OTHERS, { chain: signed }]]);
      const warned = first.lines.lines.filter(({ level }) => level === 'warn');
      expect(warned.map(({ fields }) => fields)).toEqual([{ chain: unsigned }]);
      await first.log.close();
      const second = await openLog(store);
      expect(told(second.lines)).toEqual([]);
    });

    it('DLG-02 warns of a chain without any head, which a process leaves that is killed at its start', async () => {
      const store = openStore();
      const { log } = await openLog(store, { signer: signerOf(retired) });
      await log.close();
      store.file.run('DELETE FROM heads', []);
      const { lines } = await openLog(store);
      expect(told(lines)).toEqual([]);
      expect(lines.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
        expect.stringMatching(/^this chain of the decision log has no signed head: /),
      ]);
    });

    it('DLG-02 says nothing of a chain whose process stores its first head while this one starts', async () => {
      const store = openStore();
      await openLog(store);
      // Both reads of the first look come before the head, the next ones after it.
      vi.spyOn(store, 'heads').mockResolvedValueOnce([]).mockResolvedValueOnce([]);
      const { lines } = await openLog(store);
      expect(lines.lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
    });

    it('DLG-02 says so of a chain with heads that are of another record, or of another chain', async () => {
      const store = openStore();
      const own = await openLog(store);
      const { log, chain } = await openLog(store, { signer: signerOf(retired) });
      await log.close();
      const [head] = await store.heads(own.chain, 0, 0);
      if (head === undefined) throw new Error('no head');
      await store.putHead({ ...head, chain });
      const of = { chain, seq: 1, hash: 'ab'.repeat(32), time: '2026-01-15T12:00:00Z' };
      const jws = await SIGNER.sign({ typ: 'veritee-head+jwt' }, Buffer.from(JSON.stringify(of)));
      await store.putHead({ chain, seq: 1, jws });
      const { lines } = await openLog(store);
      expect(told(lines)).toEqual([[OTHERS, { chain }]]);
    });

    it('DLG-02 says so of a chain that a changed first record names', async () => {
      const store = openStore();
      const own = await openLog(store);
      const { log, chain } = await openLog(store, { signer: signerOf(retired) });
      await log.close();
      const named = JSON.stringify([{ chain, seq: 0, hash: 'ab'.repeat(32) }]);
      const change = 'UPDATE records SET content = replace(content, \'"chains":[]\', ?) WHERE chain = ? AND seq = 0';
      store.file.run(change, [`"chains":${named}`, own.chain]);
      const [first] = await store.records({ chain: own.chain, seq: -1 }, 1);
      expect(first?.content).toContain(named);
      expect(told((await openLog(store)).lines)).toEqual([[OTHERS, { chain }]]);
    });

    it('DLG-02 says nothing of chains that its keys signed, at their end alone too, nor with a key of the process', async () => {
      const store = openStore();
      const { log } = await openLog(store, { signer: signerOf(retired, SIGNER) });
      for (let count = 0; count < 3; count++) await log.record(judged());
      await log.close();
      store.file.run('DELETE FROM heads WHERE seq = 0', []);
      expect(told((await openLog(store, { signer: signerOf(SIGNER, retired) })).lines)).toEqual([]);
      expect(told((await openLog(store, { signer: signerOf() })).lines)).toEqual([]);
    });
  });

  it('stores decisions that come together in one transaction, each with its own place', async () => {
    const store = openStore();
    const append = vi.spyOn(store, 'append');
    const { log } = await openLog(store);
    await Promise.all(Array.from({ length: 40 }, () => log.record(judged())));
    expect(append.mock.calls.map(([records]) => records.length)).toEqual([1, 1, 39]);
    expect((await store.records(null, 100)).map(({ seq }) => seq)).toEqual(Array.from({ length: 41 }, (_, seq) => seq));
    expect(await verifyLog(store, { keptHeads: [], keys: null })).toMatchObject({ problems: [], decisions: 40 });
  });

  it('STO-05 says once that it fails, and not that it is over, where the store tells what it has and takes nothing', async () => {
    const store = openStore();
    const { log, lines } = await openLog({ ...store, append: (records) => store.append(records) });
    const full = vi.spyOn(store, 'append').mockRejectedValue(new StoreUnavailableError('the disk is full'));
    for (let count = 0; count < 3; count++) {
      await expect(log.record(judged())).rejects.toThrow('the disk is full');
      log.leavesUnrecorded('indeterminate');
      expect(log.isAvailable).toBe(false);
    }
    full.mockRestore();
    await log.record(judged());
    expect(log.isAvailable).toBe(true);
    expect(lines.messages('error')).toEqual(['decisions cannot be stored: no allow leaves']);
    expect(lines.messages('info').filter((message) => message === 'decisions are stored again')).toHaveLength(1);
  });

  it('STO-05 is not available while a store that failed is tried again, until it has taken something', async () => {
    const store = openStore();
    const { log } = await openLog({ ...store, append: (records) => store.append(records) });
    const append = vi.spyOn(store, 'append').mockRejectedValueOnce(new StoreUnavailableError('database is locked'));
    await expect(log.record(judged())).rejects.toThrow('database is locked');
    let fail = (_: Error) => {};
    append.mockReturnValueOnce(new Promise((_, reject) => (fail = reject)));
    const second = log.record(judged());
    await vi.waitFor(() => expect(append).toHaveBeenCalledTimes(2));
    expect(log.isAvailable).toBe(false);
    fail(new StoreUnavailableError('database is locked'));
    await expect(second).rejects.toThrow('database is locked');
    expect(log.isAvailable).toBe(false);
    await log.record(judged());
    expect(log.isAvailable).toBe(true);
  });

  it('STO-05 stores again after a failure, and says how many decisions left unrecorded', async () => {
    const store = openStore();
    const { log, lines } = await openLog(store);
    store.fails = 'before';
    await expect(log.record(judged())).rejects.toThrow(StoreUnavailableError);
    await expect(log.record(judged())).rejects.toThrow(StoreUnavailableError);
    log.leavesUnrecorded('indeterminate');
    log.leavesUnrecorded('deny');
    log.leavesUnrecorded('deny');
    expect(log.isAvailable).toBe(false);
    store.fails = 'never';
    await log.record(judged());
    expect(log.isAvailable).toBe(true);
    expect(await kinds(store)).toEqual(['started', 'unrecorded', 'decision']);
    expect((await contents(store))[1]).toMatchObject({ counts: { indeterminate: 1, deny: 2 } });
    expect(lines.messages('error')).toEqual(['decisions cannot be stored: no allow leaves']);
    expect(lines.messages('info')).toContain('decisions are stored again');
    expect((await verifyLog(store, { keptHeads: [], keys: null })).problems).toEqual([]);
  });

  it('STO-05 tells once of a store that can be read and takes nothing, as one without memory, until it takes something', async () => {
    const store = openStore();
    const { log, lines } = await openLog(store);
    const append = vi.spyOn(store, 'append').mockRejectedValue(new StoreUnavailableError('OOM command not allowed'));
    for (let count = 0; count < 3; count++) {
      await expect(log.record(judged())).rejects.toThrow('OOM command not allowed');
      expect(log.isAvailable).toBe(false);
    }
    expect(lines.messages('error')).toEqual(['decisions cannot be stored: no allow leaves']);
    expect(lines.messages('info')).not.toContain('decisions are stored again');
    append.mockRestore();
    await log.record(judged());
    expect(lines.messages('info').filter((message) => message === 'decisions are stored again')).toHaveLength(1);
    expect(await kinds(store)).toEqual(['started', 'decision']);
  });

  it('counts what leaves unrecorded while it says what left before', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    store.fails = 'before';
    await expect(log.record(judged())).rejects.toThrow(StoreUnavailableError);
    log.leavesUnrecorded('deny');
    store.fails = 'never';
    const append = store.append;
    store.append = async () => {
      store.append = append;
      log.leavesUnrecorded('indeterminate');
      throw new StoreUnavailableError('the disk is full again');
    };
    await expect(log.record(judged())).rejects.toThrow('the disk is full again');
    await log.record(judged());
    const gaps = (await contents(store)).filter((content) => content?.['kind'] === 'unrecorded');
    expect(gaps).toMatchObject([{ counts: { deny: 1, indeterminate: 1 } }]);
  });

  it('says within a second what left unrecorded, or is to be withdrawn, where the store never failed', async () => {
    vi.useFakeTimers();
    try {
      const store = openStore();
      const { log } = await openLog(store);
      log.watch();
      log.leavesUnrecorded('indeterminate');
      await vi.advanceTimersByTimeAsync(1_000);
      await vi.waitFor(async () => expect(await kinds(store)).toEqual(['started', 'unrecorded']), 10_000);
      await vi.advanceTimersByTimeAsync(5_000);
      expect(await kinds(store)).toEqual(['started', 'unrecorded']);
      await log.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('STO-06 withdraws a decision that was stored although nobody knew', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    store.fails = 'after';
    const lost = judged({ policies: [policy('payments')] });
    await expect(log.record(lost)).rejects.toThrow(StoreUnavailableError);
    store.fails = 'never';
    await log.record(judged());
    const { decisionId } = lost.decision;
    expect(await kinds(store)).toEqual(['started', 'decision', 'withdrawn', 'decision']);
    expect((await contents(store))[2]).toMatchObject({ decisionId, because: 'store_unavailable' });
    expect(await store.find(decisionId)).toMatchObject({ withdrawn: true });
    // Once: the next outage says nothing of it again.
    store.fails = 'before';
    await expect(log.record(judged())).rejects.toThrow(StoreUnavailableError);
    store.fails = 'never';
    await log.record(judged());
    expect(await kinds(store)).toEqual(['started', 'decision', 'withdrawn', 'decision', 'decision']);
    expect((await verifyLog(store, { keptHeads: [], keys: null })).problems).toEqual([]);
  });

  it('stores that a key is about to be asked for, and what came of it, without what was handed out', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    const decided = releasing();
    await log.record(decided);
    const handedOut = { value: 'a wrapped key' };
    await log.releaseAttempt({ ...attemptOf(decided), ...handedOut } as ReleaseAttempt);
    await log.releaseResult({ ...resultOf(decided), ...handedOut } as ReleaseResult);
    const local = releasing({ checks: [] });
    await log.record(local);
    await log.releaseAttempt(attemptOf(local, { key: { type: 'local', ...handedOut } as never }));
    const said = (await contents(store)).map((content) => ({ ...content, time: undefined, version: undefined }));
    const { decisionId } = decided.decision;
    expect(said[1]).toMatchObject({ request: { release: { keyId: 'db-key', dryRun: false } } });
    expect(said[2]).toEqual({
      v: 1,
      kind: 'release-attempt',
      decisionId,
      keyId: 'db-key',
      principal: 'gate',
      tenant: 'default',
      key: VAULT_KEY,
    });
    expect(said[3]).toEqual({
      v: 1,
      kind: 'release-result',
      decisionId,
      outcome: 'released',
      keyVersion: '78deebed173b48e48f55abf87ed4cf71',
      valueSha256: 'cd'.repeat(32),
      code: null,
      detail: 'the vault released the key',
    });
    expect(said[5]).toMatchObject({ kind: 'release-attempt', key: { type: 'local' } });
    expect(JSON.stringify(said)).not.toContain('wrapped');
    expect((await verifyLog(store, { keptHeads: [], keys: null })).problems).toEqual([]);
  });

  it('STO-06 says of an attempt that was stored although nobody knew that nobody was asked for the key', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    const decided = releasing();
    await log.record(decided);
    store.fails = 'after';
    await expect(log.releaseAttempt(attemptOf(decided))).rejects.toThrow(StoreUnavailableError);
    store.fails = 'before';
    await expect(log.record(judged())).rejects.toThrow(StoreUnavailableError);
    store.fails = 'never';
    await log.record(judged());
    await log.record(judged());
    expect(await kinds(store)).toEqual([
      'started',
      'decision',
      'release-attempt',
      'release-result',
      'decision',
      'decision',
    ]);
    expect((await contents(store))[3]).toMatchObject({
      decisionId: decided.decision.decisionId,
      outcome: 'unavailable',
      code: 'audit_unavailable',
      valueSha256: null,
    });
    expect((await verifyLog(store, { keptHeads: [], keys: null })).problems).toEqual([]);
  });

  it('STO-06 says nothing of an attempt, or a result, that is not stored', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    const decided = releasing();
    await log.record(decided);
    store.fails = 'before';
    await expect(log.releaseAttempt(attemptOf(decided))).rejects.toThrow(StoreUnavailableError);
    store.fails = 'never';
    await release(log);
    store.fails = 'before';
    await expect(log.releaseResult(resultOf(decided))).rejects.toThrow(StoreUnavailableError);
    store.fails = 'never';
    await log.record(judged());
    expect(await kinds(store)).toEqual([
      'started',
      'decision',
      'decision',
      'release-attempt',
      'release-result',
      'decision',
    ]);
  });

  it('STO-06 withdraws a decision later where the store does not take it now', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    const late = judged();
    await log.record(late);
    store.fails = 'before';
    await log.withdraw(late.decision.decisionId, 'late');
    store.fails = 'never';
    await log.record(judged());
    expect(await kinds(store)).toEqual(['started', 'decision', 'withdrawn', 'decision']);
    expect(await store.find(late.decision.decisionId)).toMatchObject({ withdrawn: true });
  });

  it('STO-05 writes nothing more to a store that lacks what it had', async () => {
    const store = openStore();
    const { log, chain } = await openLog(store);
    await log.record(judged());
    store.fails = 'before';
    await expect(log.record(judged())).rejects.toThrow(StoreUnavailableError);
    store.file.run('DELETE FROM records WHERE chain = ? AND seq = 1', [chain]);
    store.fails = 'never';
    await expect(log.record(judged())).rejects.toThrow('the store lacks records that it had');
    expect(await kinds(store)).toEqual(['started']);
  });

  it('STO-05 tells once of what a store lacks, and goes on where it has it again', async () => {
    const store = openStore();
    const { log, lines, chain } = await openLog(store);
    await log.record(judged());
    const [record] = await store.records({ chain, seq: 0 }, 1);
    store.fails = 'before';
    await expect(log.record(judged())).rejects.toThrow(StoreUnavailableError);
    store.file.run('DELETE FROM records WHERE chain = ? AND seq = 1', [chain]);
    store.fails = 'never';
    for (let count = 0; count < 3; count++) {
      await expect(log.record(judged())).rejects.toThrow('the store lacks records that it had');
    }
    const told = lines.lines.filter(({ message }) => message.startsWith('the decision store lacks records'));
    expect(told).toMatchObject([
      { level: 'error', fields: { chain, stored: { seq: 1, hash: record?.hash }, found: { seq: 0 } } },
    ]);
    await store.append([{ ...(record as NewRecord), entry: null, withdraws: null, release: null, objects: [] }]);
    await log.record(judged());
    expect(log.isAvailable).toBe(true);
    expect(await kinds(store)).toEqual(['started', 'decision', 'decision']);
    store.fails = 'before';
    await expect(log.record(judged())).rejects.toThrow(StoreUnavailableError);
    store.file.run('DELETE FROM records WHERE chain = ? AND seq = 2', [chain]);
    store.fails = 'never';
    await expect(log.record(judged())).rejects.toThrow('the store lacks records that it had');
    expect(lines.lines.filter(({ message }) => message.startsWith('the decision store lacks records'))).toHaveLength(2);
  });

  it.each([
    ['the last record', 1, 'a'.repeat(64)],
    ['the record that it gave last', 2, 'b'.repeat(64)],
  ])('STO-05 writes nothing more to a store that has another record in the place of %s', async (_, seq, hash) => {
    const store = openStore();
    const { log, chain } = await openLog(store);
    await log.record(judged());
    store.fails = 'before';
    await expect(log.record(judged())).rejects.toThrow(StoreUnavailableError);
    if (seq === 1) store.file.run('UPDATE records SET hash = ? WHERE chain = ? AND seq = 1', [hash, chain]);
    else {
      const [record] = await store.records({ chain, seq: 0 }, 1);
      await store.stage([
        { ...(record as LogRecord), seq, hash, entry: null, withdraws: null, release: null, restsOn: [] },
      ]);
    }
    store.fails = 'never';
    await expect(log.record(judged())).rejects.toThrow('the store lacks records that it had');
    expect(log.isAvailable).toBe(false);
    expect(await store.last(chain)).toEqual({ chain, seq, hash });
  });

  describe('while the store hangs', () => {
    const MIB = 1024 * 1024;

    /** A log whose store hangs until it is released, with a first decision on its way. */
    async function hanging() {
      const store = openStore();
      const append = vi.spyOn(store, 'append');
      const onDropped = vi.fn();
      const { log, lines } = await openLog(store, { onDropped });
      let release = () => {};
      store.held = new Promise((resolve) => {
        release = resolve;
      });
      const first = log.record(judged());
      return { store, append, onDropped, log, lines, first, release: () => release() };
    }

    /** A decision that rests on so many bytes. */
    function large(bytes: number) {
      const sha256 = randomBytes(32).toString('hex');
      return { ...judged(), inputs: { sha256, objects: [{ sha256, bytes: new Uint8Array(bytes) }] } };
    }

    const bytesIn = (records: readonly NewRecord[]) =>
      records.flatMap(({ objects }) => objects).reduce((sum, { bytes }) => sum + bytes.byteLength, 0);

    it('DLG-03 keeps at most 32 MiB of 600 decisions of 2 MiB, and stores at most 4 MiB at once', async () => {
      const { store, append, log, first, release } = await hanging();
      const outcomes = Promise.allSettled(Array.from({ length: 600 }, () => log.record(large(2 * MIB))));
      release();
      const refused = (await outcomes).flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []));
      // 16 of them would be more than 32 MiB, with their records.
      expect(refused).toEqual(
        Array.from({ length: 585 }, () => 'StoreUnavailableError: too many records wait to be stored'),
      );
      await first;
      expect(Math.max(...append.mock.calls.map(([records]) => bytesIn(records)))).toBe(2 * MIB);
      expect(await store.list({ ...ALL, limit: 1000 })).toHaveLength(16);
    });

    it('DLG-03 stores records together up to 4 MiB, and one that is larger alone', async () => {
      const { append, log, first, release } = await hanging();
      const all = [first, ...[1, 1, 1, 1, 5, 1].map((mib) => log.record(large(mib * MIB)))];
      release();
      await Promise.all(all);
      expect(append.mock.calls.slice(2).map(([records]) => bytesIn(records) / MIB)).toEqual([3, 1, 5, 1]);
    });

    it('DLG-03 takes one decision that is larger than all that may wait', async () => {
      const { log, first, release } = await hanging();
      const largest = log.record(large(40 * MIB));
      await expect(log.record(judged())).rejects.toThrow('too many records wait to be stored');
      release();
      await Promise.all([first, largest]);
    });

    it('DLG-03 drops only decisions whose answers have left, oldest first, counts them and says so', async () => {
      const { store, onDropped, log, lines, first, release } = await hanging();
      const waiting = Array.from({ length: 15 }, () => large(2 * MIB));
      const outcomes = Promise.allSettled(waiting.map((each) => log.record(each)));
      const ids = waiting.map(({ decision }) => decision.decisionId);
      // Nobody was answered yet: clients that have left are no reason to drop what was decided for them.
      await expect(log.record(large(2 * MIB))).rejects.toThrow('too many records wait to be stored');
      expect(onDropped).not.toHaveBeenCalled();
      for (const index of [7, 3, 5]) log.answeredUnrecorded(ids[index] ?? '');
      log.answeredUnrecorded('of no decision that waits');
      const later = [log.record(large(2 * MIB)), log.record(large(2 * MIB))];
      expect(onDropped).toHaveBeenCalledTimes(2);
      const dropped = lines.lines.filter(({ message }) => message.startsWith('the record of a decision was dropped'));
      expect(dropped.map(({ level, fields }) => [level, fields])).toEqual([
        ['error', { decisionId: ids[3] }],
        ['error', { decisionId: ids[5] }],
      ]);
      release();
      await Promise.all([first, ...later]);
      expect((await outcomes).flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([3, 5]);
      expect(await store.list({ ...ALL, limit: 1000 })).toHaveLength(16);
      expect(await store.find(ids[7] ?? '')).not.toBeNull();
    });

    it('DLG-03 takes records of releases and of the service, and drops none of them', async () => {
      const { store, onDropped, log, first, release } = await hanging();
      const outcomes = Promise.allSettled(Array.from({ length: 16 }, () => log.record(large(2 * MIB))));
      const decided = releasing();
      const others = [
        log.releaseAttempt(attemptOf(decided)),
        log.releaseResult(resultOf(decided)),
        log.noteChange('policies', {}),
      ];
      log.answeredUnrecorded(decided.decision.decisionId);
      await expect(log.record(large(2 * MIB))).rejects.toThrow('too many records wait to be stored');
      release();
      await Promise.all([first, outcomes, ...others]);
      expect(onDropped).not.toHaveBeenCalled();
      expect(await kinds(store)).toEqual(expect.arrayContaining(['release-attempt', 'release-result', 'policies']));
    });
  });

  it('refuses to begin where the store does not take the first record', async () => {
    const store = openStore();
    store.fails = 'before';
    await expect(openLog(store)).rejects.toThrow(StoreUnavailableError);
  });

  it('DEC-06 stores that policies were reloaded, and that they were refused', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    await log.noteChange('policies', { policies: [{ id: 'payments', version: 2, sha256: 'ab'.repeat(32) }] });
    await log.noteChange('policies_refused', { problems: ['payments.yaml: rules[0].id: is missing'] });
    expect((await contents(store)).slice(1)).toMatchObject([
      { kind: 'policies', policies: [{ id: 'payments', version: 2 }] },
      { kind: 'policies_refused', problems: ['payments.yaml: rules[0].id: is missing'] },
    ]);
    store.fails = 'before';
    await expect(log.noteChange('policies', { policies: [] })).resolves.toBeUndefined();
  });
});

describe('signed heads', () => {
  it('are signed at start and stop, stored, and written to the log', async () => {
    const store = openStore();
    const { log, lines, chain } = await openLog(store);
    await log.record(judged());
    await log.close();
    const heads = await store.heads(chain, 0, 100);
    expect(heads.map(({ seq }) => seq)).toEqual([0, 2]);
    const written = lines.lines.filter(({ message }) => message === 'decision log head').map(({ fields }) => fields);
    expect(written).toMatchObject(heads.map(({ seq, jws }) => ({ chain, seq, head: jws })));
    expect((await verifyLog(store, { keptHeads: [], keys: null })).chains).toMatchObject([{ chain, lastHead: 2 }]);
  });

  it('are signed every 1 000 records, and every minute in which there are some', async () => {
    vi.useFakeTimers();
    try {
      const store = openStore();
      const { log, chain } = await openLog(store);
      log.watch();
      const seqs = async () => (await store.heads(chain, 0, 10_000)).map(({ seq }) => seq);
      for (let count = 0; count < 999; count++) await log.record(judged());
      expect(await seqs()).toEqual([0]);
      await log.record(judged());
      await vi.waitFor(async () => expect(await seqs()).toEqual([0, 1000]), 10_000);
      await log.record(judged());
      await vi.advanceTimersByTimeAsync(60_000);
      await vi.waitFor(async () => expect(await seqs()).toEqual([0, 1000, 1001]), 10_000);
      await vi.advanceTimersByTimeAsync(120_000);
      expect(await seqs()).toEqual([0, 1000, 1001]);
      await log.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('are none where only a key of this process signs', async () => {
    const store = openStore();
    const { log, chain } = await openLog(store, { signer: signerOf() });
    await log.close();
    expect(await store.heads(chain, 0, 100)).toEqual([]);
    expect(await verifyLog(store, { keptHeads: [], keys: null })).toMatchObject({ problems: [], heads: 0 });
  });

  it('that cannot be signed keep nobody from being answered', async () => {
    const store = openStore();
    const signer = { sign: () => Promise.reject(new Error('the vault is closed')), keys: () => [] };
    const { log, lines } = await openLog(store, { signer });
    await log.record(judged());
    expect(lines.messages('error')).toEqual(['the head of the decision log was not signed']);
  });

  it('that could not be signed are signed a minute later, also where nothing more is stored', async () => {
    vi.useFakeTimers();
    try {
      const store = openStore();
      let fails = false;
      const signer: HeadSigner = {
        sign: (header, payload) =>
          fails ? Promise.reject(new Error('the vault is closed')) : SIGNER.sign(header, payload),
        keys: () => [SIGNER.jwk],
      };
      const { log, chain } = await openLog(store, { signer });
      log.watch();
      fails = true;
      await log.record(judged());
      await vi.advanceTimersByTimeAsync(60_000);
      fails = false;
      expect((await store.heads(chain, 0, 9)).map(({ seq }) => seq)).toEqual([0]);
      await vi.advanceTimersByTimeAsync(60_000);
      await vi.waitFor(
        async () => expect((await store.heads(chain, 0, 9)).map(({ seq }) => seq)).toEqual([0, 1]),
        10_000,
      );
      await log.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('are in the log of the process also where the store is lost', async () => {
    const store = openStore();
    const { log, lines } = await openLog(store);
    await log.record(judged());
    vi.spyOn(store, 'putHead').mockRejectedValue(new StoreUnavailableError('gone'));
    await log.close();
    const heads = lines.lines.filter(({ message }) => message === 'decision log head');
    expect(heads.map(({ fields }) => fields)).toMatchObject([{ seq: 0 }, { seq: 2 }]);
  });

  it('names keys later where that could not be stored at once', async () => {
    vi.useFakeTimers();
    try {
      const store = openStore();
      const keys: JsonObject[] = [];
      const { log } = await openLog(store, { signer: { sign: async () => null, keys: () => keys } });
      log.watch();
      keys.push({ kid: 'a' });
      store.fails = 'before';
      await log.noteKeys();
      store.fails = 'never';
      await vi.advanceTimersByTimeAsync(60_000);
      await vi.waitFor(async () => expect(await kinds(store)).toEqual(['started', 'keys']), 10_000);
      await log.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('names keys that sign from now on where they changed', async () => {
    const store = openStore();
    const keys: JsonObject[] = [{ kid: 'a' }];
    const { log } = await openLog(store, { signer: { sign: async () => null, keys: () => keys } });
    await log.noteKeys();
    keys.push({ kid: 'b' });
    await log.noteKeys();
    await log.noteKeys();
    expect(await contents(store)).toMatchObject([
      { kind: 'started', keys: [{ kid: 'a' }] },
      { kind: 'keys', keys: [{ kid: 'a' }, { kid: 'b' }] },
    ]);
  });
});

describe('the copy', () => {
  it('has each stored record on a line, in order', async () => {
    const store = openStore();
    let text = '';
    const copy = new RecordCopy(async (lines) => {
      text += lines;
    }, new KeptLog());
    const { log } = await openLog(store, { copy });
    await Promise.all([log.record(judged()), log.record(judged())]);
    await log.close();
    const stored = await store.records(null, 10);
    const copied = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(copied.map(({ hash }) => hash)).toEqual(stored.map(({ hash }) => hash));
    expect(copied[1]).toEqual({
      ...stored[1],
      salt: Buffer.from(stored[1]?.salt ?? []).toString('base64url'),
    });
  });

  it('LOG-02 that cannot be written keeps no decision from being stored, and the log says so once', async () => {
    const store = openStore();
    const lines = new KeptLog();
    let fails = true;
    const copy = new RecordCopy(async () => {
      if (fails) throw new Error('no space left on device');
    }, lines);
    const { log } = await openLog(store, { copy });
    await log.record(judged());
    await log.record(judged());
    fails = false;
    await log.close();
    expect(await kinds(store)).toEqual(['started', 'decision', 'decision', 'stopped']);
    expect(lines.messages('error')).toEqual([
      'the copy of the decision log cannot be written: the store has what is missing in it',
    ]);
    expect(lines.messages('info')).toEqual(['the copy of the decision log is written again']);
  });

  it('is a file that only its owner may read, made anew where it was rotated', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'veritee-copy-'));
    try {
      const path = join(folder, 'copy.jsonl');
      const copy = RecordCopy.toFile(path, new KeptLog());
      const [record] = await largeRecord();
      for (const rotated of ['copy.1', 'copy.2']) {
        copy.add([record]);
        await copy.close();
        expect((await stat(path)).mode & 0o777).toBe(0o600);
        await rename(path, join(folder, rotated));
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('leaves out what comes faster than it is written, and says so', async () => {
    const lines = new KeptLog();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const copy = new RecordCopy(() => held, lines);
    const [record] = await largeRecord();
    copy.add([record]);
    for (let count = 0; count < 20; count++) copy.add([record]);
    expect(lines.lines).toMatchObject([{ fields: { why: 'it is written more slowly than decisions are made' } }]);
    release();
    await copy.close();
  });
});

async function largeRecord(): Promise<readonly [LogRecord]> {
  const store = openStore();
  await openLog(store);
  const [record] = await store.records(null, 1);
  if (record === undefined) throw new Error('no record');
  return [{ ...record, content: 'x'.repeat(1_000_000) }];
}
