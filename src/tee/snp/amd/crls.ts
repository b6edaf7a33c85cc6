import { LRUCache } from 'lru-cache';
import { hex } from '../../../core/bytes.js';
import type { SnpProduct } from '../../../core/claims.js';
import type { HashedDer } from '../../../core/endorsement.js';
import { UnfitError, unfitIfMalformed } from '../../../core/errors.js';
import { sha256 } from '../../../crypto/digest.js';
import { type RevocationListProblem, verifyRevocationList } from '../../../crypto/revocation-list.js';
import type { X509Certificate } from '../../../formats/x509-certificate.js';
import { type CrlFrame, parseCrlFrame, type X509Crl } from '../../../formats/x509-crl.js';
import { ANCHORED } from './roots.js';
import type { VekPath } from './vek-path.js';

/** A CRL with a valid issuer and signature. Its validity period is not checked. */
export interface RevocationList {
  readonly list: X509Crl;
  /** SHA-256 of the CRL, lower-case hex. */
  readonly sha256: string;
}

/** A verified CRL, or the reason why it does not verify. */
export type ListReading =
  | (RevocationList & { readonly ok: true })
  | { readonly ok: false; readonly problem: RevocationListProblem };

/** Selects the newest CRL by date. CRL numbers of different series are not comparable. */
export function latestOf<L extends RevocationList>(lists: readonly L[]): L | null {
  const issuedAt = ({ list }: L) => list.thisUpdate?.getTime() ?? 0;
  return lists.toSorted((a, b) => issuedAt(b) - issuedAt(a))[0] ?? null;
}

/**
 * Reads CRLs and verifies their signatures, with a cache by SHA-256 of CRL and issuer. Validity and revocation are
 * checked at each request. Only CRLs that verify are cached: AMD issues few, and forged ones cannot evict them. CRLs
 * are parsed from copies, because a view would keep the whole request in memory.
 */
export class RevocationLists {
  readonly #genuine = new LRUCache<string, ListReading>({ max: 64 });

  /** @throws {FormatError} `cert_format` as `parseCrlFrame` and `verifyRevocationList` */
  read({ der, sha256: digest }: HashedDer, { root, sha256: digests }: VekPath): ListReading {
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

/** A CRL that a line's ARK signed, with its times. */
export interface AmdCrl extends RevocationList {
  readonly product: SnpProduct;
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
}

/**
 * Reads a CRL without its entries. Verifies nothing.
 * @throws {UnfitError}
 */
export function readCrl(der: Uint8Array): CrlFrame {
  return unfitIfMalformed(() => parseCrlFrame(der));
}

/**
 * Verifies a CRL under a line's ARK, except its validity period.
 * @throws {UnfitError}
 */
export function verifyCrl(crl: CrlFrame, ark: X509Certificate, product: SnpProduct): AmdCrl {
  const reading = unfitIfMalformed(() => verifyRevocationList(crl, ark, ANCHORED));
  if (!reading.ok) throw new UnfitError(reading.problem.detail);
  const { list } = reading;
  const { crlNumber: number, thisUpdate, nextUpdate } = list;
  if (number === null || thisUpdate === null || nextUpdate === null) {
    throw new UnfitError('CRL does not state its validity');
  }
  return { product, list, sha256: hex(sha256(list.der)), number, thisUpdate, nextUpdate };
}
