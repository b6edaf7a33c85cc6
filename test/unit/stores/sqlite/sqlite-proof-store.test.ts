import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import engine from 'libsql';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreUnavailableError } from '../../../../src/core/decision-log.js';
import { SqliteProofStore } from '../../../../src/stores/sqlite/sqlite-proof-store.js';
import { SqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js';

const START = Date.parse('2026-01-15T12:00:00Z');
const OVERLOADED = expect.objectContaining({ code: 'overloaded' });

let path: string;
let store: SqliteStore;
let at: number;

const clock = { now: () => new Date(START + at), monotonicMs: () => at };
const open = (capacity?: number) => new SqliteProofStore(store, clock, capacity);

beforeEach(async () => {
  at = 1000;
  path = join(mkdtempSync(join(tmpdir(), 'veritee-proofs-')), 'veritee.db');
  store = await SqliteStore.open(path);
});

afterEach(async () => {
  await store.close();
  rmSync(join(path, '..'), { recursive: true });
});

function count(): number {
  const database = new engine(path);
  try {
    const [[found]] = database.prepare('SELECT count(*) FROM used_proofs').raw().all() as [[number]];
    return found;
  } finally {
    database.close();
  }
}

describe('used proofs in a file', () => {
  it('GAT-02 are new once, also of many that use one at once', async () => {
    const proofs = open();
    const uses = await Promise.all(Array.from({ length: 20 }, () => proofs.use('web', 'one')));
    expect(uses.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(await proofs.use('web', 'other')).toMatchObject({ isNew: true });
  });

  it('GAT-02 stay used over a restart, from when on all are known', async () => {
    await open().use('web', 'one');
    await store.close();
    store = await SqliteStore.open(path);
    at = 5000;
    expect(await open().use('web', 'one')).toEqual({ isNew: false, knownSince: new Date(START + 5000) });
  });

  it('are kept until no clock in the bounds of the watch accepts the time of the proof', async () => {
    const proofs = open();
    await proofs.use('web', 'one');
    at += 200_000;
    expect(await proofs.use('web', 'one')).toMatchObject({ isNew: false });
    at += 1000;
    await proofs.use('web', 'next');
    await vi.waitFor(() => expect(count()).toBe(1));
    expect(await proofs.use('web', 'one')).toMatchObject({ isNew: true });
  });

  it('are dropped in batches, all of them in the end', async () => {
    const proofs = open();
    const batch = vi.spyOn(store, 'ask');
    await Promise.all(Array.from({ length: 2001 }, (_, index) => proofs.use('web', `${index}`)));
    at += 201_000;
    batch.mockClear();
    await proofs.use('web', 'next');
    await vi.waitFor(() => expect(count()).toBe(1));
    expect(batch.mock.calls.filter(([name]) => name === 'dropProofs')).toHaveLength(3);
  });

  it('GAT-02 of one gate take no room of another, and what does not fit is refused and not forgotten', async () => {
    const proofs = open(2);
    await proofs.use('web', 'a');
    await proofs.use('web', 'b');
    await expect(proofs.use('web', 'c')).rejects.toThrow(OVERLOADED);
    expect(await proofs.use('other', 'c')).toMatchObject({ isNew: true });
    expect(count()).toBe(3);
    at += 201_000;
    expect(await proofs.use('web', 'd')).toMatchObject({ isNew: true });
  });

  it('GAT-02 are not taken for new where the file is out of reach', async () => {
    const proofs = open();
    await store.close();
    await expect(proofs.use('web', 'one')).rejects.toThrow(StoreUnavailableError);
  });
});
