import { describe, expect, it } from 'vitest';
import type { NonceStanding } from '../../../src/core/challenge.js';
import type { Check } from '../../../src/core/check.js';
import { type EndorsementRequest, type FetchContext, NO_ENDORSEMENTS } from '../../../src/core/endorsement.js';
import { FormatError } from '../../../src/core/errors.js';
import type { EvidenceType, TokenEvidence } from '../../../src/core/evidence.js';
import type { ReleaseTerms } from '../../../src/core/request.js';
import { NO_TRACER } from '../../../src/core/traces.js';
import type {
  AttestationService,
  Submission,
  SubmissionResult,
  TokenVerification,
  VerificationContext,
} from '../../../src/core/verification.js';
import { LiveInquiry } from '../../../src/judge/inquiry.js';
import type { RouteToken } from '../../../src/judge/route-tokens.js';
import { answersCall, submit } from '../../../src/judge/submit.js';
import { KeptTraces } from '../../integration/http/kept-traces.js';
import { check, policy } from '../policy/fixture.js';
import { verified } from './cross-check/fixture.js';
import { ownVerification, tokenClaimsOf, tokenVerification } from './route-fixture.js';

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

/** The result of the route to Azure Attestation under a policy that requires it, and how often it was asked. */
async function routed(given: Given) {
  const { type = 'az-snp-vtpm', configured = true, accepts = true, submission = SUBMISSION } = given;
  let asked = 0;
  const service: AttestationService = {
    route: 'maa',
    issues: (issuer) => issuer === OWN_ISSUER,
    accepts: () => accepts,
    attest: async () => {
      asked += 1;
      return { token: 'made', expected: { issuedSince: 0 } };
    },
  };
  const verifier = {
    evidenceType: 'maa-token',
    openResult: () => ({ needs: [], verify: async () => OBTAINED.verification }),
  };
  const verification = ownVerification({ checks: given.checks ?? [check('snp_signature')], submission });
  const { tokens, faults } = await submit(
    {
      verifiers: new Map([['maa-token', verifier as never]]),
      services: new Map(configured ? [['maa', service]] : []),
      endorsements: { fetch: async () => NO_ENDORSEMENTS },
      tracer: NO_TRACER,
    },
    {
      request: { evidence: { type }, ...(given.release && { release: { kind: given.release } as ReleaseTerms }) },
      policies: [policy({ routes: { maa: 'required' }, allowDebug: given.allowDebug ?? false, ...given.policy })],
      historical: given.historical ?? false,
      trial: given.trial ?? false,
      nonce: given.nonce ?? { origin: 'caller' },
      binding: null,
      at: AT,
    },
    { verification, tokens: given.sent ?? [] },
    { fetch: FETCH, inquiry: new LiveInquiry() },
  );
  return { asked, tokens: tokens.length, fault: faults.get('maa') ?? null, last: tokens.at(-1) };
}

const OWN_ISSUER = 'https://own.example';

/** A token of an issuer, at a place that tells which one counts. */
function tokenOf(about: string, issuer: string, obtained: string | null = null): RouteToken {
  const claims = { ...tokenClaimsOf({ iat: 1 }, 'azurevm'), issuer };
  return { route: 'maa', about, obtained, verification: tokenVerification({ maa: claims }) };
}

const OWN = tokenOf('own', OWN_ISSUER);
const OTHER = tokenOf('other', 'https://other.example');
const OBTAINED = tokenOf('/attestationResults', OWN_ISSUER, 'made');

/** The same without the tokens themselves. */
async function counted(given: Given) {
  const { last: _, ...rest } = await routed(given);
  return rest;
}

const DEBUG = [check('snp_debug', 'fail')];
const PAST = {
  state: 'held back',
  because: 'another verifier appraises at the current time only, and the verification time is in the past',
};

describe('a token that a policy wants', () => {
  it('is made of evidence that holds', async () => {
    expect(await counted({})).toEqual({ asked: 1, tokens: 1, fault: null });
  });

  it("is held back for a policy that is only tried, whose text is the caller's", async () => {
    const because = 'a trial policy cannot send evidence to another verifier';
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
    [
      'holds, but nobody can tell if its challenge was used',
      { nonce: { origin: 'challenge', state: 'store_unavailable' } },
    ],
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

  it.each<[string, Partial<TokenVerification>]>([
    ['holds another nonce', { bound: [] }],
    ['has no claims of its route', { claims: verified({}) }],
  ])('TOK-31 is requested although one of an own endpoint is supplied that %s', async (_, members) => {
    const sent = [{ ...OWN, verification: { ...OWN.verification, ...members } }];
    expect(await routed({ sent })).toMatchObject({ asked: 1, tokens: 2 });
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

const CONTEXT: FetchContext = { ...FETCH, principal: 'ci' };
const BINDING = { nonce: Uint8Array.of(1), value: Uint8Array.of(1), jkt: null };
const KEYS: EndorsementRequest = { kind: 'token-keys', type: 'maa-token', issuer: 'https://a.example', kid: 'k' };

const echoing = (nonce: unknown) => tokenVerification({ maa: tokenClaimsOf({ nonce: nonce as string }, 'sevsnpvm') });

interface Answered {
  readonly answer?: SubmissionResult;
  readonly verify?: () => TokenVerification;
}

/** The token or the fault of one submission. */
async function submitted({
  answer = { token: 'made', expected: { nonce: 'n' } },
  verify = () => echoing('n'),
}: Answered) {
  const seen = {
    verified: [] as { evidence: TokenEvidence; about: string; context: VerificationContext }[],
    fetched: [] as { requests: readonly EndorsementRequest[]; context: FetchContext }[],
    asked: [] as unknown[],
  };
  const verifier = {
    evidenceType: 'maa-token',
    openResult: (evidence: TokenEvidence, about: string) => ({
      needs: [KEYS],
      verify: async (context: VerificationContext) => {
        seen.verified.push({ evidence, about, context });
        return verify();
      },
    }),
  };
  const service: AttestationService = {
    route: 'maa',
    issues: () => false,
    accepts: () => true,
    attest: async (_submission, ...given) => {
      seen.asked.push(given);
      return answer;
    },
  };
  const traces = new KeptTraces();
  const { tokens, faults } = await submit(
    {
      verifiers: new Map([['maa-token', verifier as never]]),
      services: new Map([['maa', service]]),
      endorsements: {
        fetch: async (requests, context) => {
          seen.fetched.push({ requests, context });
          return NO_ENDORSEMENTS;
        },
      },
      tracer: traces,
    },
    {
      request: { evidence: { type: 'az-snp-vtpm' } },
      policies: [policy({ routes: { maa: 'required' } })],
      historical: false,
      trial: false,
      nonce: { origin: 'caller' },
      binding: BINDING,
      at: AT,
    },
    { verification: ownVerification({ submission: SUBMISSION }), tokens: [] },
    { fetch: CONTEXT, inquiry: new LiveInquiry() },
  );
  return { result: tokens[0] ?? faults.get('maa'), seen, traces };
}

describe('a token that is made', () => {
  it('is a span of the request, which names its route', async () => {
    const { traces } = await submitted({});
    expect(traces.spans).toMatchObject([
      { name: 'submit evidence', attributes: { 'veritee.token_route': 'maa' }, ended: true },
    ]);
  });

  it('is verified as any other, and known to be of the very evidence', async () => {
    const { result, seen } = await submitted({});
    expect(result).toMatchObject({ route: 'maa', about: '/attestationResults', obtained: 'made' });
    expect(seen.asked).toEqual([[CONTEXT.signal, 'ci']]);
    expect(seen.verified).toMatchObject([
      { evidence: { type: 'maa-token', token: 'made' }, context: { at: AT, binding: BINDING } },
    ]);
    expect(seen.fetched).toEqual([{ requests: [KEYS], context: CONTEXT }]);
  });

  it('that says what it must not is a token all the same', async () => {
    const denied = { ...echoing('n'), checks: [check('token_debug', 'fail')] };
    expect((await submitted({ verify: () => denied })).result).toMatchObject({
      obtained: 'made',
      verification: denied,
    });
  });

  it.each(['other', undefined, null, 1])('with the nonce %o answers another call', async (nonce) => {
    const { result } = await submitted({ verify: () => echoing(nonce) });
    expect(result).toEqual({
      state: 'unavailable',
      detail: 'the token for the route maa cannot be relied on: it does not answer this submission',
      retryable: true,
      retryAfterSeconds: null,
    });
  });

  it('without claims of its route answers no call', async () => {
    const { result } = await submitted({
      answer: { token: 'made', expected: { issuedSince: 0 } },
      verify: () => tokenVerification({}),
    });
    expect(result).toMatchObject({ state: 'unavailable', detail: expect.stringContaining('does not answer') });
  });

  it('that cannot be relied on is the route out of reach, and says why', async () => {
    const checks = [check('token_alg'), check('token_key', 'fail'), check('token_time', 'skipped')];
    const broken = tokenVerification({}, { checks, claims: verified({}), validUntil: null });
    expect((await submitted({ verify: () => broken })).result).toMatchObject({
      state: 'unavailable',
      detail: 'the token for the route maa cannot be relied on: token_key',
    });
  });

  it('that is none is the route out of reach, and no fault of the request', async () => {
    const verify = () => {
      throw new FormatError('token_format', 'no token');
    };
    expect((await submitted({ verify })).result).toMatchObject({
      state: 'unavailable',
      detail: 'the token for the route maa cannot be relied on: it answered with no token',
    });
  });

  it('whose verification fails by itself ends the request', async () => {
    const verify = () => {
      throw new Error('a mistake of ours');
    };
    await expect(submitted({ verify })).rejects.toThrow('a mistake of ours');
  });
});

describe('a submission that brings no token', () => {
  it('is not vouched for where the evidence was judged', async () => {
    const { result, seen } = await submitted({ answer: { refused: 'its policy says no' } });
    expect(result).toEqual({ state: 'not vouched for', detail: 'its policy says no' });
    expect(seen.verified).toEqual([]);
  });

  it.each([
    [{}, null],
    [{ retryAfterSeconds: 17 }, 17],
  ])('is out of reach where it says so: %o', async (pause, retryAfterSeconds) => {
    const answer = { code: 'route_unavailable', detail: 'it is down', retryable: false, ...pause } as const;
    expect((await submitted({ answer })).result).toMatchObject({
      state: 'unavailable',
      detail: 'it is down',
      retryable: false,
      retryAfterSeconds,
    });
  });
});

describe('a token answers a call', () => {
  it('TOK-31 by the nonce that was sent', () => {
    const given = ['n', 'm', '', undefined, null, 1].map((nonce) => answersCall({ nonce } as never, { nonce: 'n' }));
    expect(given).toEqual([true, false, false, false, false, false]);
  });

  it('TOK-31 by the time at which it was issued', () => {
    const given = [99, 100, 101, undefined, null, '100'].map((iat) =>
      answersCall({ iat } as never, { issuedSince: 100 }),
    );
    expect(given).toEqual([false, true, true, false, false, false]);
  });
});
