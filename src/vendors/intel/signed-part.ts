import { LRUCache } from 'lru-cache';
import { hex, sha256 } from '../../crypto/digest.js';
import { verifyP256 } from '../../crypto/ecdsa.js';
import { publicKeyOf } from '../../crypto/key-cache.js';
import type { PathProfile } from '../../crypto/path-profile.js';
import { verifyRevocationList } from '../../crypto/revocation-list.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import { parseCrlFrame, type X509Crl } from '../../formats/x509-crl.js';
import { FormatError } from '../../model/errors.js';

/** Something that Intel signed, and the certificates of its key, the signer's first. */
export interface Signed<T> {
  readonly value: T;
  readonly chain: readonly X509Certificate[];
  /** SHA-256 of the text or DER, lower-case hex. */
  readonly sha256: string;
}

/** What was signed, or why it does not count. */
export type PartReading<T> =
  | { readonly ok: true; readonly part: Signed<T> }
  | { readonly ok: false; readonly detail: string };

/**
 * Verifies the signature over a text, and then reads it, each content once: by SHA-256 of text, signature and
 * certificates. Only what holds is kept. The path of the certificates is for the caller.
 */
export class SignedTexts<T> {
  readonly #parse: (text: string) => T;
  readonly #genuine: LRUCache<string, Signed<T>>;

  constructor(parse: (text: string) => T, capacity = 256) {
    this.#parse = parse;
    this.#genuine = new LRUCache({ max: capacity });
  }

  /** The exact bytes are what is signed: the same JSON written otherwise is another text. */
  read(text: string, signature: Uint8Array, chain: readonly [X509Certificate, ...X509Certificate[]]): PartReading<T> {
    const bytes = Buffer.from(text, 'utf8');
    const digest = hex(sha256(bytes));
    const key = keyOf(digest, signature, chain);
    const known = this.#genuine.get(key);
    if (known !== undefined) return { ok: true, part: known };
    if (!verifyP256('sha256', bytes, signature, publicKeyOf(chain[0]))) {
      return { ok: false, detail: 'the signature does not verify' };
    }
    return this.#readSigned(text, digest, key, chain);
  }

  #readSigned(text: string, digest: string, key: string, chain: readonly X509Certificate[]): PartReading<T> {
    try {
      const part = { value: this.#parse(text), chain, sha256: digest };
      this.#genuine.set(key, part);
      return { ok: true, part };
    } catch (error) {
      if (error instanceof FormatError) return { ok: false, detail: error.message };
      throw error;
    }
  }
}

/**
 * The same for revocation lists, under the first certificate: their entries are read once the signature holds. Lists are
 * read from copies, since a part of a request would keep all of it.
 */
export class SignedLists {
  readonly #profile: PathProfile;
  readonly #genuine: LRUCache<string, Signed<X509Crl>>;

  constructor(profile: PathProfile, capacity = 64) {
    this.#profile = profile;
    this.#genuine = new LRUCache({ max: capacity });
  }

  /** @throws {FormatError} `cert_format` as `parseCrlFrame` and `verifyRevocationList` */
  read(der: Uint8Array, chain: readonly [X509Certificate, ...X509Certificate[]]): PartReading<X509Crl> {
    const digest = hex(sha256(der));
    const key = keyOf(digest, new Uint8Array(), chain);
    const known = this.#genuine.get(key);
    if (known !== undefined) return { ok: true, part: known };
    const reading = verifyRevocationList(parseCrlFrame(new Uint8Array(der)), chain[0], this.#profile);
    if (!reading.ok) return { ok: false, detail: reading.problem.detail };
    const part = { value: reading.list, chain, sha256: digest };
    this.#genuine.set(key, part);
    return { ok: true, part };
  }
}

/** The certificates are part of it, not the key alone: two of one key can end at different times. */
function keyOf(digest: string, signature: Uint8Array, chain: readonly X509Certificate[]): string {
  const certificates = chain.map(({ der }) => sha256(der));
  return `${digest},${hex(sha256(signature))},${hex(sha256(...certificates))}`;
}
