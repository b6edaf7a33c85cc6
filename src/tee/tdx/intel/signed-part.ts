import { LRUCache } from 'lru-cache';
import { hex, utf8 } from '../../../core/bytes.js';
import { FormatError } from '../../../core/errors.js';
import { sha256 } from '../../../crypto/digest.js';
import { verifyP256 } from '../../../crypto/ecdsa.js';
import { publicKeyOf } from '../../../crypto/key-cache.js';
import type { PathProfile } from '../../../crypto/path-profile.js';
import { verifyRevocationList } from '../../../crypto/revocation-list.js';
import type { X509Certificate } from '../../../formats/x509-certificate.js';
import { parseCrlFrame, type X509Crl } from '../../../formats/x509-crl.js';

/** Content that Intel signed, and the certificates of its key, the signer's first. */
export interface Signed<T> {
  readonly value: T;
  readonly chain: readonly X509Certificate[];
  /** SHA-256 of the text or DER, lower-case hex. */
  readonly sha256: string;
}

/** The signed content, or the reason why it does not count. */
export type PartReading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly detail: string };

/** Verifies a signature with the signer's certificate, and reads the signed content. */
export type Verify<T> = (bytes: Uint8Array, signature: Uint8Array, signer: X509Certificate) => PartReading<T>;

/**
 * Verifies and reads signed content, with a cache by SHA-256 of bytes, signature and certificates. Caches valid content
 * only. The caller verifies the path of the certificates.
 */
export class SignedParts<T> {
  readonly #verify: Verify<T>;
  readonly #genuine: LRUCache<string, Signed<T>>;

  constructor(verify: Verify<T>, capacity: number) {
    this.#verify = verify;
    this.#genuine = new LRUCache({ max: capacity });
  }

  /** @throws {FormatError} as `verify` */
  read(
    bytes: Uint8Array,
    signature: Uint8Array,
    chain: readonly [X509Certificate, ...X509Certificate[]],
  ): PartReading<Signed<T>> {
    const digest = hex(sha256(bytes));
    const key = keyOf(digest, signature, chain);
    const known = this.#genuine.get(key);
    if (known !== undefined) return { ok: true, value: known };
    const reading = this.#verify(bytes, signature, chain[0]);
    if (!reading.ok) return reading;
    const part = { value: reading.value, chain, sha256: digest };
    this.#genuine.set(key, part);
    return { ok: true, value: part };
  }
}

/**
 * Verifies a signed text. The signature covers its exact bytes, so equal JSON with another spelling does not verify.
 */
export function signedText<T>(parse: (text: string) => T): Verify<T> {
  return (bytes, signature, signer) => {
    if (!verifyP256('sha256', bytes, signature, publicKeyOf(signer))) {
      return { ok: false, detail: 'the signature does not verify' };
    }
    try {
      return { ok: true, value: parse(utf8(bytes)) };
    } catch (error) {
      if (error instanceof FormatError) return { ok: false, detail: error.message };
      throw error;
    }
  };
}

/**
 * Verifies a CRL, which contains its signature. Parses a copy, because a view would keep the whole request in memory.
 * Throws a FormatError `cert_format` as `parseCrlFrame` and `verifyRevocationList`.
 */
export function signedCrl(profile: PathProfile): Verify<X509Crl> {
  return (der, _signature, signer) => {
    const reading = verifyRevocationList(parseCrlFrame(new Uint8Array(der)), signer, profile);
    return reading.ok ? { ok: true, value: reading.list } : { ok: false, detail: reading.problem.detail };
  };
}

/**
 * The cache key. It covers the certificates and not only their key, because two certificates of a key can expire
 * differently.
 */
function keyOf(digest: string, signature: Uint8Array, chain: readonly X509Certificate[]): string {
  const certificates = chain.map(({ der }) => sha256(der));
  return `${digest},${hex(sha256(signature))},${hex(sha256(...certificates))}`;
}
