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
  /** Whether the hardware signed the evidence. A token alone contains the result of another verifier. */
  readonly hardware: boolean;
  /** Whether the evidence is a vTPM alone; defaults to false. */
  readonly vtpmOnly?: boolean;
  readonly routes: readonly TokenRoute[];
}

const CRYPTO_FAILED = submodule(TRUST_CLAIMS.map((claim) => [claim, 99]));

/**
 * Derives trust tiers and vectors (AR4SI, EAR). A claim without an observation is omitted, which means 0. Storage is
 * never observed, because no evidence covers it.
 *
 * The tier is not the decision: an allow can have any tier. Other decisions never have a tier that a Relying Party
 * could read as an allow.
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

/** Whether a check is about the token of a route. A check without a route counts for all. */
function isAboutTokenOf(route: TokenRoute, check: Check, evidence: TokenRoute | null): boolean {
  if (check.route !== undefined) return check.route === route;
  return check.about === '/evidence/token' ? evidence === route : isOfToken(check);
}

/**
 * The submodule for another verifier's token, from the checks that hold.
 * @param checks the checks about this token
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
  // A machine that a policy does not list can still be genuine.
  const failed = fails(
    ofReport.filter(({ policy }) => policy === null),
    'hardware',
  );
  const missing = failed ? null : missingMaterial(ofReport);
  if (!hasVtpm) return { hardware: failed ? CRYPTO_FAILED : submodule(missing ?? [...hardware, ...guest]) };
  return {
    hardware: failed ? CRYPTO_FAILED : submodule(missing ?? hardware),
    // Without a valid hardware report, nothing vouches for the AK.
    vtpm:
      failed || fails(checks, 'vtpm')
        ? CRYPTO_FAILED
        : submodule(missing === null ? guest : [['instance-identity', 0]]),
  };
}

/**
 * The submodule for a vTPM that only the certificate of its key vouches for. Nothing identifies its machine, and the
 * hardware is not appraised.
 */
function vtpmAlone(checks: readonly Check[], claims: Claims): TrustSubmodule {
  if (fails(checks, 'vtpm')) return CRYPTO_FAILED;
  return submodule([['instance-identity', isFaulty(checks) ? -1 : 0], ...guestObservations(checks, claims)]);
}

function isFaulty(checks: readonly Check[]): boolean {
  return checks.some(({ id, result }) => id === 'internal_error' && result === 'unavailable');
}

/** Whether a check is about the hardware report. Checks of AK certificates and token keys share its ids. */
function isOfReport(check: Check): boolean {
  return check.about !== AK_CERTIFICATE && !isOfToken(check);
}

/** The observation for checks without a result: 0, or -1 if the verifier itself failed. */
function missingMaterial(checks: readonly Check[]): readonly Observation[] | null {
  if (isFaulty(checks)) return [['hardware', -1]];
  const lacksMaterial = checks.some(
    ({ id, result }) =>
      result === 'unavailable' && CHECKS[id].class === 'indeterminate' && CHECKS[id].underlies === 'hardware',
  );
  return lacksMaterial ? [['hardware', 0]] : null;
}

/** Whether a check that a statement depends on failed. */
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

/** Selects the first value of a claim that has the combined tier of all its values. */
function worst(values: readonly number[]): number {
  const tier = tierOfAll(values.map(tierOf));
  return values.find((value) => tierOf(value) === tier) ?? 0;
}

function tierUnder(decision: Outcome, status: TrustTier): TrustTier {
  if (decision === 'allow') return status;
  return decision === 'deny' && status === 'contraindicated' ? status : 'none';
}

/** The tier of a claim in the trustworthiness vector (AR4SI). A value outside the ranges has the tier `none`. */
export function tierOf(value: number): TrustTier {
  if (isWithin(value, 2, 31)) return 'affirming';
  if (isWithin(value, 32, 95)) return 'warning';
  return isWithin(value, 96, 127) ? 'contraindicated' : 'none';
}

/** Whether a value is in a range. Ranges of negative values begin one further from zero. */
function isWithin(value: number, least: number, most: number): boolean {
  return (value >= least && value <= most) || (value <= -least && value >= -most - 1);
}

/**
 * The combined tier, never better than any of the tiers. Each tier has its own condition. In a linear order, `warning`
 * would hide `none`, or `none` would count as the best.
 */
export function tierOfAll(tiers: readonly TrustTier[]): TrustTier {
  if (tiers.includes('contraindicated')) return 'contraindicated';
  if (tiers.length === 0 || tiers.includes('none')) return 'none';
  return tiers.includes('warning') ? 'warning' : 'affirming';
}
