import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { ConsumedScope, NonceStanding } from '../../../src/core/challenge.js';
import type { ClockDoubt } from '../../../src/core/clock-doubt.js';
import type { Decision } from '../../../src/core/decision.js';
import { type FetchContext, NO_ENDORSEMENTS } from '../../../src/core/endorsement.js';
import { FormatError } from '../../../src/core/errors.js';
import type { SnpEvidence } from '../../../src/core/evidence.js';
import type { Caller, VerifyRequest } from '../../../src/core/request.js';
import type {
  EvidenceVerifier,
  TokenVerifier,
  Verification,
  VerificationContext,
} from '../../../src/core/verification.js';
import { ChallengeCodec, challengeId } from '../../../src/judge/challenge-codec.js';
import type { NonceUse } from '../../../src/judge/nonces.js';
import { NO_SLOT } from '../../../src/judge/verification-slots.js';
import {
  VerifyEvidence,
  type VerifyEvidenceOptions,
  type VerifyEvidenceParts,
} from '../../../src/judge/verify-evidence.js';
import { MeasuredWaits } from '../../../src/judge/waits.js';
import { parsePolicy } from '../../../src/policy/document/policy-document.js';
import { checksAt } from '../../../src/tee/catalogue.js';
import { markVerified } from '../../../src/tee/shared/evidence/mark-verified.js';
import { JUDGING_OPTIONS, judgingParts } from '../../judging-parts.js';
import { createSnpGuest, SnpPlatform } from '../../lab/index.js';
import { AT, JWK, NONCE, PKI, snpVerifier } from '../tee/fixture.js';
import { CountedSlot, challengesWith, FakeLog } from './fakes.js';
import { MemoryChallengeStore } from './memory-challenge-store.js';

const platform = new SnpPlatform({ pki: PKI });
const guest = createSnpGuest({ pki: PKI, platform });
const EVIDENCE = guest.evidence({ nonce: NONCE });

const policyText = (id: string) =>
  JSON.stringify({
    apiVersion: 'veritee/v1',
    id,
    version: 1,
    accepts: ['snp'],
    minimums: 'any',
    freshness: 'none',
    revocation: 'best-effort',
  });
const OPINION = JSON.stringify({ ...JSON.parse(policyText('opinion')), routes: { maa: 'required', ita: 'optional' } });
const POLICIES = new Map(
  [...['first', 'second'].map(policyText), OPINION]
    .map((text) => parsePolicy(text))
    .map((policy) => [policy.id, policy]),
);

const CALLER: Caller = {
  principal: 'gate',
  tenant: 'tenant-a',
  roles: new Set(['verify']),
  policies: null,
  audiences: null,
  keys: new Set(),
};
const AUDITOR: Caller = { ...CALLER, roles: new Set(['verify', 'audit:read']) };

/** The calls of the dependencies. */
interface Seen {
  readonly contexts: VerificationContext[];
  readonly fetches: FetchContext[];
  readonly standings: { nonce: Uint8Array | null; scope: ConsumedScope; use: NonceUse }[];
  readonly ids: Date[];
}

type Verify = (evidence: SnpEvidence, context: VerificationContext) => Promise<Verification>;

interface World {
  /** In the place of what the real verifier finds. */
  readonly verify?: Verify;
  readonly standing?: NonceStanding;
  readonly options?: Partial<VerifyEvidenceOptions>;
  readonly caller?: Caller;
  /** Of the tokens that a request brings. */
  readonly tokens?: Pick<TokenVerifier, 'openResult'>;
  /** Nothing is fetched before. */
  readonly fetched?: Promise<void>;
  readonly doubt?: ClockDoubt | null;
  readonly nonces?: VerifyEvidenceParts['nonces'];
  readonly early?: VerifyEvidenceParts['early'];
  /** In the place of an answer at once. */
  readonly fetch?: (context: FetchContext) => Promise<void>;
  /** Left out: no receipt is signed, and no decision recorded. */
  readonly kept?: Pick<VerifyEvidenceParts, 'receipts' | 'recorder'>;
}

const genuine = snpVerifier();

async function judge(request: Partial<VerifyRequest> = {}, world: World = {}): Promise<Decision & { seen: Seen }> {
  const seen: Seen = { contexts: [], fetches: [], standings: [], ids: [] };
  const decision = await useCaseOf(world, seen).execute(requestOf(request), world.caller ?? CALLER, NO_SLOT);
  return { ...decision, seen };
}

function requestOf(members: Partial<VerifyRequest>): VerifyRequest {
  return {
    evidence: EVIDENCE,
    attestationResults: [],
    nonce: null,
    bindingJwk: null,
    policies: ['first'],
    audience: null,
    at: null,
    ...members,
  };
}

function useCaseOf(
  { verify, standing, options, tokens, fetched, doubt = null, nonces, early = null, fetch, kept }: World,
  seen: Seen,
): VerifyEvidence {
  const verifier: EvidenceVerifier<'snp'> = {
    evidenceType: 'snp',
    open: (evidence) => ({
      needs: genuine.open(evidence).needs,
      verify: (context) => {
        seen.contexts.push(context);
        return verify?.(evidence, context) ?? genuine.open(evidence).verify(context);
      },
    }),
  };
  return new VerifyEvidence(
    judgingParts({
      verifiers: new Map<string, EvidenceVerifier>([
        ['snp', verifier as EvidenceVerifier],
        ...(tokens === undefined ? [] : ([['maa-token', { evidenceType: 'maa-token', ...tokens } as never]] as const)),
      ]),
      endorsements: {
        fetch: async (requests, context) => {
          if (requests.some(({ kind }) => kind === 'token-keys')) return NO_ENDORSEMENTS;
          seen.fetches.push(context);
          await (fetch?.(context) ?? fetched);
          return NO_ENDORSEMENTS;
        },
      },
      keyThumbprint: () => null,
      early,
      tenants: () => ({
        policies: () => POLICIES,
        defaultPolicy: 'first',
        shadowPolicies: [],
        resets: { remembered: async () => ({ state: 'none' }), advance: async () => null },
      }),
      nonces: nonces ?? {
        standing: async (nonce, scope, use) => {
          seen.standings.push({ nonce, scope, use });
          return standing ?? { origin: nonce === null ? 'none' : 'caller' };
        },
      },
      clock: { now: () => AT, monotonicMs: () => 0, doubt: () => doubt },
      waits: new MeasuredWaits(() => undefined),
      ...kept,
      log: new FakeLog(),
      newId: (at) => {
        seen.ids.push(at);
        return '019ac000-0000-7000-8000-000000000000';
      },
    }),
    { ...JUDGING_OPTIONS, ...options },
  );
}

/** The refusal before anything is verified, without use of a challenge. */
async function expectRefused(request: Partial<VerifyRequest>, world: World, error: object): Promise<void> {
  const seen: Seen = { contexts: [], fetches: [], standings: [], ids: [] };
  const refused = useCaseOf(world, seen).execute(
    requestOf({ nonce: NONCE, ...request }),
    world.caller ?? CALLER,
    NO_SLOT,
  );
  await expect(refused).rejects.toMatchObject(error);
  const { ids: _, ...asked } = seen;
  expect(asked).toEqual({ contexts: [], fetches: [], standings: [] });
}

/** A verification of which some checks could not be made. */
function undecided(...retryable: readonly boolean[]): Verify {
  const checks = checksAt('/evidence');
  for (const each of retryable) checks.unavailable('vcek_unavailable', { detail: 'out of reach', retryable: each });
  const nothing = { required: [], claims: markVerified({}), endorsements: [], bound: [], validUntil: null };
  return async () => ({ ...nothing, checks: checks.all });
}

describe('the slot of a request', () => {
  const kept = {
    receipts: { issue: async () => 'receipt' },
    recorder: {
      record: async () => undefined,
      withdraw: async () => undefined,
      answeredUnrecorded: () => undefined,
      leavesUnrecorded: () => undefined,
      releaseAttempt: async () => undefined,
      releaseResult: async () => undefined,
    },
  };

  it.each([
    ['a decision, for the nonce, endorsements, the receipt and the record', 4],
    ['a trial, for the nonce and endorsements', 2],
  ])('is left while it waits by %s', async (of, waits) => {
    const slot = new CountedSlot();
    const useCase = useCaseOf({ kept }, { contexts: [], fetches: [], standings: [], ids: [] });
    const request = requestOf({ nonce: NONCE, audience: 'https://gate.example' });
    if (of.startsWith('a decision')) await useCase.execute(request, CALLER, slot);
    else await useCase.tryPolicy(parsePolicy(policyText('first')), request, CALLER, slot);
    expect(slot.waits).toBe(waits);
  });
});

describe('whether asking again can help', () => {
  it.each<[string, World, string, boolean]>([
    ['what is missing may appear', { verify: undecided(true) }, 'indeterminate', true],
    ['all that is missing may appear', { verify: undecided(true, true) }, 'indeterminate', true],
    ['what is missing will not appear', { verify: undecided(false) }, 'indeterminate', false],
    ['some of what is missing will not appear', { verify: undecided(true, false) }, 'indeterminate', false],
    ['nothing is missing', {}, 'allow', false],
  ])('where %s', async (_title, world, decision, retryable) => {
    expect(await judge({}, world)).toMatchObject({ decision, retryable });
  });

  it.each<[NonceStanding, string, boolean]>([
    [{ origin: 'caller' }, 'indeterminate', true],
    [{ origin: 'challenge', state: 'store_unavailable' }, 'indeterminate', true],
    [{ origin: 'challenge', state: 'not_consumed' }, 'indeterminate', true],
    [{ origin: 'challenge', state: 'consumed', issuedAt: AT }, 'indeterminate', false],
    [{ origin: 'challenge', state: 'used' }, 'deny', false],
    [{ origin: 'challenge', state: 'expired' }, 'deny', false],
    [{ origin: 'challenge', state: 'scope' }, 'deny', false],
  ])('with a nonce of %j', async (standing, decision, retryable) => {
    const judged = await judge({ nonce: NONCE }, { verify: undecided(true), standing });
    expect(judged).toMatchObject({ decision, retryable });
  });

  it('not where something failed beside it', async () => {
    const verify: Verify = async (evidence, context) => {
      const found = await genuine.open(evidence).verify(context);
      const checks = checksAt('/evidence');
      checks.inside('/report').fail('snp_debug', { detail: 'debug is allowed' });
      checks.unavailable('crl_unavailable', { detail: 'out of reach', retryable: true });
      return { ...found, checks: checks.all };
    };
    expect(await judge({}, { verify })).toMatchObject({ decision: 'deny', retryable: false });
  });

  it('DEC-09 after a fault of the verifier not, after the deadline yes', async () => {
    const failing = await judge({}, { verify: () => Promise.reject(new Error('broken')) });
    expect(failing).toMatchObject({ decision: 'indeterminate', reasons: ['internal_error'], retryable: false });
    const late = await judge({}, { verify: () => new Promise(() => {}), options: { deadlineMs: 1 } });
    expect(late).toMatchObject({ decision: 'indeterminate', reasons: ['deadline'], retryable: true });
  });

  it('DEC-09 which is all that is said where a policy wants other opinions, too', async () => {
    const policies = ['opinion'];
    const failing = await judge({ policies }, { verify: () => Promise.reject(new Error('x')) });
    expect(failing).toMatchObject({
      decision: 'indeterminate',
      reasons: ['internal_error'],
      trust: { status: 'none' },
    });
    expect(Object.keys(failing.trust.submods)).toEqual(['hardware']);
    const late = await judge({ policies }, { verify: () => new Promise(() => {}), options: { deadlineMs: 1 } });
    expect(late).toMatchObject({ decision: 'indeterminate', reasons: ['deadline'] });
    expect(await judge({ policies })).toMatchObject({ decision: 'deny', reasons: ['route_missing'] });
  });
});

describe('how long an answer may be relied on', () => {
  const endingAt = (validUntil: Date | null): World => ({
    verify: async (evidence, context) => ({ ...(await genuine.open(evidence).verify(context)), validUntil }),
  });
  const afterMs = (milliseconds: number) => new Date(AT.getTime() + milliseconds);

  it.each([
    ['for its lifetime where nothing ends', null, afterMs(300_000)],
    ['for its lifetime where all ends later', afterMs(300_001), afterMs(300_000)],
    ['until the first end where that is sooner', afterMs(299_999), afterMs(299_999)],
  ])('is %s', async (_title, end, validUntil) => {
    expect((await judge({}, endingAt(end))).validUntil).toEqual(validUntil);
  });

  it('counts from the instant that is judged', async () => {
    const at = afterMs(-86_400_000);
    const judged = await judge({ at }, { ...endingAt(null), caller: AUDITOR });
    expect(judged).toMatchObject({ historical: true, decidedAt: AT, validUntil: new Date(at.getTime() + 300_000) });
  });
});

describe('a challenge sent 10 000 times at once', () => {
  it('FRS-02 gets exactly one allow, and nonce_used for the rest', async () => {
    const clock = { now: () => AT, monotonicMs: () => 0 };
    const codec = new ChallengeCodec(randomBytes(32), randomBytes);
    const expiresAt = new Date(AT.getTime() + 300_000);
    const nonce = codec.make(expiresAt);
    const store = new MemoryChallengeStore(clock);
    const scope = { tenant: CALLER.tenant, audience: null, policy: null, evidenceType: null };
    await store.put(challengeId(nonce), scope, { issuedAt: AT, expiresAt });
    const request = requestOf({ evidence: guest.evidence({ nonce }), nonce });
    const context = { at: AT, endorsements: NO_ENDORSEMENTS, binding: { nonce, value: nonce, jkt: null } };
    // Verified once: what is tried is who gets the nonce.
    const verification = genuine.open(request.evidence as SnpEvidence).verify(context);
    const seen: Seen = { contexts: [], fetches: [], standings: [], ids: [] };
    const nonces = challengesWith({ codec, store });
    const useCase = useCaseOf({ verify: () => verification, nonces, options: { deadlineMs: 600_000 } }, seen);
    const decisions = await Promise.all(
      Array.from({ length: 10_000 }, () => useCase.execute(request, CALLER, NO_SLOT)),
    );
    expect(decisions.filter(({ decision }) => decision === 'allow')).toHaveLength(1);
    const denied = decisions.filter(({ decision }) => decision === 'deny');
    expect(denied).toHaveLength(9_999);
    expect(new Set(denied.flatMap(({ reasons }) => reasons))).toEqual(new Set(['nonce_used']));
  }, 120_000);
});

describe('while the clock cannot be relied on', () => {
  const doubt: ClockDoubt = { detail: 'the clock jumped', retryAfterSeconds: 42 };

  it('FRS-10 is nothing judged, under any policy, and asking again can help', async () => {
    const judged = await judge({ nonce: NONCE, policies: ['first', 'opinion'] }, { doubt });
    expect(judged).toMatchObject({
      decision: 'indeterminate',
      reasons: ['clock'],
      retryable: true,
      retryAfterSeconds: 42,
      historical: false,
      trust: { status: 'none' },
      policies: [
        { id: 'first', outcome: 'indeterminate', matched: [], unmatched: [] },
        { id: 'opinion', outcome: 'indeterminate', matched: [], unmatched: [] },
      ],
      checks: [{ id: 'clock', result: 'unavailable', detail: 'the clock jumped' }],
      claims: {},
      evidence: (await judge()).evidence,
    });
    expect(judged.seen).toEqual({ contexts: [], fetches: [], standings: [], ids: [AT] });
  });

  it('FRS-10 is no past instant judged either: it is past by that clock', async () => {
    for (const at of [new Date(AT.getTime() - 1000), new Date(AT.getTime() + 1000)]) {
      const judged = await judge({ at }, { doubt, caller: AUDITOR });
      expect(judged).toMatchObject({ decision: 'indeterminate', reasons: ['clock'], historical: true });
    }
  });

  it('is said what the caller may not name all the same', async () => {
    await expectRefused({ policies: ['nobody'] }, { doubt }, { code: 'policy_unknown' });
    await expectRefused({ at: AT }, { doubt }, { code: 'forbidden' });
  });
});

describe('what a caller may name', () => {
  const narrow: Caller = { ...CALLER, policies: new Set(['second']), audiences: new Set(['https://gate.example']) };
  const forbidden = { name: 'RefusedError', code: 'forbidden' };

  it.each<[string, Partial<VerifyRequest>, string, string]>([
    ['a policy of others', { policies: ['first'] }, 'policy "first"; allowed: second', '/policy'],
    ['a policy of others beside an own', { policies: ['second', 'first'] }, 'policy "first"', '/policy'],
    ['a policy that does not exist', { policies: ['nobody'] }, 'policy "nobody"; allowed: second', '/policy'],
    ['the default policy, by naming none', { policies: null }, 'policy "first"; allowed: second', '/policy'],
    [
      'the policy of a key, which no member names',
      { policies: ['first'], release: { keyId: 'disk', kind: 'local', anyMachine: false, dryRun: true } },
      'policy "first"; allowed: second',
      '/keyId',
    ],
    [
      'an audience of others',
      { policies: ['second'], audience: 'https://other.example' },
      'audience "https://other.example"; allowed: https://gate.example',
      '/audience',
    ],
  ])('is not %s', async (_title, request, told, pointer) => {
    await expectRefused(request, { caller: narrow }, { ...forbidden, message: expect.stringContaining(told), pointer });
  });

  it('is what is listed for it, and no audience at all', async () => {
    const allowed = { policies: ['second'], audience: 'https://gate.example' };
    expect(await judge(allowed, { caller: narrow })).toMatchObject({ decision: 'allow' });
    expect(await judge({ policies: ['second'] }, { caller: narrow })).toMatchObject({ decision: 'allow' });
  });

  it('is everything where nothing is listed', async () => {
    expect(await judge({ policies: null, audience: 'https://other.example' })).toMatchObject({
      decision: 'allow',
      policies: [{ id: 'first' }],
    });
  });

  it('DEC-01 is no policy that does not exist', async () => {
    const error = { name: 'FormatError', code: 'policy_unknown', pointer: '/policy' };
    await expectRefused({ policies: ['first', 'nobody'] }, {}, error);
  });

  it('is a past instant with the role for it, where the service judges such', async () => {
    const at = new Date(AT.getTime() - 1000);
    await expectRefused({ at }, {}, { ...forbidden, message: expect.stringContaining('audit:read'), pointer: '/at' });
    const notEnabled = { name: 'FormatError', code: 'at_not_enabled', pointer: '/at' };
    await expectRefused({ at }, { caller: AUDITOR, options: { historical: false } }, notEnabled);
    await expectRefused({ at: new Date(AT.getTime() + 1) }, { caller: AUDITOR }, notEnabled);
    expect(await judge({ at }, { caller: AUDITOR })).toMatchObject({ decision: 'allow', historical: true });
    expect(await judge({ at: AT }, { caller: AUDITOR })).toMatchObject({ decision: 'allow', historical: true });
  });

  it('is no type of evidence without a verifier', async () => {
    const azure = { type: 'az-snp-vtpm' } as unknown as SnpEvidence;
    const error = { name: 'FormatError', code: 'type_unsupported', pointer: '/evidence/type' };
    await expectRefused({ evidence: azure }, {}, error);
  });
});

describe('what the evidence has to hold', () => {
  /** The example key of RFC 7638, section 3.1, and its thumbprint there. */
  const RSA_KEY = {
    kty: 'RSA',
    n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
    e: 'AQAB',
    alg: 'RS256',
    kid: '2011-04-29',
  };
  const THUMBPRINT = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs';

  it('is nothing without a nonce, and the nonce itself without a key', async () => {
    expect((await judge()).seen.contexts[0]?.binding).toBeNull();
    const { seen, binding } = await judge({ nonce: NONCE });
    expect(seen.contexts[0]?.binding).toEqual({ nonce: NONCE, value: NONCE, jkt: null });
    expect(binding).toBeNull();
  });

  it('FRS-05 is veritee1 and a hash over nonce and thumbprint with a key', async () => {
    const { seen, binding } = await judge({ nonce: NONCE, bindingJwk: RSA_KEY });
    const text = Buffer.concat([
      Buffer.from('766572697465652d62696e642d763100', 'hex'),
      NONCE,
      Buffer.from(THUMBPRINT, 'base64url'),
    ]);
    const x = Buffer.concat([Buffer.from('7665726974656531', 'hex'), createHash('sha256').update(text).digest()]);
    const [context] = seen.contexts;
    expect(Buffer.from(context?.binding?.value ?? []).toString('hex')).toBe(x.toString('hex'));
    expect(context?.binding).toMatchObject({ nonce: NONCE, jkt: THUMBPRINT });
    expect(binding).toEqual({ jkt: THUMBPRINT });
  });

  it('FRS-05 is what evidence of the lab holds for nonce and key, and of another key it does not', async () => {
    const evidence = guest.evidence({ nonce: NONCE, jwk: JWK });
    expect(await judge({ evidence, nonce: NONCE, bindingJwk: JWK })).toMatchObject({ decision: 'allow' });
    const other = await judge({ evidence, nonce: NONCE, bindingJwk: RSA_KEY });
    expect(other).toMatchObject({ decision: 'deny', reasons: ['nonce_mismatch'] });
  });
});

describe('a policy that is only tried', () => {
  it('FRS-07 uses no challenge up, and nothing is judged beside it', async () => {
    const seen: Seen = { contexts: [], fetches: [], standings: [], ids: [] };
    const early = { judge: vi.fn(async () => []) };
    const useCase = useCaseOf({ early }, seen);
    const decision = await useCase.tryPolicy(
      parsePolicy(policyText('own')),
      requestOf({ nonce: NONCE }),
      CALLER,
      NO_SLOT,
    );
    expect(decision).toMatchObject({ decision: 'allow', policies: [{ id: 'own' }], shadow: [] });
    expect(seen.standings[0]?.use).toEqual({ at: AT, consume: false });
    expect(early.judge).not.toHaveBeenCalled();
    await useCase.execute(requestOf({ nonce: NONCE }), CALLER, NO_SLOT);
    expect(early.judge).toHaveBeenCalledOnce();
  });
});

describe('what is still fetched', () => {
  it('ends while there is time to judge the rest, so that the answer says what is missing', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const fetch = ({ signal }: FetchContext) =>
        new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      const judged = judge({}, { fetch, options: { deadlineMs: 1000 } });
      await vi.advanceTimersByTimeAsync(900);
      expect(await judged).toMatchObject({ decision: 'allow', reasons: [] });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('what the parts are asked', () => {
  it('is one instant, from the clock, for all of them', async () => {
    const { seen, decidedAt } = await judge({ nonce: NONCE });
    expect([seen.contexts[0]?.at, seen.fetches[0]?.at, seen.standings[0]?.use.at, seen.ids[0]]).toEqual([
      AT,
      AT,
      AT,
      AT,
    ]);
    expect(decidedAt).toEqual(AT);
    expect(seen.fetches[0]?.historical).toBe(false);
  });

  it('is the instant of the request where it names one, but the decision is made now', async () => {
    const at = new Date(AT.getTime() - 60_000);
    const { seen } = await judge({ nonce: NONCE, at }, { caller: AUDITOR });
    expect([seen.contexts[0]?.at, seen.fetches[0]?.at, seen.standings[0]?.use.at, seen.ids[0]]).toEqual([
      at,
      at,
      at,
      AT,
    ]);
    expect(seen.fetches[0]?.historical).toBe(true);
  });

  it('FRS-01 is the whole scope of the request, for its nonce', async () => {
    const { seen } = await judge({ nonce: NONCE, policies: ['second', 'first'], audience: 'https://gate.example' });
    const scope = {
      tenant: 'tenant-a',
      audience: 'https://gate.example',
      policies: ['second', 'first'],
      evidenceType: 'snp',
    };
    expect(seen.standings).toEqual([{ nonce: NONCE, scope, use: { at: AT, consume: true } }]);
  });

  it('is never to use up a challenge for a past instant, or where the service is not the one to use it up', async () => {
    const past = await judge({ nonce: NONCE, at: AT }, { caller: AUDITOR });
    const elsewhere = await judge({ nonce: NONCE }, { options: { consumesChallenges: false } });
    expect([past, elsewhere].map(({ seen }) => seen.standings[0]?.use.consume)).toEqual([false, false]);
  });

  it('is told when the request is over', async () => {
    const seen: Seen = { contexts: [], fetches: [], standings: [], ids: [] };
    const ended: (boolean | undefined)[] = [];
    const verify: Verify = (evidence, context) => {
      ended.push(seen.fetches[0]?.signal.aborted);
      return genuine.open(evidence).verify(context);
    };
    await useCaseOf({ verify }, seen).execute(requestOf({}), CALLER, NO_SLOT);
    expect([...ended, seen.fetches[0]?.signal.aborted]).toEqual([false, true]);
  });

  it('is nothing for a request with a token that is malformed', async () => {
    const seen: Seen = { contexts: [], fetches: [], standings: [], ids: [] };
    const refuse = () => {
      throw new FormatError('token_header', 'another place for the keys');
    };
    const useCase = useCaseOf({ tokens: { openResult: refuse } }, seen);
    const attestationResults = [{ type: 'maa-token', token: 'a.b.c' }] as const;
    await expect(useCase.execute(requestOf({ attestationResults }), CALLER, NO_SLOT)).rejects.toMatchObject({
      code: 'token_header',
    });
    expect(seen.fetches).toEqual([]);
  });

  it('ends with a token that turns out to be malformed once its keys are there', async () => {
    const seen: Seen = { contexts: [], fetches: [], standings: [], ids: [] };
    const late = new FormatError('token_header', 'a certificate without its form');
    let arrive = () => {};
    const fetched = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const tokens = { openResult: () => ({ needs: [], verify: () => Promise.reject(late) }) };
    const judged = useCaseOf({ tokens, fetched }, seen).execute(
      requestOf({ attestationResults: [{ type: 'maa-token', token: 'a.b.c' }] }),
      CALLER,
      NO_SLOT,
    );
    judged.catch(() => {});
    await new Promise(setImmediate);
    expect(seen.fetches.map(({ signal }) => signal.aborted)).toEqual([false, false]);
    arrive();
    await expect(judged).rejects.toBe(late);
  });

  it('FRS-04 leaves malformed evidence malformed', async () => {
    const evidence = { ...EVIDENCE, report: EVIDENCE.report.subarray(1) };
    await expect(judge({ evidence })).rejects.toThrow(FormatError);
  });
});
