import { createHash, type KeyObject, verify } from 'node:crypto';
import type { JsonObject } from '../core/json.js';
import { ReceiptUnavailableError, type RemainingTime } from '../core/receipt.js';
import { encodeBase64Url } from '../formats/base64.js';
import { algorithmOf, publishedJwk, type ReceiptAlgorithm, type SigningKey, UnusableKeyError } from './signing-key.js';

/** Algorithms that sign a digest: Ed25519 signs the message itself. */
export type DigestAlgorithm = Exclude<ReceiptAlgorithm, 'EdDSA'>;

/**
 * Signs a SHA-256 digest at the holder of the private key. Its slots are shared by the principal of the caller.
 * @returns the signature as in a JWS: for ES256 r and s, 32 bytes each
 * @throws {ReceiptUnavailableError} if the holder does not sign
 */
export type SignDigest = (
  alg: DigestAlgorithm,
  digest: Uint8Array,
  signal: AbortSignal,
  principal?: string,
) => Promise<Uint8Array>;

/** A text that tests the key. It is no JWS, so its signature is useless to an attacker. */
const PROBE = Buffer.from('veritee');

/** A key whose private half is elsewhere. Each signature is verified before it is returned. */
export class RemoteSigningKey implements SigningKey {
  readonly alg: DigestAlgorithm;
  readonly kid: string;
  readonly jwk: JsonObject;
  readonly #publicKey: KeyObject;
  readonly #signDigest: SignDigest;

  private constructor(publicKey: KeyObject, signDigest: SignDigest) {
    const alg = algorithmOf(publicKey);
    if (alg === 'EdDSA') throw new UnusableKeyError('a key of type ed25519, which signs no digest');
    const { kid, jwk } = publishedJwk(publicKey, alg);
    this.alg = alg;
    this.kid = kid;
    this.jwk = jwk;
    this.#publicKey = publicKey;
    this.#signDigest = signDigest;
  }

  /**
   * Opens a key, and tests it with one signature.
   *
   * @throws {UnusableKeyError} if the key cannot sign receipts
   * @throws {ReceiptUnavailableError} if the holder does not sign
   */
  static async open(publicKey: KeyObject, signDigest: SignDigest, time: RemainingTime): Promise<RemoteSigningKey> {
    const key = new RemoteSigningKey(publicKey, signDigest);
    await key.#sign(PROBE, time);
    return key;
  }

  async sign({ typ }: { readonly typ: string }, payload: Uint8Array, time: RemainingTime): Promise<string> {
    const { alg, kid } = this;
    const header = Buffer.from(JSON.stringify({ alg, kid, typ }));
    const input = `${encodeBase64Url(header)}.${encodeBase64Url(payload)}`;
    return `${input}.${encodeBase64Url(await this.#sign(Buffer.from(input), time))}`;
  }

  async #sign(input: Uint8Array, { signal, principal }: RemainingTime): Promise<Uint8Array> {
    const digest = createHash('sha256').update(input).digest();
    const signature = await this.#signDigest(this.alg, digest, signal, principal);
    const key = { key: this.#publicKey, dsaEncoding: 'ieee-p1363' } as const;
    if (verify('sha256', input, key, signature)) return signature;
    throw new ReceiptUnavailableError('the signature is not one of the key of receipts');
  }
}
