import { FormatError, nullIfMalformed } from '../../../core/errors.js';
import { camelCase, isObject, type JsonObject, type JsonValue } from '../../../core/json.js';
import { decodeBase64, decodeHex } from '../../../formats/base64.js';
import { parseStrictJson } from '../../../formats/strict-json.js';

/** Runtime claims of the Azure paravisor. Unknown members are ignored, because Azure has added members three times. */
export interface RuntimeClaims {
  readonly keys: readonly JsonObject[];
  /** The member `vm-configuration`, with its member names in camelCase, as claims have them; null if absent. */
  readonly vmConfiguration: JsonObject | null;
  /** The member `user-data`, not decoded; null if absent. */
  readonly userData: JsonValue;
}

/** The result of reading runtime claims with a matching hash. A fault in them is a deny and not a malformed request. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: 'hcl_duplicate' | 'hcl_claims'; readonly detail: string };

/** Reads runtime data as one JSON object. Rejects JSON that two parsers could read differently. */
export function readRuntimeObject(bytes: Uint8Array): Reading<JsonObject> {
  try {
    const value = parseStrictJson(bytes);
    return isObject(value) ? { ok: true, value } : claimsFault('runtime claims are not a JSON object');
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (error.code !== 'duplicate_key') return claimsFault(`runtime claims cannot be read: ${error.message}`);
    return duplicate('a member of the runtime claims appears twice');
  }
}

/** Whether runtime data is from a paravisor: it names the attestation key of a vTPM. */
export function namesAttestationKey(object: JsonObject): boolean {
  return Array.isArray(object['keys']) && object['keys'].some((key) => key?.['kid'] === 'HCLAkPub');
}

/** Reads the members of runtime claims that a paravisor writes. */
export function readRuntimeClaims(claims: JsonObject): Reading<RuntimeClaims> {
  const keys = claims['keys'];
  const vmConfiguration = claims['vm-configuration'] ?? null;
  if (!Array.isArray(keys) || !keys.every(isObject)) return claimsFault('keys is not a list of JWKs');
  if (vmConfiguration !== null && !isObject(vmConfiguration)) return claimsFault('vm-configuration is not an object');
  const ids = keys.map((key: JsonObject) => key['kid']);
  if (!ids.every((id) => typeof id === 'string')) return claimsFault('a key has no kid');
  if (new Set(ids).size !== ids.length) return duplicate('two keys have the same kid');
  const configured = vmConfiguration && camelMembers(vmConfiguration);
  if (configured === 'duplicate') return duplicate('two members of vm-configuration have the same name');
  return { ok: true, value: { keys, vmConfiguration: configured, userData: claims['user-data'] ?? null } };
}

/** Converts member names to camelCase, and does not change values. Returns `'duplicate'` if two names become the same. */
function camelMembers(object: JsonObject): JsonObject | 'duplicate' {
  const members: Record<string, JsonValue> = Object.create(null);
  for (const [name, value] of Object.entries(object)) {
    const converted = camelCase(name);
    if (converted in members) return 'duplicate';
    members[converted] = value;
  }
  return members;
}

/**
 * Decodes the 64 bytes of `user-data`, hex in upper case (every capture) or lower case (the open source code). Returns
 * null for any other value, which can hold no nonce.
 */
export function decodeUserData(userData: JsonValue): Uint8Array | null {
  if (typeof userData !== 'string' || userData.length !== 128) return null;
  return nullIfMalformed(() => decodeHex(userData));
}

/** Decodes modulus and exponent of an RSA JWK; null if a member is missing or not canonical base64url. */
export function decodeRsaJwk(key: JsonObject): { readonly n: Uint8Array; readonly e: Uint8Array } | null {
  const { n, e } = key;
  if (typeof n !== 'string' || typeof e !== 'string') return null;
  // RFC 7518 section 6.3.1: base64url without padding.
  if (/[^A-Za-z0-9_-]/.test(n + e)) return null;
  return nullIfMalformed(() => ({ n: decodeBase64(n), e: decodeBase64(e) }));
}

function duplicate(detail: string): { readonly ok: false; readonly code: 'hcl_duplicate'; readonly detail: string } {
  return { ok: false, code: 'hcl_duplicate', detail };
}

function claimsFault(detail: string): { readonly ok: false; readonly code: 'hcl_claims'; readonly detail: string } {
  return { ok: false, code: 'hcl_claims', detail };
}
