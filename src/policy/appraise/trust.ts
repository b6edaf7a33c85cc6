import { type Check, isOfToken } from '../../core/check.js';
import { type Statement, TRUST_CLAIMS } from '../../core/checks/row.js';
import type { Claims } from '../../core/claims.js';
import type { Outcome, Trust, TrustSubmodule, TrustTier } from '../../core/decision.js';
import type { TokenRoute } from '../../core/evidence.js';
import { CHECKS } from '../../tee/catalogue.js';
import {
  AK_CERTIFICATE,
  guestObservations,
  hardwareObservations,
  type Observation,
  refusals,
  tokenObservations,
} from './trust-observations.js';

/** The observations that trust is derived from. */
export interface TrustParts {
  /** The type of the token; absent for other evidence. */
  readonly evidence?: TokenRoute | null;
  /** Whether the evidence is the hardware's own word. A token alone says what another verifier found. */
  readonly hardware: boolean;
  /** Whether it is that of a vTPM by itself. Where left out it is not. */
  readonly vtpmOnly?: boolean;
  readonly routes: readonly TokenRoute[];
}

const CRYPTO_FAILED = submodule(TRUST_CLAIMS.map((claim) => [claim, 99]));

/**
 * Trust tiers and vectors (AR4SI, EAR) of what was found. A claim that nothing speaks about is left out, which is
 * what 0 means; disks are one, since no evidence here says anything of them.
 *
 * The tier is not the decision: an allow can have any, and no other decision has one that a relying party could take
 * for a yes.
 */
export function appraiseTrust(
  checks: readonly Check[],
  claims: Claims,
  decision: Outcome,
  { hardware, vtpmOnly = false, routes, evidence = null }: TrustParts = { hardware: true, routes: [] },
): Trust {
  const ofTokens = routes.map((route) => {
    const own = checks.filter((check) => isAboutTokenOf(route, check, evidence));
    return [route, tokenSubmodule(own, claims, route)] as const;
  });
  const submods = {
    ...(hardware ? submodules(checks, claims) : {}),
    ...(vtpmOnly ? { vtpm: vtpmAlone(checks, claims) } : {}),
    ...Object.fromEntries(ofTokens),
  };
  const status = tierOfAll(Object.values(submods).map((submod) => submod.status));
  return { status: tierUnder(decision, status), submods };
}

/** Each verifier answers only for its own token. A check that does not say whose token it is about counts for all. */
function isAboutTokenOf(route: TokenRoute, check: Check, evidence: TokenRoute | null): boolean {
  if (check.route !== undefined) return check.route === route;
  return check.about === '/evidence/token' ? evidence === route : isOfToken(check);
}

/**
 * The observations about the TEE in another verifier's token, as far as it is reliable.
 * @param checks those about this token
 */
function tokenSubmodule(checks: readonly Check[], claims: Claims, route: TokenRoute): TrustSubmodule {
  const token = claims[route];
  if (token !== undefined) return submodule(tokenObservations(checks, token));
  return fails(checks, 'token') ? CRYPTO_FAILED : submodule([['hardware', 0], ...refusals(checks)]);
}

function submodules(checks: readonly Check[], claims: Claims): { readonly [name: string]: TrustSubmodule } {
  const hasVtpm = checks.some(({ id }) => id === 'tpm_signature');
  const hardware = hardwareObservations(checks, claims);
  const guest = guestObservations(checks, claims);
  const ofReport = checks.filter(isOfReport);
  // A machine that a policy does not list is genuine all the same.
  const failed = fails(
    ofReport.filter(({ policy }) => policy === null),
    'hardware',
  );
  const missing = failed ? null : missingMaterial(ofReport);
  if (!hasVtpm) return { hardware: failed ? CRYPTO_FAILED : submodule(missing ?? [...hardware, ...guest]) };
  return {
    hardware: failed ? CRYPTO_FAILED : submodule(missing ?? hardware),
    // The hardware report vouches for the AK: without it, nothing does.
    vtpm:
      failed || fails(checks, 'vtpm')
        ? CRYPTO_FAILED
        : submodule(missing === null ? guest : [['instance-identity', 0]]),
  };
}

/**
 * A vTPM that only the certificate of its key vouches for: nothing says which machine it belongs to. Of hardware there is no
 * appraisal at all.
 */
function vtpmAlone(checks: readonly Check[], claims: Claims): TrustSubmodule {
  if (fails(checks, 'vtpm')) return CRYPTO_FAILED;
  return submodule([['instance-identity', isFaulty(checks) ? -1 : 0], ...guestObservations(checks, claims)]);
}

function isFaulty(checks: readonly Check[]): boolean {
  return checks.some(({ id, result }) => id === 'internal_error' && result === 'unavailable');
}

/** Certificates of attestation keys and of tokens' keys share ids with those under the hardware report. */
function isOfReport(check: Check): boolean {
  return check.about !== AK_CERTIFICATE && !isOfToken(check);
}

/** A check that could not be made is neither good nor bad: 0, or -1 where the verifier itself failed. */
function missingMaterial(checks: readonly Check[]): readonly Observation[] | null {
  if (isFaulty(checks)) return [['hardware', -1]];
  const lacksMaterial = checks.some(
    ({ id, result }) =>
      result === 'unavailable' && CHECKS[id].class === 'indeterminate' && CHECKS[id].underlies === 'hardware',
  );
  return lacksMaterial ? [['hardware', 0]] : null;
}

/** Whether something that vouches for a statement does not hold. */
function fails(checks: readonly Check[], statement: Statement): boolean {
  return checks.some(
    ({ id, result }) => result === 'fail' && CHECKS[id].class === 'deny' && CHECKS[id].underlies === statement,
  );
}

function submodule(observations: readonly Observation[]): TrustSubmodule {
  const vector: Record<string, number> = {};
  for (const claim of TRUST_CLAIMS) {
    const values = observations.filter(([name]) => name === claim).map(([, value]) => value);
    if (values.length > 0) vector[claim] = worst(values);
  }
  return { status: tierOfAll(Object.values(vector).map(tierOf)), vector };
}

/** Of the values seen for a claim, the first that has the tier of all of them together. */
function worst(values: readonly number[]): number {
  const tier = tierOfAll(values.map(tierOf));
  return values.find((value) => tierOf(value) === tier) ?? 0;
}

function tierUnder(decision: Outcome, status: TrustTier): TrustTier {
  if (decision === 'allow') return status;
  return decision === 'deny' && status === 'contraindicated' ? status : 'none';
}

/** Tier of a claim of the trustworthiness vector (AR4SI). A value outside the ranges says nothing good: `none`. */
export function tierOf(value: number): TrustTier {
  if (isWithin(value, 2, 31)) return 'affirming';
  if (isWithin(value, 32, 95)) return 'warning';
  return isWithin(value, 96, 127) ? 'contraindicated' : 'none';
}

/** Below zero the ranges begin one further out. */
function isWithin(value: number, least: number, most: number): boolean {
  return (value >= least && value <= most) || (value <= -least && value >= -most - 1);
}

/**
 * The tier of several together, never better than that of any. Each tier has its own condition: along an order
 * `warning` would hide `none`, or `none` would pass for the best.
 */
export function tierOfAll(tiers: readonly TrustTier[]): TrustTier {
  if (tiers.includes('contraindicated')) return 'contraindicated';
  if (tiers.length === 0 || tiers.includes('none')) return 'none';
  return tiers.includes('warning') ? 'warning' : 'affirming';
}
