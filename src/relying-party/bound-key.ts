import { calculateJwkThumbprint } from 'jose';
import { isObject, type JsonObject, type JsonValue, member } from './json-text.js';

/** The public key that the VM's request bound. A sender with the private key proves that it is the VM. */
export interface BoundKey {
  /** `cnf.jwk`. */
  readonly jwk: JsonObject;
  /** RFC 7638 SHA-256 thumbprint, base64url: `jkt` of DPoP (RFC 9449). */
  readonly jkt: string;
}

/** The members that a thumbprint covers (RFC 7638 section 3.2, RFC 8037). */
const REQUIRED: ReadonlyMap<JsonValue | undefined, readonly string[]> = new Map([
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
  ['RSA', ['e', 'n']],
]);

/** The key in a receipt; null if it has none, or one without a thumbprint. */
export async function boundKeyOf(claims: JsonObject): Promise<BoundKey | null> {
  const jwk = member(member(claims, 'cnf'), 'jwk');
  const jkt = await thumbprintOf(jwk);
  return isObject(jwk) && jkt !== null ? Object.freeze({ jwk, jkt }) : null;
}

/** RFC 7638 SHA-256 thumbprint of a public JWK, base64url; null if it has none. */
export async function thumbprintOf(jwk: JsonValue | undefined): Promise<string | null> {
  const members = REQUIRED.get(member(jwk, 'kty'));
  if (!isObject(jwk) || members === undefined || !members.every((name) => isFilledMember(member(jwk, name))))
    return null;
  return calculateJwkThumbprint(jwk, 'sha256');
}

function isFilledMember(value: JsonValue | undefined): boolean {
  return typeof value === 'string' && value !== '';
}
