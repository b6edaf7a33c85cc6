import type { CheckId } from '../model/codes.js';
import { isObject, type JsonValue } from '../model/json.js';

/** What is read of a check of the policy. */
export interface PolicyCheck {
  readonly id: string;
  readonly about: string;
  readonly expected: unknown;
  readonly waived: boolean;
}

const PLATFORM = '/require/snp/platformInfo';
/** `ROUTE` is that of the token that the check is about. */
const ROUTE = 'ROUTE';

/**
 * Members of a policy that make a check come out as it does, the most telling first. Checks that no member decides are left out: those
 * hold under every policy.
 */
const MEMBERS: { readonly [id in CheckId]?: readonly string[] } = {
  policy_evidence_type: ['/accepts'],
  snp_tcb_low: ['/minimums/snp', '/minimums'],
  snp_product: ['/minimums/snp', '/minimums'],
  snp_tcb_floor_missing: ['/minimums/snp', '/minimums'],
  tdx_tcb_status: ['/minimums/tdx/acceptedStatuses', '/minimums/tdx', '/minimums'],
  tdx_tcb_date: ['/minimums/tdx/earliestTcbDate', '/minimums/tdx/minEvaluationDataNumber', '/minimums/tdx'],
  collateral_stale: ['/minimums/tdx/maxCollateralAgeDays'],
  hcl_paravisor: ['/paravisor'],
  hcl_paravisor_unknown: ['/paravisor'],
  hardware_missing: ['/routes/hardware'],
  route_missing: [`/routes/${ROUTE}`],
  route_unavailable: [`/routes/${ROUTE}`],
  disagreement: [`/routes/${ROUTE}`],
  nonce_missing: ['/nonce', '/freshness'],
  nonce_mismatch: ['/freshness'],
  nonce_stale: ['/freshness'],
  cert_revoked: ['/revocation'],
  crl_stale: ['/revocation'],
  crl_unavailable: ['/revocation'],
  crl_unconfirmed: ['/revocation'],
  binding_missing: ['/binding'],
  secure_boot: ['/secureBoot'],
  secure_boot_unknown: ['/secureBoot'],
  snp_debug: ['/allowDebug'],
  tdx_debug: ['/allowDebug'],
  token_debug: ['/allowDebug'],
  token_debug_unknown: ['/allowDebug'],
  ita_debug: ['/allowDebug'],
  snp_provisional: ['/require/snp/committedEqualsCurrent'],
  snp_platform_smt_enabled: [PLATFORM],
  snp_platform_tsme_enabled: [PLATFORM],
  snp_platform_ecc_enabled: [PLATFORM],
  snp_platform_rapl_disabled: [PLATFORM],
  snp_platform_ciphertext_hiding_dram_enabled: [PLATFORM],
  snp_platform_alias_check_complete: [PLATFORM],
  snp_platform_iommu_write_safe: [PLATFORM],
  snp_platform_tio_enabled: [PLATFORM],
  snp_mitigation: ['/require/snp/mitigations'],
  snp_chip_id: ['/require/snp/machines'],
  tdx_attributes: [
    '/require/tdx/septVeDisable',
    '/require/tdx/allowMigratable',
    '/require/tdx/allowPerfmon',
    '/require/tdx',
  ],
  tdx_xfam: ['/require/tdx/xfamMask'],
  tdx_service_td: ['/require/tdx/mrServiceTd'],
  tdx_platform_id: ['/require/tdx/machines'],
  tpm_reset: ['/require/tpm/trackResets'],
  eventlog_replay: ['/require/tpm/runtimePcrs'],
  token_issuer: [`/require/${ROUTE}/issuers`],
  token_compliance: ['/require/maa/complianceStatus'],
  token_claim_type: ['/require/maa/attestationType'],
  maa_tcb_status: ['/require/maa/tcbStatus'],
  ita_tcb_status: ['/minimums/tdx/acceptedStatuses', '/minimums/tdx'],
  ita_policy: ['/require/ita/policyIds'],
  reference_not_applicable: ['/referenceValues'],
  snp_measurement: ['/referenceValues', '/require/snp/minGuestSvn'],
  snp_id_key: ['/referenceValues'],
  snp_host_data: ['/referenceValues'],
  snp_vmpl: ['/referenceValues'],
  tdx_measurement: ['/referenceValues'],
  hcl_reference: ['/referenceValues'],
  tpm_pcr: ['/referenceValues'],
  tpm_pcr_not_quoted: ['/require/tpm/quotedPcrs', '/referenceValues'],
  rule_not_met: ['/rules'],
  claim_missing: ['/rules'],
  claim_type: ['/rules'],
};

/**
 * Pointer of the member that made a check come out as it did; null where the policy has none, so that it came out as it does by default.
 *
 * @param policy its value
 */
export function memberBehind(check: PolicyCheck, policy: JsonValue): string | null {
  if (check.waived) return waiverOf(check.id, policy);
  const pointers = MEMBERS[check.id as CheckId] ?? [];
  const route = /ita/i.test(check.about) ? 'ita' : 'maa';
  const found = pointers
    .map((pointer) => pointer.replace(ROUTE, route))
    .find((pointer) => at(policy, pointer) !== undefined);
  return found === undefined ? null : narrowed(found, check, policy);
}

/** A minimum is that of the part, and a rule the one that is named. */
function narrowed(pointer: string, { expected }: PolicyCheck, policy: JsonValue): string {
  if (pointer === '/rules') {
    const index = indexIn(at(policy, pointer), 'id', expected);
    return index === null ? pointer : `${pointer}/${index}`;
  }
  if (!isObject(expected)) return pointer;
  const part = pointer === '/minimums/snp' ? expected['part'] : null;
  return typeof part === 'string' && at(policy, `${pointer}/${part}`) !== undefined ? `${pointer}/${part}` : pointer;
}

/** The first waiver of a check: of several, the decision does not say which it was. */
function waiverOf(id: string, policy: JsonValue): string | null {
  const index = indexIn(at(policy, '/waivers'), 'check', id);
  return index === null ? null : `/waivers/${index}`;
}

function indexIn(list: JsonValue | undefined, member: string, value: unknown): number | null {
  const index = Array.isArray(list) ? list.findIndex((item) => isObject(item) && item[member] === value) : -1;
  return index < 0 ? null : index;
}

function at(policy: JsonValue, pointer: string): JsonValue | undefined {
  return pathOf(pointer).reduce<JsonValue | undefined>((value, name) => {
    if (Array.isArray(value)) return value[Number(name)];
    return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }, policy);
}

/** The steps of a JSON pointer (RFC 6901). */
export function pathOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
