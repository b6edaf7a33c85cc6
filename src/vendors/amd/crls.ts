import { LRUCache } from 'lru-cache';
import { hex, sha256 } from '../../crypto/digest.js';
import { type RevocationListProblem, verifyRevocationList } from '../../crypto/revocation-list.js';
import { parseCrlFrame, type X509Crl } from '../../formats/x509-crl.js';
import { amdVekProfile } from './certificate-profile.js';
import type { VekPath } from './vek-path.js';

/** A revocation list whose issuer and signature hold, whatever the time. */
export interface RevocationList {
  readonly list: X509Crl;
  /** SHA-256 of the list, lower-case hex. */
  readonly sha256: string;
}

/** A list that holds, or why it does not. */
export type ListReading =
  | (RevocationList & { readonly ok: true })
  | { readonly ok: false; readonly problem: RevocationListProblem };

/** The issuer's key is that of a path that has already been found to end at a pin. */
const ANCHORED = amdVekProfile(new Set());

/**
 * Reads revocation lists and verifies their signatures, each content once: keyed by SHA-256 of list and issuer.
 * Its time, and whom it revokes, are judged at each request. Only lists that verify are kept: AMD makes few of them,
 * and what others make up cannot drive those out. They are read from copies, since a part of a request would keep all of
 * it.
 */
export class RevocationLists {
  readonly #genuine: LRUCache<string, ListReading>;

  constructor(capacity = 64) {
    this.#genuine = new LRUCache({ max: capacity });
  }

  /** @throws {FormatError} `cert_format` as `parseCrlFrame` and `verifyRevocationList` */
  read(der: Uint8Array, { root, sha256: digests }: VekPath): ListReading {
    const digest = hex(sha256(der));
    const key = `${digest},${digests.root}`;
    const known = this.#genuine.get(key);
    if (known !== undefined) return known;
    const reading = verifyRevocationList(parseCrlFrame(new Uint8Array(der)), root, ANCHORED);
    if (!reading.ok) return reading;
    const genuine = { ...reading, sha256: digest };
    this.#genuine.set(key, genuine);
    return genuine;
  }
}
