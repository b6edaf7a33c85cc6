import { createHash } from 'node:crypto';
import type { JsonObject } from '../../src/core/json.js';

/** `verifier_nonce`, each member base64. */
export interface VerifierNonce extends JsonObject {
  readonly val: string;
  readonly iat: string;
  readonly signature: string;
}

export interface TrustAuthorityClaimsOptions {
  /** 1: members of the TD lie flat in the token; 2: under `tdx`. */
  readonly version?: 1 | 2;
  /** Members of the TD over those that are made up. */
  readonly tdx?: JsonObject;
  /** Null leaves it out. */
  readonly verifierNonce?: JsonObject | null;
  /** Policy ids; no ids are written as null. */
  readonly policies?: { readonly matched?: readonly string[]; readonly unmatched?: readonly string[] };
}

/** Claims beside those of the JWT itself, about a TD that there is no evidence of. */
export function trustAuthorityClaims(options: TrustAuthorityClaimsOptions): JsonObject {
  const { version = 2, verifierNonce = null, policies = {} } = options;
  const tdx = { ...tdxClaims(), ...options.tdx };
  return {
    ...(version === 1 ? tdx : { tdx }),
    ...(verifierNonce === null ? {} : { verifier_nonce: verifierNonce }),
    policy_ids_matched: policyList(policies.matched),
    policy_ids_unmatched: policyList(policies.unmatched),
    verifier_instance_ids: ['4f6ba5a8-0b9d-4b52-8a5e-1d0f6a7c9e21'],
    eat_profile: 'https://portal.trustauthority.intel.com/eat_profile.html',
    intuse: 'generic',
    ver: `${version}.0.0`,
  };
}

function policyList(ids: readonly string[] = []): JsonObject[string] {
  return ids.length === 0 ? null : ids.map((id) => ({ id, version: 'v1' }));
}

/** Values of the right types and lengths. */
function tdxClaims(): JsonObject {
  const zero = '0'.repeat(96);
  return {
    attester_type: 'TDX',
    attester_tcb_status: 'UpToDate',
    attester_tcb_date: '2024-11-13T00:00:00Z',
    dbgstat: 'disabled',
    tdx_is_debuggable: false,
    tdx_is_migratable: false,
    tdx_mrtd: sha384('paravisor'),
    tdx_mrseam: sha384('seam module'),
    tdx_mrsignerseam: zero,
    tdx_mrconfigid: zero,
    tdx_mrowner: zero,
    tdx_mrownerconfig: zero,
    tdx_rtmr0: sha384('rtmr 0'),
    tdx_rtmr1: zero,
    tdx_rtmr2: zero,
    tdx_rtmr3: zero,
    tdx_report_data: '0'.repeat(128),
    tdx_seamsvn: 5,
    tdx_seam_attributes: '0000000000000000',
    tdx_tee_tcb_svn: '05010600000000000000000000000000',
    tdx_xfam: 'e718060000000000',
    tdx_td_attributes: '0000001000000000',
    tdx_td_attributes_debug: false,
    tdx_td_attributes_septve_disable: true,
    tdx_td_attributes_protection_keys: false,
    tdx_td_attributes_key_locker: false,
    tdx_td_attributes_perfmon: false,
    tdx_td_attributes_migratable: false,
    tdx_collateral: { quotehash: sha384('quote').slice(0, 64), tcbinfohash: sha384('TCB info').slice(0, 64) },
  };
}

/** A measurement of something by its name, hex. */
function sha384(name: string): string {
  return createHash('sha384').update(name).digest('hex');
}
