import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FormatError, RefusedError } from '../../../src/core/errors.js';
import { ChallengeCodec, challengeId } from '../../../src/judge/challenge-codec.js';
import type { Challenges } from '../../../src/judge/challenges.js';
import { CALLER, challengesWith, FakeChallengeStore, fixedClock, never } from './fakes.js';
import { MemoryChallengeStore } from './memory-challenge-store.js';

const ANYTHING = { audience: null, policy: null, evidenceType: null };

const clock = fixedClock('2026-06-01T00:00:00.900Z');
const policies = (tenant: string) => new Set(tenant === 'a' ? ['p', 'q'] : ['r']);
const codec = new ChallengeCodec(randomBytes(32), randomBytes);

function issuing(store: FakeChallengeStore = new FakeChallengeStore(), timeoutMs?: number): Challenges {
  return challengesWith({ codec, store, policies, clock, timeoutMs });
}

describe('a challenge', () => {
  it('is recognised, and lives no longer than it may', async () => {
    const { nonce, expiresAt } = await issuing().issue(ANYTHING, CALLER);
    expect(expiresAt).toEqual(new Date('2026-06-01T00:05:00Z'));
    expect(codec.recognise(nonce)).toEqual({ expiresAt });
  });

  it('FRS-01 is kept with the tenant of the caller, the scope that was asked for and the second in which it was issued', async () => {
    const store = new FakeChallengeStore();
    const request = { audience: 'https://gate', policy: 'p', evidenceType: 'snp' };
    const { nonce, expiresAt } = await issuing(store).issue(request, CALLER);
    const period = { issuedAt: new Date('2026-06-01T00:00:00Z'), expiresAt };
    expect(store.puts).toEqual([{ id: challengeId(nonce), scope: { ...request, tenant: 'a' }, period }]);
  });

  it('is another one each time', async () => {
    const challenges = issuing();
    const made = await Promise.all(Array.from({ length: 100 }, () => challenges.issue(ANYTHING, CALLER)));
    expect(new Set(made.map(({ nonce }) => challengeId(nonce))).size).toBe(100);
  });

  it('can be used once, then no more', async () => {
    const store = new MemoryChallengeStore(clock);
    const challenges = challengesWith({ codec, store, policies, clock });
    const { nonce } = await challenges.issue({ ...ANYTHING, policy: 'p' }, CALLER);
    const scope = { tenant: 'a', audience: null, policies: ['p'], evidenceType: 'snp' };
    const use = { at: clock.now(), consume: true };
    expect(await challenges.standing(nonce, scope, use)).toMatchObject({ state: 'consumed' });
    expect(await challenges.standing(nonce, scope, use)).toMatchObject({ state: 'used' });
  });
});

describe('refused is', () => {
  it('an unknown policy, with its place', async () => {
    const issued = issuing().issue({ ...ANYTHING, policy: 'r' }, CALLER);
    await expect(issued).rejects.toThrow(FormatError);
    await expect(issued).rejects.toMatchObject({ code: 'policy_unknown', pointer: '/policy' });
  });

  it.each(['q', 'r'])('the policy %s for a caller that may not name it, whether it exists or not', async (policy) => {
    const store = new FakeChallengeStore();
    const issued = issuing(store).issue({ ...ANYTHING, policy }, { ...CALLER, policies: new Set(['p']) });
    await expect(issued).rejects.toThrow(RefusedError);
    const message = `this caller may not use the policy "${policy}"; allowed: p`;
    await expect(issued).rejects.toMatchObject({ code: 'forbidden', message, pointer: '/policy' });
    expect(store.puts).toEqual([]);
  });

  it('an audience that the caller may not name', async () => {
    const caller = { ...CALLER, audiences: new Set(['https://gate']) };
    await expect(issuing().issue({ ...ANYTHING, audience: 'https://other' }, caller)).rejects.toMatchObject({
      code: 'forbidden',
      message: 'this caller may not use the audience "https://other"; allowed: https://gate',
      pointer: '/audience',
    });
  });

  it('nothing that the caller may name, or leaves out', async () => {
    const caller = { ...CALLER, policies: new Set(['p']), audiences: new Set(['https://gate']) };
    const challenges = issuing();
    await expect(
      challenges.issue({ ...ANYTHING, policy: 'p', audience: 'https://gate' }, caller),
    ).resolves.toBeDefined();
    await expect(challenges.issue(ANYTHING, caller)).resolves.toBeDefined();
  });
});

describe('while the clock cannot be relied on', () => {
  const doubt = { detail: 'the clock jumped', retryAfterSeconds: 42 };
  const jumped = { ...clock, doubt: () => doubt };

  it('FRS-10 is no challenge made', async () => {
    const store = new FakeChallengeStore();
    const issued = challengesWith({ codec, store, policies, clock: jumped }).issue(ANYTHING, CALLER);
    await expect(issued).rejects.toThrow(RefusedError);
    await expect(issued).rejects.toMatchObject({ code: 'clock', message: 'the clock jumped', retryAfterSeconds: 42 });
    expect(store.puts).toEqual([]);
  });
});

describe('FRS-03 overloaded is said', () => {
  it('FRS-03 where the store is full', async () => {
    const store = new MemoryChallengeStore(clock, 1);
    const challenges = challengesWith({ codec, store, policies, clock });
    await challenges.issue(ANYTHING, CALLER);
    await expect(challenges.issue(ANYTHING, CALLER)).rejects.toMatchObject({
      code: 'overloaded',
      message: 'no further challenge can be kept',
    });
  });

  it.each([
    ['down', () => Promise.reject(new Error('connection refused'))],
    ['without memory', () => Promise.reject(new Error('OOM command not allowed'))],
    ['silent', () => never<void>()],
  ])('FRS-03 where the store is %s', async (_, put) => {
    const issued = issuing(new FakeChallengeStore(undefined, put), 1).issue(ANYTHING, CALLER);
    await expect(issued).rejects.toThrow(RefusedError);
    await expect(issued).rejects.toMatchObject({
      code: 'overloaded',
      message: 'the challenge store fails',
      retryAfterSeconds: 1,
    });
  });
});
