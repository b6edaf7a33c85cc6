import { type Check, type Checks, ofRoute } from '../core/check.js';
import type { Claims } from '../core/claims.js';
import type { CrossCheck } from '../core/decision.js';
import { earliest } from '../core/earliest.js';
import type { EvidenceType, TokenEvidence, TokenRoute } from '../core/evidence.js';
import { tokenTypeOf } from '../core/evidence-traits.js';
import type { TokenVerification, Verification } from '../core/verification.js';
import type { Verified } from '../core/verified.js';
import { type ResultState, resultOfEvidence } from '../policy/appraise/appraisal-topic.js';
import { checksAt } from '../tee/catalogue.js';
import { markVerified } from '../tee/shared/evidence/mark-verified.js';
import { paravisorByMaa } from '../tee/shared/paravisor/paravisor-claims.js';
import { compareResults } from './compare-results.js';
import type { KeyThumbprint } from './cross-check/paravisor-statements.js';
import { isReliable, type RouteResults, type RouteToken } from './route-tokens.js';

export interface JoinParts {
  readonly keyThumbprint: KeyThumbprint;
}

/** The evidence and every token, as one verification for policies to appraise. */
export interface JoinedVerification {
  readonly verification: Verification;
  /** The bound values that the evidence itself holds, without those of tokens from other verifiers. */
  readonly boundByEvidence: Verification['bound'];
  readonly results: ReadonlyMap<TokenRoute, ResultState>;
  /** Routes whose verified tokens are all about the TEE of the evidence. */
  readonly ofSameTee: ReadonlySet<TokenRoute>;
  readonly crossCheck: CrossCheck | null;
  readonly obtainedTokens: readonly TokenEvidence[];
  readonly clockSkewSeconds: number | null;
  /** Seconds after which another verifier may be contacted again, if it sent such a limit. */
  readonly retryAfterSeconds: number | null;
}

/**
 * Joins the results of evidence and tokens. A token that fails is a failed base check, so no policy can relax it.
 *
 * @param compared the verification of the same evidence that tokens are compared with
 */
export function join(
  evidenceType: EvidenceType,
  own: Verification,
  { tokens, faults }: RouteResults,
  thumbprint: KeyThumbprint,
  compared: Verification = own,
): JoinedVerification {
  const stated = { ...compared, claims: claimsToCompare(compared) };
  const { checks, crossCheck, ofSameTee, agreeing } = compareResults(evidenceType, stated, tokens, thumbprint);
  recordRefusals(checks, faults);
  const reliable = tokens.filter(isReliable);
  return {
    verification: {
      ...own,
      checks: [...own.checks, ...tokens.flatMap(checksOf), ...checks.all, ...unmade(own, tokens)],
      required: [
        ...own.required,
        ...tokens.flatMap(({ verification }) => verification.required),
        ...(tokens.length > 0 ? (['disagreement'] as const) : []),
      ],
      claims: joinedClaims(own, reliable, agreeing),
      endorsements: [...own.endorsements, ...reliable.flatMap(({ verification }) => verification.endorsements)],
      bound: [...own.bound, ...agreeing.flatMap(({ verification }) => verification.bound)],
      validUntil: earliest(own.validUntil, ...reliable.map(({ verification }) => verification.validUntil)),
    },
    boundByEvidence: own.bound,
    results: statesOf(evidenceType, own, tokens, agreeing, faults),
    ofSameTee: new Set(ofSameTee.map(({ route }) => route).filter((route) => areAllOf(route, tokens, ofSameTee))),
    crossCheck,
    obtainedTokens: tokens.flatMap(obtainedBy),
    clockSkewSeconds: skewOf([own, ...tokens.map(({ verification }) => verification)]),
    retryAfterSeconds: longestPause(faults),
  };
}

/** One route can have two tokens: one from the request, and one from the operator's own endpoint. */
function areAllOf(route: TokenRoute, tokens: readonly RouteToken[], found: readonly RouteToken[]): boolean {
  return tokens.every((token) => token.route !== route || found.includes(token));
}

function obtainedBy({ route, obtained }: RouteToken): readonly TokenEvidence[] {
  return obtained === null ? [] : [{ type: tokenTypeOf(route), token: obtained }];
}

function checksOf({ route, verification: { checks } }: RouteToken): readonly Check[] {
  return ofRoute(route, checks);
}

/**
 * Checks that each verification made its own required checks. After the join, a check of one verification could stand
 * for a missing check of the same id in another. Without tokens there is nothing to join, and policies detect the
 * missing outcome.
 */
function unmade(own: Verification, tokens: readonly RouteToken[]): readonly Check[] {
  if (tokens.length === 0) return [];
  const missing = [own, ...tokens.map(({ verification }) => verification)].flatMap(({ checks, required }) => {
    const made = new Set(checks.map(({ id }) => id));
    return required.filter((id) => !made.has(id));
  });
  if (missing.length === 0) return [];
  const fault = checksAt('');
  fault.unavailable('internal_error', { detail: `without an outcome: ${missing.join(', ')}`, retryable: false });
  return fault.all;
}

/** A verifier that rejects the evidence disagrees with this service, which accepts it. */
function recordRefusals(checks: Checks, faults: RouteResults['faults']): void {
  for (const [route, fault] of faults) {
    if (fault.state === 'not vouched for') {
      const detail = `${route} does not vouch for the evidence: ${fault.detail}`;
      checks.at('/evidence').ofRoute(route).fail('disagreement', { expected: 'hardware', detail });
    }
  }
}

/**
 * Withheld claims are compared, although they are not part of the answer. A token that vouches for the paravisor
 * restores them.
 */
function claimsToCompare({ claims, withheldConfiguration: vmConfiguration }: Verification): Verified<Claims> {
  const { hcl } = claims;
  if (hcl === undefined || vmConfiguration === undefined) return claims;
  return markVerified({ ...claims, hcl: { ...hcl, vmConfiguration } });
}

function joinedClaims(
  own: Verification,
  reliable: readonly RouteToken[],
  agreeing: readonly RouteToken[],
): Verified<Claims> {
  if (reliable.length === 0) return own.claims;
  const claims: Claims = Object.assign({}, own.claims, ...reliable.map(({ verification }) => verification.claims));
  // Only Azure Attestation vouches for a paravisor. Of two tokens of one route the last counts, as in the claims.
  const counting = agreeing.findLast(({ route }) => route === 'maa');
  return counting?.verification.vouchesForParavisor === true
    ? paravisorByMaa(markVerified(claims), own.withheldConfiguration)
    : markVerified(claims);
}

const STATES = { 'not vouched for': 'refused', 'not asked': 'not judged' } as const;

function statesOf(
  evidenceType: EvidenceType,
  own: Verification,
  tokens: readonly RouteToken[],
  agreeing: readonly RouteToken[],
  faults: RouteResults['faults'],
): ReadonlyMap<TokenRoute, ResultState> {
  const states = new Map(resultOfEvidence(evidenceType, own));
  for (const token of tokens) states.set(token.route, { state: agreeing.includes(token) ? 'verified' : 'refused' });
  for (const [route, fault] of faults) {
    const isResultState = fault.state === 'unavailable' || fault.state === 'held back';
    states.set(route, isResultState ? fault : { state: STATES[fault.state] });
  }
  return states;
}

function skewOf(verifications: readonly (Verification & Partial<TokenVerification>)[]): number | null {
  return verifications.find(({ clockSkewSeconds }) => clockSkewSeconds != null)?.clockSkewSeconds ?? null;
}

function longestPause(faults: RouteResults['faults']): number | null {
  const pauses = [...faults.values()].flatMap((fault) =>
    fault.state === 'unavailable' && fault.retryAfterSeconds !== null ? [fault.retryAfterSeconds] : [],
  );
  return pauses.length === 0 ? null : Math.max(...pauses);
}
