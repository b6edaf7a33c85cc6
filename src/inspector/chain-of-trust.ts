import { type CheckResult, isOfToken } from '../core/checks/row.js';
import type { CheckId } from '../core/codes.js';
import type { EvidenceType } from '../core/evidence.js';

/** A link of the chain of trust, from the trust anchors to the question of the caller. */
export type LinkName =
  | 'service'
  | 'root'
  | 'certificates'
  | 'report'
  | 'claimsHash'
  | 'attestationKey'
  | 'quote'
  | 'pcrs'
  | 'eventLog'
  | 'token'
  | 'fresh'
  | 'policy'
  | 'release';

/** The state of a link. `not_reached`: nothing of it was checked, or not all. */
export type LinkState = 'verified' | 'failed' | 'open' | 'not_reached';

/** The members of a check that this module reads. */
export interface ReadCheck {
  readonly id: string;
  readonly result: CheckResult;
  readonly about: string;
}

export interface Link<C extends ReadCheck = ReadCheck> {
  readonly name: LinkName;
  readonly state: LinkState;
  readonly checks: readonly C[];
}

/** The link of each check. Certificates belong to the subject of the check: of a token, they are the token's. */
const LINK_OF: { readonly [id in CheckId]: LinkName } = {
  internal_error: 'service',
  deadline: 'service',
  clock: 'service',
  receipt_unavailable: 'service',
  audit_unavailable: 'service',
  cert_untrusted: 'root',
  cert_signature: 'certificates',
  cert_algorithm: 'certificates',
  cert_not_ca: 'certificates',
  cert_path: 'certificates',
  cert_role: 'certificates',
  cert_extension: 'certificates',
  cert_validity: 'certificates',
  cert_revoked: 'certificates',
  crl_invalid: 'certificates',
  crl_issuer: 'certificates',
  crl_stale: 'certificates',
  crl_unavailable: 'certificates',
  crl_rollback: 'certificates',
  crl_unconfirmed: 'certificates',
  vcek_unavailable: 'certificates',
  snp_key_kind: 'report',
  snp_product: 'report',
  snp_product_refused: 'report',
  snp_chip_id: 'report',
  snp_tcb_cert: 'report',
  snp_signature: 'report',
  snp_debug: 'report',
  snp_migration_agent: 'report',
  snp_vmpl: 'report',
  snp_tcb_order: 'report',
  snp_tcb_low: 'report',
  snp_provisional: 'report',
  snp_mitigation: 'report',
  snp_id_key: 'report',
  snp_measurement: 'report',
  snp_host_data: 'report',
  snp_report_data: 'report',
  snp_platform_smt_enabled: 'report',
  snp_platform_tsme_enabled: 'report',
  snp_platform_ecc_enabled: 'report',
  snp_platform_rapl_disabled: 'report',
  snp_platform_ciphertext_hiding_dram_enabled: 'report',
  snp_platform_alias_check_complete: 'report',
  snp_platform_iommu_write_safe: 'report',
  snp_platform_tio_enabled: 'report',
  snp_platform_unknown: 'report',
  snp_product_configured: 'root',
  snp_product_advisory: 'report',
  launch_endorsement_ignored: 'report',
  snp_tcb_floor_missing: 'report',
  tdx_signature: 'report',
  tdx_qe_vendor: 'report',
  tdx_qe_binding: 'report',
  tdx_qe_report_signature: 'report',
  tdx_qe_identity: 'report',
  tdx_qe_debug: 'report',
  tdx_qe_svn: 'report',
  tdx_qe_attributes: 'report',
  tdx_report_mismatch: 'report',
  tdx_tcb_info: 'report',
  tdx_tcb_level_unsupported: 'report',
  tdx_tcb_status: 'report',
  tdx_tcb_date: 'report',
  tdx_module: 'report',
  tdx_debug: 'report',
  tdx_attributes: 'report',
  tdx_xfam: 'report',
  tdx_seam_attributes: 'report',
  tdx_platform_id: 'report',
  tdx_service_td: 'report',
  tdx_measurement: 'report',
  tdx_report_data: 'report',
  collateral_not_yet: 'report',
  collateral_unavailable: 'report',
  collateral_stale: 'report',
  collateral_rollback: 'report',
  collateral_unconfirmed: 'report',
  hardware_missing: 'report',
  hcl_binding: 'claimsHash',
  hcl_duplicate: 'claimsHash',
  hcl_claims: 'claimsHash',
  hcl_paravisor: 'claimsHash',
  hcl_paravisor_unknown: 'claimsHash',
  hcl_reference: 'claimsHash',
  hcl_ak_missing: 'attestationKey',
  hcl_ak_weak: 'attestationKey',
  hcl_ak_mismatch: 'attestationKey',
  ak_cert_untrusted: 'attestationKey',
  tpm_signature: 'quote',
  tpm_weak_signature: 'quote',
  tpm_magic: 'quote',
  tpm_not_quote: 'quote',
  tpm_reset: 'quote',
  tpm_weak_bank: 'pcrs',
  tpm_pcr_selection: 'pcrs',
  tpm_pcr_digest: 'pcrs',
  tpm_pcr_not_quoted: 'pcrs',
  tpm_pcr: 'pcrs',
  eventlog_replay: 'eventLog',
  eventlog_order: 'eventLog',
  eventlog_unverified: 'eventLog',
  eventlog_missing: 'eventLog',
  secure_boot: 'eventLog',
  secure_boot_unknown: 'eventLog',
  token_alg: 'token',
  token_key: 'token',
  token_signature: 'token',
  token_time: 'token',
  token_lifetime: 'token',
  token_issuer: 'token',
  token_issuer_policy: 'token',
  token_audience: 'token',
  token_claim_type: 'token',
  token_debug: 'token',
  token_debug_unknown: 'token',
  token_compliance: 'token',
  maa_tcb_status: 'token',
  ita_tcb_status: 'token',
  ita_policy: 'token',
  ita_debug: 'token',
  disagreement: 'token',
  route_missing: 'token',
  route_unavailable: 'token',
  jwks_unavailable: 'token',
  jwks_invalid: 'token',
  jwks_stale: 'token',
  nonce_mismatch: 'fresh',
  nonce_used: 'fresh',
  nonce_expired: 'fresh',
  nonce_scope: 'fresh',
  nonce_missing: 'fresh',
  nonce_stale: 'fresh',
  nonce_store: 'fresh',
  binding_missing: 'fresh',
  no_policy: 'policy',
  policy_evidence_type: 'policy',
  rule_not_met: 'policy',
  reference_not_applicable: 'policy',
  claim_missing: 'policy',
  claim_type: 'policy',
  release_token_stale: 'release',
  release_other_vm: 'release',
  release_key_unbound: 'release',
  release_refused: 'release',
  release_warning: 'release',
  release_unavailable: 'release',
};

const HARDWARE: readonly LinkName[] = ['root', 'certificates', 'report'];
const VTPM: readonly LinkName[] = ['attestationKey', 'quote', 'pcrs', 'eventLog'];

/** Links of each type of evidence in order, beside those that only some requests have. */
const CHAINS: { readonly [type in EvidenceType]: readonly LinkName[] } = {
  snp: [...HARDWARE, 'fresh'],
  tdx: [...HARDWARE, 'eventLog', 'fresh'],
  'az-snp-vtpm': [...HARDWARE, 'claimsHash', ...VTPM, 'fresh'],
  'az-tdx-vtpm': [...HARDWARE, 'claimsHash', ...VTPM, 'fresh'],
  tpm: ['root', 'certificates', ...VTPM, 'fresh'],
  'maa-token': ['token', 'fresh'],
  'ita-token': ['token', 'fresh'],
};

/** Shown where a check of theirs is in the answer. */
const WHERE_THERE_ARE_CHECKS: readonly LinkName[] = ['service', 'token', 'policy', 'release'];
const ORDER: readonly LinkName[] = [
  ...HARDWARE,
  'claimsHash',
  ...VTPM,
  'token',
  'fresh',
  'policy',
  'release',
  'service',
];

/** The link that a check belongs to. */
export function linkOf(check: Pick<ReadCheck, 'id' | 'about'>): LinkName {
  const { id, about } = check;
  const name = (LINK_OF as { readonly [id: string]: LinkName })[id] ?? 'service';
  if (isOfToken(check) && [...HARDWARE, 'eventLog'].includes(name)) return 'token';
  // Without an event log, the runtime claims say whether Secure Boot is on.
  return name === 'eventLog' && about === '/evidence/hclReport' ? 'claimsHash' : name;
}

/**
 * The origin of the nonce. `caller`: filled in on the page, or absent. `body`: it came with the body, from the maker of the body.
 * `unknown`: the decision log does not say.
 */
export type NonceBy = 'caller' | 'body' | 'unknown';

/** The facts beside checks that decide the state of links. */
export interface ChainContext {
  /** Of a record that was withdrawn, `withdrawn`. */
  readonly decision: string;
  readonly nonceBy: NonceBy;
}

/** The chain of trust of an answer, in the order in which each link rests on those before. */
export function chainOfTrust<C extends ReadCheck>(
  type: string,
  checks: readonly C[],
  context: ChainContext,
): readonly Link<C>[] {
  const names =
    (CHAINS as { readonly [other: string]: readonly LinkName[] })[type] ??
    ORDER.filter((name) => !WHERE_THERE_ARE_CHECKS.includes(name));
  const present = new Set<LinkName>([...names, ...checks.map(linkOf)]);
  return ORDER.filter((name) => present.has(name)).map((name) => {
    const own = checks.filter((check) => linkOf(check) === name);
    return { name, state: inContext(name, stateOf(own), context), checks: own };
  });
}

/** They depend on everything: without an allow, a passed check of them proves nothing. */
const ON_ALL: readonly LinkName[] = ['policy', 'release'];

function inContext(name: LinkName, state: LinkState, { decision, nonceBy }: ChainContext): LinkState {
  if (state !== 'verified') return state;
  if (ON_ALL.includes(name) && decision !== 'allow') return 'not_reached';
  return name === 'fresh' && nonceBy !== 'caller' ? 'open' : state;
}

/** A check that did not run never counts as passed. */
function stateOf(checks: readonly ReadCheck[]): LinkState {
  const results = new Set(checks.map(({ result }) => result));
  if (results.has('fail')) return 'failed';
  if (results.has('unavailable') || results.has('warn')) return 'open';
  if (results.has('skipped')) return 'not_reached';
  return results.has('pass') ? 'verified' : 'not_reached';
}
