import { beforeEach, describe, expect, it } from 'vitest';
import type { ChallengePeriod, ChallengeScope, ConsumedScope, ConsumeResult } from '../../../src/core/challenge.js';
import { RefusedError } from '../../../src/core/errors.js';
import type { Clock } from '../../../src/core/ports.js';
import { MemoryChallengeStore } from '../../../src/stores/memory-challenge-store.js';
import { behavesAsChallengeStore, until } from './challenge-store-behaviour.js';

const START = Date.parse('2026-06-01T00:00:00Z');
const ANYTHING: ChallengeScope = { tenant: 'a', audience: null, policy: null, evidenceType: null };
const ASKED: ConsumedScope = { tenant: 'a', audience: 'https://gate', policies: ['p'], evidenceType: 'snp' };

let seconds: number;
/** How far the wall clock was set since the start. */
let setBySeconds: number;
const clock: Clock = {
  now: () => new Date(START + (seconds + setBySeconds) * 1000),
  monotonicMs: () => seconds * 1000,
};

function inSeconds(after: number): ChallengePeriod {
  return until(new Date(START + after * 1000));
}

async function stateOf(consumed: Promise<ConsumeResult>): Promise<ConsumeResult['state']> {
  return (await consumed).state;
}

beforeEach(() => {
  seconds = 0;
  setBySeconds = 0;
});

describe('a store in memory', () => {
  behavesAsChallengeStore(
    async () => new MemoryChallengeStore(clock),
    () => clock.now(),
  );
});

describe('single use', () => {
  it('FRS-02 lets exactly one of 10 000 consume a challenge', async () => {
    const store = new MemoryChallengeStore(clock);
    await store.put('c', ANYTHING, inSeconds(300));
    const results = await Promise.all(Array.from({ length: 10_000 }, () => stateOf(store.consume('c', ASKED))));
    expect(results.filter((result) => result === 'consumed')).toHaveLength(1);
    expect(results.filter((result) => result === 'used')).toHaveLength(9_999);
  });

  it('knows no challenge that was never put', async () => {
    expect(await stateOf(new MemoryChallengeStore(clock).consume('c', ASKED))).toBe('unknown');
  });

  it('keeps a second challenge from taking the place of the first', async () => {
    const store = new MemoryChallengeStore(clock);
    await store.put('c', ANYTHING, inSeconds(300));
    await store.consume('c', ASKED);
    await expect(store.put('c', ANYTHING, inSeconds(300))).rejects.toThrow('challenge id is taken');
    expect(await stateOf(store.consume('c', ASKED))).toBe('used');
  });
});

describe('scope', () => {
  const full: ChallengeScope = { tenant: 'a', audience: 'https://gate', policy: 'p', evidenceType: 'snp' };

  it.each([
    ['tenant', { ...ASKED, tenant: 'b' }],
    ['audience', { ...ASKED, audience: 'https://other' }],
    ['audience, none', { ...ASKED, audience: null }],
    ['policy', { ...ASKED, policies: ['q'] }],
    ['policy, one of two', { ...ASKED, policies: ['p', 'q'] }],
    ['policy, none', { ...ASKED, policies: [] }],
    ['evidence type', { ...ASKED, evidenceType: 'az-snp-vtpm' }],
  ])('FRS-01 refuses another %s, and leaves the challenge to whom it belongs', async (_, asked) => {
    const store = new MemoryChallengeStore(clock);
    await store.put('c', full, inSeconds(300));
    expect(await stateOf(store.consume('c', asked))).toBe('scope');
    expect(await stateOf(store.consume('c', ASKED))).toBe('consumed');
  });

  it('FRS-01 does not tell another tenant whether a challenge is used', async () => {
    const store = new MemoryChallengeStore(clock);
    await store.put('c', ANYTHING, inSeconds(300));
    await store.consume('c', ASKED);
    expect(await stateOf(store.consume('c', { ...ASKED, tenant: 'b' }))).toBe('scope');
  });

  it('that says nothing but the tenant fits every use of the tenant', async () => {
    const store = new MemoryChallengeStore(clock);
    await store.put('c', ANYTHING, inSeconds(300));
    const asked = { tenant: 'a', audience: null, policies: ['q', 'r'], evidenceType: 'tdx' };
    expect(await stateOf(store.consume('c', asked))).toBe('consumed');
  });
});

describe('records', () => {
  it('FRS-07 of used challenges are kept until the expiry', async () => {
    const store = new MemoryChallengeStore(clock);
    await store.put('c', ANYTHING, inSeconds(300));
    await store.consume('c', ASKED);
    seconds = 299;
    await store.put('d', ANYTHING, inSeconds(600));
    expect(await stateOf(store.consume('c', ASKED))).toBe('used');
    seconds = 300;
    await store.put('e', ANYTHING, inSeconds(600));
    expect(await stateOf(store.consume('c', ASKED))).toBe('expired');
  });

  it('FRS-07 that are unexpired are never evicted: a full store refuses', async () => {
    const store = new MemoryChallengeStore(clock, 2);
    await store.put('c', ANYTHING, inSeconds(10));
    await store.put('d', ANYTHING, inSeconds(10));
    await store.consume('c', ASKED);
    const refused = store.put('e', ANYTHING, inSeconds(10));
    await expect(refused).rejects.toThrow(RefusedError);
    await expect(refused).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 1 });
    expect(await stateOf(store.consume('c', ASKED))).toBe('used');
    expect(await stateOf(store.consume('d', ASKED))).toBe('consumed');
  });

  it('FRS-07 of one tenant take no room from another, and make room for their own when they expire', async () => {
    const store = new MemoryChallengeStore(clock, 1);
    const other = { ...ANYTHING, tenant: 'b' };
    await store.put('c', ANYTHING, inSeconds(10));
    await expect(store.put('d', ANYTHING, inSeconds(10))).rejects.toThrow(RefusedError);
    await store.put('e', other, inSeconds(20));
    await expect(store.put('f', other, inSeconds(20))).rejects.toThrow(RefusedError);
    seconds = 11;
    await store.put('g', ANYTHING, inSeconds(30));
    await expect(store.put('h', other, inSeconds(30))).rejects.toThrow(RefusedError);
    expect(await stateOf(store.consume('e', { ...ASKED, tenant: 'b' }))).toBe('consumed');
  });

  it('that are expired make room, in whatever order they were put', async () => {
    const store = new MemoryChallengeStore(clock, 2);
    await store.put('long', ANYTHING, inSeconds(100));
    await store.put('short', ANYTHING, inSeconds(10));
    seconds = 11;
    await store.put('next', ANYTHING, inSeconds(100));
    expect(await stateOf(store.consume('short', ASKED))).toBe('unknown');
    expect(await stateOf(store.consume('long', ASKED))).toBe('consumed');
    expect(await stateOf(store.consume('next', ASKED))).toBe('consumed');
  });

  it('STO-07 that are expired go a thousand at a time', async () => {
    const store = new MemoryChallengeStore(clock);
    const ids = Array.from({ length: 2_500 }, (_, index) => `c${index}`);
    for (const id of ids) await store.put(id, ANYTHING, inSeconds(10));
    seconds = 11;
    const left = async () => {
      const states = await Promise.all(ids.map((id) => stateOf(store.consume(id, ASKED))));
      return states.filter((state) => state === 'expired').length;
    };
    const counts = [await left()];
    for (let index = 0; index < 4; index += 1) {
      await store.put(`d${index}`, ANYTHING, inSeconds(100));
      counts.push(await left());
    }
    expect(counts).toEqual([2_500, 1_500, 500, 0, 0]);
  });

  it('FRS-07 do not come back where the clock goes back', async () => {
    const store = new MemoryChallengeStore(clock);
    await store.put('c', ANYTHING, inSeconds(10));
    await store.consume('c', ASKED);
    seconds = 11;
    await store.put('d', ANYTHING, inSeconds(100));
    seconds = 5;
    expect(await stateOf(store.consume('c', ASKED))).toBe('unknown');
  });
});

describe('expiry', () => {
  it('FRS-10 is when the lifetime has been counted, though the wall clock was set back', async () => {
    const store = new MemoryChallengeStore(clock);
    await store.put('used', ANYTHING, inSeconds(300));
    await store.put('unused', ANYTHING, inSeconds(300));
    setBySeconds = -6 * 3600;
    seconds = 299;
    expect(await stateOf(store.consume('used', ASKED))).toBe('consumed');
    seconds = 300;
    expect(await stateOf(store.consume('used', ASKED))).toBe('expired');
    expect(await stateOf(store.consume('unused', ASKED))).toBe('expired');
    expect(await stateOf(store.consume('unused', { ...ASKED, tenant: 'b' }))).toBe('expired');
  });

  it('FRS-10 is when the wall clock says so, though less has been counted', async () => {
    const store = new MemoryChallengeStore(clock);
    await store.put('c', ANYTHING, inSeconds(300));
    setBySeconds = 300;
    expect(await stateOf(store.consume('c', ASKED))).toBe('expired');
  });

  it('FRS-10 counts from when the challenge was put, whatever the wall clock said then', async () => {
    const store = new MemoryChallengeStore(clock);
    [seconds, setBySeconds] = [1000, -500];
    await store.put('c', ANYTHING, until(new Date(clock.now().getTime() + 300_000)));
    seconds = 1299;
    expect(await stateOf(store.consume('c', ASKED))).toBe('consumed');
  });
});

describe('what is outstanding', () => {
  it('is what could still be used', async () => {
    const store = new MemoryChallengeStore(clock);
    for (const id of ['used', 'unused']) await store.put(id, ANYTHING, inSeconds(300));
    await store.put('short', ANYTHING, inSeconds(10));
    await store.consume('used', ASKED);
    expect(store.outstanding).toBe(2);
    seconds = 10;
    expect(store.outstanding).toBe(1);
    setBySeconds = 290;
    expect(store.outstanding).toBe(0);
  });
});

describe('what is told of the purpose', () => {
  const purpose = { audience: 'https://gate', policy: 'p', evidenceType: 'snp' };
  const full: ChallengeScope = { tenant: 'a', ...purpose };

  it('is all of it, to its own tenant, where it was compared', async () => {
    const store = new MemoryChallengeStore(clock);
    await store.put('c', full, inSeconds(300));
    expect(await store.consume('c', { ...ASKED, policies: ['q'] })).toEqual({ state: 'scope', purpose });
    expect(await store.consume('c', ASKED)).toMatchObject({ state: 'consumed', purpose });
    expect(await store.consume('c', ASKED)).toEqual({ state: 'used' });
  });

  it('FRS-01 is nothing, to another tenant', async () => {
    const store = new MemoryChallengeStore(clock);
    await store.put('c', full, inSeconds(300));
    expect(await store.consume('c', { ...ASKED, tenant: 'b' })).toEqual({ state: 'scope' });
  });
});

it('FRS-03 is out of reach once it is closed', async () => {
  const store = new MemoryChallengeStore(clock);
  await store.put('c', ANYTHING, inSeconds(300));
  await store.close();
  await expect(store.consume('c', ASKED)).rejects.toThrow('challenge store is closed');
  await expect(store.put('d', ANYTHING, inSeconds(300))).rejects.toThrow('challenge store is closed');
});
