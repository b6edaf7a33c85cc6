import { describe, expect, it } from 'vitest';
import type { ChallengePurpose, NonceStanding } from '../../../src/core/challenge.js';
import { nonceChecks } from '../../../src/judge/nonces.js';

type ChallengeState = Extract<NonceStanding, { origin: 'challenge' }>['state'];

function challenge(state: ChallengeState): NonceStanding {
  const origin = 'challenge';
  return state === 'consumed' ? { origin, state, issuedAt: new Date(0) } : { origin, state };
}

function resultsOf(state: ChallengeState): Record<string, string> {
  const checks = nonceChecks(challenge(state));
  return Object.fromEntries(checks.map(({ id, result }) => [id, result]));
}

it.each(['none', 'caller'] as const)('has no challenge checks where the origin of the nonce is %s', (origin) => {
  expect(nonceChecks({ origin })).toEqual([]);
});

it('passes a challenge that is used up now', () => {
  expect(resultsOf('consumed')).toEqual({ nonce_expired: 'pass', nonce_scope: 'pass', nonce_used: 'pass' });
});

it('FRS-07 fails a used challenge', () => {
  expect(resultsOf('used')).toEqual({ nonce_expired: 'pass', nonce_used: 'fail' });
});

it('FRS-07 fails an expired challenge, and says that the rest was not looked at', () => {
  expect(resultsOf('expired')).toEqual({ nonce_expired: 'fail', nonce_scope: 'skipped', nonce_used: 'skipped' });
});

it('FRS-01 fails a challenge of another scope', () => {
  expect(resultsOf('scope')).toEqual({ nonce_expired: 'pass', nonce_scope: 'fail', nonce_used: 'skipped' });
});

describe('the scope', () => {
  const asked = { tenant: 'a', audience: null, policies: ['q', 'r'], evidenceType: 'snp' };
  const scopeCheck = (state: ChallengeState, purpose?: ChallengePurpose) => {
    const scopes = purpose === undefined ? {} : { scopes: { purpose, asked } };
    return nonceChecks({ ...challenge(state), ...scopes }).find(({ id }) => id === 'nonce_scope');
  };

  it('is shown as far as the challenge is limited, beside the same of the request', () => {
    const purpose = { audience: 'https://gate', policy: 'p', evidenceType: null };
    const compared = {
      expected: { audience: 'https://gate', policy: 'p' },
      actual: { audience: null, policy: ['q', 'r'] },
    };
    expect(scopeCheck('scope', purpose)).toMatchObject({ result: 'fail', ...compared });
    expect(scopeCheck('consumed', purpose)).toMatchObject({ result: 'pass', ...compared });
  });

  it('is not shown where nothing limits it', () => {
    const purpose = { audience: null, policy: null, evidenceType: null };
    expect(scopeCheck('consumed', purpose)).toMatchObject({ expected: null, actual: null });
  });

  it('FRS-01 is not shown where the challenge is another tenant’s', () => {
    expect(scopeCheck('scope')).toMatchObject({ result: 'fail', expected: null, actual: null });
  });
});

it('FRS-03 leaves a challenge undecided where the store is out of reach, and says that asking again can help', () => {
  expect(resultsOf('store_unavailable')).toEqual({ nonce_expired: 'pass', nonce_store: 'unavailable' });
  const checks = nonceChecks({ origin: 'challenge', state: 'store_unavailable' });
  expect(checks.find(({ id }) => id === 'nonce_store')).toMatchObject({
    retryable: true,
    about: '/nonce',
    policy: null,
  });
});

it('never passes a challenge that nobody used up', () => {
  expect(resultsOf('not_consumed')).toEqual({ nonce_used: 'not_configured' });
  expect(nonceChecks({ origin: 'challenge', state: 'not_consumed' })[0]?.detail).toBe(
    'only the service that issued a challenge knows whether it is unused, and only for live requests',
  );
});
