import { createHash } from 'node:crypto';
import type { JsonObject } from '../../src/core/json.js';

/**
 * X, the value that evidence has to hold, as a guest makes it: the nonce itself, or with a key `veritee1` and SHA-256
 * over `veritee-bind-v1`, a zero byte, the nonce and the thumbprint of the key. Written apart from the verifier, so
 * that the two can disagree.
 */
export function boundValue(nonce: Uint8Array, jwk: JsonObject | null = null): Uint8Array {
  if (jwk === null) return nonce;
  const hash = createHash('sha256').update('veritee-bind-v1\0').update(nonce).update(jwkThumbprint(jwk)).digest();
  return Uint8Array.from(Buffer.concat([Buffer.from('veritee1', 'ascii'), hash]));
}

const REQUIRED_MEMBERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
  ['RSA', ['e', 'kty', 'n']],
]);

/** SHA-256 thumbprint of RFC 7638, 32 bytes. */
export function jwkThumbprint(jwk: JsonObject): Uint8Array {
  const members = REQUIRED_MEMBERS.get(String(jwk['kty']));
  if (members === undefined) throw new TypeError(`no thumbprint for keys of type ${String(jwk['kty'])}`);
  const canonical = JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])));
  return Uint8Array.from(createHash('sha256').update(canonical).digest());
}
