import type { Check } from '../../core/check.js';
import { TRUST_CLAIMS, type TrustClaim, type TrustSubject, type TrustValues } from '../../core/checks/row.js';
import type { Claims, TdxClaims, TokenClaims, TpmClaims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import type { JsonValue } from '../../core/json.js';
import { CHECKS } from '../../tee/catalogue.js';

/** One observation, as a value of a trust claim. */
export type Observation = readonly [claim: TrustClaim, value: number];

/** JSON pointer of the certificate of an attestation key. */
export const AK_CERTIFICATE = '/evidence/akCertificate';

/** Trust values of Intel's TCB statuses, independent of policies. Every other status has a worse value. */
const TCB_STATUS_VALUES: ReadonlyMap<string, number> = new Map([
  ['UpToDate', 2],
  ['SWHardeningNeeded', 32],
  ['ConfigurationNeeded', 32],
  ['ConfigurationAndSWHardeningNeeded', 32],
]);

/**
 * The observations in a verified token. Its issuer must be trusted, because it repeats claims of the hardware. For a TD
 * the issuer states the TCB status. For an SEV-SNP VM it only states that the hardware is genuine.
 */
export function tokenObservations(checks: readonly Check[], { stated }: TokenClaims): readonly Observation[] {
  return [
    ['hardware', stated.tcbStatus === null ? 2 : tcbStatusValue(stated.tcbStatus)],
    ...refusedTcb(checks, 'maa_tcb_status'),
    ...refusedTcb(checks, 'ita_tcb_status'),
    ['runtime-opaque', 2],
    ...bootObservation(stated.secureBoot),
    ...findings(checks, 'token'),
  ];
}

/** The observations if another verifier refused the evidence. It then issued no token. */
export function refusals(checks: readonly Check[]): readonly Observation[] {
  return findings(
    checks.filter(({ id }) => id === 'disagreement'),
    'token',
  );
}

/** The observations about the hardware. */
export function hardwareObservations(checks: readonly Check[], { snp, tdx }: Claims): readonly Observation[] {
  const genuine: readonly Observation[] =
    snp === undefined && tdx === undefined
      ? [['hardware', 0]]
      : [
          ['hardware', tdx === undefined ? 2 : tcbStatusValue(tdx.tcb.status)],
          ['runtime-opaque', 2],
        ];
  return [
    ...genuine,
    ...executables(checks, 'snp_measurement'),
    // Several registers share this id. Only MRTD is the launch measurement.
    ...executables(checks, 'tdx_measurement', (actual) => actual === tdx?.mrtd),
    ...secureBootOfTd(checks, tdx),
    ...refusedTcb(checks, 'tdx_tcb_status'),
    ...findings(checks, 'hardware'),
  ];
}

/** The observations about the guest: its identity, its launch, and its software. */
export function guestObservations(checks: readonly Check[], claims: Claims): readonly Observation[] {
  return [
    ...identity(checks, claims),
    ...bootObservation(claims.hcl?.vmConfiguration?.['secureBoot']),
    ...bootObservation(claims.tpm?.eventLog?.secureBoot),
    ...executables(checks, 'tpm_pcr', (actual) => measuresExecutables(actual, claims.tpm)),
    ...findings(checks, 'guest'),
    ...untimelyKey(checks),
  ];
}

/** An AK certificate outside its validity counts as unreliable. Other certificates share the id. */
function untimelyKey(checks: readonly Check[]): readonly Observation[] {
  const untimely = checks.some(
    ({ id, result, about }) => id === 'cert_validity' && result === 'fail' && about === AK_CERTIFICATE,
  );
  return untimely ? [['instance-identity', 97]] : [];
}

/** The observation for an AK that only a certificate vouches for: nothing identifies its machine. */
function identity(checks: readonly Check[], { hcl }: Claims): readonly Observation[] {
  const fresh = checks.some(({ id, result }) => id === 'nonce_mismatch' && result === 'pass');
  if (!fresh) return [];
  return [['instance-identity', hcl?.paravisor.by === 'akCertificate' ? 0 : 2]];
}

/** Firmware measures into RTMRs, so they count only if MRTD identifies the firmware. */
function secureBootOfTd(checks: readonly Check[], tdx: TdxClaims | undefined): readonly Observation[] {
  const state = tdx?.eventLog?.secureBoot;
  if (state !== true) return bootObservation(state);
  const isKnown = matchesReference(checks, 'tdx_measurement', (actual) => actual === tdx?.mrtd);
  return isKnown ? bootObservation(state) : [];
}

/** The Secure Boot keys are not compared. So Secure Boot counts as on, but not as in the expected state. */
function bootObservation(state: JsonValue | undefined): readonly Observation[] {
  if (state === true) return [['configuration', 3]];
  return state === false ? [['configuration', 32]] : [];
}

function tcbStatusValue(status: string | null): number {
  return TCB_STATUS_VALUES.get(status ?? '') ?? 96;
}

/** The observation if the verifier rejected the TCB status: it is revoked or undefined. */
function refusedTcb(
  checks: readonly Check[],
  verifiersOwn: 'tdx_tcb_status' | 'maa_tcb_status' | 'ita_tcb_status',
): readonly Observation[] {
  const refused = checks.some(({ id, result, policy }) => id === verifiersOwn && result === 'fail' && policy === null);
  return refused ? [['hardware', 96]] : [];
}

function executables(
  checks: readonly Check[],
  reference: CheckId,
  isOfThem: (actual: JsonValue | undefined) => boolean = () => true,
): readonly Observation[] {
  return matchesReference(checks, reference, isOfThem) ? [['executables', 3]] : [];
}

/** Whether a check compared reference values, which are lists. Other checks share the id. */
function matchesReference(
  checks: readonly Check[],
  reference: CheckId,
  isOfThem: (actual: JsonValue | undefined) => boolean,
): boolean {
  return checks.some(
    ({ id, result, policy, expected, actual }) =>
      id === reference && result === 'pass' && policy !== null && Array.isArray(expected) && isOfThem(actual),
  );
}

/**
 * Whether a check compared started code: a PCR value, or executables in the log. Databases and command lines share the
 * id.
 */
function measuresExecutables(actual: JsonValue | undefined, tpm: TpmClaims | undefined): boolean {
  const { applications, files } = tpm?.eventLog ?? {};
  const started: readonly (JsonValue | undefined)[] = [
    ...Object.values(tpm?.pcrs['sha256'] ?? {}),
    applications,
    files,
  ];
  return actual !== undefined && started.includes(actual);
}

/** The trust values of checks that did not pass. */
function findings(checks: readonly Check[], subject: TrustSubject): readonly Observation[] {
  return checks
    .filter(({ result }) => result === 'fail' || result === 'warn' || result === 'unavailable')
    .flatMap(({ id }) => observationsOf(CHECKS[id].trust?.[subject] ?? {}));
}

function observationsOf(values: TrustValues): readonly Observation[] {
  return TRUST_CLAIMS.flatMap((claim) => {
    const value = values[claim];
    return value === undefined ? [] : [[claim, value] as const];
  });
}
