import { maaView } from '../comparison/maa-view.js';
import type { KeyThumbprint } from '../comparison/paravisor-statements.js';
import type { NonceStanding } from '../model/challenge.js';
import type { Check } from '../model/check.js';
import type { Decision } from '../model/decision.js';
import { earliest } from '../model/earliest.js';
import type { EndorsementSource, FetchContext } from '../model/endorsement.js';
import { FormatError, RefusedError } from '../model/errors.js';
import { isHardwareType, isTpmType, tokenRouteOf } from '../model/evidence-traits.js';
import type { Log } from '../model/ports.js';
import type { Caller, VerifyRequest } from '../model/request.js';
import type { EvidenceVerifier, ExpectedBinding, OpenedEvidence, Verification } from '../model/verification.js';
import type { RememberedResets } from '../model/vtpm-resets.js';
import type { ResultState } from '../policy/appraisal-topic.js';
import { appraise, mergeChecks, type PolicyAppraisal } from '../policy/appraise.js';
import { decide, isUndecided } from '../policy/decide.js';
import type { Policy } from '../policy/policy-document.js';
import { appraiseTrust } from '../policy/trust.js';
import { trackedVtpm, tracksResets } from '../policy/vtpm-resets.js';
import { expectedBinding } from '../verifiers/binding/expected-binding.js';
import { evidenceSha256 } from '../verifiers/evidence/evidence-identity.js';
import { requireAudience, requirePolicies, unknownPolicy } from './caller-limits.js';
import type { WatchedClock } from './clock-watch.js';
import { FetchTime, RequestFetch } from './fetch-time.js';
import { type Judged, judgeResults } from './judge-results.js';
import { type NonceRecogniser, nonceChecks } from './nonces.js';
import { notJudged, undecided } from './not-judged.js';
import type { OtherVerifiers } from './other-verifiers.js';
import type { ResetTracking } from './reset-tracking.js';
import { SUBMITTED_ROUTES, submitWhereWanted } from './submit-where-wanted.js';

/** One immutable view of the policies, so that a request is judged by one set throughout. */
export interface PolicyView {
  get(id: string): Policy | undefined;
  /** Their ids. */
  keys(): Iterable<string>;
}

export interface VerifyEvidenceOptions {
  readonly defaultPolicy: string;
  /** Whether `at` is allowed. */
  readonly historical: boolean;
  readonly deadlineMs: number;
  /** Longest time that an answer may be relied on. */
  readonly lifetimeMs: number;
  /** Whether challenges are used up: not on the command line. */
  readonly consumesChallenges: boolean;
}

export interface VerifyEvidenceParts {
  readonly verifiers: ReadonlyMap<string, EvidenceVerifier>;
  readonly endorsements: EndorsementSource;
  /** The policies in use now. */
  readonly policies: () => PolicyView;
  readonly otherVerifiers: OtherVerifiers;
  /** Thumbprint of a JWK, by which attestation keys are compared. */
  readonly keyThumbprint: KeyThumbprint;
  readonly nonces: Pick<NonceRecogniser, 'standing'>;
  readonly resets: Pick<ResetTracking, 'remembered' | 'advance'>;
  readonly clock: WatchedClock;
  readonly log: Log;
  /** Makes a decision id, a UUID version 7. */
  readonly newId: (at: Date) => string;
}

/** Share of the deadline that fetching may take. */
const FETCH_SHARE = 0.8;

/** Where there is nothing to look up: no policy asks, or the evidence does not say whose counts these are. */
const NOT_READ: RememberedResets = {
  state: 'unavailable',
  detail: 'the evidence does not tell which vTPM its quote is of',
  retryable: false,
};

/** What is known of a request before its evidence is looked at. */
interface Case {
  readonly request: VerifyRequest;
  readonly at: Date;
  readonly historical: boolean;
  readonly policies: readonly Policy[];
  readonly nonce: NonceStanding;
  readonly binding: ExpectedBinding | null;
}

/** Judges evidence under policies: read, fetch, verify, appraise, decide; each step once, nothing goes back up. */
export class VerifyEvidence {
  readonly #parts: VerifyEvidenceParts;
  readonly #options: VerifyEvidenceOptions;

  constructor(parts: VerifyEvidenceParts, options: VerifyEvidenceOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /**
   * @throws {FormatError} where the evidence is malformed, a policy unknown, or `at` not enabled
   * @throws {RefusedError} `forbidden` where the caller may not use this policy, audience or verification time
   */
  async execute(request: VerifyRequest, caller: Caller): Promise<Decision> {
    const now = this.#parts.clock.now();
    const historical = request.at !== null;
    if (historical) this.#requireMayNameInstant(caller);
    const policies = this.#policiesOf(request, caller);
    requireAudience(request.audience, caller);
    const verifier = this.#parts.verifiers.get(request.evidence.type);
    if (verifier === undefined) {
      throw new FormatError('type_unsupported', 'no verifier for this type of evidence', { pointer: '/evidence/type' });
    }
    const binding = request.nonce === null ? null : expectedBinding(request.nonce, request.bindingJwk);
    // Before a challenge is used up, so that the same request can come again. A past time is past by this clock too.
    const doubt = this.#parts.clock.doubt();
    if (doubt !== null) {
      const decisionId = this.#parts.newId(now);
      return notJudged({ request, policies, now, decisionId, lifetimeMs: this.#options.lifetimeMs }, doubt);
    }
    const at = instantOf(request, now);
    const nonce = await this.#standingOf(request, caller, policies, at, historical);
    const asked: Case = { request, at, historical, policies, nonce, binding };
    return this.#decide(asked, now, await this.#verifyWithin(verifier, asked));
  }

  #requireMayNameInstant({ roles }: Caller): void {
    if (!this.#options.historical) {
      throw new FormatError(
        'at_not_enabled',
        'this service does not judge at a verification time in the past: historical is not set in its configuration',
        { pointer: '/at' },
      );
    }
    if (roles.has('audit:read')) return;
    throw new RefusedError('forbidden', 'at needs the role audit:read, which this caller does not have');
  }

  #policiesOf({ policies }: VerifyRequest, caller: Caller): readonly Policy[] {
    const ids = policies ?? [this.#options.defaultPolicy];
    requirePolicies(ids, caller);
    const view = this.#parts.policies();
    return ids.map((id) => {
      const policy = view.get(id);
      if (policy === undefined) throw unknownPolicy(id, view, caller);
      return policy;
    });
  }

  #standingOf(
    request: VerifyRequest,
    { tenant }: Caller,
    policies: readonly Policy[],
    at: Date,
    historical: boolean,
  ): Promise<NonceStanding> {
    const scope = {
      tenant,
      audience: request.audience,
      policies: policies.map(({ id }) => id),
      evidenceType: request.evidence.type,
    };
    return this.#parts.nonces.standing(request.nonce, scope, {
      at,
      consume: this.#options.consumesChallenges && !historical,
    });
  }

  /** An exception is never an allow: what a verifier throws, and what it does not finish, is indeterminate. */
  async #verifyWithin(verifier: EvidenceVerifier, asked: Case): Promise<Judged> {
    const { deadlineMs } = this.#options;
    // Fetching stops early enough to judge the rest: an answer that names what was missing and what failed is worth more
    // than one that only says that time ran out.
    const fetching = new FetchTime(deadlineMs * FETCH_SHARE);
    let expiry: NodeJS.Timeout | undefined;
    const deadline = new Promise<Judged>((resolve) => {
      const passed = () => resolve(undecided('deadline', true));
      expiry = setTimeout(passed, deadlineMs);
    });
    try {
      return await Promise.race([this.#verify(verifier, asked, fetching), deadline]);
    } catch (error) {
      if (error instanceof FormatError) throw error;
      this.#parts.log.error({ err: error, evidenceType: asked.request.evidence.type }, 'verifier failed');
      return undecided('internal_error', false);
    } finally {
      clearTimeout(expiry);
      fetching.end();
    }
  }

  async #verify(verifier: EvidenceVerifier, asked: Case, fetching: FetchTime): Promise<Judged> {
    const { request, binding } = asked;
    const fetch = new RequestFetch(asked, fetching);
    const { otherVerifiers, keyThumbprint } = this.#parts;
    // Malformed evidence is refused before anything is fetched.
    const opened = verifier.open(request.evidence);
    const tokens = request.attestationResults;
    const verifyingSent = otherVerifiers.verifySent(tokens, { fetch, binding });
    const verifyingOwn = this.#verifyEvidence(opened, asked, fetch);
    const [own, sent] = tokens.length === 0 ? [await verifyingOwn, []] : await bothEnded(verifyingOwn, verifyingSent);
    const results = await submitWhereWanted(otherVerifiers, asked, own, sent, fetch);
    return judgeResults(request.evidence.type, own, results, keyThumbprint);
  }

  async #verifyEvidence(opened: OpenedEvidence, { at, binding }: Case, fetch: FetchContext): Promise<Verification> {
    const endorsements = await this.#parts.endorsements.fetch(opened.needs, fetch);
    const result: unknown = await opened.verify({ at, endorsements, binding });
    if (!isVerification(result)) throw new TypeError('the verifier returned no verification');
    return result;
  }

  /**
   * Appraises under each policy. Counts of an allow are noted before it leaves: where they cannot be kept, or a newer quote
   * came first, all is appraised again by what is known then.
   */
  async #appraise(asked: Case, { verification, results }: Judged): Promise<readonly PolicyAppraisal[]> {
    const { request, at, historical, policies, nonce, binding } = asked;
    const boundKey = binding !== null && binding.jkt !== null;
    const input = { evidenceType: request.evidence.type, verification, nonce, results, boundKey, at };
    const appraiseBy = (resets: RememberedResets) => policies.map((policy) => appraise(policy, { ...input, resets }));
    if (historical) return appraiseBy({ state: 'not consulted' });
    const vtpm = policies.some(tracksResets) ? trackedVtpm(verification) : null;
    if (vtpm === null) return appraiseBy(NOT_READ);
    const appraisals = appraiseBy(await this.#parts.resets.remembered(vtpm));
    if (decide(appraisals).decision !== 'allow') return appraisals;
    const instead = await this.#parts.resets.advance(vtpm);
    return instead === null ? appraisals : appraiseBy(instead);
  }

  async #decide(asked: Case, now: Date, judged: Judged): Promise<Decision> {
    const { request, at, historical, nonce, binding } = asked;
    const { type } = request.evidence;
    const verification = { ...judged.verification, checks: [...nonceChecks(nonce), ...judged.verification.checks] };
    const appraisals = await this.#appraise(asked, { ...judged, verification });
    const { decision, reasons } = decide(appraisals);
    const checks = mergeChecks(appraisals);
    const { claims } = verification;
    return {
      decision,
      decisionId: this.#parts.newId(now),
      decidedAt: now,
      at,
      validUntil: earliest(new Date(at.getTime() + this.#options.lifetimeMs), verification.validUntil),
      historical,
      retryable: decision === 'indeterminate' && mayChange(checks, nonce),
      retryAfterSeconds: judged.retryAfterSeconds,
      evidence: { type, sha256: evidenceSha256(request.evidence) },
      trust: appraiseTrust(checks, claims, decision, {
        hardware: isHardwareType(type),
        vtpmOnly: isTpmType(type),
        evidence: tokenRouteOf(type),
        // A missing Attestation Result says nothing of the TEE: whether that matters, the decision says.
        routes: SUBMITTED_ROUTES.filter((route) => hasSpoken(judged.results.get(route))),
      }),
      policies: appraisals.map(policyResult),
      checks,
      reasons,
      claims,
      maaView: maaView(claims, type),
      crossCheck: judged.crossCheck,
      endorsements: verification.endorsements,
      freshness: { bound: verification.bound, clockSkewSeconds: judged.clockSkewSeconds },
      binding: binding === null || binding.jkt === null ? null : { jkt: binding.jkt },
      shadow: [],
    };
  }
}

export type VerifyEvidenceUseCase = Pick<VerifyEvidence, 'execute'>;

function instantOf({ at }: VerifyRequest, now: Date): Date {
  if (at === null) return now;
  if (at > now) throw new FormatError('at_not_enabled', 'at is in the future', { pointer: '/at' });
  return at;
}

/** What both come to, once both have ended: a fault of one must not end half-way what is fetched for the other. */
async function bothEnded<A, B>(a: Promise<A>, b: Promise<B>): Promise<readonly [A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}

function hasSpoken(route: ResultState | undefined): boolean {
  return route?.state === 'verified' || route?.state === 'refused';
}

/** What a verifier answers is looked at where it comes in: what is no verification must not get as far as a policy. */
function isVerification(result: unknown): result is Verification {
  if (typeof result !== 'object' || result === null) return false;
  const { checks, required, claims } = result as { readonly [member in keyof Verification]?: unknown };
  return Array.isArray(checks) && Array.isArray(required) && typeof claims === 'object' && claims !== null;
}

/**
 * Whether the same request can come to something else later. Not with a challenge that is used up now, and not where
 * what is missing will not appear by asking again.
 */
function mayChange(checks: readonly Check[], nonce: NonceStanding): boolean {
  if (nonce.origin === 'challenge' && nonce.state === 'consumed') return false;
  const undecidedChecks = checks.filter(isUndecided);
  return undecidedChecks.length > 0 && undecidedChecks.every(({ retryable }) => retryable === true);
}

function policyResult({ policy, outcome, matched, unmatched }: PolicyAppraisal): Decision['policies'][number] {
  return { id: policy.id, version: policy.version, sha256: policy.sha256, outcome, matched, unmatched };
}
