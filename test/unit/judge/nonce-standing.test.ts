import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ConsumedScope } from '../../../src/core/challenge.js';
import { ChallengeCodec, challengeId } from '../../../src/judge/challenge-codec.js';
import type { Challenges } from '../../../src/judge/challenges.js';
import { challengesWith, FakeChallengeStore, FakeLog, fixedClock, never } from './fakes.js';
import { MemoryChallengeStore } from './memory-challenge-store.js';

const SCOPE: ConsumedScope = { tenant: 'a', audience: null, policies: ['p'], evidenceType: 'snp' };
const ISSUED_AT = new Date('2026-06-01T00:00:00Z');
const EXPIRES_AT = new Date('2026-06-01T00:05:00Z');
const LIVE = { at: new Date('2026-06-01T00:04:59.999Z'), consume: true };
const EXPIRED = { at: EXPIRES_AT, consume: true };

const codec = new ChallengeCodec(randomBytes(32), randomBytes);
const challenge = codec.make(EXPIRES_AT);

function challengesOf(store: FakeChallengeStore, timeoutMs?: number): Challenges {
  return challengesWith({ codec, store, timeoutMs });
}

describe('standing', () => {
  it('is none without a nonce, and the caller’s own where the MAC does not fit', async () => {
    const store = new FakeChallengeStore();
    expect(await challengesOf(store).standing(null, SCOPE, LIVE)).toEqual({ origin: 'none' });
    expect(await challengesOf(store).standing(randomBytes(32), SCOPE, LIVE)).toEqual({ origin: 'caller' });
    expect(await challengesOf(store).standing(randomBytes(8), SCOPE, LIVE)).toEqual({ origin: 'caller' });
    expect(store.consumed).toEqual([]);
  });

  it('FRS-07 of a challenge with one bit changed is the caller’s own, without asking the store', async () => {
    const store = new FakeChallengeStore();
    const changed = Uint8Array.from(challenge, (byte, index) => (index === 31 ? byte ^ 1 : byte));
    expect(await challengesOf(store).standing(changed, SCOPE, LIVE)).toEqual({ origin: 'caller' });
    expect(store.consumed).toEqual([]);
  });

  it.each([
    ['used', 'used'],
    ['scope', 'scope'],
    ['expired', 'expired'],
  ] as const)('FRS-07 where the store says %s is %s', async (said, state) => {
    const store = new FakeChallengeStore(async () => ({ state: said }));
    expect(await challengesOf(store).standing(challenge, SCOPE, LIVE)).toEqual({ origin: 'challenge', state });
    expect(store.consumed).toEqual([{ id: challengeId(challenge), scope: SCOPE }]);
  });

  it.each([
    [EXPIRES_AT.getTime() - 1, 'used'],
    [EXPIRES_AT.getTime(), 'store_unavailable'],
  ] as const)(
    'STO-01 where the store has none, and may have lost those that end by %s, is %s',
    async (lostMs, state) => {
      const store = new FakeChallengeStore(async () => ({ state: 'unknown', lostUntil: new Date(lostMs) }));
      expect(await challengesOf(store).standing(challenge, SCOPE, LIVE)).toEqual({ origin: 'challenge', state });
    },
  );

  it('TPM-09 of a challenge at its expiry is expired, and the instant before it is not', async () => {
    const store = new FakeChallengeStore();
    expect(await challengesOf(store).standing(challenge, SCOPE, EXPIRED)).toEqual({
      origin: 'challenge',
      state: 'expired',
    });
    expect(store.consumed).toEqual([]);
    expect(await challengesOf(store).standing(challenge, SCOPE, LIVE)).toMatchObject({ state: 'consumed' });
  });

  it.each([
    [LIVE.at, 'not_consumed'],
    [EXPIRED.at, 'expired'],
  ] as const)('of a request that uses up no challenge, at %s, is %s without touching the store', async (at, state) => {
    const store = new FakeChallengeStore();
    const standing = await challengesOf(store).standing(challenge, SCOPE, { at, consume: false });
    expect(standing).toEqual({ origin: 'challenge', state });
    expect(store.consumed).toEqual([]);
  });
});

describe('of a challenge that is consumed', () => {
  it('the standing says when it was issued', async () => {
    const store = new FakeChallengeStore(async () => ({ state: 'consumed', issuedAt: ISSUED_AT }));
    const standing = await challengesOf(store).standing(challenge, SCOPE, LIVE);
    expect(standing).toEqual({ origin: 'challenge', state: 'consumed', issuedAt: ISSUED_AT });
    expect(store.consumed).toEqual([{ id: challengeId(challenge), scope: SCOPE }]);
  });
});

describe('FRS-03 a store', () => {
  const unavailable = { origin: 'challenge', state: 'store_unavailable' };

  it('FRS-03 that is down leaves the challenge undecided, and is logged without the challenge', async () => {
    const log = new FakeLog();
    const failing = new FakeChallengeStore(() => Promise.reject(new Error('connection refused')));
    expect(await challengesWith({ codec, store: failing, log }).standing(challenge, SCOPE, LIVE)).toEqual(unavailable);
    expect(log.lines).toEqual([
      { level: 'error', fields: { why: 'connection refused' }, message: expect.stringContaining('fails') },
      { level: 'warn', fields: { err: new Error('connection refused') }, message: 'challenge store fails' },
    ]);
  });

  it('FRS-03 that never answers leaves it undecided', async () => {
    const hanging = new FakeChallengeStore(() => never());
    expect(await challengesOf(hanging, 1).standing(challenge, SCOPE, LIVE)).toEqual(unavailable);
  });

  it('FRS-03 that throws instead of rejecting leaves it undecided', async () => {
    const throwing = new FakeChallengeStore(() => {
      throw new Error('not connected');
    });
    expect(await challengesOf(throwing).standing(challenge, SCOPE, LIVE)).toEqual(unavailable);
  });

  it('FRS-03 that answers in time counts', async () => {
    const slow = new FakeChallengeStore(
      () => new Promise((resolve) => setTimeout(() => resolve({ state: 'consumed', issuedAt: new Date(0) }), 1)),
    );
    expect(await challengesOf(slow, 10_000).standing(challenge, SCOPE, LIVE)).toMatchObject({ state: 'consumed' });
  });

  it('FRS-03 that has answered while this process was busy with something else counts', async () => {
    const answering = new FakeChallengeStore(
      () => new Promise((resolve) => stat('/', () => resolve({ state: 'consumed', issuedAt: new Date(0) }))),
    );
    const standing = challengesOf(answering, 10).standing(challenge, SCOPE, LIVE);
    // The system answers meanwhile, and nobody hears it before the time is over.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    expect(await standing).toMatchObject({ state: 'consumed' });
  });

  it('FRS-03 that never had a record says used', async () => {
    const store = new MemoryChallengeStore(fixedClock('2026-06-01T00:00:00Z'));
    const standing = await challengesWith({ codec, store }).standing(challenge, SCOPE, LIVE);
    expect(standing).toEqual({ origin: 'challenge', state: 'used' });
  });
});

describe('with a store', () => {
  async function issued(): Promise<Challenges> {
    const store = new MemoryChallengeStore(fixedClock('2026-06-01T00:00:00Z'));
    const scope = { tenant: 'a', audience: null, policy: 'p', evidenceType: 'snp' };
    await store.put(challengeId(challenge), scope, { issuedAt: ISSUED_AT, expiresAt: EXPIRES_AT });
    return challengesWith({ codec, store });
  }

  it('FRS-02 exactly one of 10 000 requests at once gets the challenge', async () => {
    const nonces = await issued();
    const standings = await Promise.all(Array.from({ length: 10_000 }, () => nonces.standing(challenge, SCOPE, LIVE)));
    const states = standings.map((standing) => (standing.origin === 'challenge' ? standing.state : standing.origin));
    expect(states.filter((state) => state === 'consumed')).toHaveLength(1);
    expect(states.filter((state) => state === 'used')).toHaveLength(9_999);
  });

  it('FRS-04 a challenge stays consumed, whatever became of the request', async () => {
    const nonces = await issued();
    expect(await nonces.standing(challenge, SCOPE, LIVE)).toMatchObject({ state: 'consumed' });
    expect(await nonces.standing(challenge, SCOPE, LIVE)).toMatchObject({ state: 'used' });
  });

  it('TPM-09 a used challenge is expired once its time is over', async () => {
    const nonces = await issued();
    await nonces.standing(challenge, SCOPE, LIVE);
    expect(await nonces.standing(challenge, SCOPE, EXPIRED)).toMatchObject({ state: 'expired' });
  });

  it.each([
    ['tenant', { ...SCOPE, tenant: 'b' }],
    ['policy', { ...SCOPE, policies: ['p', 'q'] }],
    ['evidence type', { ...SCOPE, evidenceType: 'az-snp-vtpm' }],
  ])('FRS-01 a challenge of another %s is out of scope', async (_, scope) => {
    expect(await (await issued()).standing(challenge, scope, LIVE)).toMatchObject({ state: 'scope' });
  });

  it('the scopes that were compared are handed on, but not those of another tenant', async () => {
    const purpose = { audience: null, policy: 'p', evidenceType: 'snp' };
    const asked = { ...SCOPE, policies: ['p', 'q'] };
    const nonces = await issued();
    expect(await nonces.standing(challenge, asked, LIVE)).toMatchObject({ scopes: { purpose, asked } });
    expect(await nonces.standing(challenge, { ...SCOPE, tenant: 'b' }, LIVE)).not.toHaveProperty('scopes');
  });
});
