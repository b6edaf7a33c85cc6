import { describe, expect, it } from 'vitest';
import { type EndorsementRequest, type FetchContext, NO_ENDORSEMENTS } from '../../../src/core/endorsement.js';
import { FormatError } from '../../../src/core/errors.js';
import type { TokenEvidence } from '../../../src/core/evidence.js';
import type {
  AttestationService,
  Submission,
  SubmissionResult,
  TokenVerification,
  TokenVerifier,
  VerificationContext,
} from '../../../src/core/verification.js';
import { isReliable, OtherVerifiers } from '../../../src/judge/other-verifiers.js';
import { KeptTraces } from '../../integration/http/kept-traces.js';
import { check } from '../policy/fixture.js';
import { verified } from './cross-check/fixture.js';
import { END, itaToken, tokenClaimsOf, tokenVerification } from './route-fixture.js';

const CONTEXT = {
  fetch: { at: END, historical: false, signal: new AbortController().signal, principal: 'ci' },
  binding: { nonce: Uint8Array.of(1), value: Uint8Array.of(1), jkt: null },
};
const SUBMISSION: Submission = {
  tee: 'snp',
  report: new Uint8Array(1184),
  certificates: [new Uint8Array(), new Uint8Array(), new Uint8Array()],
  runtimeData: null,
};
const KEYS: EndorsementRequest = { kind: 'token-keys', type: 'maa-token', issuer: 'https://a.example', kid: 'k' };

const echoing = (nonce: unknown) => tokenVerification({ maa: tokenClaimsOf({ nonce: nonce as string }, 'sevsnpvm') });

interface World {
  readonly answer?: SubmissionResult;
  readonly accepts?: boolean;
  readonly verify?: () => TokenVerification;
  readonly withoutVerifier?: boolean;
}

function open({
  answer = { token: 'made', answersCall: ({ nonce }) => nonce === 'n' },
  accepts = true,
  verify = () => echoing('n'),
  withoutVerifier = false,
}: World) {
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
  } as unknown as TokenVerifier;
  const service: AttestationService = {
    route: 'maa',
    issues: (issuer) => issuer === 'https://own.example',
    accepts: () => accepts,
    attest: async (_submission, ...given) => {
      seen.asked.push(given);
      return answer;
    },
  };
  const traces = new KeptTraces();
  const routes = new OtherVerifiers(
    new Map(withoutVerifier ? [] : [['maa-token', verifier]]),
    new Map([['maa', service]]),
    {
      fetch: async (requests, context) => {
        seen.fetched.push({ requests, context });
        return NO_ENDORSEMENTS;
      },
    },
    traces,
  );
  return { routes, seen, traces };
}

const submit = async (world: World) => {
  const { routes, seen, traces } = open(world);
  return { result: await routes.submit('maa', SUBMISSION, CONTEXT), seen, traces };
};

describe('tokens that a request brings', () => {
  it('are verified with their keys, at the instant of the request, each with its place', async () => {
    const { routes, seen } = open({});
    const [token] = await routes.verifySent([{ type: 'maa-token', token: 'sent' }], CONTEXT);
    expect(token).toMatchObject({ route: 'maa', about: '/attestationResults/0/token', obtained: null });
    expect(seen.fetched).toEqual([{ requests: [KEYS], context: CONTEXT.fetch }]);
    expect(seen.verified).toMatchObject([
      {
        evidence: { type: 'maa-token', token: 'sent' },
        about: '/attestationResults/0/token',
        context: { at: END, binding: CONTEXT.binding },
      },
    ]);
  });

  it('are malformed as the request is', async () => {
    const { routes } = open({
      verify: () => {
        throw new FormatError('token_format', 'no token');
      },
    });
    const sent = routes.verifySent([{ type: 'maa-token', token: 'sent' }], CONTEXT);
    await expect(sent).rejects.toMatchObject({ code: 'token_format' });
  });

  it('that nothing verifies end the request', () => {
    const { routes } = open({ withoutVerifier: true });
    expect(() => routes.verifySent([{ type: 'maa-token', token: 'sent' }], CONTEXT)).toThrow('no verifier');
  });
});

describe('whom evidence may be sent to', () => {
  it('is who is configured and takes it', () => {
    const { routes } = open({});
    expect([routes.isConfigured('maa'), routes.canSubmit('maa', SUBMISSION)]).toEqual([true, true]);
    expect([routes.isConfigured('ita'), routes.canSubmit('ita', SUBMISSION)]).toEqual([false, false]);
    expect(open({ accepts: false }).routes.canSubmit('maa', SUBMISSION)).toBe(false);
  });

  it('is nobody else', async () => {
    await expect(open({}).routes.submit('ita', SUBMISSION, CONTEXT)).rejects.toThrow('nothing is configured');
  });
});

describe('a token of an own endpoint', () => {
  const tokenOf = (issuer: string, members: Partial<TokenVerification> = {}) => {
    const claims = { maa: { ...tokenClaimsOf({}, 'azurevm'), issuer } };
    const verification = tokenVerification(claims, members);
    return { route: 'maa', about: '', obtained: null, verification } as const;
  };

  it('TOK-31 is one of its issuer that holds the nonce', () => {
    const { routes } = open({});
    expect(routes.isOwn(tokenOf('https://own.example'))).toBe(true);
    expect(routes.isOwn(tokenOf('https://other.example'))).toBe(false);
    expect(routes.isOwn(tokenOf('https://own.example', { bound: [] }))).toBe(false);
    expect(routes.isOwn(tokenOf('https://own.example', { claims: verified({}) }))).toBe(false);
    expect(routes.isOwn({ ...itaToken(), route: 'ita' })).toBe(false);
  });
});

describe('a token that is made', () => {
  it('is a span of the request, which names its route', async () => {
    const { traces } = await submit({});
    expect(traces.spans).toMatchObject([
      { name: 'submit evidence', attributes: { 'veritee.token_route': 'maa' }, ended: true },
    ]);
  });

  it('is verified as any other, and known to be of the very evidence', async () => {
    const { result, seen } = await submit({});
    expect(result).toMatchObject({ route: 'maa', about: '/attestationResults', obtained: 'made' });
    expect(seen.asked).toEqual([[CONTEXT.fetch.signal, 'ci']]);
    expect(seen.verified).toMatchObject([{ evidence: { type: 'maa-token', token: 'made' }, context: { at: END } }]);
  });

  it('that says what it must not is a token all the same', async () => {
    const denied = { ...echoing('n'), checks: [check('token_debug', 'fail')] };
    expect((await submit({ verify: () => denied })).result).toMatchObject({
      obtained: 'made',
      verification: denied,
    });
  });

  it.each(['other', undefined, null, 1])('with the nonce %o answers another call', async (nonce) => {
    const { result } = await submit({ verify: () => echoing(nonce) });
    expect(result).toEqual({
      state: 'unavailable',
      detail: 'the token for the route maa cannot be relied on: it does not answer this submission',
      retryable: true,
      retryAfterSeconds: null,
    });
  });

  it('without claims of its route answers no call', async () => {
    const { result } = await submit({
      answer: { token: 'made', answersCall: () => true },
      verify: () => tokenVerification({}),
    });
    expect(result).toMatchObject({ state: 'unavailable', detail: expect.stringContaining('does not answer') });
  });

  it('that cannot be relied on is the route out of reach, and says why', async () => {
    const checks = [check('token_alg'), check('token_key', 'fail'), check('token_time', 'skipped')];
    const broken = tokenVerification({}, { checks, claims: verified({}), validUntil: null });
    expect((await submit({ verify: () => broken })).result).toMatchObject({
      state: 'unavailable',
      detail: 'the token for the route maa cannot be relied on: token_key',
    });
  });

  it('that is none is the route out of reach, and no fault of the request', async () => {
    const verify = () => {
      throw new FormatError('token_format', 'no token');
    };
    expect((await submit({ verify })).result).toMatchObject({
      state: 'unavailable',
      detail: 'the token for the route maa cannot be relied on: it answered with no token',
    });
  });

  it('whose verification fails by itself ends the request', async () => {
    const verify = () => {
      throw new Error('a mistake of ours');
    };
    await expect(submit({ verify })).rejects.toThrow('a mistake of ours');
  });
});

describe('a submission that brings no token', () => {
  it('is not vouched for where the evidence was judged', async () => {
    const { result, seen } = await submit({ answer: { refused: 'its policy says no' } });
    expect(result).toEqual({ state: 'not vouched for', detail: 'its policy says no' });
    expect(seen.verified).toEqual([]);
  });

  it.each([
    [{}, null],
    [{ retryAfterSeconds: 17 }, 17],
  ])('is out of reach where it says so: %o', async (pause, retryAfterSeconds) => {
    const answer = { code: 'route_unavailable', detail: 'it is down', retryable: false, ...pause } as const;
    expect((await submit({ answer })).result).toMatchObject({
      state: 'unavailable',
      detail: 'it is down',
      retryable: false,
      retryAfterSeconds,
    });
  });
});

describe('a token to rely on', () => {
  it('is one whose end is known', () => {
    expect(isReliable(echoing('n'))).toBe(true);
    expect(isReliable({ ...echoing('n'), validUntil: null })).toBe(false);
  });
});
