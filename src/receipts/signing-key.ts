import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { CompactSign } from 'jose';
import type { JsonObject } from '../core/json.js';
import type { RemainingTime } from '../core/receipt.js';
import { jwkThumbprint } from '../crypto/jwk-thumbprint.js';

/** Algorithms of receipts (RFC 7518, RFC 8037): the key decides which. */
export type ReceiptAlgorithm = 'ES256' | 'EdDSA' | 'RS256';

/** A key that signs receipts, wherever it is kept. */
export interface SigningKey {
  readonly alg: ReceiptAlgorithm;
  /** RFC 7638 SHA-256 thumbprint, base64url. */
  readonly kid: string;
  /** The public key, with `alg`, `kid` and `use`, as a key set lists it. */
  readonly jwk: JsonObject;
  /**
   * @param header members beside `alg` and `kid`
   * @returns the JWS in compact form
   * @throws {ReceiptUnavailableError} where the key cannot be used now
   */
  sign(header: { readonly typ: string }, payload: Uint8Array, time: RemainingTime): Promise<string>;
}

/** Bits of the shortest RSA key that signs. */
const LEAST_RSA_BITS = 2048;

/** Why a key cannot sign receipts. */
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

/** The public half as a key set lists it. */
export function publishedJwk(
  key: KeyObject,
  alg: ReceiptAlgorithm,
): { readonly kid: string; readonly jwk: JsonObject } {
  const members = key.export({ format: 'jwk' }) as JsonObject;
  const kid = jwkThumbprint(members);
  if (kid === null) throw new UnusableKeyError('a key that has no thumbprint');
  return { kid, jwk: { ...members, alg, kid, use: 'sig' } };
}

/** A file has both halves, and reading it does not compare them: nobody could verify what such a key signs. */
function isPair(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const hash = privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const probe = Buffer.from('veritee');
  try {
    return verify(hash, probe, publicKey, sign(hash, probe, privateKey));
  } catch {
    return false;
  }
}

/** A key that this process holds. */
export class LocalSigningKey implements SigningKey {
  readonly alg: ReceiptAlgorithm;
  readonly kid: string;
  readonly jwk: JsonObject;
  readonly #privateKey: KeyObject;

  /** @throws {UnusableKeyError} where no receipt can be signed with such a key */
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
