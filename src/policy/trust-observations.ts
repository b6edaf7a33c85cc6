import type { Check } from '../model/check.js';
import type { Claims, TokenClaims } from '../model/claims.js';
import type { CheckId } from '../model/codes.js';
import type { JsonValue } from '../model/json.js';

/** Claims of the trustworthiness vector (AR4SI, EAR). */
export const TRUST_CLAIMS = [
  'instance-identity',
  'configuration',
  'executables',
  'file-system',
  'hardware',
  'runtime-opaque',
  'storage-opaque',
  'sourced-data',
] as const;
export type TrustClaim = (typeof TRUST_CLAIMS)[number];

/** One thing seen, as a value of a claim. */
export type Observation = readonly [claim: TrustClaim, value: number];

/** Where the certificate of an attestation key stands in a request. */
export const AK_CERTIFICATE = '/evidence/akCertificate';

type FindingTable = ReadonlyMap<CheckId, readonly Observation[]>;

/** What a check says of the hardware where it did not pass. */
const HARDWARE_FINDINGS: FindingTable = new Map<CheckId, readonly Observation[]>([
  [
    'snp_debug',
    [
      ['runtime-opaque', 96],
      ['configuration', 96],
    ],
  ],
  ['snp_migration_agent', [['runtime-opaque', 96]]],
  ['snp_product', [['hardware', 97]]],
  ['snp_product_refused', [['hardware', 96]]],
  ['snp_tcb_order', [['hardware', 96]]],
  ['snp_tcb_low', [['hardware', 32]]],
  ['snp_tcb_floor_missing', [['hardware', 32]]],
  ['snp_provisional', [['hardware', 32]]],
  ['snp_mitigation', [['hardware', 32]]],
  ['snp_platform_smt_enabled', [['configuration', 32]]],
  ['snp_platform_tsme_enabled', [['configuration', 32]]],
  ['snp_platform_ecc_enabled', [['configuration', 32]]],
  ['snp_platform_rapl_disabled', [['configuration', 32]]],
  ['snp_platform_ciphertext_hiding_dram_enabled', [['configuration', 32]]],
  ['snp_platform_alias_check_complete', [['configuration', 32]]],
  ['snp_platform_iommu_write_safe', [['configuration', 32]]],
  ['snp_platform_tio_enabled', [['configuration', 32]]],
  ['snp_host_data', [['configuration', 32]]],
  ['snp_measurement', [['executables', 33]]],
  ['snp_id_key', [['executables', 33]]],
  ['snp_vmpl', [['instance-identity', 97]]],
  // Of a policy: a base check of that id is about the key.
  ['snp_chip_id', [['instance-identity', 97]]],
  ['tdx_platform_id', [['instance-identity', 97]]],
  [
    'tdx_debug',
    [
      ['runtime-opaque', 96],
      ['configuration', 96],
    ],
  ],
  ['tdx_attributes', [['configuration', 96]]],
  ['tdx_service_td', [['runtime-opaque', 96]]],
  ['tdx_xfam', [['configuration', 32]]],
  ['tdx_tcb_level_unsupported', [['hardware', 97]]],
  ['tdx_tcb_date', [['hardware', 32]]],
  ['tdx_module', [['hardware', 97]]],
  ['tdx_seam_attributes', [['hardware', 97]]],
  ['tdx_measurement', [['executables', 33]]],
]);

/** What Intel's word says of the hardware, whatever a policy makes of it. Past these there are only worse ones. */
const TCB_STATUS_VALUES: ReadonlyMap<string, number> = new Map([
  ['UpToDate', 2],
  ['SWHardeningNeeded', 32],
  ['ConfigurationNeeded', 32],
  ['ConfigurationAndSWHardeningNeeded', 32],
]);

/** What a check says of the guest behind a paravisor where it did not pass. */
const GUEST_FINDINGS: FindingTable = new Map<CheckId, readonly Observation[]>([
  ['snp_report_data', [['instance-identity', 97]]],
  ['tdx_report_data', [['instance-identity', 97]]],
  ['hcl_ak_mismatch', [['instance-identity', 97]]],
  ['ak_cert_untrusted', [['instance-identity', 97]]],
  ['hcl_paravisor', [['instance-identity', 97]]],
  ['hcl_paravisor_unknown', [['instance-identity', 0]]],
  ['hcl_reference', [['instance-identity', 97]]],
  ['nonce_mismatch', [['instance-identity', 97]]],
  ['nonce_used', [['instance-identity', 97]]],
  ['nonce_expired', [['instance-identity', 97]]],
  ['nonce_scope', [['instance-identity', 97]]],
  ['nonce_store', [['instance-identity', 0]]],
  ['tpm_pcr', [['executables', 33]]],
  ['tpm_pcr_not_quoted', [['executables', 33]]],
  ['secure_boot', [['configuration', 96]]],
  // Security-relevant elements cannot be seen.
  ['secure_boot_unknown', [['configuration', 36]]],
]);

/** What a check says of a token where it did not pass. */
const TOKEN_FINDINGS: FindingTable = new Map<CheckId, readonly Observation[]>([
  // Of a token that holds: the policy does not take its issuer's word.
  ['token_issuer', [['instance-identity', 97]]],
  ['token_issuer_policy', [['hardware', 32]]],
  ['token_claim_type', [['hardware', 97]]],
  [
    'token_debug',
    [
      ['runtime-opaque', 96],
      ['configuration', 96],
    ],
  ],
  [
    'ita_debug',
    [
      ['runtime-opaque', 96],
      ['configuration', 96],
    ],
  ],
  ['token_debug_unknown', [['runtime-opaque', 96]]],
  ['token_compliance', [['configuration', 96]]],
  ['ita_tcb_status', [['hardware', 96]]],
  ['ita_policy', [['configuration', 96]]],
  ['disagreement', [['hardware', 96]]],
  ['nonce_mismatch', [['instance-identity', 97]]],
  ['secure_boot', [['configuration', 96]]],
  ['secure_boot_unknown', [['configuration', 36]]],
]);

/**
 * What a token that can be relied on says. The hardware's own word is hearsay in it: its issuer's. Of a TD the issuer
 * states how good the TCB is; of an SEV-SNP VM it calls the hardware genuine, and says no more.
 */
export function tokenObservations(checks: readonly Check[], { stated }: TokenClaims): readonly Observation[] {
  return [
    ['hardware', stated.tcbStatus === null ? 2 : tcbStatusValue(stated.tcbStatus)],
    ...refusedTcb(checks, 'maa_tcb_status'),
    ['runtime-opaque', 2],
    ...bootObservation(stated.secureBoot),
    ...findings(checks, TOKEN_FINDINGS),
  ];
}

/** A verifier that judged the evidence and does not vouch for it has made no token to read. */
export function refusals(checks: readonly Check[]): readonly Observation[] {
  return findings(
    checks.filter(({ id }) => id === 'disagreement'),
    TOKEN_FINDINGS,
  );
}

/** What is seen of the hardware. */
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
    // Of the registers that share the id, MRTD alone is the measurement of the launch.
    ...executables(checks, 'tdx_measurement', ({ actual }) => actual === tdx?.mrtd),
    ...refusedTcb(checks, 'tdx_tcb_status'),
    ...findings(checks, HARDWARE_FINDINGS),
  ];
}

/** What is seen of the guest: who it is, how it was started, and what was started. */
export function guestObservations(checks: readonly Check[], claims: Claims): readonly Observation[] {
  return [
    ...identity(checks, claims),
    ...secureBoot(claims),
    ...executables(checks, 'tpm_pcr'),
    ...findings(checks, GUEST_FINDINGS),
    ...untimelyKey(checks),
  ];
}

/** As one that cannot be relied on for another reason. Other certificates are checked under the same id. */
function untimelyKey(checks: readonly Check[]): readonly Observation[] {
  const untimely = checks.some(
    ({ id, result, about }) => id === 'cert_validity' && result === 'fail' && about === AK_CERTIFICATE,
  );
  return untimely ? [['instance-identity', 97]] : [];
}

/** An AK that only a certificate vouches for is somebody's, without a word about which machine's. */
function identity(checks: readonly Check[], { hcl }: Claims): readonly Observation[] {
  const fresh = checks.some(({ id, result }) => id === 'nonce_mismatch' && result === 'pass');
  if (!fresh) return [];
  return [['instance-identity', hcl?.paravisor.by === 'akCertificate' ? 0 : 2]];
}

/** Which keys Secure Boot uses is not looked at: known to be on, not known to be as expected. */
function secureBoot({ hcl }: Claims): readonly Observation[] {
  return bootObservation(hcl?.vmConfiguration?.['secureBoot']);
}

function bootObservation(state: JsonValue | undefined): readonly Observation[] {
  if (state === true) return [['configuration', 3]];
  return state === false ? [['configuration', 32]] : [];
}

function tcbStatusValue(status: string | null): number {
  return TCB_STATUS_VALUES.get(status ?? '') ?? 96;
}

/** The verifier's own: the TCB is revoked, or its status is a word that Intel does not define there, or none. */
function refusedTcb(
  checks: readonly Check[],
  verifiersOwn: 'tdx_tcb_status' | 'maa_tcb_status',
): readonly Observation[] {
  const refused = checks.some(({ id, result, policy }) => id === verifiersOwn && result === 'fail' && policy === null);
  return refused ? [['hardware', 96]] : [];
}

/** Only a policy's reference values, which are lists, speak of what was started; other checks share their ids. */
function executables(
  checks: readonly Check[],
  reference: CheckId,
  isOfLaunch: (check: Check) => boolean = () => true,
): readonly Observation[] {
  const matched = checks
    .filter(isOfLaunch)
    .some(
      ({ id, result, policy, expected }) =>
        id === reference && result === 'pass' && policy !== null && Array.isArray(expected),
    );
  return matched ? [['executables', 3]] : [];
}

function findings(checks: readonly Check[], table: FindingTable): readonly Observation[] {
  return checks
    .filter(({ result }) => result === 'fail' || result === 'warn' || result === 'unavailable')
    .flatMap(({ id }) => table.get(id) ?? []);
}
