import { looksLikeHex } from '../formats/hex-like.js';
import type { Check } from '../model/check.js';
import type { CheckId } from '../model/codes.js';
import { isObject, type JsonObject, type JsonValue } from '../model/json.js';

/** What can be done about a finding: one sentence, or one that is filled with what the check compared. */
type Remedy = string | ((check: Check) => string);

/**
 * What the operator, the guest's owner or the caller can do about a check that did not pass: one sentence.
 * Null where it passed or did not run.
 */
export function remedyOf(check: Check): string | null {
  if (check.result !== 'fail' && check.result !== 'warn' && check.result !== 'unavailable') return null;
  const remedy: Remedy = REMEDIES[check.id];
  return typeof remedy === 'string' ? remedy : remedy(check);
}

/** Longer values are not repeated in a sentence: `actual` has them whole. */
const LONGEST_VALUE = 128;

/** Parts of sentences that several remedies share. */
const CHAIN = 'The caller should fetch the certificate chain from its vendor again, because';
const COLLATERAL = 'or leave the collateral out so that the service fetches it';
const VEK = 'or leave it out so that the service fetches it';
const TOKEN = 'The caller should send the token exactly as its issuer made it';
const AS_READ = 'byte for byte as the guest read it';

const reference: Remedy = ({ actual }) =>
  `The operator should add ${value(actual, 'the value')} to the reference values of the policy if it is meant to be accepted.`;

const REMEDIES: { readonly [id in CheckId]: Remedy } = {
  internal_error: 'The caller should report the decision id to the operator, whose log names the fault.',
  deadline:
    'The caller should ask again, and where it happens often the operator should look for slow sources in the log or raise deadlineSeconds.',
  clock:
    'The operator should correct the clock of this machine, and the caller should ask again once /readyz answers 200.',

  cert_untrusted:
    "The caller should send the vendor's own certificate chain, because one that ends at any other root, such as a lab's, is never accepted.",
  cert_signature: `${CHAIN} one of its certificates was changed or is not signed by the one above it.`,
  cert_algorithm: `${CHAIN} no vendor issues certificates with such a key or signature algorithm.`,
  cert_not_ca: `${CHAIN} a certificate that is no CA stands where an issuer must be.`,
  cert_path: `${CHAIN} it is longer than its issuers allow, or not in their order.`,
  cert_role: `${CHAIN} a certificate in it was issued for another purpose.`,
  cert_extension: `${CHAIN} a certificate in it does not have the extensions that the vendor writes.`,
  cert_validity: ({ expected }) =>
    `The caller should send certificates that are valid at ${value(expected, 'the instant judged')}, or leave them out so that the service fetches current ones.`,
  cert_revoked:
    "The guest's owner should move it to another machine, because the vendor has revoked a certificate that this evidence rests on.",
  crl_invalid: 'The caller should send the revocation lists that the vendor publishes now, or none.',
  crl_issuer:
    'The caller should send the revocation list of the CA that issued the PCK certificate: Intel publishes one for each of its two PCK CAs.',

  snp_key_kind: ({ expected }) =>
    typeof expected === 'string'
      ? `The caller should send the ${value(expected, 'key').toUpperCase()} certificate that the report names, ${VEK}.`
      : "The guest's owner should have the report signed by a VCEK or VLEK: this one says that no key signed it.",
  snp_product: ({ actual, policy }) =>
    policy === null
      ? `The caller should send the key certificate of the processor that made the report, ${VEK}.`
      : `The operator should add a minimum for ${value(actual, 'this part')} to the policy if such processors are to be accepted.`,
  snp_product_refused: ({ actual }) =>
    `The guest's owner should move it to another product line, because the operator refuses ${value(actual, 'this one')} (amd.refuseProducts).`,
  snp_chip_id: ({ actual, policy }) =>
    policy === null
      ? `The caller should send the VCEK of the chip that made the report, ${VEK}.`
      : `The operator should add ${value(actual, 'the chip id')} to require.snp.machines of the policy if the machine is one of theirs.`,
  snp_tcb_cert: `The caller should send the key certificate for the TCB that the report names, ${VEK}.`,
  snp_signature:
    'The caller should send the report byte for byte as the guest got it, with the certificate of the key that signed it.',
  snp_debug: "The guest's owner should launch it with debugging off (bit 19 of the guest policy clear).",
  snp_migration_agent: "The guest's owner should launch it without a migration agent.",
  snp_vmpl: ({ actual, policy }) =>
    policy === null
      ? 'The caller should send the report that the paravisor made at VMPL 0, which Azure keeps in NV index 0x01400001.'
      : `The operator should add ${value(actual, 'the level')} to vmpl in the reference values of the policy if it is meant to be accepted.`,
  snp_tcb_order:
    "The machine's owner should reinstall its SEV firmware, because the TCB versions contradict each other.",
  snp_tcb_low: ({ expected }) =>
    `The machine's owner should update its firmware to ${components(expected)} or later, or the operator can waive snp_tcb_low for this part until then.`,
  snp_provisional:
    "The machine's owner should commit the SEV firmware that runs, or the operator should take committedEqualsCurrent out of the policy.",
  snp_mitigation: ({ expected }) =>
    `The machine's owner should install firmware that has the mitigations ${value(expected, 'of the policy')}, and the guest should then be launched again.`,
  snp_id_key: (check) =>
    check.policy === null
      ? "The guest's owner should launch it with a whole ID block, because the report has an author key digest without its key."
      : filled(reference, check),
  snp_measurement: (check) =>
    isObject(check.expected) && 'minGuestSvn' in check.expected
      ? `The guest's owner should deploy an image with GUEST_SVN ${value(check.expected['minGuestSvn'], 'of the policy')} or later.`
      : filled(reference, check),
  snp_host_data: reference,
  snp_report_data: reference,
  snp_platform_smt_enabled: platform('SMT'),
  snp_platform_tsme_enabled: platform('TSME'),
  snp_platform_ecc_enabled: platform('ECC memory'),
  snp_platform_rapl_disabled: platform('the RAPL restriction'),
  snp_platform_ciphertext_hiding_dram_enabled: platform('ciphertext hiding of DRAM'),
  snp_platform_alias_check_complete: platform('the memory alias check'),
  snp_platform_iommu_write_safe: platform('the IOMMU write protection'),
  snp_platform_tio_enabled: platform('SEV-TIO'),
  snp_platform_unknown:
    'The operator should look up these bits in the current SEV-SNP specification of AMD, and update this service once it knows them.',

  tdx_signature: 'The caller should send the quote byte for byte as the guest got it.',
  tdx_qe_vendor: "The caller should send a quote that Intel's own quoting enclave made.",
  tdx_qe_binding: 'The caller should send the quote whole and byte for byte as the guest got it.',
  tdx_qe_report_signature:
    'The caller should send the quote byte for byte as the guest got it, with the PCK certificate chain of the same platform.',
  tdx_qe_identity: `The caller should send the QE identity that Intel publishes for TDX now, ${COLLATERAL}.`,
  tdx_qe_debug: "The machine's owner should install the production quoting enclave, which cannot be debugged.",
  tdx_qe_svn: ({ expected }) =>
    `The machine's owner should update its quoting enclave to ISVSVN ${value(expected, 'of a current release')} or later.`,
  tdx_qe_attributes: "The machine's owner should install the quoting enclave as Intel released it.",
  tdx_report_mismatch:
    'The caller should send a TD quote that was made of the TDREPORT inside the HCL report that is sent with it.',
  tdx_tcb_info: ({ expected }) =>
    `The caller should send the TCB info that Intel publishes for ${fmspcOf(expected)}, ${COLLATERAL}.`,
  tdx_tcb_level_unsupported: ({ expected }) =>
    `The machine's owner should update its firmware and TDX module${isEmpty(expected) ? '' : ` to ${components(expected)} or later`}.`,
  tdx_tcb_status: ({ actual }) =>
    actual === 'Revoked'
      ? "The machine's owner should update its firmware and TDX module, because Intel has revoked this TCB and no policy can accept it."
      : `The machine's owner should update what the detail names, or the operator can accept or waive the status ${value(actual, 'shown')} in the policy.`,
  tdx_tcb_date: ({ expected }) =>
    typeof expected === 'number'
      ? `The caller should send TCB info and QE identity with evaluation data number ${expected} or higher, ${COLLATERAL}.`
      : `The machine's owner should update its firmware and TDX module to a TCB of ${value(expected, 'the date in the policy')} or later.`,
  tdx_module: "The machine's owner should load a TDX module that Intel's current TCB info describes.",
  tdx_debug: "The guest's owner should launch the TD with its debug attribute off.",
  tdx_attributes:
    "The guest's owner should launch the TD with the attributes that are asked for: the detail names what differs.",
  tdx_xfam: "The guest's owner should launch the TD with the extended features (XFAM) that are asked for.",
  tdx_seam_attributes: "The machine's owner should load the production TDX module, which has no attributes set.",
  tdx_platform_id: ({ actual }) =>
    `The operator should add ${value(actual, 'the PPID')} to require.tdx.machines of the policy if the machine is one of theirs.`,
  tdx_service_td: ({ actual }) =>
    `The guest's owner should launch the TD without a service TD, or the operator should add ${value(actual, 'its hash')} to require.tdx.mrServiceTd of the policy.`,
  tdx_measurement: reference,
  tdx_report_data: reference,
  collateral_not_yet:
    "The caller should send collateral that was issued before the instant judged, or the operator should correct this service's clock if the collateral is current.",

  hardware_missing: 'The caller should send the hardware report of the guest beside its vTPM quote.',
  hcl_binding:
    'The caller should send report and runtime data byte for byte as the guest read them, from one and the same moment.',
  hcl_duplicate: `The caller should send the runtime data ${AS_READ}, because genuine runtime data has no member twice.`,
  hcl_claims: `The caller should send the runtime data ${AS_READ}, because it does not have the form that the paravisor writes.`,
  hcl_ak_missing:
    'The caller should send the runtime data of an Azure confidential VM, which names the attestation key of its vTPM as HCLAkPub.',
  hcl_ak_weak:
    "The guest's owner should create the VM anew, because vTPMs of Azure have RSA keys of 2048 bits or more.",
  hcl_ak_mismatch: 'The caller should send the AK certificate of this VM (NV index 0x01C101D0), or none.',
  ak_cert_untrusted:
    'The caller should send akChain whole, up to the Azure Virtual TPM root, or the operator should list the root in tpm.roots if it is another.',
  hcl_paravisor: paravisor,
  hcl_reference: reference,

  tpm_signature:
    'The caller should send quote and HCL report of one and the same VM, with message and signature as the vTPM returned them.',
  tpm_weak_signature: 'The guest should make its quote with SHA-256 as the hash of the signature.',
  tpm_magic: 'The caller should send the TPMS_ATTEST that TPM2_Quote returned, without a size prefix.',
  tpm_not_quote: 'The guest should use TPM2_Quote, because no other attestation of a TPM speaks of PCRs.',
  tpm_weak_bank: 'The guest should quote PCRs of the SHA-256 bank.',
  tpm_pcr_selection: 'The caller should send the values of exactly the PCRs that the guest selected for its quote.',
  tpm_pcr_digest:
    'The guest should make quote and PCR values anew, because a PCR was extended in between or a value was changed.',
  tpm_pcr_not_quoted: ({ expected }) =>
    `The guest should quote the PCRs that the policy names as well: ${value(expected, 'the detail lists them')}.`,
  tpm_pcr: (check) =>
    check.policy === null
      ? "The guest's owner should check its firmware, because a PCR that firmware always extends is zero."
      : filled(reference, check),
  tpm_reset:
    'The operator should take trackResets out of the policy, because this version keeps no memory of reset counters.',

  eventlog_replay:
    'The guest should read event log and quote without an event in between, and the caller should send the log whole and unchanged.',
  eventlog_order: 'The caller should send the event log whole and in the order in which the firmware wrote it.',
  eventlog_unverified:
    'The caller should send the event log unchanged, because the data of an event is not what was measured.',
  eventlog_missing: 'The caller should send the event log of the guest, because the policy asks what it booted.',
  secure_boot: "The guest's owner should turn Secure Boot on, or the operator should not require it in the policy.",
  secure_boot_unknown:
    'The caller should send evidence that states Secure Boot, such as runtime claims of a known paravisor or a token of Azure Attestation.',

  token_alg: `${TOKEN}, signed with an algorithm that the issuer uses.`,
  token_key: `${TOKEN}, or get a new one, because the issuer publishes no key that fits this one.`,
  token_signature: `${TOKEN}, because its signature does not hold.`,
  token_time:
    "The caller should send a token that is valid at the instant judged, or the operator should correct this service's clock if the token is current.",
  token_lifetime: 'The caller should send a token that lives a day at most.',
  token_issuer: ({ actual, policy }) =>
    policy === null
      ? 'The operator should add the issuer that the token names in iss to maa.issuers or ita.issuers if it is to be accepted.'
      : `The operator should add ${value(actual, 'the issuer')} to the issuers that the policy requires if it is to be accepted.`,
  token_issuer_policy: ({ result, actual }) =>
    result === 'warn'
      ? 'The operator should name the hashes of the policy of this issuer in policyHash instead of any.'
      : `The operator should add ${value(actual, 'the hash of the policy')} to policyHash of this issuer if that policy is the one wanted.`,
  token_audience: ({ expected }) =>
    `The caller should get a token for the audience ${value(expected, 'of this service')}.`,
  token_claim_type: 'The caller should send a token about a confidential VM of a type that the policy accepts.',
  token_debug: "The guest's owner should launch it with debugging off.",
  token_debug_unknown: 'The caller should send a token that states literally that debugging is off.',
  token_compliance: ({ actual }) =>
    `The guest's owner should find out why Azure Attestation calls it ${value(actual, 'nothing')}, or the operator should accept that status in require.maa.complianceStatus.`,
  maa_tcb_status: ({ actual }) =>
    actual === 'Revoked'
      ? "The machine's owner should update its firmware, because Intel has revoked this TCB and no policy can accept it."
      : `The machine's owner should update its firmware, or the operator can accept or waive the status ${value(actual, 'shown')} in the policy.`,
  ita_tcb_status:
    "The machine's owner should update its firmware and TDX module until Intel Trust Authority calls it UpToDate.",
  ita_policy:
    'The caller should ask Intel Trust Authority for a token with the policies that are required, and look there why one is not matched.',
  ita_debug: "The guest's owner should launch the TD with its debug attribute off.",
  disagreement: 'The caller should send evidence and tokens of one and the same VM, from one and the same boot.',
  route_missing: ({ expected }) =>
    `The caller should send a token of ${value(expected, 'the required route')} in attestationResults, or the operator should configure the service to fetch one (maa.submit, ita.submit).`,

  nonce_mismatch: ({ expected }) =>
    wasHex(expected)
      ? 'The caller should send the nonce as base64url, because this one looks like hex, and the guest should make its evidence for the same bytes.'
      : 'The guest should make its evidence anew for the nonce, and the bound key, of this request.',
  nonce_used:
    'The caller should ask POST /challenges for another challenge, and the guest should make its evidence anew.',
  nonce_expired:
    'The caller should ask POST /challenges for another challenge, and send the evidence before its expiresAt.',
  nonce_scope:
    'The caller should ask POST /challenges for a challenge with the audience, policy and evidence type of this request.',
  nonce_missing: ({ expected }) =>
    expected === 'challenge'
      ? 'The caller should ask POST /challenges for a challenge, and send it as nonce with evidence that was made for it.'
      : 'The caller should send the nonce that the guest put into its evidence.',
  nonce_stale: 'The guest should write the nonce to NV index 0x01400002 before it reads its HCL report.',
  binding_missing: 'The caller should send binding.jwk with evidence that the guest made for nonce and key.',

  no_policy: 'The caller should name a policy, or the operator should configure one in policies.default.',
  policy_evidence_type: ({ expected }) =>
    `The caller should send evidence of a type that the policy accepts (${value(expected, 'see expected')}), or name another policy.`,
  rule_not_met: ({ expected }) =>
    `The operator should compare the rule ${value(expected, 'of the policy')} with the claims in this answer.`,
  reference_not_applicable:
    'The operator should add a set of reference values that applies to this evidence to the policy.',
  claim_missing: 'The caller should send evidence or a token that makes the claim which the policy asks for.',
  claim_type: ({ expected }) =>
    `The operator should compare the claim with a value of its own type in the policy: ${value(expected, 'see the detail')}.`,

  release_token_stale: 'The caller should get a token after the challenge was issued, and send it with that challenge.',
  release_other_vm: 'The caller should send a token of the same VM as the evidence.',
  release_key_unbound: 'The guest should bind the one key of its token to which the secret is to be wrapped.',
  release_refused: "The operator should compare the vault's release policy with the claims of the token.",
  release_warning: 'The operator should mend or waive every warning of this decision.',

  vcek_unavailable:
    'The caller should send the key certificate and its chain in endorsements, or the operator should let the service reach amd.kds or put them into the folder amd.chains.',
  crl_stale:
    "The operator should let the service fetch the vendor's current revocation list, or put it into the folder amd.chains.",
  crl_unavailable:
    "The operator should let the service fetch the vendor's revocation list or put it into the folder amd.chains, or the caller should send it in endorsements.crls.",
  crl_rollback:
    'The operator should put the newest revocation list of AMD in place, because an older one than was seen before is offered.',
  collateral_unavailable:
    'The caller should send the collateral of the platform, or the operator should let the service reach intel.pcs or put it into the folder intel.collateral.',
  collateral_stale: `The caller should send the collateral that Intel publishes now, ${COLLATERAL}.`,
  collateral_rollback: `The caller should send the newest collateral, ${COLLATERAL}, because newer collateral of this platform was seen before.`,
  jwks_unavailable:
    "The operator should let the service reach the issuer's keys, or name a file with them in the configuration.",
  jwks_invalid:
    "The operator should look at what the issuer's key set or the configured file holds, because no key of it can be used.",
  jwks_stale:
    "The operator should let the service reach the issuer's keys again, because those held are too old to be relied on.",
  route_unavailable:
    'The caller should ask again later or send a token in attestationResults, and the operator should look in the log why none could be fetched.',
  nonce_store:
    'The caller should ask for another challenge, and the operator should look in the log why the challenge store does not answer.',
  release_unavailable:
    'The caller should ask again with a new challenge, and the operator should look in the log why the vault does not answer.',
  audit_unavailable: 'The operator should look in the log why the decision could not be stored.',

  snp_product_advisory:
    'The operator should keep secrets that must survive a physical attack off this product line, or waive snp_product_advisory with a reason.',
  snp_tcb_floor_missing: 'The operator should set minimums.snp in the policy, so that old firmware is refused.',
  hcl_paravisor_unknown: paravisor,
  collateral_unconfirmed:
    "The operator should let the service reach intel.pcs, so that the request's own collateral is held against Intel's.",
  crl_unconfirmed:
    "The operator should let the service reach amd.kds, so that the request's own revocation list is held against AMD's.",
};

/** What was seen of a paravisor, and where an operator who knows it says so. */
function paravisor({ actual }: Check): string {
  const seen = isObject(actual) ? actual : {};
  if (typeof seen['mrtd'] === 'string') {
    return `The operator should add the MRTD ${seen['mrtd']} to azure.paravisors.mrtds if this is a paravisor that Microsoft built, or the caller should send a token of Azure Attestation.`;
  }
  const digest = value(seen['idKeyDigest'], 'of the report');
  return `The operator should add the ID_KEY_DIGEST ${digest}${withFloor(seen['guestSvn'])} to azure.paravisors.idKeyDigests if this is a paravisor that Microsoft signed, or the caller should send a token of Azure Attestation.`;
}

/** The floor that lets this paravisor in: it is compared with the low 16 bits, the upper ones name a branch. */
function withFloor(guestSvn: JsonValue | undefined): string {
  return typeof guestSvn === 'number' ? ` with minGuestSvn ${guestSvn % 0x10000} (GUEST_SVN is ${guestSvn})` : '';
}

/** Whether the nonce was hex that has been read as base64. Fields of 64 bytes end in zeros, which it did not have. */
function wasHex(expected: JsonValue): boolean {
  const nonce = isObject(expected) ? expected['nonce'] : expected;
  if (typeof nonce !== 'string') return false;
  return looksLikeHex(Buffer.from(nonce.replace(/(?:00)+$/, ''), 'hex').toString('base64url'));
}

function platform(feature: string): Remedy {
  return ({ expected }) =>
    `The machine's owner should turn ${feature} ${expected === false ? 'off' : 'on'}, or the operator should not ask for it in require.snp.platformInfo.`;
}

function filled(remedy: Remedy, check: Check): string {
  return typeof remedy === 'string' ? remedy : remedy(check);
}

function fmspcOf(expected: JsonValue): string {
  const fmspc = isObject(expected) ? expected['fmspc'] : null;
  return typeof fmspc === 'string' ? `FMSPC ${fmspc}` : 'this platform';
}

/** Components of a TCB and the versions that are needed. Part and TCB say which one is meant. */
function components(needed: JsonValue): string {
  if (isEmpty(needed)) return 'the minimum of the policy';
  const { part: _, tcb: __, ...versions } = needed as JsonObject;
  return Object.entries(versions)
    .map(([component, version]) => `${component} ${value(version, '')}`)
    .join(', ');
}

function isEmpty(value: JsonValue): boolean {
  return !isObject(value) || Object.keys(value).length === 0;
}

/** A value as part of a sentence; other words where there is none, or it is too long to repeat. */
function value(shown: JsonValue | undefined, otherwise: string): string {
  if (shown === undefined || shown === null) return otherwise;
  const text = textOf(shown);
  return text === '' || text.length > LONGEST_VALUE ? otherwise : text;
}

function textOf(shown: JsonValue): string {
  if (typeof shown === 'string') return shown;
  return Array.isArray(shown) ? shown.map(textOf).join(', ') : JSON.stringify(shown);
}
