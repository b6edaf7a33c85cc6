import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChallengeScope, ConsumedScope } from '../../../../src/model/challenge.js';
import { StoreUnavailableError } from '../../../../src/model/decision-log.js';
import { RefusedError } from '../../../../src/model/errors.js';
import { SqliteChallengeStore, SqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js';
import { localStores } from '../../decision-log/local-store.js';
import { behavesAsLogStore } from '../../decision-log/log-store-behaviour.js';
import { judged, openLog } from '../../decision-log/recorded.js';

let folder: string;
const open: SqliteStore[] = [];
const openLocal = localStores();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-store-'));
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function openStore(): Promise<SqliteStore> {
  const store = await SqliteStore.open(join(folder, 'veritee.db'));
  open.push(store);
  return store;
}

class TwoClocks {
  wall = new Date('2026-01-15T12:00:00Z').getTime();
  monotonic = 1000;
  now = () => new Date(this.wall);
  monotonicMs = () => this.monotonic;
  pass(milliseconds: number): void {
    this.wall += milliseconds;
    this.monotonic += milliseconds;
  }
}

const SCOPE: ChallengeScope = { tenant: 'default', audience: null, policy: null, evidenceType: null };
const ASKED: ConsumedScope = { tenant: 'default', audience: null, policies: ['payments'], evidenceType: 'snp' };

describe('decisions in a SQLite file', () => behavesAsLogStore(openStore));

describe('decisions in a SQLite file without its thread', () => behavesAsLogStore(async () => openLocal()));

describe('the thread of a SQLite file', () => {
  it('answers what was asked before it is closed, and nothing after', async () => {
    const store = await openStore();
    const asked = store.chains();
    await store.close();
    expect(await asked).toEqual([]);
    await expect(store.chains()).rejects.toThrow(StoreUnavailableError);
    await store.close();
  });

  it('does not start on a file that is none', async () => {
    writeFileSync(join(folder, 'veritee.db'), 'x'.repeat(5000));
    await expect(openStore()).rejects.toThrow(/veritee\.db: .*not a database/);
  });

  it('reads a file as it was when it was opened, and makes none', async () => {
    const path = join(folder, 'veritee.db');
    await expect(SqliteStore.openToRead(path)).rejects.toThrow(StoreUnavailableError);
    expect(existsSync(path)).toBe(false);
    const store = await openStore();
    const { log, chain } = await openLog(store);
    const reader = await SqliteStore.openToRead(path);
    open.push(reader);
    await log.record(judged());
    expect(await store.last(chain)).toMatchObject({ seq: 1 });
    expect(await reader.last(chain)).toMatchObject({ seq: 0 });
    await expect(reader.putHead({ chain, seq: 0, jws: 'x' })).rejects.toThrow(StoreUnavailableError);
  });

  it('says what failed, and goes on', async () => {
    const store = await openStore();
    const record = {
      chain: 'c',
      seq: 0,
      previous: '',
      contentSha256: '',
      hash: '',
      salt: new Uint8Array(1),
      content: '{}',
    };
    await store.append([{ ...record, entry: null, withdraws: null, objects: [] }]);
    await expect(store.append([{ ...record, entry: null, withdraws: null, objects: [] }])).rejects.toThrow(
      /UNIQUE constraint failed/,
    );
    await vi.waitFor(async () => expect(await store.last('c')).toEqual({ chain: 'c', seq: 0, hash: '' }), 10_000);
  });
});

describe('challenges in a SQLite file', () => {
  async function opened() {
    const store = await openStore();
    const clock = new TwoClocks();
    const challenges = new SqliteChallengeStore(store, clock);
    const expiresAt = new Date(clock.wall + 300_000);
    return { store, clock, challenges, expiresAt };
  }

  it('are used once', async () => {
    const { challenges, expiresAt } = await opened();
    await challenges.put('a', SCOPE, expiresAt);
    const states = await Promise.all(Array.from({ length: 50 }, () => challenges.consume('a', ASKED)));
    expect(states.filter(({ state }) => state === 'consumed')).toHaveLength(1);
    expect(states.filter(({ state }) => state === 'used')).toHaveLength(49);
    expect(await challenges.consume('b', ASKED)).toEqual({ state: 'unknown' });
  });

  it('FRS-07 stay used, or unused, in the process that comes after', async () => {
    const { store, clock, challenges, expiresAt } = await opened();
    await challenges.put('used', SCOPE, expiresAt);
    await challenges.put('unused', SCOPE, expiresAt);
    await challenges.consume('used', ASKED);
    await challenges.close();
    await store.close();
    const again = new SqliteChallengeStore(await openStore(), clock);
    expect(await again.consume('used', ASKED)).toEqual({ state: 'used' });
    expect(await again.consume('unused', ASKED)).toMatchObject({ state: 'consumed' });
  });

  it.each([
    ['another tenant', { ...SCOPE, tenant: 'other' }, { state: 'scope' }],
    [
      'another audience',
      { ...SCOPE, audience: 'https://vault.example' },
      { state: 'scope', purpose: { audience: 'https://vault.example' } },
    ],
    ['another policy', { ...SCOPE, policy: 'baseline' }, { state: 'scope', purpose: { policy: 'baseline' } }],
    ['another type', { ...SCOPE, evidenceType: 'tdx' }, { state: 'scope', purpose: { evidenceType: 'tdx' } }],
  ])('FRS-01 of %s are not used up', async (_, scope, expected) => {
    const { challenges, expiresAt } = await opened();
    await challenges.put('a', scope, expiresAt);
    expect(await challenges.consume('a', ASKED)).toMatchObject(expected);
    const fitting = {
      tenant: scope.tenant,
      audience: scope.audience,
      policies: [scope.policy ?? 'payments'],
      evidenceType: scope.evidenceType ?? 'snp',
    };
    expect(await challenges.consume('a', fitting)).toMatchObject({ state: 'consumed' });
  });

  it('FRS-10 end when the process that issued them has counted their lifetime, whatever the wall clock says', async () => {
    const { clock, challenges, expiresAt } = await opened();
    await challenges.put('a', SCOPE, expiresAt);
    clock.pass(300_000);
    clock.wall -= 200_000;
    expect(await challenges.consume('a', ASKED)).toEqual({ state: 'expired' });
    await challenges.put('b', SCOPE, new Date(clock.wall + 300_000));
    expect(await challenges.consume('a', ASKED)).toEqual({ state: 'expired' });
  });

  it('are dropped once they have expired, by both clocks', async () => {
    const { clock, challenges, expiresAt } = await opened();
    await challenges.put('a', SCOPE, expiresAt);
    clock.pass(302_000);
    await challenges.put('b', SCOPE, new Date(clock.wall + 300_000));
    await vi.waitFor(async () => expect(await challenges.consume('a', ASKED)).toEqual({ state: 'unknown' }));
  });

  it('of one id are put once', async () => {
    const { challenges, expiresAt } = await opened();
    await challenges.put('a', SCOPE, expiresAt);
    await expect(challenges.put('a', SCOPE, expiresAt)).rejects.toThrow(StoreUnavailableError);
  });

  it('are refused where a tenant has no room for more', async () => {
    const { store, challenges, expiresAt } = await opened();
    vi.spyOn(store, 'ask').mockResolvedValue(false as never);
    const refused = challenges.put('a', SCOPE, expiresAt);
    await expect(refused).rejects.toThrow(RefusedError);
    await expect(refused).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 1 });
  });
});
