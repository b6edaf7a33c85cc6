import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import engine from 'libsql';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChallengeScope, ConsumedScope } from '../../../../src/core/challenge.js';
import { type KeptObject, type LogRecord, StoreUnavailableError } from '../../../../src/core/decision-log.js';
import { ConfigurationError, VoidChallengeError } from '../../../../src/core/errors.js';
import { SqliteChallengeStore } from '../../../../src/stores/sqlite/sqlite-challenge-store.js';
import { SqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js';
import { localStores } from '../../log/local-store.js';
import { behavesAsLogStore } from '../../log/log-store-behaviour.js';
import { judged, openLog } from '../../log/recorded.js';
import { behavesAsChallengeStore, until } from '../challenge-store-behaviour.js';

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

const KEY = new Uint8Array(32).fill(7);
const OTHER_KEY = new Uint8Array(32).fill(8);
const SCOPE: ChallengeScope = { tenant: 'default', audience: null, policy: null, evidenceType: null };
const ASKED: ConsumedScope = { tenant: 'default', audience: null, policies: ['payments'], evidenceType: 'snp' };

function openChallenges(store: SqliteStore, clock: TwoClocks, key = KEY, capacity?: number) {
  return SqliteChallengeStore.open(store, { key, clock, lifetimeMs: 300_000, capacity });
}

describe('challenges that a store is behind with', () => {
  it('STO-07 are neither kept nor used up once nobody waits for them', async () => {
    const store = await openStore();
    const challenges = await openChallenges(store, new TwoClocks());
    const period = until(new Date('2026-01-15T12:05:00Z'));
    await challenges.put('early', SCOPE, period);
    // Whoever holds the file has the thread wait for it.
    const other = new engine(join(folder, 'veritee.db'));
    other.exec('BEGIN IMMEDIATE');
    const first = challenges.put('first', SCOPE, period);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const givenUp = new AbortController();
    const late = challenges.put('late', SCOPE, period, givenUp.signal);
    const use = challenges.consume('early', ASKED, givenUp.signal);
    const next = challenges.put('next', SCOPE, period, new AbortController().signal);
    givenUp.abort();
    other.exec('COMMIT');
    other.close();
    await expect(late).rejects.toThrow('the caller gave up before the operation started');
    await expect(use).rejects.toThrow(StoreUnavailableError);
    await Promise.all([first, next]);
    expect(await challenges.consume('late', ASKED)).toMatchObject({ state: 'unknown' });
    expect(await challenges.consume('early', ASKED)).toMatchObject({ state: 'consumed' });
  });

  it('STO-07 of a tenant that has all of its own are refused without asking for them, until those have expired', async () => {
    const clocks = new TwoClocks();
    const asked: string[] = [];
    const answers: Record<string, unknown> = { admitChallengeKey: null, putChallenge: true, dropExpired: 0 };
    const ask = async (name: string) => {
      asked.push(name);
      return answers[name];
    };
    const fake = { isReachable: true, ask, askFor: (_givenUp: unknown, name: string) => ask(name) };
    const challenges = await openChallenges(fake as unknown as SqliteStore, clocks, KEY, 2);
    const period = () => until(new Date(clocks.wall + 300_000));
    const put = (tenant: string) => challenges.put('id', { ...SCOPE, tenant }, period()).catch(({ code }) => code);
    const puts = () => asked.filter((name) => name === 'putChallenge').length;
    expect([await put('full'), await put('full')]).toEqual([undefined, undefined]);
    for (let time = 0; time < 64; time += 1) expect(await put('full')).toBe('overloaded');
    expect(puts()).toBe(2);
    expect([await put('other'), await put('full'), puts()]).toEqual([undefined, 'overloaded', 3]);
    clocks.pass(301_000);
    expect([await put('full'), puts()]).toEqual([undefined, 4]);
  });

  it('STO-07 go in turns where many have expired', async () => {
    const clocks = new TwoClocks();
    const dropped = [1_000, 1_000, 7];
    const fake = {
      isReachable: true,
      ask: async (name: string) => (name === 'dropExpired' ? dropped.shift() : null),
      askFor: async () => true,
    };
    const challenges = await openChallenges(fake as unknown as SqliteStore, clocks);
    await challenges.put('id', SCOPE, until(new Date('2026-01-15T12:05:00Z')));
    await expect.poll(() => dropped).toEqual([]);
  });
});

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

  it('STO-05 fails what is asked, now and later, where it ends by itself', async () => {
    const store = await openStore();
    const post = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(() => undefined);
    try {
      const asked = store.chains();
      const [worker] = post.mock.contexts;
      await (worker as Worker | undefined)?.terminate();
      await expect(asked).rejects.toThrow(new StoreUnavailableError('the thread of the store has ended'));
      await expect(store.chains()).rejects.toThrow(new StoreUnavailableError('the thread of the store has ended'));
    } finally {
      post.mockRestore();
    }
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
    await store.append([{ ...record, entry: null, withdraws: null, release: null, objects: [] }]);
    await expect(
      store.append([{ ...record, entry: null, withdraws: null, release: null, objects: [] }]),
    ).rejects.toThrow(/UNIQUE constraint failed/);
    await vi.waitFor(async () => expect(await store.last('c')).toEqual({ chain: 'c', seq: 0, hash: '' }), 10_000);
  });
});

describe('kept objects in a SQLite file', () => {
  const digest = (digit: string) => digit.repeat(64);

  it('are read in the order of their digests, so many at once', async () => {
    const store = await openStore();
    for (const digit of ['c', 'a', 'b']) await store.putObject({ sha256: digest(digit), bytes: Buffer.from(digit) });
    const read = async (after: string | null, limit: number) =>
      (await store.objects(after, limit)).map(({ sha256, bytes }) => [sha256[0], Buffer.from(bytes).toString()]);
    expect(await read(null, 2)).toEqual([
      ['a', 'a'],
      ['b', 'b'],
    ]);
    expect(await read(digest('b'), 2)).toEqual([['c', 'c']]);
    expect(await read(digest('c'), 2)).toEqual([]);
  });

  it('are read some MiB at once, and one that is larger by itself', async () => {
    const store = await openStore();
    const sizes = { a: 3, b: 3, c: 9, d: 1 };
    for (const [digit, mebibytes] of Object.entries(sizes)) {
      await store.putObject({ sha256: digest(digit), bytes: new Uint8Array(mebibytes * 1024 * 1024) });
    }
    const pages: string[][] = [];
    for (let after: string | null = null; ; ) {
      const page: readonly KeptObject[] = await store.objects(after, 100);
      after = page.at(-1)?.sha256 ?? null;
      if (after === null) break;
      pages.push(page.map(({ sha256 }) => sha256.slice(0, 1)));
    }
    expect(pages).toEqual([['a', 'b'], ['c'], ['d']]);
  });

  it('are kept once, and dropped where nothing rests on them', async () => {
    const store = await openStore();
    const { log, chain } = await openLog(store);
    const inputs = { sha256: digest('a'), objects: [{ sha256: digest('a'), bytes: Buffer.from('a') }] };
    await log.record({ ...judged(), inputs });
    await store.putObject({ sha256: digest('a'), bytes: Buffer.from('other') });
    await store.putObject({ sha256: digest('b'), bytes: Buffer.from('b') });
    expect(await store.strays()).toBe(1);
    await store.dropStrayObjects();
    expect(await store.strays()).toBe(0);
    expect((await store.objects(null, 100)).map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['a']);
    expect(await store.objectsOf(chain, 0, 1)).toEqual([{ seq: 1, sha256: digest('a'), isKept: true }]);
    expect(await store.objectsOf(chain, 2, 9)).toEqual([]);
  });

  it('may be missing of records that another store had', async () => {
    const store = await openStore();
    const { log, chain } = await openLog(store);
    await log.record(judged());
    const [record] = await store.records({ chain, seq: 0 }, 1);
    const entry = (await store.entries(chain, 1, 1))[0];
    const other = await SqliteStore.open(join(folder, 'other.db'));
    open.push(other);
    const restsOn = [digest('a')];
    await other.stage([{ ...(record as LogRecord), entry: entry ?? null, withdraws: null, release: null, restsOn }]);
    expect(await other.objectsOf(chain, 0, 9)).toEqual([{ seq: 1, sha256: digest('a'), isKept: false }]);
  });
});

describe('challenges in a SQLite file', () => {
  async function opened() {
    const store = await openStore();
    const clock = new TwoClocks();
    const challenges = await openChallenges(store, clock);
    const period = until(new Date(clock.wall + 300_000));
    return { store, clock, challenges, period };
  }

  const clock = new TwoClocks();
  behavesAsChallengeStore(
    async () => openChallenges(await openStore(), clock),
    () => clock.now(),
  );

  it('STO-02 of another key keep a service from starting until they have expired, used ones too', async () => {
    const { challenges, clock, period } = await opened();
    await challenges.put('a', SCOPE, period);
    await challenges.consume('a', ASKED);
    const other = () => openStore().then((store) => openChallenges(store, clock, OTHER_KEY));
    const refused = other();
    await expect(refused).rejects.toThrow(ConfigurationError);
    await expect(refused).rejects.toThrow(
      `challenges.key: the file of stores.url has challenges of another key until ${period.expiresAt.toISOString()}: `,
    );
    clock.pass(299_999);
    await expect(other()).rejects.toThrow('challenges.key: ');
    clock.pass(1);
    const next = await other();
    await next.put('b', SCOPE, until(new Date(clock.wall + 300_000)));
    expect(await next.consume('b', ASKED)).toMatchObject({ state: 'consumed' });
  });

  it('STO-02 are neither kept nor used by a service whose key is not that of the file any more, decisions are', async () => {
    const { store, challenges, clock, period } = await opened();
    await challenges.put('a', SCOPE, period);
    clock.pass(300_000);
    const next = await openChallenges(await openStore(), clock, OTHER_KEY);
    const later = until(new Date(clock.wall + 300_000));
    await next.put('b', SCOPE, later);
    const { log, chain } = await openLog(store);
    const asked = Promise.allSettled([
      challenges.put('c', SCOPE, later),
      challenges.consume('b', ASKED),
      challenges.consume('c', ASKED),
    ]);
    await log.record(judged());
    const message = 'the file is of a service with another challenges.key now';
    const refused = { status: 'rejected', reason: { name: 'StoreUnavailableError', message } };
    expect(await asked).toMatchObject([refused, refused, refused]);
    expect(await store.last(chain)).toMatchObject({ seq: 1 });
    expect(await next.consume('b', ASKED)).toMatchObject({ state: 'consumed' });
    await expect(openChallenges(store, clock)).rejects.toThrow('challenges.key: ');
  });

  it('are used once', async () => {
    const { challenges, period } = await opened();
    await challenges.put('a', SCOPE, period);
    const states = await Promise.all(Array.from({ length: 50 }, () => challenges.consume('a', ASKED)));
    expect(states.filter(({ state }) => state === 'consumed')).toHaveLength(1);
    expect(states.filter(({ state }) => state === 'used')).toHaveLength(49);
    expect(await challenges.consume('b', ASKED)).toMatchObject({ state: 'unknown' });
  });

  it('STO-01, FRS-07 are void in the process that comes after, or stay used, and may be lost', async () => {
    const { store, clock, challenges, period } = await opened();
    await challenges.put('used', SCOPE, period);
    await challenges.put('unused', SCOPE, period);
    await challenges.consume('used', ASKED);
    await challenges.close();
    await store.close();
    const again = await openChallenges(await openStore(), clock);
    expect(await again.consume('used', ASKED)).toEqual({ state: 'used' });
    await expect(again.consume('unused', ASKED)).rejects.toThrow(VoidChallengeError);
    const lostUntil = new Date(clock.wall + 300_000);
    expect(await again.consume('lost', ASKED)).toEqual({ state: 'unknown', lostUntil });
  });

  it('STO-01 in a file that was copied back, from before one was used, are void', async () => {
    const { store, clock, challenges, period } = await opened();
    await challenges.put('a', SCOPE, period);
    await store.close();
    const file = join(folder, 'veritee.db');
    copyFileSync(file, join(folder, 'copy.db'));
    // As the service used it that had issued it.
    const other = new engine(file);
    other.exec('UPDATE challenges SET used = 1');
    other.close();
    copyFileSync(join(folder, 'copy.db'), file);
    const again = await openChallenges(await openStore(), clock);
    await expect(again.consume('a', ASKED)).rejects.toThrow(VoidChallengeError);
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
    const { challenges, period } = await opened();
    await challenges.put('a', scope, period);
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
    const { clock, challenges, period } = await opened();
    await challenges.put('a', SCOPE, period);
    clock.pass(300_000);
    clock.wall -= 200_000;
    expect(await challenges.consume('a', ASKED)).toEqual({ state: 'expired' });
    await challenges.put('b', SCOPE, until(new Date(clock.wall + 300_000)));
    expect(await challenges.consume('a', ASKED)).toEqual({ state: 'expired' });
  });

  it('are dropped once they have expired, by both clocks', async () => {
    const { clock, challenges, period } = await opened();
    await challenges.put('a', SCOPE, period);
    clock.pass(302_000);
    await challenges.put('b', SCOPE, until(new Date(clock.wall + 300_000)));
    await vi.waitFor(async () => expect(await challenges.consume('a', ASKED)).toMatchObject({ state: 'unknown' }));
  });

  it('of one id are put once', async () => {
    const { challenges, period } = await opened();
    await challenges.put('a', SCOPE, period);
    await expect(challenges.put('a', SCOPE, period)).rejects.toThrow(StoreUnavailableError);
  });
});
