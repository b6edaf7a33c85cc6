import { expect, it } from 'vitest';
import type {
  ChallengePeriod,
  ChallengeScope,
  ChallengeStore,
  ConsumedScope,
  ConsumeResult,
} from '../../../src/core/challenge.js';

/** Of a challenge that may be used until then, and was issued five minutes before. */
export function until(expiresAt: Date): ChallengePeriod {
  return { issuedAt: new Date(Math.floor(expiresAt.getTime() / 1000 - 300) * 1000), expiresAt };
}

const PURPOSE = { audience: 'https://gate', policy: 'p', evidenceType: 'snp' };
const SCOPE: ChallengeScope = { tenant: 'a', ...PURPOSE };
const ASKED: ConsumedScope = { tenant: 'a', audience: 'https://gate', policies: ['p'], evidenceType: 'snp' };

/** What every store of challenges does. @param open opens an empty one @param now what its clock says */
export function behavesAsChallengeStore(open: () => Promise<ChallengeStore>, now: () => Date): void {
  const secondsAgo = (seconds: number): ChallengePeriod => {
    const second = Math.floor(now().getTime() / 1000) - seconds;
    return { issuedAt: new Date(second * 1000), expiresAt: new Date((second + 300) * 1000) };
  };

  it('tells when a challenge was issued, to the second, to whoever consumes it', async () => {
    const store = await open();
    const [early, late] = [secondsAgo(2), secondsAgo(1)];
    await store.put('early', SCOPE, early);
    await store.put('late', { ...SCOPE, audience: null, policy: null, evidenceType: null }, late);
    expect(await store.consume('late', ASKED)).toEqual({
      state: 'consumed',
      issuedAt: late.issuedAt,
      purpose: { audience: null, policy: null, evidenceType: null },
    } satisfies ConsumeResult);
    expect(await store.consume('early', ASKED)).toEqual({
      state: 'consumed',
      issuedAt: early.issuedAt,
      purpose: PURPOSE,
    } satisfies ConsumeResult);
  });

  it('does not tell when a challenge was issued to whoever does not consume it', async () => {
    const store = await open();
    await store.put('c', SCOPE, secondsAgo(1));
    expect(await store.consume('c', { ...ASKED, policies: ['q'] })).toEqual({ state: 'scope', purpose: PURPOSE });
    expect(await store.consume('c', { ...ASKED, tenant: 'b' })).toEqual({ state: 'scope' });
    expect(await store.consume('c', ASKED)).toMatchObject({ state: 'consumed' });
    expect(await store.consume('c', ASKED)).toEqual({ state: 'used' });
    expect(await store.consume('other', ASKED)).toMatchObject({ state: 'unknown' });
  });
}
