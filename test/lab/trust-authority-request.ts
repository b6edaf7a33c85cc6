import { createHash } from 'node:crypto';
import type { JsonObject } from '../../src/core/json.js';
import { type ReadTdQuote, readTdQuote } from './td-quote-reader.js';
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

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Reads the body of appraisal/v2/attest or attest/azure, and checks that the quote is about what came with it. What
 * makes a quote genuine is not checked: the lab has no second verifier for it.
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
  const quote = quoteOf(tdx);
  const verifierNonce = 'verifier_nonce' in tdx ? objectOf(tdx['verifier_nonce'], 'verifier_nonce') : null;
  if (verifierNonce !== null && !isOwnNonce(verifierNonce)) refuse('the signature of verifier_nonce does not verify');
  return {
    algorithm: algorithmOf(request['token_signing_alg']),
    policyIds: policyIdsOf(request['policy_ids']),
    policyMustMatch: request['policy_must_match'] === true,
    verifierNonce,
    tdx: call === 'azure' ? azureTd(tdx, quote, verifierNonce) : plainTd(tdx, quote, verifierNonce),
  };
}

function quoteOf(tdx: JsonObject): ReadTdQuote {
  try {
    return readTdQuote(bytesOf(tdx, 'quote'));
  } catch (error) {
    if (error instanceof RangeError) return refuse('tdx.quote is no quote');
    throw error;
  }
}

/** Data itself is shown, and REPORTDATA has to hold the hash of nonce and data. Where neither came it may hold anything. */
function plainTd(tdx: JsonObject, quote: ReadTdQuote, nonce: JsonObject | null): JsonObject {
  const runtimeData = bytesOf(tdx, 'runtime_data');
  const held = runtimeData.byteLength > 0 ? runtimeData : bytesOf(tdx, 'user_data');
  requireBound(quote.reportData, nonce, held, 'REPORTDATA');
  return { ...ownClaims(quote), ...heldData(tdx), ...runtimeShown(runtimeData) };
}

/** REPORTDATA holds the hash of the runtime claims, whose `user-data` holds the hash of nonce and user data. */
function azureTd(tdx: JsonObject, quote: ReadTdQuote, nonce: JsonObject | null): JsonObject {
  const runtimeData = bytesOf(tdx, 'runtime_data');
  const runtime = runtimeShown(runtimeData);
  const hash = createHash('sha256').update(runtimeData).digest('hex');
  if (quote.reportData.slice(0, 64) !== hash) refuse('the hash of runtime_data is not in REPORTDATA');
  const userData = objectOf(runtime['attester_runtime_data'], 'runtime_data')['user-data'];
  requireBound(String(userData).toLowerCase(), nonce, bytesOf(tdx, 'user_data'), 'user-data of runtime_data');
  return { ...ownClaims(quote), ...heldData(tdx), ...runtime };
}

/** The content of the quote, and the names that only this service has for it. */
function ownClaims({ claims }: ReadTdQuote): JsonObject {
  const attributes = Buffer.from(String(claims['tdx_td_attributes']), 'hex').readUInt32LE();
  const migratable = ((attributes >> 29) & 1) === 1;
  const debuggable = claims['dbgstat'] !== 'disabled';
  return {
    ...claims,
    tdx_is_debuggable: debuggable,
    tdx_is_migratable: migratable,
    tdx_td_attributes_migratable: migratable,
  };
}

function heldData(tdx: JsonObject): JsonObject {
  return typeof tdx['user_data'] === 'string' ? { attester_held_data: tdx['user_data'] } : {};
}

function runtimeShown(runtimeData: Uint8Array): JsonObject {
  if (runtimeData.byteLength === 0) return {};
  return { attester_runtime_data: objectOf(jsonOf(Buffer.from(runtimeData).toString('utf8')), 'runtime_data') };
}

/** SHA-512 over nonce and data, as far as there are any, is what the place holds. */
function requireBound(place: string, nonce: JsonObject | null, data: Uint8Array, name: string): void {
  if (nonce === null && data.byteLength === 0) return;
  const hash = createHash('sha512');
  if (nonce !== null) hash.update(bytesOf(nonce, 'val')).update(bytesOf(nonce, 'iat'));
  if (place !== hash.update(data).digest('hex')) refuse(`${name} is not the hash of nonce and data`);
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
  return ids.map((id) => id.toLowerCase());
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
