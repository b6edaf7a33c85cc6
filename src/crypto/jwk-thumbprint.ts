import type { JsonObject, JsonValue } from '../core/json.js';
import type { RsaPublicKey } from '../core/rsa-public-key.js';
import { encodeBase64Url } from '../formats/base64.js';
import type { EcKey, RsaKey } from '../formats/public-key.js';
import { sha256 } from './digest.js';

/** The members that a thumbprint covers, in lexicographic order (RFC 7638 section 3.2, RFC 8037). */
const REQUIRED: ReadonlyMap<string, readonly string[]> = new Map([
  ['RSA', ['e', 'kty', 'n']],
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
]);

/** RFC 7638 SHA-256 thumbprint of a public JWK, base64url; null for any other value. */
export function jwkThumbprint(jwk: JsonValue): string | null {
  if (jwk === null || typeof jwk !== 'object' || Array.isArray(jwk)) return null;
  const members = new Map(Object.entries(jwk));
  const kty = members.get('kty');
  const required = typeof kty === 'string' ? REQUIRED.get(kty) : undefined;
  const values = required?.map((name) => [name, members.get(name)] as const);
  if (values === undefined || !values.every(([, value]) => typeof value === 'string')) return null;
  return membersDigest(Object.fromEntries(values));
}

/** Returns only the members of a public JWK that its thumbprint covers; null for any other value. */
export function thumbprintMembers(jwk: JsonObject): JsonObject | null {
  const required = REQUIRED.get(String(jwk['kty']));
  return required === undefined ? null : Object.fromEntries(required.map((name) => [name, jwk[name] ?? null]));
}

/** The thumbprint of a parsed RSA key. */
export function rsaThumbprint({ n, e }: RsaPublicKey): string {
  return membersDigest({ e: encodeBase64Url(e), kty: 'RSA', n: encodeBase64Url(n) });
}

/** The thumbprint of a key from a certificate or a TPM's public area. */
export function keyThumbprint(key: Pick<RsaKey, 'kind' | 'modulus' | 'exponent'> | EcKey): string {
  if (key.kind === 'rsa') return rsaThumbprint({ n: key.modulus, e: key.exponent });
  return membersDigest({ crv: key.curve, kty: 'EC', x: encodeBase64Url(key.x), y: encodeBase64Url(key.y) });
}

/** @param members in lexicographic order */
function membersDigest(members: { readonly [name: string]: JsonValue | undefined }): string {
  return encodeBase64Url(sha256(Buffer.from(JSON.stringify(members))));
}
