import type { CheckId } from '../../src/core/codes.js';

/**
 * What triggers a check that does not pass, for docs/codes.md; null if `fails` of its row says all of it. Lower case,
 * no period; triggers end in a semicolon.
 */
export const CHECK_TRIGGERS: { readonly [id in CheckId]: string | null } = {
  internal_error: 'an exception, or a required check without an outcome although nothing failed',
  deadline: null,
  clock: 'the wall clock jumped against the monotonic clock; nothing is judged until it can be relied on again',
  cert_untrusted:
    'the path ends at a key that is not pinned; an issuer is not the subject of the next certificate; the chain is for another AMD product line than the key certificate; the issuer of the key certificate is no AMD CA for this kind of key; a token: the chain of its key ends at no root of ita.issuers[].roots',
  cert_signature: null,
  cert_algorithm: null,
  cert_not_ca: 'basicConstraints or keyUsage of an issuer do not say that it may sign certificates',
  cert_path: null,
  cert_role: null,
  cert_extension:
    'an extension is missing, appears twice, is not of the form that its vendor writes, or is critical and unknown',
  cert_validity:
    'the certificates under the hardware report, the AK certificate or the key of a token have ended, or have not begun',
  cert_revoked:
    "AMD's CRL lists the ASK or ASVK; Intel's lists the PCK certificate, a PCK CA or a signer of the collateral; the CRL of a token's issuer lists a certificate of its key",
  crl_invalid: null,
  crl_issuer: null,
  snp_key_kind:
    'KEY_INFO names a VCEK and a VLEK certificate came, or the other way round; KEY_INFO says that no key signed the report',
  snp_product:
    'the key certificate names another product line than its issuer; no AMD root is known for the product line; the policy lists no minimum for the part, or the part is not known',
  snp_product_refused:
    'the configuration lists the product line in amd.refuseProducts; it lists any, and the evidence is a token about an SEV-SNP VM, which names none',
  snp_chip_id:
    'hwID of the VCEK is not CHIP_ID of the report; the report does not name its chip (MASK_CHIP_ID, MASK_CHIP_KEY); the chip, or under a VLEK the provider, is not among require.snp.machines of the policy',
  snp_tcb_cert: 'a TCB extension of the key certificate is not the component of REPORTED_TCB, component by component',
  snp_signature: null,
  snp_debug: null,
  snp_migration_agent: 'the guest policy allows a migration agent (MIGRATE_MA), or REPORT_ID_MA names one',
  snp_vmpl:
    'a report behind a paravisor is of another VMPL than 0; the host requested the report (VMPL 0xFFFFFFFF); the VMPL is not among the reference values',
  snp_tcb_order: 'a component of REPORTED_TCB is above COMMITTED_TCB, or one of COMMITTED_TCB above CURRENT_TCB',
  snp_tcb_low:
    'a component that minimums.snp lists for the part is lower in REPORTED_TCB or in LAUNCH_TCB, component by component',
  snp_provisional: 'CURRENT differs from COMMITTED in the firmware version or a component of the TCB',
  snp_mitigation:
    'a bit is clear in the current or in the launch mitigation vector; the report has no vectors, as before version 5',
  snp_id_key: null,
  snp_measurement: null,
  snp_host_data:
    'the host data is not among the reference values, or not the SHA-256 of initTimeData in the dialect maa',
  snp_report_data: 'never in this version, which has no reference values for report data',
  snp_platform_smt_enabled: null,
  snp_platform_tsme_enabled: null,
  snp_platform_ecc_enabled: null,
  snp_platform_rapl_disabled: null,
  snp_platform_ciphertext_hiding_dram_enabled: null,
  snp_platform_alias_check_complete: null,
  snp_platform_iommu_write_safe: null,
  snp_platform_tio_enabled: null,
  snp_platform_unknown: 'a reserved bit of PLATFORM_INFO is set: a warning under every policy',
  vcek_unavailable:
    'the VCEK or VLEK, the ASK, ASVK or ARK is in neither request, folder, cache nor AMD KDS; what a source has cannot be read or does not verify',
  snp_product_configured: 'every decision about evidence of a product line of amd.products',
  snp_product_advisory:
    'every decision about evidence of the Milan line, and about a token about an SEV-SNP VM that stands alone, which names no line; amd.refuseProducts of the configuration denies both',
  snp_tcb_floor_missing: 'minimums or minimums.snp is any',
  tdx_signature: null,
  tdx_qe_vendor: null,
  tdx_qe_binding: null,
  tdx_qe_report_signature: null,
  tdx_qe_identity:
    'MRSIGNER or ISVPRODID of the quoting enclave is another; the QE identity is not signed by Intel, or is not of a TDX quoting enclave',
  tdx_qe_debug: 'DEBUG is set in ATTRIBUTES of the quoting enclave, whatever mask the QE identity has',
  tdx_qe_svn: 'ISVSVN is below every level of the QE identity; the level that it reaches is Revoked',
  tdx_qe_attributes: 'MISCSELECT or ATTRIBUTES of the quoting enclave differ under the masks of the QE identity',
  tdx_report_mismatch:
    'a field of the TDREPORT in the HCL report is another in the quote; the hashes in the TDREPORT are not those of its own fields',
  tdx_tcb_info:
    'FMSPC or PCEID of the TCB info are not those of the PCK certificate; the TCB info is not signed by Intel, or is not for TDX',
  tdx_tcb_level_unsupported: null,
  tdx_tcb_status:
    'the status that platform, TDX module and quoting enclave have together is not among minimums.tdx.acceptedStatuses, or is Revoked or no word of Intel; a warning under minimums.tdx: any where it is not UpToDate',
  tdx_tcb_date:
    'the earliest TCB date of the three is before earliestTcbDate; TCB info or QE identity has a lower evaluation data number than minEvaluationDataNumber',
  tdx_module: null,
  tdx_debug: null,
  tdx_attributes:
    'a reserved bit or one of the profiling bits of TDATTRIBUTES is set; MIGRATABLE is set without allowMigratable; PERFMON is set against allowPerfmon: false; SEPT_VE_DISABLE is clear although required',
  tdx_xfam: null,
  tdx_seam_attributes: null,
  tdx_platform_id: null,
  tdx_service_td:
    'MRSERVICETD, or INIT_SERVTD_HASH or CURR_SERVTD_HASH of an extended TD 1.5 body, is not zero and not among require.tdx.mrServiceTd; the TDREPORT names a service TD, and the quote has a TD 1.0 body, which does not say which',
  tdx_measurement: 'a register, or what a CCEL lists of the boot, is not among the reference values',
  tdx_report_data: 'never in this version, which has no reference values for report data',
  collateral_not_yet:
    "issueDate of TCB info or QE identity, or thisUpdate of one of Intel's CRLs, is after the verification time, without leeway and under every policy",
  collateral_unavailable:
    'no source has TCB info, QE identity and CRLs for the platform; what a source has does not verify; the request supplied collateral that is older than 48 hours, and no source could be asked to confirm it',
  collateral_stale:
    "a part is past its next update at the verification time, or does not say when that is (Intel's CRLs included); TCB info, QE identity or PCK CRL was issued longer ago than minimums.tdx.maxCollateralAgeDays",
  collateral_rollback:
    'evaluation data number, CRL number or date is lower than that of collateral for the same platform that was fetched or imported before',
  collateral_unconfirmed:
    'the collateral came with the request, and no source of Intel collateral was asked, because none is configured or the verification time is in the past, or it did not answer',
  hardware_missing:
    'never in this version: a policy that demands hardware refuses tpm evidence by policy_evidence_type, and a body without the report is malformed',
  hcl_binding: null,
  hcl_duplicate: null,
  hcl_claims:
    'the runtime data is no JSON object, its user-data is not 64 bytes in hex, or HCLAkPub is no public RSA key as JWK',
  hcl_ak_missing: null,
  hcl_ak_weak: null,
  hcl_ak_mismatch:
    'the AK certificate, or the public area of the AK that was sent (akPublic), is of another key than HCLAkPub; the public area is of no restricted signing key',
  ak_cert_untrusted:
    'its chain does not end at a pinned root, a certificate of the chain is not what an issuer of AK certificates writes, or no chain was sent and no issuer is in tpm.intermediates',
  hcl_paravisor:
    'under paravisor: known, neither ID_KEY_DIGEST with a GUEST_SVN at its floor or above, nor MRTD, nor an accepted AK certificate or token makes the paravisor known; unavailable while no endpoint of maa.submit answers, which could make it known',
  hcl_reference: null,
  hcl_paravisor_unknown: 'as hcl_paravisor, under paravisor: any',
  tpm_signature:
    'the signature over the quote, or over the statement on a certified key (azure-guest), does not verify; the certified key is not the one whose public area was sent',
  tpm_weak_signature: null,
  tpm_magic: 'magic of TPMS_ATTEST is not TPM_GENERATED_VALUE',
  tpm_not_quote: null,
  tpm_weak_bank: 'the signed selection has no PCR of the SHA-256 bank; an event log has events and no SHA-256 digests',
  tpm_pcr_selection: null,
  tpm_pcr_digest: null,
  tpm_pcr_not_quoted:
    'the signed selection does not have a PCR of require.tpm.quotedPcrs, one that the reference values compare, or one that a claim of the boot rests on; the policy names PCRs and the evidence has no vTPM',
  tpm_pcr: null,
  tpm_reset:
    'under require.tpm.trackResets, resetCount, or restartCount at the same resetCount, is lower than one allowed before; the evidence has no quote of a vTPM; unavailable while the counts cannot be read or written; a warning at a verification time in the past',
  eventlog_replay:
    'a register that the firmware extends does not replay to its quoted value; a quoted PCR is not in its initial state, the log has no event for it, and require.tpm.runtimePcrs does not list it; a claim of the reference values rests on a register that does not replay',
  eventlog_order:
    'an event that extends nothing has a digest; a startup locality is not 0, 3 or 4, or is named twice; a separator has other data; a variable of Secure Boot follows the separator; PCR 2, 4 or 7 has a second separator (in PCR 0, 1, 3, 5 and 6 that is a warning)',
  eventlog_unverified:
    'the data of an event of the register of Secure Boot is not what its digest is of; a claim of the reference values is not shown by measured data',
  eventlog_missing:
    'the reference values compare what was booted, and the evidence has no event log, or one that does not hold',
  secure_boot:
    'under secureBoot: required, verified evidence says literally that Secure Boot is off; under every policy, the event log and the runtime claims differ on it',
  secure_boot_unknown:
    'under secureBoot: required, what says it is missing, is no boolean, or cannot be relied on: a paravisor that is not known, PCR 7 or RTMR 0 not quoted, shim that checks nothing',
  token_alg:
    'alg in the header is none that the issuer uses, or the key that it names is for another; the token is one of another verifier',
  token_key:
    'kid is missing, is of no key or of several of the issuer; under teeSigner: required, no certificate of the key shows that a TEE holds it',
  token_signature: null,
  token_time:
    'it has expired, is not yet valid, was issued in the future, or ends before it begins, each with the leeway of time.tokenLeewaySeconds',
  token_lifetime: null,
  token_issuer:
    'iss is none of the configured issuers, letter for letter; the issuer is not among require.maa.issuers or require.ita.issuers; the token is one of another verifier',
  token_issuer_policy:
    'x-ms-policy-hash is not among policyHash; the policy is signed by nobody that policySigner lists; a warning where policyHash is any',
  token_audience: null,
  token_claim_type:
    'a claim is missing, in another place or of another type; the token is about another kind of TEE, or about none; the attestation type is not among require.maa.attestationType',
  token_debug: 'the claim on debugging is true; dbgstat of a TD is enabled',
  token_debug_unknown:
    'the claim on debugging is missing, or is neither true nor false; dbgstat of a TD is another word than disabled or enabled',
  token_compliance: null,
  maa_tcb_status:
    "attester_tcb_status of a token about a TD is Revoked, missing or no word of Intel's; it is not among require.maa.tcbStatus; without that member, a warning where it is not UpToDate",
  ita_tcb_status:
    "attester_tcb_status is Revoked, missing or no word of Intel's; it is not among require.ita.tcbStatus; without that member, a warning where it is not UpToDate",
  ita_policy:
    'policy_ids_unmatched is not empty; policy_ids_matched does not have every id of ita.issuers[].policyIds and ita.submit.policyIds, or of require.ita.policyIds',
  ita_debug: 'dbgstat is not disabled, or tdx_is_debuggable or tdx_td_attributes_debug is not literally false',
  disagreement:
    'a claim that both state has another value; the two are about different TEEs, or nothing shows that they are about the same; another verifier refuses evidence that holds here, or vouches for evidence that is refused here; a token stands beside tpm evidence',
  route_missing:
    'a route of the policy is required, no token was sent for it, and the service fetches none for this evidence or verification time',
  nonce_mismatch:
    'the place that holds the nonce, or the hash of nonce and bound key, has another value or was never set: REPORT_DATA, REPORTDATA, extraData of the quote, user-data of the runtime claims, the nonce claims of a token',
  nonce_used:
    'a request with the same challenge was judged before; the service was started again, or forgot the challenge',
  nonce_expired: null,
  nonce_scope: null,
  nonce_missing:
    'under nonce: challenge, the nonce is not a challenge of this service; a warning under freshness: none',
  nonce_stale:
    'user-data of the runtime claims was never set, or a key was sent as binding.pem, whose place holds no nonce: it fails under freshness: strict, and under nonce: challenge where nothing in the evidence holds the challenge; else it is a warning under required (of binding.pem also under none)',
  binding_missing: null,
  no_policy: 'the request names no policy and policies.default is none, or it names an empty list',
  policy_evidence_type:
    'the type is not in accepts; routes.hardware is required and the evidence has no hardware report; a key is wanted, the evidence is bare and has HCLAkPub in its runtime data, and the policy of the key pins neither machine nor vmUniqueId',
  rule_not_met:
    'a rule is false; or it has no value, because a claim that it needs is absent (claim_missing) or of another type (claim_type)',
  reference_not_applicable: 'no set has a section for this evidence, or each names another product in appliesTo',
  claim_missing:
    'the policy demands statements of a token, and none was sent or obtained; a rule needs a claim that the evidence does not have',
  claim_type: 'a rule compares a claim of a token or of the VM configuration as another type than the issuer wrote',
  release_token_stale:
    'iat of the token is before the second in which the challenge was issued, by the record of the challenge',
  release_other_vm:
    'the attestation key of the vTPM is another, or the token does not name it; for evidence without vTPM, the report data',
  release_key_unbound:
    'x-ms-runtime of the token has no RSA key for encryption, or several, or one with another thumbprint than binding.jwk, or without a kid of its own; HCLAkPub is never one; the evidence does not vouch for binding.jwk',
  release_refused: 'the vault says no, or answers with something else than the release that was asked for',
  release_warning:
    'a check of the decision is a warning without a waiver; the nonce is no unused challenge of this service; the verification time is in the past; the policy of the key lacks what a release needs',
  crl_stale: null,
  crl_unavailable: null,
  crl_rollback: null,
  jwks_unavailable: null,
  jwks_invalid:
    'the key set, or the file that the configuration names, cannot be read or has no key that can be used; the certificates of the key cannot be read',
  jwks_stale: null,
  route_unavailable:
    'maa.submit or ita.submit is configured and the other verifier did not answer usefully, or the token that it issued cannot be relied on',
  nonce_store: null,
  release_unavailable:
    'the vault is out of reach, throttles or does not answer in time; the file of a local key cannot be read',
  receipt_unavailable:
    'the request names an audience, and the key of receipts.key cannot be used now: its vault is out of reach, or refuses',
  audit_unavailable:
    'the store of decisions is out of reach, full, read-only or slow: the answer says what was decided, and an allow is withheld',
  crl_unconfirmed: null,
  launch_endorsement_ignored: 'the dialect maa has Endorsements beside the report',
};
