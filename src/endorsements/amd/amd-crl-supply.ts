import type { SnpProduct } from '../../core/claims.js';
import { latest } from '../../core/earliest.js';
import type {
  EndorsementOrigin,
  FetchContext,
  HashedDer,
  SnpSigningKey,
  Sourced,
  SourcedCrl,
  Unavailable,
} from '../../core/endorsement.js';
import { hashed } from '../../crypto/digest.js';
import { type CrlAge, checkRevocationListTime, isOlder, isRevoked } from '../../crypto/revocation-list.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import type { CrlFrame } from '../../formats/x509-crl.js';
import { requireTime } from '../../outside/fetch-error.js';
import type { AmdChain } from '../../tee/snp/amd/chain.js';
import { type AmdCrl, readCrl, verifyCrl } from '../../tee/snp/amd/crls.js';
import { lineName, SNP_SIGNING_KEYS, type SnpLine } from '../../tee/snp/amd/issuers.js';
import { attempt } from '../files/material-files.js';
import { isDamaged } from '../files/rollback-marks.js';
import { type KdsFailure, kdsFailure } from './amd-kds.js';
import type { AmdParts } from './amd-parts.js';

/** A verified CRL, its origin, and whether it is for VCEKs or for VLEKs: null if unknown. */
export interface HeldCrl extends AmdCrl {
  readonly origin: EndorsementOrigin;
  readonly series: SnpSigningKey | null;
  /** When KDS last served it, or its file was last written; null if unknown. */
  readonly confirmedAt: Date | null;
  /** In the form of a result. */
  readonly sourced: SourcedCrl;
}

/** A series of CRLs: the line of its certificates, and the root that signs it. */
export interface CrlSeries {
  readonly line: SnpLine;
  readonly ark: X509Certificate;
}

/**
 * The cached and configured CRLs: of each series the last fetched one, and all of the operator's folder.
 * KDS, with an address for each series, supplies newer ones; usable ones are cached.
 */
export class AmdCrlSupply {
  readonly #parts: AmdParts;
  /** Verified CRLs of the folder, each verified once under the available root. */
  readonly #verified = new WeakMap<CrlFrame, { readonly ark: X509Certificate; readonly crl: AmdCrl | null }>();

  constructor(parts: AmdParts) {
    this.#parts = parts;
  }

  /** Whether KDS is disabled. */
  get isOff(): boolean {
    return this.#parts.kds === null;
  }

  /** All genuine CRLs of a product line, including expired ones. */
  async held({ line: { product }, ark }: CrlSeries): Promise<readonly HeldCrl[]> {
    const fetched = await Promise.all(SNP_SIGNING_KEYS.map((series) => this.#fetched(product, series, ark)));
    const stored = this.#parts.directory.crls(product).flatMap(({ series, list, modifiedAt }): HeldCrl[] => {
      const crl = this.#verify(list, ark, product);
      return crl === null ? [] : [heldCrl(crl, { origin: 'store', series, confirmedAt: modifiedAt })];
    });
    return [...fetched.flat(), ...stored];
  }

  /** Unverified CRLs of the folder at a verification time: for a caller with an ARK if none is available here. */
  unverified(product: SnpProduct, at: Date): readonly Sourced<HashedDer>[] {
    return this.#parts.directory
      .crls(product)
      .filter(({ list }) => checkRevocationListTime(list, at) === null)
      .map(({ list }) => ({ value: hashed(list.der), origin: 'store' }));
  }

  /**
   * Fetches the CRL of a series. For a historical request nothing is cached and no memory is read.
   *
   * @param because the problem of the cached CRL, reported if KDS does not answer
   */
  async fetch(
    series: CrlSeries,
    because: Unavailable,
    { at, historical, signal }: FetchContext,
  ): Promise<HeldCrl | KdsFailure> {
    const { kds, clock } = this.#parts;
    const { line, ark } = series;
    if (kds === null) return { problem: because, outOfReach: true };
    try {
      // Also before the answer of a remembered 404: a request without time must not get that answer.
      requireTime(signal);
      const taken = await kds.crl(line.product, line.signingKey, {
        signal,
        remember: !historical,
        take: async (der): Promise<HeldCrl | KdsFailure | Unavailable> => {
          const fetchedAt = clock.now();
          const crl = verifyCrl(readCrl(der), ark, line.product);
          if (!isCurrent(crl, at)) return missing(line, [crl], at);
          const failure = historical ? null : await this.#keep(series, crl, fetchedAt);
          return failure ?? heldCrl(crl, { origin: 'network', series: line.signingKey, confirmedAt: fetchedAt });
        },
      });
      // Several callers share one answer, and each has its own reason for the fetch.
      return 'code' in taken ? { problem: notCurrent(because, taken), outOfReach: true } : taken;
    } catch (error) {
      const { problem, outOfReach } = kdsFailure(because.code, because.detail, error);
      // A newer CRL may replace an expired or rolled back one at any time.
      const retryable = problem.retryable || (because.code !== 'crl_unavailable' && because.retryable);
      return { problem: { ...problem, retryable }, outOfReach };
    }
  }

  async #fetched(product: SnpProduct, series: SnpSigningKey, ark: X509Certificate): Promise<readonly HeldCrl[]> {
    const line = { product, signingKey: series };
    const crl = await this.#parts.cache.crl(line, ark);
    const confirmedAt = await this.#parts.cache.crlFetchedAt(line);
    return crl === null ? [] : [heldCrl(crl, { origin: 'cache', series, confirmedAt })];
  }

  #verify(list: CrlFrame, ark: X509Certificate, product: SnpProduct): AmdCrl | null {
    const known = this.#verified.get(list);
    if (known?.ark === ark) return known.crl;
    const read = attempt(() => verifyCrl(list, ark, product));
    const crl = read instanceof Error ? null : read;
    this.#verified.set(list, { ark, crl });
    if (read instanceof Error) {
      this.#parts.log.warn({ product, why: read.message }, 'CRL in amd.chains rejected');
    }
    return crl;
  }

  /** Caches a CRL, or returns why it is not usable. */
  async #keep({ line, ark }: CrlSeries, crl: AmdCrl, fetchedAt: Date): Promise<KdsFailure | null> {
    const { cache, memory } = this.#parts;
    const name = lineName(line);
    const hold = () => cache.keepCrl(line, crl, fetchedAt);
    if (await memory.advance(name, crl, hold)) return null;
    // Another replica has a newer one. The CRL that would stay in use here may be older still.
    const { own, highest } = await memory.marks(name);
    const held = await cache.crl(line, ark);
    const isUsed = held !== null && own !== null && !isOlder(held, own) && isCurrent(held, fetchedAt);
    if (isUsed && isOlder(held, crl) && (await memory.advanceOwn(name, crl, hold))) return null;
    return { problem: rolledBack(line, highest), outOfReach: false };
  }
}

function heldCrl(crl: AmdCrl, from: Pick<HeldCrl, 'origin' | 'series' | 'confirmedAt'>): HeldCrl {
  const { list, sha256 } = crl;
  const { origin, confirmedAt } = from;
  const fetched = origin === 'store' || confirmedAt === null ? {} : { fetchedAt: confirmedAt };
  return { ...crl, ...from, sourced: { value: { der: list.der, sha256 }, origin, ...fetched } };
}

/** Whether a CRL is valid at a verification time, without leeway: from thisUpdate to nextUpdate, both included. */
export function isCurrent({ thisUpdate, nextUpdate }: AmdCrl, at: Date): boolean {
  return thisUpdate <= at && at <= nextUpdate;
}

/** Whether a CRL that is valid at a verification time lists the ASK or ASVK of a chain. */
export function isRevokedAt({ intermediate }: AmdChain, crls: readonly AmdCrl[], at: Date): boolean {
  return crls.some((crl) => isCurrent(crl, at) && isRevoked(crl.list, intermediate.serial));
}

/** Returns why none of the available CRLs is valid at a verification time. */
export function missing({ product }: SnpLine, held: readonly AmdCrl[], at: Date): Unavailable {
  const ended = held.map(({ nextUpdate }) => nextUpdate).filter((nextUpdate) => nextUpdate < at);
  if (ended.length > 0) {
    const detail = `CRL of ${product} is past its next update, ${latest(ended).toISOString()}`;
    return { code: 'crl_stale', detail, retryable: true };
  }
  const detail = held.length > 0 ? `CRL of ${product} was issued after the verification time` : `no CRL of ${product}`;
  return { code: 'crl_unavailable', detail, retryable: held.length > 0 };
}

/** A CRL of another time does not change that the cached one expired: the code stays. */
function notCurrent(because: Unavailable, fetched: Unavailable): Unavailable {
  if (because.code !== 'crl_stale' || fetched.code === 'crl_stale') return fetched;
  return { ...because, detail: `${because.detail}; of AMD KDS: ${fetched.detail}` };
}

/** @param mark mark of the newest CRL that was used */
export function rolledBack({ product }: SnpLine, mark: CrlAge | null): Unavailable {
  const older = `CRL of ${product} is older than one that was relied on before`;
  const unknown = `whether a ${older} is not known: the rollback mark in the cache folder is damaged or cannot be read`;
  return { code: 'crl_rollback', detail: isDamaged(mark) ? unknown : older, retryable: true };
}
