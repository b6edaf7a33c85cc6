import { type Check, isOfToken } from '../model/check.js';
import type { Claims } from '../model/claims.js';
import type { CheckId } from '../model/codes.js';
import type { Outcome, Trust, TrustSubmodule, TrustTier, TrustVector } from '../model/decision.js';
import type { TokenRoute } from '../model/token-route.js';
import {
  AK_CERTIFICATE,
  guestObservations,
  hardwareObservations,
  type Observation,
  refusals,
  TRUST_CLAIMS,
  tokenObservations,
} from './trust-observations.js';
import { tierOf, tierOfAll } from './trust-tiers.js';

/** The chain and signature under the hardware report, and that the key is the one that it names. */
const HARDWARE_PROOFS: ReadonlySet<CheckId> = new Set([
  'cert_untrusted',
  'cert_signature',
  'cert_algorithm',
  'cert_not_ca',
  'cert_path',
  'cert_role',
  'cert_extension',
  'cert_validity',
  'cert_revoked',
  'crl_invalid',
  'crl_issuer',
  'snp_key_kind',
  'snp_chip_id',
  'snp_tcb_cert',
  'snp_signature',
  'tdx_signature',
  'tdx_qe_vendor',
  'tdx_qe_binding',
  'tdx_qe_report_signature',
  'tdx_qe_identity',
  'tdx_qe_debug',
  'tdx_qe_svn',
  'tdx_qe_attributes',
  'tdx_tcb_info',
  'collateral_not_yet',
]);

/** What ties runtime claims, AK, quote and PCR values together. */
const VTPM_PROOFS: ReadonlySet<CheckId> = new Set([
  'tdx_report_mismatch',
  'hcl_binding',
  'hcl_duplicate',
  'hcl_claims',
  'hcl_ak_missing',
  'hcl_ak_weak',
  'tpm_weak_signature',
  'tpm_signature',
  'tpm_magic',
  'tpm_not_quote',
  'tpm_weak_bank',
  'tpm_pcr_selection',
  'tpm_pcr_digest',
]);

/** What is needed to judge hardware at all. */
const MATERIAL: ReadonlySet<CheckId> = new Set([
  'vcek_unavailable',
  'crl_unavailable',
  'crl_stale',
  'crl_rollback',
  'collateral_unavailable',
  'collateral_stale',
  'collateral_rollback',
  'deadline',
  'clock',
]);

/** What there is to appraise. */
export interface TrustParts {
  /** Whose token the evidence is; absent where it is none. */
  readonly evidence?: TokenRoute | null;
  /** Whether the evidence is the hardware's own word. A token alone says what another verifier found. */
  readonly hardware: boolean;
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
  { hardware, routes, evidence = null }: TrustParts = { hardware: true, routes: [] },
): Trust {
  const ofTokens = routes.map((route) => {
    const own = checks.filter((check) => isAboutTokenOf(route, check, evidence));
    return [route, tokenSubmodule(own, claims, route)] as const;
  });
  const submods = { ...(hardware ? submodules(checks, claims) : {}), ...Object.fromEntries(ofTokens) };
  const status = tierOfAll(Object.values(submods).map((submod) => submod.status));
  return { status: tierUnder(decision, status), submods };
}

/** What vouches for a token: who issued it, with which key, and when. */
const TOKEN_PROOFS: ReadonlySet<CheckId> = new Set([
  'token_alg',
  'token_issuer',
  'token_key',
  'token_signature',
  'token_time',
  'token_lifetime',
  'token_audience',
]);

/** Each verifier answers for its own token alone. A check that leaves open whose token it means is about all of them. */
function isAboutTokenOf(route: TokenRoute, check: Check, evidence: TokenRoute | null): boolean {
  if (check.route !== undefined) return check.route === route;
  return check.about === '/evidence/token' ? evidence === route : isOfToken(check);
}

/**
 * What another verifier's token says of the TEE, as far as it could be relied on.
 * @param checks those about this token
 */
function tokenSubmodule(checks: readonly Check[], claims: Claims, route: TokenRoute): TrustSubmodule {
  const token = claims[route];
  if (token !== undefined) return submodule(tokenObservations(checks, token));
  return anyOf(checks, 'fail', TOKEN_PROOFS) ? CRYPTO_FAILED : submodule([['hardware', 0], ...refusals(checks)]);
}

function submodules(checks: readonly Check[], claims: Claims): { readonly [name: string]: TrustSubmodule } {
  const hasVtpm = checks.some(({ id }) => id === 'tpm_signature');
  const hardware = hardwareObservations(checks, claims);
  const guest = guestObservations(checks, claims);
  const ofReport = checks.filter(isOfReport);
  // A machine that a policy does not list is genuine all the same.
  const failed = anyOf(
    ofReport.filter(({ policy }) => policy === null),
    'fail',
    HARDWARE_PROOFS,
  );
  const missing = failed ? null : missingMaterial(ofReport);
  if (!hasVtpm) return { hardware: failed ? CRYPTO_FAILED : submodule(missing ?? [...hardware, ...guest]) };
  return {
    hardware: failed ? CRYPTO_FAILED : submodule(missing ?? hardware),
    // The hardware report vouches for the AK: without it, nothing does.
    vtpm:
      failed || anyOf(checks, 'fail', VTPM_PROOFS)
        ? CRYPTO_FAILED
        : submodule(missing === null ? guest : [['instance-identity', 0]]),
  };
}

/** Certificates of attestation keys and of tokens' keys share ids with those under the hardware report, and prove nothing of it. */
function isOfReport(check: Check): boolean {
  return check.about !== AK_CERTIFICATE && !isOfToken(check);
}

/** What could not be judged is neither good nor bad: 0, or -1 where the verifier itself is at fault. */
function missingMaterial(checks: readonly Check[]): readonly Observation[] | null {
  if (checks.some(({ id, result }) => id === 'internal_error' && result === 'unavailable')) return [['hardware', -1]];
  return anyOf(checks, 'unavailable', MATERIAL) ? [['hardware', 0]] : null;
}

function anyOf(checks: readonly Check[], result: 'fail' | 'unavailable', ids: ReadonlySet<CheckId>): boolean {
  return checks.some((check) => check.result === result && ids.has(check.id));
}

function submodule(observations: readonly Observation[]): TrustSubmodule {
  const claims = TRUST_CLAIMS.filter((claim) => observations.some(([name]) => name === claim));
  const vector: TrustVector = Object.fromEntries(claims.map((claim) => [claim, worst(claim, observations)]));
  return { status: tierOfAll(Object.values(vector).map(tierOf)), vector };
}

/** Of the values seen for a claim, the first that has the tier of all of them together. */
function worst(claim: string, observations: readonly Observation[]): number {
  const values = observations.filter(([name]) => name === claim).map(([, value]) => value);
  const tier = tierOfAll(values.map(tierOf));
  return values.find((value) => tierOf(value) === tier) ?? 0;
}

function tierUnder(decision: Outcome, status: TrustTier): TrustTier {
  if (decision === 'allow') return status;
  return decision === 'deny' && status === 'contraindicated' ? status : 'none';
}
