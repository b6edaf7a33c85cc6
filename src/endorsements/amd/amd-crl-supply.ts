import { type CrlAge, isOlder } from '../../crypto/revocation-list.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import { latest } from '../../model/earliest.js';
import type { FetchContext, Unavailable } from '../../model/endorsement.js';
import type { Clock } from '../../model/ports.js';
import { type CrlMemory, isDamaged } from '../files/rollback-marks.js';
import type { AmdCache } from './amd-cache.js';
import type { HeldCrl } from './amd-held-crls.js';
import type { AmdKds } from './amd-kds.js';
import { kdsProblem } from './amd-kds.js';
import { lineName, type SnpLine } from './amd-keys.js';
import { type AmdCrl, readCrl, verifyCrl } from './amd-material.js';

interface AmdCrlSupplyOptions {
  readonly cache: AmdCache;
  readonly memory: CrlMemory;
  /** Null where KDS is switched off. */
  readonly kds: AmdKds | null;
  readonly clock: Clock;
}

/** A series of lists: the line whose certificates it is for, and the root that signs it. */
export interface CrlSeries {
  readonly line: SnpLine;
  readonly ark: X509Certificate;
}

/** Why KDS gave no list to rely on. */
export interface CrlFailure {
  readonly problem: Unavailable;
  /** KDS is off, does not answer, or has no usable list. False if it serves a list that is known to be old. */
  readonly outOfReach: boolean;
}

/** Fetches revocation lists from KDS, where each series has its own address, and keeps those that can be relied on. */
export class AmdCrlSupply {
  readonly #options: AmdCrlSupplyOptions;

  constructor(options: AmdCrlSupplyOptions) {
    this.#options = options;
  }

  /** Whether KDS is switched off. */
  get isOff(): boolean {
    return this.#options.kds === null;
  }

  /**
   * Asks for the list of a series. For a historical request nothing is kept and no memory is looked at.
   *
   * @param because the problem of the cached list, reported if KDS does not answer
   */
  async fetch(
    series: CrlSeries,
    because: Unavailable,
    { at, historical, signal }: FetchContext,
  ): Promise<HeldCrl | CrlFailure> {
    const { kds } = this.#options;
    const { line, ark } = series;
    if (kds === null) return { problem: because, outOfReach: true };
    try {
      const list = readCrl(await kds.crl(line.product, line.signingKey, { signal, remember: !historical }));
      const crl = verifyCrl(list, ark, line.product);
      if (!isCurrent(crl, at)) return { problem: missing(line, [crl], at), outOfReach: true };
      const failure = historical ? null : await this.#keep(line, crl);
      return failure ?? { ...crl, origin: 'network', series: line.signingKey };
    } catch (error) {
      const problem = kdsProblem(because.code, because.detail, error);
      // A list that has ended or was rolled back may be followed by a newer one at any time.
      const retryable = problem.retryable || (because.code !== 'crl_unavailable' && because.retryable);
      return { problem: { ...problem, retryable }, outOfReach: true };
    }
  }

  /** Keeps a list, or says why it is not one to rely on. */
  async #keep(line: SnpLine, crl: AmdCrl): Promise<CrlFailure | null> {
    const { cache, memory, clock } = this.#options;
    const highest = await memory.highest(lineName(line));
    if (highest !== null && isOlder(crl, highest)) return { problem: rolledBack(line, highest), outOfReach: false };
    await Promise.all([memory.advance(lineName(line), crl), cache.keepCrl(line, crl, clock.now())]);
    return null;
  }
}

/** Valid at an instant, without leeway: from thisUpdate to nextUpdate, both included. */
export function isCurrent({ thisUpdate, nextUpdate }: AmdCrl, at: Date): boolean {
  return thisUpdate <= at && at <= nextUpdate;
}

/** Why none of the lists that are held counts at an instant. */
export function missing({ product }: SnpLine, held: readonly AmdCrl[], at: Date): Unavailable {
  const ended = held.map(({ nextUpdate }) => nextUpdate).filter((nextUpdate) => nextUpdate < at);
  if (ended.length > 0) {
    const detail = `revocation list of ${product} is past its next update, ${latest(ended).toISOString()}`;
    return { code: 'crl_stale', detail, retryable: true };
  }
  const detail =
    held.length > 0
      ? `revocation list of ${product} is from after the instant that is judged`
      : `no revocation list of ${product}`;
  return { code: 'crl_unavailable', detail, retryable: held.length > 0 };
}

/** @param mark of the newest that was relied on */
export function rolledBack({ product }: SnpLine, mark: CrlAge | null): Unavailable {
  if (isDamaged(mark)) {
    const detail = `whether a revocation list of ${product} is older than one that was relied on before cannot be told: the mark of it in the cache folder is damaged or cannot be read`;
    return { code: 'crl_rollback', detail, retryable: true };
  }
  return {
    code: 'crl_rollback',
    detail: `revocation list of ${product} is older than one that was relied on before`,
    retryable: true,
  };
}
