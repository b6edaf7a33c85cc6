import { describe, expect, it } from 'vitest';
import type { NonceStanding } from '../../../src/core/challenge.js';
import type { Check } from '../../../src/core/check.js';
import type { FetchContext } from '../../../src/core/endorsement.js';
import type { EvidenceType, TokenRoute } from '../../../src/core/evidence.js';
import type { ReleaseTerms } from '../../../src/core/request.js';
import type { Submission } from '../../../src/core/verification.js';
import type { OtherVerifiers, RouteToken } from '../../../src/judge/other-verifiers.js';
import { submitWhereWanted } from '../../../src/judge/submit-where-wanted.js';
import { check, policy } from '../policy/fixture.js';
import { maaToken, ownVerification } from './route-fixture.js';

const SUBMISSION = { tee: 'snp' } as Submission;
const AT = new Date('2026-06-01T12:00:00Z');
const FETCH: FetchContext = { at: AT, historical: false, signal: new AbortController().signal };

interface Given {
  readonly checks?: readonly Check[];
  readonly submission?: Submission | null;
  readonly historical?: boolean;
  readonly trial?: boolean;
  readonly allowDebug?: boolean;
  readonly type?: EvidenceType;
  readonly nonce?: NonceStanding;
  readonly configured?: boolean;
  readonly accepts?: boolean;
  /** Tokens that the request supplies. */
  readonly sent?: readonly RouteToken[];
  readonly release?: 'vault' | 'local';
  /** Members beside those. */
  readonly policy?: Parameters<typeof policy>[0];
}

/** What came of the route to Azure Attestation under a policy that requires it, and how often it was asked. */
async function routed(given: Given) {
  const { type = 'az-snp-vtpm', configured = true, accepts = true, submission = SUBMISSION } = given;
  let asked = 0;
  const routes = {
    isConfigured: (route: TokenRoute) => configured && route === 'maa',
    canSubmit: () => accepts,
    isOwn: (token: RouteToken) => token === OWN,
    submit: async () => {
      asked += 1;
      return OBTAINED;
    },
  } as unknown as OtherVerifiers;
  const own = ownVerification({ checks: given.checks ?? [check('snp_signature')], submission });
  const { tokens, faults } = await submitWhereWanted(
    routes,
    {
      request: { evidence: { type }, ...(given.release && { release: { kind: given.release } as ReleaseTerms }) },
      policies: [policy({ routes: { maa: 'required' }, allowDebug: given.allowDebug ?? false, ...given.policy })],
      historical: given.historical ?? false,
      trial: given.trial ?? false,
      nonce: given.nonce ?? { origin: 'caller' },
      binding: null,
    },
    own,
    given.sent ?? [],
    FETCH,
  );
  return { asked, tokens: tokens.length, fault: faults.get('maa') ?? null, last: tokens.at(-1) };
}

/** Tokens that differ, so that `toEqual` tells which one counts. */
const [OWN, OTHER, OBTAINED] = ['own', 'other', 'obtained'].map((about) => ({ ...maaToken(), about })) as [
  RouteToken,
  RouteToken,
  RouteToken,
];

/** The same without the tokens themselves. */
async function counted(given: Given) {
  const { last: _, ...rest } = await routed(given);
  return rest;
}

const DEBUG = [check('snp_debug', 'fail')];
const PAST = {
  state: 'held back',
  because: 'another verifier judges the present, and the verification time is in the past',
};

describe('a token that a policy wants', () => {
  it('is made of evidence that holds', async () => {
    expect(await counted({})).toEqual({ asked: 1, tokens: 1, fault: null });
  });

  it("is held back for a policy that is only tried, whose text is the caller's", async () => {
    const because = 'the policy is only tried, and whoever tries one does not decide where evidence is sent';
    expect(await counted({ trial: true })).toEqual({ asked: 0, tokens: 0, fault: { state: 'held back', because } });
  });

  it.each<[string, Given]>([
    ['evidence that holds', {}],
    ['evidence that fails', { checks: DEBUG }],
    ['evidence of which nothing was proven', { submission: null }],
  ])('is held back at a past instant, of %s', async (_, given) => {
    expect(await counted({ ...given, historical: true })).toEqual({ asked: 0, tokens: 0, fault: PAST });
  });

  it('is held back where a policy tolerates what fails', async () => {
    expect(await counted({ checks: DEBUG, allowDebug: true })).toEqual({
      asked: 0,
      tokens: 0,
      fault: {
        state: 'held back',
        because: 'evidence that fails snp_debug is sent to no other verifier, whatever a policy tolerates',
      },
    });
  });

  it.each<[string, Given]>([
    ['fails', { checks: DEBUG }],
    [
      'fails, and its challenge too',
      { checks: DEBUG, allowDebug: true, nonce: { origin: 'challenge', state: 'used' } },
    ],
    ['holds, but its challenge does not', { nonce: { origin: 'challenge', state: 'used' } }],
    ['could not be judged', { checks: [check('vcek_unavailable', 'unavailable')], submission: null }],
  ])('is not asked for of evidence that %s: a base check says why', async (_, given) => {
    expect(await counted(given)).toEqual({ asked: 0, tokens: 0, fault: { state: 'not asked' } });
  });

  it.each<[string, Given]>([
    ['nothing is configured', { configured: false }],
    ['nothing takes such evidence', { accepts: false }],
  ])('is absent where %s', async (_, given) => {
    for (const more of [{}, { historical: true }, { allowDebug: true, checks: DEBUG }]) {
      expect(await counted({ ...given, ...more })).toEqual({ asked: 0, tokens: 0, fault: null });
    }
  });

  it.each([false, true])(
    'is absent where the evidence is a token itself, at a past instant: %s',
    async (historical) => {
      const given = { type: 'ita-token', submission: null, historical } as const;
      const of = { accepts: ['ita-token'], routes: { hardware: 'off', maa: 'required' } };
      expect(await counted({ ...given, policy: of })).toEqual({ asked: 0, tokens: 0, fault: null });
    },
  );

  it('is absent for evidence that the policy which wants it does not accept', async () => {
    expect(await counted({ policy: { accepts: ['snp'] } })).toEqual({ asked: 0, tokens: 0, fault: null });
  });

  it('is absent, not held back, where evidence holds and there is nothing to send', async () => {
    expect(await counted({ submission: null })).toEqual({ asked: 0, tokens: 0, fault: null });
  });

  it('TOK-31 is requested although the request supplies one of another issuer, and counts', async () => {
    expect(await routed({ sent: [OTHER] })).toEqual({ asked: 1, tokens: 2, fault: null, last: OBTAINED });
    expect(await routed({ sent: [OTHER], release: 'local' })).toMatchObject({ asked: 1, last: OBTAINED });
  });

  it('TOK-31 twin: is not requested where the request supplies one of an own endpoint', async () => {
    expect(await routed({ sent: [OWN] })).toEqual({ asked: 0, tokens: 1, fault: null, last: OWN });
  });

  it('TOK-31 never replaces the target of a release', async () => {
    expect(await routed({ sent: [OTHER], release: 'vault' })).toEqual({
      asked: 1,
      tokens: 2,
      fault: null,
      last: OTHER,
    });
  });

  it.each<[string, Given]>([
    ['at a past instant', { historical: true }],
    ['of evidence that fails', { checks: DEBUG }],
    ['for a policy that is only tried', { trial: true }],
  ])('leaves a supplied token as it is %s, where none can be requested', async (_, given) => {
    expect(await routed({ ...given, sent: [OTHER] })).toEqual({ asked: 0, tokens: 1, fault: null, last: OTHER });
  });
});
