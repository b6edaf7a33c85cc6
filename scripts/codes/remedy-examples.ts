import type { Finding } from '../../src/core/checks/row.js';
import type { CheckId } from '../../src/core/codes.js';
import type { REMEDIES } from '../../src/tee/remedies.js';

/** A finding that shows what its remedy looks like. What is left out is as of a base check that failed without values. */
export type Example = Partial<Finding>;

/** Id of a check whose remedy is filled with what the check compared. */
type FilledCheck = { [id in CheckId]: (typeof REMEDIES)[id] extends string ? never : id }[CheckId];

const SAMPLE = 'payments';
const AT = '2026-01-15T12:00:00.000Z';
const OF_TOKEN = '/evidence/token';
const OF_BOOT = { expected: ['/vmlinuz ro'], setting: 'referenceValues[].tpm.boot.commandLines', policy: SAMPLE };
const PLATFORM = [{ expected: false, actual: true, policy: SAMPLE }] as const;

const PARAVISOR = [
  { actual: { idKeyDigest: '94'.repeat(48), guestSvn: 65_547 }, policy: SAMPLE },
  { actual: { idKeyDigest: '00'.repeat(48), guestSvn: 0 }, policy: SAMPLE },
  { actual: { mrtd: 'ff'.repeat(48) }, policy: SAMPLE },
] as const;

/** Findings for docs/codes.md: one for each kind of sentence that a reader should have seen. */
export const REMEDY_EXAMPLES = {
  cert_untrusted: [{}, { actual: 'Genoa' }, { about: OF_TOKEN }],
  cert_signature: inEither(),
  cert_algorithm: inEither(),
  cert_not_ca: inEither('certificate 2 of the chain (ASK)'),
  cert_path: inEither('certificate 2 of the chain (ASK)'),
  cert_role: inEither('certificate 1 of the chain (PCK certificate)'),
  cert_extension: inEither(),
  cert_validity: [
    { expected: AT, about: '/evidence/endorsements' },
    { expected: AT, about: '/evidence/quote' },
    { expected: AT, about: '/evidence/akCertificate' },
    { expected: AT, about: OF_TOKEN },
  ],
  cert_revoked: [{ about: '/evidence/endorsements' }, { actual: ['Intel SGX PCK Certificate'] }, { about: OF_TOKEN }],
  crl_invalid: [{ about: '/evidence/endorsements/crls' }, { about: '/evidence/collateral/pck_crl' }],
  crl_issuer: [{ expected: 'Intel SGX PCK Platform CA', actual: 'Intel SGX PCK Processor CA' }],
  snp_key_kind: [
    { expected: 'vcek', actual: 'vlek' },
    { expected: ['vcek', 'vlek'], actual: 'none' },
  ],
  snp_product: [
    { expected: 'Milan', actual: 'Genoa' },
    { expected: ['Milan'], actual: 'Turin', policy: SAMPLE },
    { expected: ['Milan'], actual: 'unknown', policy: SAMPLE },
  ],
  snp_product_refused: [{ actual: 'Milan' }, {}],
  snp_chip_id: [
    { actual: 'e0'.repeat(64) },
    { actual: 'masked' },
    { actual: 'CN=cloud.example', setting: 'require.snp.machines.cspId', policy: SAMPLE },
  ],
  snp_tcb_cert: [{ expected: { snp: 24, microcode: 219 }, actual: { snp: 8, microcode: 115 } }],
  snp_vmpl: [
    { expected: 0, actual: 2 },
    { expected: [0, 1, 2, 3], actual: 0xffffffff },
    { expected: [0], actual: 1, setting: 'referenceValues[].snp.vmpl', policy: SAMPLE },
  ],
  snp_tcb_order: [{ actual: { reported: { snp: 24 }, committed: { snp: 24 }, current: { snp: 8 } } }],
  snp_tcb_low: [
    {
      expected: { part: 'Milan', tcb: 'reported', microcode: 219 },
      actual: { part: 'Milan', tcb: 'reported', microcode: 211 },
      policy: SAMPLE,
    },
    {
      expected: { part: 'Milan', tcb: 'launch', snp: 24, microcode: 219 },
      actual: { part: 'Milan', tcb: 'launch', snp: 23, microcode: 211 },
      policy: SAMPLE,
    },
  ],
  snp_provisional: [
    {
      expected: { firmware: '1.55.29', microcode: 219 },
      actual: { firmware: '1.55.20', microcode: 211 },
      policy: SAMPLE,
    },
  ],
  snp_mitigation: [
    { expected: [0, 1], actual: { current: '0x1', launch: '0x1' }, policy: SAMPLE },
    { expected: [0, 1], actual: { current: '0x3', launch: '0x1' }, policy: SAMPLE },
    { expected: [0], policy: SAMPLE },
  ],
  snp_id_key: [
    {},
    { expected: ['…'], actual: 'ab'.repeat(48), setting: 'referenceValues[].snp.idKeyDigest', policy: SAMPLE },
  ],
  snp_measurement: [
    { expected: ['…'], actual: 'cd'.repeat(48), setting: 'referenceValues[].snp.measurement', policy: SAMPLE },
    { expected: { minGuestSvn: 5 }, actual: { guestSvn: 4 }, policy: SAMPLE },
  ],
  snp_host_data: [
    { expected: ['…'], actual: 'ef'.repeat(32), setting: 'referenceValues[].snp.hostData', policy: SAMPLE },
  ],
  snp_report_data: [{ actual: '12'.repeat(64), setting: 'referenceValues[].snp.reportData', policy: SAMPLE }],
  snp_platform_smt_enabled: PLATFORM,
  snp_platform_tsme_enabled: PLATFORM,
  snp_platform_ecc_enabled: PLATFORM,
  snp_platform_rapl_disabled: PLATFORM,
  snp_platform_ciphertext_hiding_dram_enabled: PLATFORM,
  snp_platform_alias_check_complete: PLATFORM,
  snp_platform_iommu_write_safe: PLATFORM,
  snp_platform_tio_enabled: PLATFORM,
  snp_platform_unknown: [{ result: 'warn', actual: [8] }],
  snp_product_configured: [{ result: 'warn', actual: 'Venice' }],
  snp_product_advisory: [
    { result: 'warn', actual: 'Milan' },
    { result: 'warn', actual: null },
  ],
  snp_tcb_floor_missing: [{ result: 'warn', policy: SAMPLE }],
  tdx_qe_vendor: [{ expected: '939a7233f79c4ca9940a0db3957f0607' }],
  tdx_qe_identity: [{}, { expected: { isvProdId: 2 }, actual: { isvProdId: 1 } }],
  tdx_qe_svn: [
    { expected: 4, actual: 1 },
    { expected: 4, actual: 5 },
  ],
  tdx_qe_attributes: [{ expected: { miscSelect: '00000000' }, actual: { miscSelect: '01000000' } }],
  tdx_report_mismatch: [{ expected: { REPORTDATA: '…', RTMR2: '…' } }],
  tdx_tcb_info: [
    {
      expected: { fmspc: '00806f050000', pceId: '0000' },
      actual: { fmspc: '90c06f000000', pceId: '0000' },
    },
  ],
  tdx_tcb_level_unsupported: [
    {
      expected: { 'sgxtcbcomponents[0]': 8, 'TDX_01.isvsvn': 5 },
      actual: { 'sgxtcbcomponents[0]': 6, 'TDX_01.isvsvn': 3 },
    },
  ],
  tdx_tcb_status: [
    {
      expected: ['UpToDate'],
      actual: 'OutOfDate',
      policy: SAMPLE,
      faults: ['sgxtcbcomponents[0] (Early Microcode Update) has 6, needs 8', 'advisories INTEL-SA-00999'],
    },
    { expected: ['UpToDate'], actual: 'TDRelaunchAdvised', policy: SAMPLE },
    { actual: 'Revoked', policy: SAMPLE },
    { actual: 'Splendid' },
  ],
  tdx_tcb_date: [
    { expected: '2024-03-13', actual: '2023-08-09T00:00:00Z', policy: SAMPLE },
    { expected: 17, actual: { evaluationDataNumber: 15, qeEvaluationDataNumber: 17 }, policy: SAMPLE },
  ],
  tdx_module: [
    { expected: ['TDX_01', 'TDX_03'], actual: 'TDX_02' },
    { expected: { seamAttributes: '0000000000000000' }, actual: { seamAttributes: '0100000000000000' } },
  ],
  tdx_attributes: [
    { expected: '0x0', actual: '0x2' },
    { faults: ['MIGRATABLE clear'], setting: 'require.tdx.allowMigratable', policy: SAMPLE },
  ],
  tdx_xfam: [{ faults: ['bit 1 set'] }, { faults: ['bit 14 clear'], policy: SAMPLE }],
  tdx_seam_attributes: [{ expected: '0000000000000000', actual: '0100000000000000' }],
  tdx_platform_id: [{ expected: ['…'], actual: '9d'.repeat(16), policy: SAMPLE }],
  tdx_service_td: [{}, { expected: [], actual: '38'.repeat(48), faults: ['38'.repeat(48)], policy: SAMPLE }],
  tdx_measurement: [
    { expected: ['…'], actual: 'd1'.repeat(48), setting: 'referenceValues[].tdx.mrtd', policy: SAMPLE },
    {
      expected: ['…'],
      actual: ['/vmlinuz ro', '/vmlinuz rw'],
      faults: ['/vmlinuz rw'],
      setting: 'referenceValues[].tdx.boot.commandLines',
      policy: SAMPLE,
    },
  ],
  tdx_report_data: [{ actual: '12'.repeat(64), setting: 'referenceValues[].tdx.reportData', policy: SAMPLE }],
  collateral_not_yet: [{ expected: '2026-01-15T12:00:00.000Z', actual: { tcb_info: '2026-03-15T12:00:00.000Z' } }],
  collateral_unavailable: [
    { result: 'unavailable', faults: ['FMSPC 00806f050000'] },
    { result: 'unavailable', faults: ['tcb_info was issued more than 48 hours ago'] },
  ],
  collateral_stale: [
    { result: 'unavailable', faults: ['tcb_info ended at 2026-02-13T12:00:00.000Z'] },
    { result: 'unavailable', faults: ['TCB info'], expected: '2025-12-16T12:00:00.000Z', policy: SAMPLE },
  ],
  hcl_ak_weak: [{ actual: 'RSA, 1024 bits' }],
  ak_cert_untrusted: [
    { faults: ['signature does not verify (certificate 1 of the chain)'] },
    { missing: 'Azure Cloud Virtual TPM CA 2225' },
  ],
  hcl_paravisor: PARAVISOR,
  hcl_reference: [
    {
      expected: ['…'],
      actual: '7df7b373-b947-4aaa-96e5-c358f2a03d20',
      setting: 'referenceValues[].hcl.vmUniqueId',
      policy: SAMPLE,
    },
  ],
  hcl_paravisor_unknown: PARAVISOR,
  tpm_magic: [{ expected: '0xff544347', actual: '0x91' }],
  tpm_weak_bank: [{ about: '/evidence/tpmQuote/pcrs' }, { about: '/evidence/eventLog', actual: ['sha1'] }],
  tpm_pcr_selection: [{ faults: ['not sent: PCR 7 (sha256)'] }],
  tpm_pcr_not_quoted: [
    { expected: [0, 4, 7], actual: [0], about: '/evidence/tpmQuote', policy: SAMPLE },
    {
      expected: ['…'],
      about: '/evidence/tpmQuote',
      faults: ['PCR 4'],
      setting: 'referenceValues[].tpm.pcrs.sha256.4',
      policy: SAMPLE,
    },
  ],
  tpm_pcr: [
    { actual: [0, 7] },
    { expected: ['…'], actual: '9d'.repeat(32), setting: 'referenceValues[].tpm.pcrs.sha256.7', policy: SAMPLE },
  ],
  tpm_reset: [
    {
      expected: { resetCount: 7, restartCount: 0 },
      actual: { resetCount: 3, restartCount: 0 },
      about: '/evidence/tpmQuote',
      policy: SAMPLE,
    },
    { result: 'unavailable', policy: SAMPLE },
  ],
  eventlog_replay: [{ faults: ['RTMR 0'] }, { expected: [], actual: [23], policy: SAMPLE }, OF_BOOT],
  eventlog_order: [
    { faults: ['the event at offset 18653 extends nothing and has a digest'] },
    { result: 'warn', faults: ['the event at offset 3214 is a second separator in PCR 0'] },
  ],
  eventlog_unverified: [
    { faults: ['the data of the event at offset 416 is not what RTMR 0 was extended by'] },
    OF_BOOT,
  ],
  eventlog_missing: [OF_BOOT],
  secure_boot: [{ expected: true, actual: false, policy: SAMPLE }, { policy: SAMPLE }],
  token_alg: [{ expected: ['PS384', 'RS256'] }, { actual: { type: 'ita-token' } }],
  token_key: [{}, { expected: { setting: 'ita.issuers[].keys' } }],
  token_time: [
    { expected: '2026-01-15T12:00:00.000Z', actual: { iat: 1_768_470_000, nbf: 1_768_470_000, exp: 1_768_474_800 } },
  ],
  token_lifetime: [{ expected: 86_400, actual: 172_800 }],
  token_issuer: [
    { setting: 'maa.shared or maa.issuers' },
    { actual: 'https://maa.example', setting: 'require.maa.issuers', policy: SAMPLE },
    { actual: { type: 'ita-token' } },
  ],
  token_issuer_policy: [
    { actual: 'R3Ooyaugf5Jpy8C1j_NcNXA4SEniecJ0MvpLTuLIfR4' },
    { actual: { policySigner: 'ab'.repeat(32) } },
  ],
  token_audience: [{ actual: 'https://gate.example' }],
  token_claim_type: [
    { expected: ['azurevm', 'sevsnpvm', 'tdxvm'], faults: ['x-ms-isolation-tee is missing'] },
    { expected: ['azurevm'], actual: 'sevsnpvm', setting: 'require.maa.attestationType', policy: SAMPLE },
  ],
  token_compliance: [
    {
      expected: ['azure-compliant-cvm'],
      actual: 'azure-noncompliant-cvm',
      setting: 'require.maa.complianceStatus',
      policy: SAMPLE,
    },
    { expected: ['azure-compliant-cvm'], policy: SAMPLE },
  ],
  maa_tcb_status: [
    { expected: ['UpToDate'], actual: 'OutOfDate', policy: SAMPLE },
    { actual: 'Revoked' },
    { actual: 'Splendid' },
  ],
  ita_tcb_status: [
    { expected: ['UpToDate'], actual: 'OutOfDate', policy: SAMPLE },
    { actual: 'Revoked' },
    { actual: 'Splendid' },
  ],
  ita_policy: [
    { expected: [], actual: ['1a2b3c4d-0000-4000-8000-0123456789ab'] },
    { expected: ['1a2b3c4d-0000-4000-8000-0123456789ab'], actual: [], policy: SAMPLE },
  ],
  disagreement: [
    { expected: 'ab12', actual: 'cd34', faults: ['snp.measurement'] },
    { expected: 'ab12', faults: ['hcl.akThumbprint'] },
    { expected: 'hardware' },
  ],
  route_missing: [
    { expected: 'maa', policy: SAMPLE },
    { expected: 'maa', actual: 'not asked', policy: SAMPLE },
    { expected: 'ita', actual: 'never issued', policy: SAMPLE },
  ],
  nonce_mismatch: [
    { about: '/evidence/tpmQuote/message' },
    { about: '/evidence/hclReport' },
    { about: '/evidence/report' },
    { expected: 'd34d75db6df7e38e79ebaefb', actual: '0011223344556677' },
  ],
  nonce_scope: [{ expected: { audience: 'gate' }, actual: { audience: 'vault' } }],
  nonce_missing: [
    { expected: 'any', actual: 'none', policy: SAMPLE },
    { expected: 'challenge', actual: 'caller', policy: SAMPLE },
  ],
  nonce_stale: [{}, { about: '/binding/pem' }],
  binding_missing: [{ policy: SAMPLE }],
  policy_evidence_type: [{ expected: 'az-snp-vtpm', actual: 'snp', policy: SAMPLE }],
  rule_not_met: [
    { expected: 'boot', faults: ['snp.guestSvn >= 5 is false, because snp.guestSvn is 4'], policy: SAMPLE },
  ],
  reference_not_applicable: [{ faults: ['section snp', 'appliesTo.product Genoa or none'], policy: SAMPLE }],
  claim_missing: [
    { expected: 'maa', policy: SAMPLE },
    { expected: ['tpm.eventLog.db'], setting: 'rule boot', faults: ['tpm.eventLog.db'], policy: SAMPLE },
  ],
  claim_type: [
    { actual: 'string', setting: 'rule level', faults: ['maa.claims["level"]'], policy: SAMPLE },
    { actual: 'list', setting: 'rule level', faults: ['maa.claims["level"]'], policy: SAMPLE },
  ],
  release_warning: [
    { faults: ['the warning snp_product_advisory is not waived'] },
    { faults: ['the nonce is no unused challenge of this service'] },
  ],
  crl_stale: [
    { result: 'unavailable', faults: ['Milan'] },
    { result: 'unavailable', about: '/evidence/token' },
  ],
  crl_unavailable: [
    { result: 'unavailable', faults: ['Milan'] },
    { result: 'unavailable', about: '/evidence/token' },
  ],
  jwks_unavailable: [{ result: 'unavailable', setting: 'maa.issuers[].keys' }],
  jwks_invalid: [{ result: 'unavailable', setting: 'maa.issuers[].keys' }],
  route_unavailable: [{ result: 'unavailable', setting: 'maa.submit' }],
} satisfies { readonly [id in FilledCheck]: readonly [Example, ...(readonly Example[])] };

function inEither(fault = 'certificate 1 of the chain (VCEK)') {
  return [
    { faults: [fault], about: '/evidence/endorsements' },
    { faults: ['certificate 2 of the chain (PCK CA)'], about: '/evidence/quote' },
  ] as const;
}
