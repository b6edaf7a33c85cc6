import { LRUCache } from 'lru-cache';
import type { EarlyCollateral, EarlyCollateralKey, EarlyCollateralSource } from '../../core/early-collateral.js';
import { FormatError, UnfitError } from '../../core/errors.js';
import type { Clock, Log } from '../../core/ports.js';
import { underBound } from '../../outside/bounded-signal.js';
import { FetchError } from '../../outside/fetch-error.js';
import type { CollateralReader } from '../../tee/tdx/intel/collateral.js';
import { collateralOf, type IntelCollateral, isCurrent, keyName } from '../../tee/tdx/intel/collateral-parts.js';
import { type RecoveryEvents, readRecoveryEvents } from '../../tee/tdx/intel/recovery-events.js';
import { missing } from './collateral-problem.js';
import type { CollateralService } from './collateral-service.js';
import { download } from './collateral-supply.js';
import { type CollateralPauses, renewalPauseMs } from './intel-parts.js';

interface EarlyCollateralParts {
  /** Serves the early update. */
  readonly service: CollateralService;
  readonly reader: CollateralReader;
  readonly clock: Clock;
  readonly log: Log;
  readonly pauses: Pick<CollateralPauses, 'refreshMs' | 'retryMs' | 'timeoutMs' | 'cooldownMs'>;
}

/** Intel has some dozens of kinds of platforms with TDX. */
const PLATFORMS = 256;
/** Most concurrent attempts. A platform beyond that waits for a later request. */
const CONCURRENT = 4;

/** The name of the list in log lines about its faults. No platform has this name. */
const LIST = 'TCB evaluation data numbers';

/**
 * Intel's early collateral, by platform, in memory only. It comes only from Intel's service or a PCCS,
 * not from a folder, a request or another cache, and has no rollback mark. A fetched set
 * replaces the previous one.
 *
 * It is fetched in the background, after a request that could use it. Faults are logged once each, and change
 * nothing else: this source has its own breaker, retries and pauses.
 */
export class EarlyIntelCollateral implements EarlyCollateralSource {
  readonly #parts: EarlyCollateralParts;
  readonly #held = new LRUCache<string, IntelCollateral>({ max: PLATFORMS });
  /** Monotonic: earliest time of the next attempt for a platform. */
  readonly #dueAt = new LRUCache<string, number>({ max: PLATFORMS });
  readonly #attempts = new Map<string, Promise<void>>();
  readonly #toldFaults = new LRUCache<string, string>({ max: PLATFORMS });
  #list: RecoveryEvents | null = null;
  /** Monotonic. */
  #listDueAt = Number.NEGATIVE_INFINITY;
  readonly #closing = new AbortController();

  constructor(parts: EarlyCollateralParts) {
    this.#parts = parts;
  }

  held(key: EarlyCollateralKey, at: Date): EarlyCollateral | null {
    const collateral = this.#held.get(keyName(key));
    if (collateral === undefined || !isCurrent(collateral, at)) return null;
    const list = this.#list;
    const isListCurrent = list !== null && list.from <= at && at <= list.until;
    return { documents: collateralOf(collateral), recoveries: isListCurrent ? list.recoveries : [] };
  }

  ask({ fmspc, ca }: EarlyCollateralKey): void {
    const key = { fmspc, ca };
    const name = keyName(key);
    const dueAt = this.#dueAt.get(name) ?? Number.NEGATIVE_INFINITY;
    const isBusy = this.#attempts.has(name) || this.#attempts.size >= CONCURRENT;
    if (isBusy || this.#closing.signal.aborted || this.#parts.clock.monotonicMs() < dueAt) return;
    const attempt = this.#attempt(key).finally(() => this.#attempts.delete(name));
    this.#attempts.set(name, attempt);
  }

  /** Aborts fetches. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#attempts.values());
    await this.#parts.service.close();
  }

  /** Never rejects. */
  async #attempt(key: EarlyCollateralKey): Promise<void> {
    const { clock, pauses } = this.#parts;
    const name = keyName(key);
    let pauseMs = this.#held.has(name) ? pauses.retryMs : pauses.cooldownMs;
    try {
      pauseMs = await underBound(this.#closing.signal, pauses.timeoutMs, (signal) => this.#renew(key, signal));
      this.#over(name);
    } catch (error) {
      this.#tell(name, error);
    }
    this.#dueAt.set(name, clock.monotonicMs() + pauseMs);
  }

  /** @returns the time until the next attempt */
  async #renew(key: EarlyCollateralKey, signal: AbortSignal): Promise<number> {
    const { service, reader, clock, pauses } = this.#parts;
    const collateral = await download(service, reader, key, { signal, remember: true });
    const now = clock.now();
    if (!isCurrent(collateral, now)) throw new UnfitError(missing([collateral], now).detail);
    // The list comes first, so that a reader of the collateral also finds its date.
    const hasList = await this.#renewList(collateral, signal);
    this.#held.set(keyName(key), collateral);
    return hasList ? renewalPauseMs(collateral, now, pauses) : pauses.retryMs;
  }

  /** Without the list the start date of early collateral is unknown; the rest is useful all the same. */
  async #renewList(collateral: IntelCollateral, signal: AbortSignal): Promise<boolean> {
    const { service, reader, clock, pauses } = this.#parts;
    if (clock.monotonicMs() < this.#listDueAt) return true;
    try {
      this.#list = readRecoveryEvents(reader, await service.evaluationNumbers(signal), collateralOf(collateral));
      this.#listDueAt = clock.monotonicMs() + pauses.retryMs;
      this.#over(LIST);
      return true;
    } catch (error) {
      this.#tell(LIST, error);
      return false;
    }
  }

  #tell(what: string, error: unknown): void {
    if (this.#closing.signal.aborted) return;
    const isKnownFault = error instanceof FetchError || error instanceof UnfitError || error instanceof FormatError;
    const why = isKnownFault ? error.message : String(error);
    if (this.#toldFaults.get(what) === why) return;
    this.#toldFaults.set(what, why);
    this.#parts.log.warn({ what, ...(isKnownFault ? { why } : { err: error }) }, 'early TDX collateral not fetched');
  }

  #over(what: string): void {
    if (this.#toldFaults.delete(what)) this.#parts.log.info({ what }, 'early TDX collateral fetched again');
  }
}
