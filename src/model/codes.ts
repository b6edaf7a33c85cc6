/**
 * The closed list of codes. A code is the id of a check, the reason when that check fails, and the `code` of a
 * problem document. Adding one is a minor change, renaming one a breaking change; openapi.yaml carries the same list.
 *
 * The order is the order of importance: `reasons` of a decision are listed in it.
 */
export const CHECK_IDS = [
  'internal_error',
  'deadline',
  'clock',
  // certificates and revocation: what every other statement about hardware rests on
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
  // AMD SEV-SNP
  'snp_key_kind',
  'snp_product',
  'snp_product_refused',
  'snp_chip_id',
  'snp_tcb_cert',
  'snp_signature',
  'snp_debug',
  'snp_migration_agent',
  'snp_vmpl',
  'snp_tcb_order',
  'snp_tcb_low',
  'snp_provisional',
  'snp_mitigation',
  'snp_id_key',
  'snp_measurement',
  'snp_host_data',
  'snp_report_data',
  'snp_platform_smt_enabled',
  'snp_platform_tsme_enabled',
  'snp_platform_ecc_enabled',
  'snp_platform_rapl_disabled',
  'snp_platform_ciphertext_hiding_dram_enabled',
  'snp_platform_alias_check_complete',
  'snp_platform_tio_enabled',
  'snp_platform_unknown',
  // Intel TDX
  'tdx_signature',
  'tdx_qe_vendor',
  'tdx_qe_binding',
  'tdx_qe_report_signature',
  'tdx_qe_identity',
  'tdx_qe_debug',
  'tdx_qe_svn',
  'tdx_qe_attributes',
  'tdx_report_mismatch',
  'tdx_tcb_info',
  'tdx_tcb_level_unsupported',
  'tdx_tcb_status',
  'tdx_tcb_date',
  'tdx_module',
  'tdx_debug',
  'tdx_attributes',
  'tdx_xfam',
  'tdx_seam_attributes',
  'tdx_service_td',
  'tdx_measurement',
  'tdx_report_data',
  'collateral_not_yet',
  // Azure paravisor
  'hardware_missing',
  'hcl_binding',
  'hcl_duplicate',
  'hcl_claims',
  'hcl_ak_missing',
  'hcl_ak_weak',
  'hcl_ak_mismatch',
  'ak_cert_untrusted',
  'hcl_paravisor',
  'hcl_reference',
  // vTPM
  'tpm_signature',
  'tpm_weak_signature',
  'tpm_magic',
  'tpm_not_quote',
  'tpm_weak_bank',
  'tpm_pcr_selection',
  'tpm_pcr_digest',
  'tpm_pcr_not_quoted',
  'tpm_pcr',
  'tpm_reset',
  // event log
  'eventlog_replay',
  'eventlog_order',
  'eventlog_unverified',
  'eventlog_missing',
  'secure_boot',
  'secure_boot_unknown',
  // tokens and routes
  'token_alg',
  'token_key',
  'token_signature',
  'token_time',
  'token_lifetime',
  'token_issuer',
  'token_issuer_policy',
  'token_audience',
  'token_claim_type',
  'token_debug',
  'token_debug_unknown',
  'token_compliance',
  'ita_tcb_status',
  'ita_policy',
  'ita_debug',
  'disagreement',
  'route_missing',
  // freshness
  'nonce_mismatch',
  'nonce_used',
  'nonce_expired',
  'nonce_scope',
  'nonce_missing',
  'nonce_stale',
  'binding_missing',
  // policy
  'no_policy',
  'policy_evidence_type',
  'rule_not_met',
  'reference_not_applicable',
  'claim_missing',
  'claim_type',
  // key release
  'release_token_stale',
  'release_other_vm',
  'release_key_unbound',
  'release_refused',
  'release_warning',
  // out of reach
  'vcek_unavailable',
  'crl_stale',
  'crl_unavailable',
  'crl_rollback',
  'collateral_unavailable',
  'collateral_stale',
  'collateral_rollback',
  'jwks_unavailable',
  'jwks_invalid',
  'jwks_stale',
  'route_unavailable',
  'nonce_store',
  'release_unavailable',
  'audit_unavailable',
  // only ever a warning
  'snp_product_advisory',
  'snp_tcb_floor_missing',
  'hcl_paravisor_unknown',
] as const;

/** Id of a check; the reason code when it fails. */
export type CheckId = (typeof CHECK_IDS)[number];

/** Codes of requests whose bytes are malformed (400): nothing was judged. */
export const MALFORMED_CODES = [
  'schema',
  'unknown_property',
  'duplicate_key',
  'forbidden_key',
  'too_complex',
  'encoding',
  'type_mismatch',
  'type_unsupported',
  'url_not_allowed',
  'nonce',
  'at_not_enabled',
  'policy_unknown',
  'snp_format',
  'snp_reserved',
  'snp_policy',
  'tdx_format',
  'tdx_trailing',
  'tdx_not_a_quote',
  'hcl_format',
  'hcl_hash_type',
  'tpm_format',
  'eventlog_format',
  'eventlog_limit',
  'cert_format',
  'cert_chain',
  'token_format',
  'token_header',
  'token_claim',
] as const;

/** Code of a malformed request. */
export type MalformedCode = (typeof MALFORMED_CODES)[number];

/** Codes that only problem documents carry, with the HTTP status that goes with each. */
export const PROBLEM_STATUS = {
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  not_acceptable: 406,
  evidence_not_kept: 409,
  body_too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  headers_too_large: 431,
  overloaded: 503,
} as const;

/** Code of a problem document that is not about malformed bytes. */
export type ProblemCode = keyof typeof PROBLEM_STATUS;

const IMPORTANCE: ReadonlyMap<string, number> = new Map(CHECK_IDS.map((id, index) => [id, index]));

/** Orders check ids, most important first. */
export function byImportance(a: CheckId, b: CheckId): number {
  return (IMPORTANCE.get(a) ?? 0) - (IMPORTANCE.get(b) ?? 0);
}
