import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { CompactSign } from 'jose';
import type { JsonObject } from '../core/json.js';
import type { RemainingTime } from '../core/receipt.js';
import { jwkThumbprint } from '../crypto/jwk-thumbprint.js';

/** Algorithms of receipts (RFC 7518, RFC 8037), which the key determines. */
export type ReceiptAlgorithm = 'ES256' | 'EdDSA' | 'RS256';

/** A key that signs receipts, local or remote. */
export interface SigningKey {
  readonly alg: ReceiptAlgorithm;
  /** RFC 7638 SHA-256 thumbprint, base64url. */
  readonly kid: string;
  /** The public key, with `alg`, `kid` and `use`, in the form of a key set. */
  readonly jwk: JsonObject;
  /**
   * @param header members in addition to `alg` and `kid`
   * @returns the JWS in compact form
   * @throws {ReceiptUnavailableError} if the key cannot be used now
   */
  sign(header: { readonly typ: string }, payload: Uint8Array, time: RemainingTime): Promise<string>;
}

/** Bits of the shortest permitted RSA key. */
const LEAST_RSA_BITS = 2048;

/** The reason why a key cannot sign receipts. */
export class UnusableKeyError extends Error {
  override readonly name = 'UnusableKeyError';
}

/** @throws {UnusableKeyError} for any other kind of key */
export function algorithmOf(key: KeyObject): ReceiptAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key;
  if (type === 'ed25519') return 'EdDSA';
  if (type === 'ec' && details.namedCurve === 'prime256v1') return 'ES256';
  if (type === 'rsa') {
    const bits = details.modulusLength ?? 0;
    if (bits >= LEAST_RSA_BITS) return 'RS256';
    throw new UnusableKeyError(`an RSA key of ${bits} bits; receipts need ${LEAST_RSA_BITS} or more`);
  }
  const curve = details.namedCurve === undefined ? '' : ` on ${details.namedCurve}`;
  throw new UnusableKeyError(`a key of type ${type}${curve}; receipts are signed with P-256, Ed25519 or RSA`);
}

/** The public half in the form of a key set. */
export function publishedJwk(
  key: KeyObject,
  alg: ReceiptAlgorithm,
): { readonly kid: string; readonly jwk: JsonObject } {
  const members = key.export({ format: 'jwk' }) as JsonObject;
  const kid = jwkThumbprint(members);
  if (kid === null) throw new UnusableKeyError('a key that has no thumbprint');
  return { kid, jwk: { ...members, alg, kid, use: 'sig' } };
}

/** Compares the halves of a key. A file has both, and parsers do not compare them: its signatures could never verify. */
function isPair(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const hash = privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const probe = Buffer.from('veritee');
  try {
    return verify(hash, probe, publicKey, sign(hash, probe, privateKey));
  } catch {
    return false;
  }
}

/** A key in this process. */
export class LocalSigningKey implements SigningKey {
  readonly alg: ReceiptAlgorithm;
  readonly kid: string;
  readonly jwk: JsonObject;
  readonly #privateKey: KeyObject;

  /** @throws {UnusableKeyError} if the key cannot sign receipts */
  constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey;
    this.alg = algorithmOf(privateKey);
    const publicKey = createPublicKey(privateKey);
    if (!isPair(privateKey, publicKey)) throw new UnusableKeyError('a private key with the public half of another one');
    const { kid, jwk } = publishedJwk(publicKey, this.alg);
    this.kid = kid;
    this.jwk = jwk;
  }

  sign({ typ }: { readonly typ: string }, payload: Uint8Array): Promise<string> {
    const { alg, kid } = this;
    return new CompactSign(payload).setProtectedHeader({ alg, kid, typ }).sign(this.#privateKey);
  }
}
