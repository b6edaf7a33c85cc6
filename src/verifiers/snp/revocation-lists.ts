import { LRUCache } from 'lru-cache';
import { hex, sha256 } from '../../crypto/digest.js';
import { amdVekProfile } from '../../crypto/path-profile.js';
import { type RevocationListProblem, verifyRevocationList } from '../../crypto/revocation-list.js';
import { parseCrl, type X509Crl } from '../../formats/x509-crl.js';
import type { VekPath } from './vek-path.js';

/** A revocation list, with what of it does not change with time. */
export interface RevocationList {
  readonly list: X509Crl;
  /** SHA-256 of the list, lower-case hex. */
  readonly sha256: string;
  /** Null where form, issuer and signature hold. */
  readonly problem: RevocationListProblem | null;
}

/** The issuer's key is that of a path that has already been found to end at a pin. */
const ANCHORED = amdVekProfile(new Set());

/**
 * Reads revocation lists and verifies their signatures, each content once: keyed by SHA-256 of list and issuer.
 * Its time, and whom it revokes, are judged at each request. Only lists that verify are kept: AMD makes few of them,
 * and what others make up cannot drive those out.
 */
export class RevocationLists {
  readonly #genuine: LRUCache<string, RevocationList>;

  constructor(capacity = 64) {
    this.#genuine = new LRUCache({ max: capacity });
  }

  /** @throws {FormatError} `cert_format` */
  read(der: Uint8Array, { root, sha256: digests }: VekPath): RevocationList {
    const digest = hex(sha256(der));
    const key = `${digest},${digests.root}`;
    const known = this.#genuine.get(key);
    if (known !== undefined) return known;
    const list = parseCrl(der);
    const read = { list, sha256: digest, problem: verifyRevocationList(list, root, ANCHORED) };
    if (read.problem === null) this.#genuine.set(key, read);
    return read;
  }
}
