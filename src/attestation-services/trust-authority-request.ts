import { namesAttestationKey, readRuntimeObject } from '../formats/runtime-claims.js';
import type { TdxSubmission } from '../model/verification.js';

/** What Trust Authority is told beside the evidence. */
export interface AppraisalOptions {
  /** Policies to judge by, UUIDs. */
  readonly policyIds: readonly string[];
  /** Whether a token is to come only where all of them match. */
  readonly policyMustMatch: boolean;
  readonly signingAlgorithm: 'PS384' | 'RS256';
}

/** A call of Trust Authority. */
export interface TrustAuthorityRequest {
  readonly path: string;
  readonly body: string;
}

const ATTEST = '/appraisal/v2/attest';

/**
 * Body of `POST /appraisal/v2/attest`, or of `attest/azure` where the runtime data is that of Azure's paravisor: the
 * quote then holds its SHA-256. Other runtime data stays here, since the service compares report data with SHA-512 of
 * what it is sent, and answers a difference with 400.
 *
 * For the same reason there is no `verifier_nonce`: it would have to be in a quote that was made before, for the nonce
 * of our caller.
 */
export function trustAuthorityRequest(
  { quote, runtimeData }: TdxSubmission,
  { policyIds, policyMustMatch, signingAlgorithm }: AppraisalOptions,
): TrustAuthorityRequest {
  const ofParavisor = runtimeData !== null && isOfParavisor(runtimeData);
  const body = {
    ...(policyIds.length === 0 ? {} : { policy_ids: policyIds }),
    policy_must_match: policyMustMatch,
    token_signing_alg: signingAlgorithm,
    tdx: { quote: base64(quote), ...(ofParavisor ? { runtime_data: base64(runtimeData) } : {}) },
  };
  return { path: ofParavisor ? `${ATTEST}/azure` : ATTEST, body: JSON.stringify(body) };
}

function isOfParavisor(runtimeData: Uint8Array): boolean {
  const object = readRuntimeObject(runtimeData);
  return object.ok && namesAttestationKey(object.value);
}

/** RFC 4648 section 4, with padding. */
function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
