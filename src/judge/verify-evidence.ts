import type { NonceStanding } from '../core/challenge.js';
import type { Check } from '../core/check.js';
import type { Decision } from '../core/decision.js';
import { earliest } from '../core/earliest.js';
import { FormatError, RefusedError } from '../core/errors.js';
import { isHardwareType, isTpmType, tokenRouteOf } from '../core/evidence-traits.js';
import type { Log } from '../core/ports.js';
import type { Caller, VerifyRequest } from '../core/request.js';
import { NO_TRACER, type Tracer } from '../core/traces.js';
import type { EvidenceVerifier } from '../core/verification.js';
import type { ResultState } from '../policy/appraise/appraisal-topic.js';
import { mergeChecks, type PolicyAppraisal, withDemands } from '../policy/appraise/appraise.js';
import { decide, isUndecided } from '../policy/appraise/decide.js';
import { appraiseTrust } from '../policy/appraise/trust.js';
import type { Policy } from '../policy/document/policy-document.js';
import { expectedBinding } from '../tee/shared/binding/expected-binding.js';
import { evidenceSha256 } from '../tee/shared/evidence/evidence-identity.js';
import { appraiseNoting, policyResult } from './appraisals.js';
import { requireAudience, requirePolicies, unknownPolicy } from './caller-limits.js';
import type { WatchedClock } from './clock-watch.js';
import { maaView } from './cross-check/maa-view.js';
import type { EarlyCollateralShadow } from './early-collateral.js';
import { FetchTime } from './fetch-time.js';
import { type Case, type EvidenceParts, type JudgedEvidence, judgeEvidence } from './judge-evidence.js';
import type { Judged } from './judge-results.js';
import type { NonceRecogniser } from './nonces.js';
import { notJudged, undecided } from './not-judged.js';
import { releaseDemands } from './release-checks.js';
import { judgeBeside } from './shadow-policies.js';
import { SUBMITTED_ROUTES } from './submit-where-wanted.js';
import type { Tenants } from './tenants.js';

export interface VerifyEvidenceOptions {
  /** Whether `at` is allowed. */
  readonly historical: boolean;
  readonly deadlineMs: number;
  /** Longest time that an answer may be relied on. */
  readonly lifetimeMs: number;
  /** Whether challenges are used up: not on the command line. */
  readonly consumesChallenges: boolean;
}

export interface VerifyEvidenceParts extends EvidenceParts {
  readonly verifiers: ReadonlyMap<string, EvidenceVerifier>;
  readonly tenants: Tenants;
  readonly nonces: Pick<NonceRecogniser, 'standing'>;
  /** Null: nothing is judged by Intel's early collateral. */
  readonly early: Pick<EarlyCollateralShadow, 'judge'> | null;
  readonly clock: WatchedClock;
  readonly log: Log;
  /** Makes a decision id, a UUID version 7. */
  readonly newId: (at: Date) => string;
}

/** Share of the deadline that fetching may take. */
const FETCH_SHARE = 0.8;

/** Judges evidence under policies: read, fetch, verify, appraise, decide; each step once, nothing goes back up. */
export class VerifyEvidence {
  readonly #parts: VerifyEvidenceParts;
  readonly #options: VerifyEvidenceOptions;
  readonly #tracer: Tracer;

  constructor(parts: VerifyEvidenceParts, options: VerifyEvidenceOptions) {
    this.#parts = parts;
    this.#tracer = parts.tracer ?? NO_TRACER;
    this.#options = options;
  }

  /**
   * @throws {FormatError} where the evidence is malformed, a policy unknown, or `at` not enabled
   * @throws {RefusedError} `forbidden` where the caller may not use this policy, audience or verification time
   */
  execute(request: VerifyRequest, caller: Caller): Promise<Decision> {
    return this.#judge(request, caller, false, () => this.#policiesOf(request, caller));
  }

  /**
   * Judges evidence under a policy that is only tried: no challenge is used up, nothing is noted of the vTPM.
   *
   * @throws {FormatError | RefusedError} as `execute`
   */
  tryPolicy(policy: Policy, request: VerifyRequest, caller: Caller): Promise<Decision> {
    return this.#judge(request, caller, true, () => ({ policies: [policy], shadow: [] }));
  }

  async #judge(
    request: VerifyRequest,
    caller: Caller,
    trial: boolean,
    choose: () => Pick<Case, 'policies' | 'shadow'>,
  ): Promise<Decision> {
    const now = this.#parts.clock.now();
    const historical = request.at !== null;
    if (historical) this.#requireMayNameInstant(caller);
    const chosen = choose();
    requireAudience(request.audience, caller);
    const verifier = this.#parts.verifiers.get(request.evidence.type);
    if (verifier === undefined) {
      throw new FormatError('type_unsupported', 'no verifier for this type of evidence', { pointer: '/evidence/type' });
    }
    const binding =
      request.nonce === null ? null : expectedBinding(request.nonce, request.bindingJwk, request.bindingPem);
    // Before a challenge is used up, so that the same request can come again. A past time is past by this clock too.
    const doubt = this.#parts.clock.doubt();
    if (doubt !== null) {
      const decisionId = this.#parts.newId(now);
      const { policies } = chosen;
      return notJudged({ request, policies, now, decisionId, lifetimeMs: this.#options.lifetimeMs }, doubt);
    }
    const { principal, tenant } = caller;
    const { resets } = this.#parts.tenants(tenant);
    const at = instantOf(request, now);
    const before = { request, principal, tenant, ...chosen, at, historical, trial, binding, resets };
    const decisionId = this.#parts.newId(now);
    const asked: Case = { ...before, nonce: await this.#standingOf(before, caller) };
    return this.#decide(asked, { now, decisionId }, await this.#verifyWithin(verifier, asked, decisionId));
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
    const detail = 'at needs the role audit:read, which this caller does not have';
    throw new RefusedError('forbidden', detail, { pointer: '/at' });
  }

  /** All of one view, so that no reload comes between. */
  #policiesOf({ policies, release }: VerifyRequest, caller: Caller): Pick<Case, 'policies' | 'shadow'> {
    const tenant = this.#parts.tenants(caller.tenant);
    const ids = policies ?? [tenant.defaultPolicy];
    // The body of a release names no policy: the key does.
    requirePolicies(ids, caller, release === undefined ? '/policy' : '/keyId');
    const view = tenant.policies();
    const known = (id: string) => {
      const policy = view.get(id);
      if (policy === undefined) throw unknownPolicy(id, view, caller);
      return policy;
    };
    return { policies: ids.map(known), shadow: tenant.shadowPolicies.map(known) };
  }

  #standingOf(
    { request, policies, at, historical, trial }: Omit<Case, 'nonce'>,
    { tenant }: Caller,
  ): Promise<NonceStanding> {
    const scope = {
      tenant,
      audience: request.audience,
      policies: policies.map(({ id }) => id),
      evidenceType: request.evidence.type,
    };
    const consume = this.#options.consumesChallenges && !historical && !trial;
    return this.#tracer.span('check nonce', () => this.#parts.nonces.standing(request.nonce, scope, { at, consume }));
  }

  /** An exception is never an allow: what a verifier throws, and what it does not finish, is indeterminate. */
  async #verifyWithin(verifier: EvidenceVerifier, asked: Case, decisionId: string): Promise<JudgedEvidence> {
    const { deadlineMs } = this.#options;
    // Fetching stops early enough to judge the rest: an answer that names what was missing and what failed is worth more
    // than one that only says that time ran out.
    const fetching = new FetchTime(deadlineMs * FETCH_SHARE);
    let expiry: NodeJS.Timeout | undefined;
    const deadline = new Promise<JudgedEvidence>((resolve) => {
      const passed = () => resolve({ judged: undecided('deadline', true), again: null });
      expiry = setTimeout(passed, deadlineMs);
    });
    try {
      return await Promise.race([judgeEvidence(this.#parts, verifier, asked, fetching), deadline]);
    } catch (error) {
      if (error instanceof FormatError) throw error;
      this.#parts.log.error({ err: error, evidenceType: asked.request.evidence.type, decisionId }, 'verifier failed');
      return { judged: undecided('internal_error', false), again: null };
    } finally {
      clearTimeout(expiry);
      fetching.end();
    }
  }

  /** Where a key is wanted, an allow of its policy alone is not enough. */
  #withDemands(asked: Case, judged: Judged, appraisals: readonly PolicyAppraisal[]): readonly PolicyAppraisal[] {
    const { release: terms } = asked.request;
    if (terms === undefined) return appraisals;
    const { keyThumbprint } = this.#parts;
    return appraisals.map((appraisal) =>
      withDemands(appraisal, releaseDemands({ terms, asked, judged, appraisal, keyThumbprint })),
    );
  }

  async #decide(
    asked: Case,
    { now, decisionId }: { readonly now: Date; readonly decisionId: string },
    evidence: JudgedEvidence,
  ): Promise<Decision> {
    const { request, at, historical, nonce, binding } = asked;
    const { type } = request.evidence;
    const { judged } = evidence;
    const { verification } = judged;
    const appraised = await this.#tracer.span('appraise', () => appraiseNoting(asked, judged));
    const appraisals = this.#withDemands(asked, judged, appraised.appraisals);
    const { decision, reasons } = decide(appraisals);
    const checks = mergeChecks(appraisals);
    const repeatable = nonce.origin !== 'challenge' || nonce.state !== 'consumed';
    const { claims } = verification;
    return {
      decision,
      decisionId,
      decidedAt: now,
      at,
      validUntil: earliest(new Date(at.getTime() + this.#options.lifetimeMs), verification.validUntil),
      historical,
      retryable: repeatable && decision === 'indeterminate' && mayChange(checks),
      repeatable,
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
      obtainedTokens: judged.obtainedTokens,
      freshness: {
        nonce: NONCE_ORIGINS[nonce.origin],
        bound: verification.bound,
        clockSkewSeconds: judged.clockSkewSeconds,
      },
      binding: boundKeyOf(binding),
      shadow: [
        ...(await judgeBeside(asked, judged, this.#parts.log)),
        ...((asked.trial ? null : await this.#parts.early?.judge({ asked, ...evidence, ...appraised })) ?? []),
      ],
      receipt: null,
    };
  }
}

/** Where a nonce came from, as an answer and a receipt say it. */
const NONCE_ORIGINS = { challenge: 'challenge', caller: 'own', none: null } as const;

export type VerifyEvidenceUseCase = Pick<VerifyEvidence, 'execute'>;

function instantOf({ at }: VerifyRequest, now: Date): Date {
  if (at === null) return now;
  if (at > now) throw new FormatError('at_not_enabled', 'at is in the future', { pointer: '/at' });
  return at;
}

function boundKeyOf(binding: Case['binding']): Decision['binding'] {
  const jkt = binding?.jkt ?? binding?.pem?.jkt ?? null;
  return jkt === null ? null : { jkt };
}

function hasSpoken(route: ResultState | undefined): boolean {
  return route?.state === 'verified' || route?.state === 'refused';
}

/** Whether what is missing may appear by asking again. */
function mayChange(checks: readonly Check[]): boolean {
  const undecidedChecks = checks.filter(isUndecided);
  return undecidedChecks.length > 0 && undecidedChecks.every(({ retryable }) => retryable === true);
}
