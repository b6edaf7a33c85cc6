import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import { UnfitError } from '../../../src/core/errors.js';
import type { ResetMemory } from '../../../src/core/vtpm-resets.js';
import { RedisResetStore } from '../../../src/stores/redis/redis-reset-store.js';
import { RAISE } from '../../../src/stores/redis/reset-scripts.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { KEY, OTHER_KEY, PATIENT, settingsFor } from './shared-challenges.js';
import { isWithoutValkey, Valkey } from './valkey.js';

const TENANT = 'payments';
const PASSWORD = 'correct-horse-battery-staple';
const COUNTS_KEY = `{veritee}:resets:counts:${TENANT}`;
const RISEN_KEY = `{veritee}:resets:risen:${TENANT}`;

const open: RedisResetStore[] = [];
let valkey: Valkey;

interface Replica {
  readonly key?: Uint8Array;
  readonly capacity?: number;
  readonly log?: RecordingLog;
  readonly user?: { readonly user: string; readonly password: string };
}

/** What a replica of the service shares. A busy machine has much time. */
async function storeOf({ user, log = new RecordingLog(), ...replica }: Replica = {}): Promise<RedisResetStore> {
  const store = await RedisResetStore.open({
    settings: { ...settingsFor(valkey.port), ...user },
    key: KEY,
    clock: SYSTEM_CLOCK,
    log,
    commandTimeoutMs: 10_000,
    startLimitMs: 0,
    ...replica,
  });
  open.push(store);
  return store;
}

const start = async (replica: Replica = {}): Promise<ResetMemory> => (await storeOf(replica)).of(TENANT);
const counts = (resetCount: number, restartCount = 0) => ({ resetCount, restartCount });
const AK = 'ak'.padEnd(43, 'x');
const akOf = (index: number) => `ak${index}-`.padEnd(43, 'x');

/** The step of the server that writes, by itself. */
async function raise(entry: string, resetCount: number, restartCount: number): Promise<readonly unknown[]> {
  const args = [AK, entry, resetCount, restartCount, 10, 0];
  return (await valkey.command('eval', RAISE.text, 2, COUNTS_KEY, RISEN_KEY, ...args)) as readonly unknown[];
}

/** Notes vTPMs one after the other, each later than the one before by the clock of the server. */
async function fill(memory: ResetMemory, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index++) {
    await memory.advance(akOf(index), counts(1));
    await valkey.command('zadd', RISEN_KEY, index, akOf(index));
  }
}

describe.skipIf(isWithoutValkey('reset counts in a server of Valkey'))('reset counts in a server', () => {
  beforeAll(async () => {
    valkey = await Valkey.start();
  });

  beforeEach(() => valkey.command('flushall'));

  afterEach(async () => {
    await Promise.all(open.splice(0).map((store) => store.close()));
  });

  afterAll(() => valkey.close());

  it('TPM-10 are known to every replica once one has noted them, and only grow', async () => {
    const [one, other] = [await start(), await start()];
    expect(await other.highest(AK)).toBeNull();
    expect(await one.advance(AK, counts(9, 2))).toEqual(counts(9, 2));
    expect(await other.highest(AK)).toEqual(counts(9, 2));
    expect(await other.advance(AK, counts(9, 1))).toEqual(counts(9, 2));
    expect(await other.advance(AK, counts(8, 7))).toEqual(counts(9, 2));
    expect(await other.advance(AK, counts(9, 3))).toEqual(counts(9, 3));
    expect(await other.advance(AK, counts(10, 0))).toEqual(counts(10));
    expect(await one.highest(AK)).toEqual(counts(10));
  });

  it('TPM-10 are compared as numbers of 32 bits, not as texts', async () => {
    const memory = await start();
    for (const [resetCount, restartCount] of [
      [9, 10],
      [9, 11],
      [10, 0],
      [999_999_999, 9],
      [4_294_967_294, 4_294_967_295],
      [4_294_967_295, 9],
      [4_294_967_295, 4_294_967_295],
    ] as const) {
      await memory.advance(AK, counts(resetCount, restartCount));
      expect(await memory.highest(AK)).toEqual(counts(resetCount, restartCount));
    }
  });

  it('TPM-10 are the highest of a hundred that replicas note at once', async () => {
    const memories = [await start(), await start()];
    const given = Array.from({ length: 100 }, (_, index) => ((index * 37) % 100) + 1);
    const noted = await Promise.all(
      given.map((resetCount, index) => (memories[index % 2] as ResetMemory).advance(AK, counts(resetCount))),
    );
    // What each is told is never behind what it gave.
    expect(noted.every(({ resetCount }, index) => resetCount >= (given[index] ?? Number.NaN))).toBe(true);
    expect(await memories[0]?.highest(AK)).toEqual(counts(100));
  });

  it.each([
    ['kept', 8, 7],
    ['kept', 9, 1],
    ['kept', 9, 2],
    ['raised', 9, 3],
    ['raised', 10, 0],
  ])(
    'TPM-10 are %s where (%i, %i) comes after (9, 2), which another replica noted meanwhile',
    async (state, ...given) => {
      const memory = await start();
      await memory.advance(AK, counts(9, 2));
      const before = await valkey.command('hget', COUNTS_KEY, AK);
      const entry = `${given.join(' ')} mac`;
      const [said, kept] = await raise(entry, ...given);
      expect([said, await valkey.command('hget', COUNTS_KEY, AK)]).toEqual([state, state === 'kept' ? before : entry]);
      if (state === 'kept') expect(kept).toBe(before);
    },
  );

  it('TPM-10 that were damaged since they were read are not written over', async () => {
    await valkey.command('hset', COUNTS_KEY, AK, 'nine');
    expect(await raise('9 0 mac', 9, 0)).toEqual(['kept', 'nine']);
    expect(await valkey.command('hget', COUNTS_KEY, AK)).toBe('nine');
  });

  it('TPM-10 of one tenant are no other tenant’s', async () => {
    const store = await storeOf();
    await store.of('one').advance(AK, counts(9));
    expect(await store.of('other').highest(AK)).toBeNull();
    expect(await store.of('other').advance(AK, counts(5))).toEqual(counts(5));
    expect(await store.of('one').highest(AK)).toEqual(counts(9));
  });

  it('TPM-10 are damaged where somebody else wrote them, and stay as they are', async () => {
    const memory = await start();
    await memory.advance(AK, counts(9));
    const sealed = String(await valkey.command('hget', COUNTS_KEY, AK));
    for (const damaged of ['', 'nine', '5 0', sealed.replace('9 0', '5 0'), sealed.replace('9 0', '12 0')]) {
      await valkey.command('hset', COUNTS_KEY, AK, damaged);
      await expect(memory.highest(AK)).rejects.toThrow(UnfitError);
      await expect(memory.advance(AK, counts(10))).rejects.toThrow(UnfitError);
      expect(await valkey.command('hget', COUNTS_KEY, AK)).toBe(damaged);
    }
    await valkey.command('hset', COUNTS_KEY, akOf(1), sealed);
    await expect(memory.highest(akOf(1))).rejects.toThrow(UnfitError);
    await valkey.command('hset', COUNTS_KEY, AK, sealed);
    expect(await memory.highest(AK)).toEqual(counts(9));
  });

  it('TPM-10 of replicas with another challenge key are damaged', async () => {
    await (await start()).advance(AK, counts(9));
    const other = await start({ key: OTHER_KEY });
    await expect(other.highest(AK)).rejects.toThrow(UnfitError);
    await expect(other.advance(AK, counts(10))).rejects.toThrow(UnfitError);
  });

  it('TPM-10 are out of reach while the server is gone, and known again afterwards', async () => {
    const own = await Valkey.start('appendonly yes', 'appendfsync always');
    const before = valkey;
    valkey = own;
    try {
      const memory = await start();
      await memory.advance(AK, counts(9));
      await own.kill();
      const failing = memory.highest(AK);
      await expect(failing).rejects.toThrow();
      await expect(failing).rejects.not.toThrow(UnfitError);
      await expect(memory.advance(AK, counts(10))).rejects.toThrow();
      await own.run();
      await vi.waitFor(async () => expect(await memory.highest(AK)).toEqual(counts(9)), PATIENT);
    } finally {
      valkey = before;
      await Promise.all(open.splice(0).map((store) => store.close()));
      await own.close();
    }
  });

  it('TPM-10 are not read of a server that became a replica of another, which lags behind', async () => {
    const [first, second] = [await Valkey.start(), await Valkey.start()];
    const before = valkey;
    valkey = first;
    try {
      const memory = await start();
      await memory.advance(AK, counts(9));
      // Its data stay: a primary that does not answer replaces nothing.
      await first.command('replicaof', '127.0.0.1', second.port);
      await expect(memory.highest(AK)).rejects.toThrow('the server is a replica now');
      await expect(memory.advance(AK, counts(9))).rejects.toThrow();
      const [said] = await raise('10 0 mac', 10, 0);
      expect(said).toBe('replica');
    } finally {
      valkey = before;
      await Promise.all(open.splice(0).map((store) => store.close()));
      await Promise.all([first.close(), second.close()]);
    }
  });

  it('TPM-10 that are known can be read of a server without memory, and new ones are not kept', async () => {
    const memory = await start();
    await memory.advance(AK, counts(9));
    await valkey.command('config', 'set', 'maxmemory', '1');
    try {
      expect(await memory.highest(AK)).toEqual(counts(9));
      expect(await memory.advance(AK, counts(9))).toEqual(counts(9));
      await expect(memory.advance(AK, counts(10))).rejects.toThrow('OOM');
      await expect(memory.advance(akOf(1), counts(1))).rejects.toThrow('OOM');
    } finally {
      await valkey.command('config', 'set', 'maxmemory', '0');
    }
    expect(await memory.highest(AK)).toEqual(counts(9));
  });

  it('need no more permissions than docs/stores.md gives', async () => {
    const text = readFileSync(new URL('../../../docs/stores.md', import.meta.url), 'utf8');
    const [, line = ''] = /^ACL SETUSER veritee on >… (.*)$/m.exec(text) ?? [];
    await valkey.command('acl', 'setuser', 'veritee', 'on', `>${PASSWORD}`, ...line.split(' '));
    const memory = await start({ user: { user: 'veritee', password: PASSWORD }, capacity: 1 });
    await memory.advance(AK, counts(9));
    await memory.advance(akOf(1), counts(1));
    expect([await memory.highest(AK), await memory.highest(akOf(1))]).toEqual([null, counts(1)]);
  });

  describe('that are full', () => {
    it('forget the vTPM that rose longest ago, not one that rose since, and say so', async () => {
      const log = new RecordingLog();
      const memory = await start({ capacity: 3, log });
      await fill(memory, 0, 3);
      await memory.advance(akOf(0), counts(2));
      await memory.advance(akOf(3), counts(1));
      expect(await Promise.all([0, 1, 2, 3].map((index) => memory.highest(akOf(index))))).toEqual([
        counts(2),
        null,
        counts(1),
        counts(1),
      ]);
      expect(log.of(/oldest counts were forgotten/)).toEqual([{ store: 'redis', tenant: TENANT, forgotten: 1 }]);
      expect([await valkey.command('hlen', COUNTS_KEY), await valkey.command('zcard', RISEN_KEY)]).toEqual([3, 3]);
    });

    it('forget none of another tenant', async () => {
      const store = await storeOf({ capacity: 1 });
      await store.of('other').advance(AK, counts(9));
      for (const index of [1, 2, 3]) await store.of(TENANT).advance(akOf(index), counts(1));
      expect(await store.of('other').highest(AK)).toEqual(counts(9));
    });

    it('forget one in a hundred beside it where they are many', async () => {
      const memory = await start({ capacity: 300 });
      await fill(memory, 0, 300);
      await memory.advance(akOf(300), counts(1));
      expect([await valkey.command('hlen', COUNTS_KEY), await memory.highest(akOf(3))]).toEqual([297, null]);
      expect(await memory.highest(akOf(4))).toEqual(counts(1));
    });

    it('keep the new one, also where nothing says when the others rose', async () => {
      const memory = await start({ capacity: 2 });
      await fill(memory, 0, 2);
      await valkey.command('del', RISEN_KEY);
      for (const index of [2, 3]) {
        expect(await memory.advance(akOf(index), counts(1))).toEqual(counts(1));
        expect(await memory.highest(akOf(index))).toEqual(counts(1));
      }
      expect(await valkey.command('hlen', COUNTS_KEY)).toBe(3);
    });
  });
});
