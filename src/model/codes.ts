/**
 * The closed list of codes. A code is the id of a check, the reason when that check fails, and the `code` of a
 * problem document. Adding one is a minor change, renaming one a breaking change; openapi.yaml carries the same list.
 */
export { byImportance, CHECK_IDS, type CheckId } from './checks/catalogue.js';

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
  clock: 503,
} as const;

/** Code of a problem document that is not about malformed bytes. */
export type ProblemCode = keyof typeof PROBLEM_STATUS;
