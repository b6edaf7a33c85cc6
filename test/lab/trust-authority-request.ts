import { createHash } from 'node:crypto';
import type { JsonObject } from '../../src/model/json.js';
import { ITA_ALGORITHMS, type ItaAlgorithm } from './trust-authority-pki.js';

/** An answer of the service that says no. */
export class TrustAuthorityRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A call of attest that keeps the rules. */
export interface TrustAuthorityRequest {
  readonly algorithm: ItaAlgorithm;
  readonly policyIds: readonly string[];
  readonly policyMustMatch: boolean;
  readonly verifierNonce: JsonObject | null;
  /** Members of the TD that follow from the call. */
  readonly tdx: JsonObject;
}

/** `attest`: REPORT_DATA holds the hash; `azure`: the paravisor's runtime claims stand between the two. */
export type TrustAuthorityCall = 'attest' | 'azure';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Reads the body of appraisal/v2/attest or attest/azure. The quote itself is not read: what the token says of the TD
 * is made up, but for what follows from nonce, user data and runtime data.
 *
 * @param isOwnNonce whether a nonce was signed here
 * @throws {TrustAuthorityRefusal}
 */
export function readTrustAuthorityRequest(
  body: string,
  call: TrustAuthorityCall,
  isOwnNonce: (nonce: JsonObject) => boolean,
): TrustAuthorityRequest {
  const request = objectOf(jsonOf(body), 'the request');
  const tdx = objectOf(request['tdx'], 'tdx');
  if (bytesOf(tdx, 'quote').byteLength === 0) refuse('tdx.quote is missing');
  const verifierNonce = 'verifier_nonce' in tdx ? objectOf(tdx['verifier_nonce'], 'verifier_nonce') : null;
  if (verifierNonce !== null && !isOwnNonce(verifierNonce)) refuse('the signature of verifier_nonce does not verify');
  return {
    algorithm: algorithmOf(request['token_signing_alg']),
    policyIds: policyIdsOf(request['policy_ids']),
    policyMustMatch: request['policy_must_match'] === true,
    verifierNonce,
    tdx: call === 'azure' ? azureTd(tdx, verifierNonce) : plainTd(tdx, verifierNonce),
  };
}

/** User data itself is shown, and REPORT_DATA has to hold its hash. */
function plainTd(tdx: JsonObject, nonce: JsonObject | null): JsonObject {
  const runtimeData = bytesOf(tdx, 'runtime_data');
  const held = runtimeData.byteLength > 0 ? runtimeData : bytesOf(tdx, 'user_data');
  return { ...heldData(tdx), ...runtimeShown(runtimeData), tdx_report_data: boundHash(nonce, held) };
}

/** REPORT_DATA holds the hash of the runtime claims, whose `user-data` holds the hash of nonce and user data. */
function azureTd(tdx: JsonObject, nonce: JsonObject | null): JsonObject {
  const runtimeData = bytesOf(tdx, 'runtime_data');
  const runtime = runtimeShown(runtimeData);
  const userData = objectOf(runtime['attester_runtime_data'], 'runtime_data')['user-data'];
  const expected = boundHash(nonce, bytesOf(tdx, 'user_data'));
  if (String(userData).toLowerCase() !== expected)
    refuse('user-data of runtime_data is not the hash of nonce and user data');
  const reportData = createHash('sha256').update(runtimeData).digest('hex').padEnd(128, '0');
  return { ...heldData(tdx), ...runtime, tdx_report_data: reportData };
}

function heldData(tdx: JsonObject): JsonObject {
  return typeof tdx['user_data'] === 'string' ? { attester_held_data: tdx['user_data'] } : {};
}

function runtimeShown(runtimeData: Uint8Array): JsonObject {
  if (runtimeData.byteLength === 0) return {};
  return { attester_runtime_data: objectOf(jsonOf(Buffer.from(runtimeData).toString('utf8')), 'runtime_data') };
}

/** SHA-512 over nonce and data, as far as there are any; else zeros. Hex. */
function boundHash(nonce: JsonObject | null, data: Uint8Array): string {
  if (nonce === null && data.byteLength === 0) return '0'.repeat(128);
  const hash = createHash('sha512');
  if (nonce !== null) hash.update(bytesOf(nonce, 'val')).update(bytesOf(nonce, 'iat'));
  return hash.update(data).digest('hex');
}

function algorithmOf(value: unknown): ItaAlgorithm {
  const found = ITA_ALGORITHMS.find((algorithm) => algorithm === (value ?? 'PS384'));
  return found ?? refuse('token_signing_alg is not known');
}

function policyIdsOf(value: unknown): readonly string[] {
  const ids = value ?? [];
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string' && UUID.test(id))) {
    return refuse('policy_ids are not UUIDs');
  }
  return ids;
}

/** Base64 of the standard alphabet; a member that is not there has no bytes. */
function bytesOf(members: JsonObject, name: string): Uint8Array {
  const text = members[name] ?? '';
  if (typeof text !== 'string' || Buffer.from(text, 'base64').toString('base64') !== text) {
    return refuse(`${name} is not base64`);
  }
  return Buffer.from(text, 'base64');
}

function objectOf(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(`${what} is not an object`);
  return value as JsonObject;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return refuse('not JSON');
  }
}

function refuse(message: string): never {
  throw new TrustAuthorityRefusal(400, message);
}
