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

/** Something that Intel signed, and the certificates of its key, the signer's first. */
export interface Signed<T> {
  readonly value: T;
  readonly chain: readonly X509Certificate[];
  /** SHA-256 of the text or DER, lower-case hex. */
  readonly sha256: string;
}

/** The signed content, or the reason why it does not count. */
export type PartReading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly detail: string };

/** Verifies a signature by its signer's certificate, and reads what was signed: that, or why it does not count. */
export type Verify<T> = (bytes: Uint8Array, signature: Uint8Array, signer: X509Certificate) => PartReading<T>;

/**
 * Verifies and reads what was signed, each content once: by SHA-256 of bytes, signature and certificates. Only what holds
 * is kept. The path of the certificates is for the caller.
 */
export class SignedParts<T> {
  readonly #verify: Verify<T>;
  readonly #genuine: LRUCache<string, Signed<T>>;

  constructor(verify: Verify<T>, capacity: number) {
    this.#verify = verify;
    this.#genuine = new LRUCache({ max: capacity });
  }

  /** @throws {FormatError} what `verify` throws */
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

/** A text: its exact bytes are what is signed, so the same JSON written otherwise is another text. */
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
 * A CRL, which holds its signature. It is read from a copy, since a part of a request would keep all of it.
 * Throws a FormatError `cert_format` as `parseCrlFrame` and `verifyRevocationList`.
 */
export function signedCrl(profile: PathProfile): Verify<X509Crl> {
  return (der, _signature, signer) => {
    const reading = verifyRevocationList(parseCrlFrame(new Uint8Array(der)), signer, profile);
    return reading.ok ? { ok: true, value: reading.list } : { ok: false, detail: reading.problem.detail };
  };
}

/** The certificates are part of it, not the key alone: two of one key can end at different times. */
function keyOf(digest: string, signature: Uint8Array, chain: readonly X509Certificate[]): string {
  const certificates = chain.map(({ der }) => sha256(der));
  return `${digest},${hex(sha256(signature))},${hex(sha256(...certificates))}`;
}
