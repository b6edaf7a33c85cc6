import type { Check } from '../core/check.js';
import type { Decision, ShadowResult } from '../core/decision.js';
import { earliest } from '../core/earliest.js';
import type { EvidenceType } from '../core/evidence.js';
import { isHardwareType, isTpmType, tokenRouteOf } from '../core/evidence-traits.js';
import type { ResultState } from '../policy/appraise/appraisal-topic.js';
import { mergeChecks, type PolicyAppraisal } from '../policy/appraise/appraise.js';
import { decide } from '../policy/appraise/decide.js';
import { isUndecided } from '../policy/appraise/outcome.js';
import { appraiseTrust, type TrustParts } from '../policy/appraise/trust.js';
import { evidenceSha256 } from '../tee/evidence-identity.js';
import { policyResult } from './appraisals.js';
import { maaView } from './cross-check/maa-view.js';
import type { JoinedVerification } from './join.js';
import type { NoncedTerms } from './nonces.js';
import { SUBMITTED_ROUTES } from './submit.js';

/** The origin of a nonce, as in answers and receipts. */
const NONCE_ORIGINS = { challenge: 'challenge', caller: 'own', none: null } as const;

/** The decision over all policies, with everything that the answer reports. */
export function decisionOf(
  terms: NoncedTerms,
  joined: JoinedVerification,
  appraisals: readonly PolicyAppraisal[],
  shadow: readonly ShadowResult[],
  lifetimeMs: number,
): Decision {
  const { request, at, now, historical, nonce, binding, decisionId } = terms;
  const { type } = request.evidence;
  const { verification } = joined;
  const { claims } = verification;
  const { decision, reasons } = decide(appraisals);
  const checks = mergeChecks(appraisals);
  const repeatable = nonce.origin !== 'challenge' || nonce.state !== 'consumed';
  return {
    decision,
    decisionId,
    decidedAt: now,
    at,
    validUntil: earliest(new Date(at.getTime() + lifetimeMs), verification.validUntil),
    historical,
    retryable: repeatable && decision === 'indeterminate' && mayChange(checks),
    repeatable,
    retryAfterSeconds: joined.retryAfterSeconds,
    evidence: { type, sha256: evidenceSha256(request.evidence) },
    trust: appraiseTrust(checks, claims, decision, trustSubject(type, joined)),
    policies: appraisals.map(policyResult),
    checks,
    reasons,
    claims,
    maaView: maaView(claims, type),
    crossCheck: joined.crossCheck,
    endorsements: verification.endorsements,
    obtainedTokens: joined.obtainedTokens,
    freshness: freshnessOf(nonce, joined),
    binding: boundKeyOf(binding),
    shadow,
    receipt: null,
  };
}

function freshnessOf(
  { origin }: NoncedTerms['nonce'],
  { verification: { bound }, clockSkewSeconds }: JoinedVerification,
): Decision['freshness'] {
  return { nonce: NONCE_ORIGINS[origin], bound, clockSkewSeconds };
}

/** A missing Attestation Result says nothing about the TEE. The decision says whether its absence matters. */
function trustSubject(type: EvidenceType, { results }: JoinedVerification): TrustParts {
  const routes = SUBMITTED_ROUTES.filter((route) => hasResult(results.get(route)));
  return { hardware: isHardwareType(type), vtpmOnly: isTpmType(type), evidence: tokenRouteOf(type), routes };
}

function boundKeyOf(binding: NoncedTerms['binding']): Decision['binding'] {
  const jkt = binding?.jkt ?? binding?.pem?.jkt ?? null;
  return jkt === null ? null : { jkt };
}

function hasResult(route: ResultState | undefined): boolean {
  return route?.state === 'verified' || route?.state === 'refused';
}

/** Whether a repeated request may supply the missing results. */
function mayChange(checks: readonly Check[]): boolean {
  const undecidedChecks = checks.filter(isUndecided);
  return undecidedChecks.length > 0 && undecidedChecks.every(({ retryable }) => retryable === true);
}
