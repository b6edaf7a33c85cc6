import type { FetchContext, Unavailable } from '../../core/endorsement.js';
import { UnfitError } from '../../core/errors.js';
import { underBound } from '../../outside/bounded-signal.js';
import { FetchError } from '../../outside/fetch-error.js';
import { hadFairTime } from '../../outside/origin-breaker.js';
import { SingleFlight } from '../../outside/shared-attempts.js';
import type { CollateralReader } from '../../tee/tdx/intel/collateral.js';
import {
  type CollateralKey,
  hasEnded,
  type IntelCollateral,
  isCurrent,
  keyName,
  newestParts,
  readIntelCollateral,
  withNewestShared,
} from '../../tee/tdx/intel/collateral-parts.js';
import type { ServiceCall } from '../files/open-source.js';
import type { FetchedCollateral, FetchedSourceName } from './collateral-cache.js';
import { type CollateralMarks, isBehind, isUnknown } from './collateral-memory.js';
import { missing, notCurrent, ofService, rolledBack, serviceProblem } from './collateral-problem.js';
import type { CollateralService } from './collateral-service.js';
import { type IntelParts, renewalPauseMs } from './intel-parts.js';

/** Collateral of a service, with newer cached parts. */
export interface Fetched {
  readonly collateral: IntelCollateral;
  /** As the service supplied it. */
  readonly downloaded: IntelCollateral;
}

interface Watched {
  readonly key: CollateralKey;
  /** Monotonic. */
  readonly dueAt: number;
  /** Monotonic time before which no background attempt is made. */
  readonly retryAt: number;
}

/** A failed attempt during a request. */
interface Failure {
  readonly problem: Unavailable;
  /** Monotonic: no caller waits for another attempt before. */
  readonly until: number;
}

/**
 * Fetches and verifies collateral of a platform. The caller checks whether it is current.
 *
 * @throws {FetchError} if nothing was received, or not the requested object
 * @throws {FormatError} if the received data is unusable
 * @throws {UnfitError} if it does not verify, or is for another platform
 */
export async function download(
  service: CollateralService,
  reader: CollateralReader,
  key: CollateralKey,
  call: ServiceCall,
): Promise<IntelCollateral> {
  const collateral = readIntelCollateral(reader, await service.collateral(key, call));
  if (keyName(collateral) !== keyName(key)) throw new UnfitError('collateral is for another platform');
  return collateral;
}

/**
 * Fetches collateral from the services and renews cached sets, in the background and before they expire, with or without
 * requests. Collateral that is rolled back, expired or invalid is never cached.
 */
export class CollateralSupply {
  readonly #parts: IntelParts;
  readonly #flights = new SingleFlight<IntelCollateral>();
  readonly #watched = new Map<string, Watched>();
  readonly #failures = new Map<string, Failure>();
  readonly #closing = new AbortController();
  /** Running background renewals. */
  readonly #renewals = new Set<Promise<void>>();

  constructor(parts: IntelParts) {
    this.#parts = parts;
  }

  /** Whether no service is configured. */
  get isOff(): boolean {
    return this.#parts.services.length === 0;
  }

  /** Schedules the renewal of every cached set. */
  start(): void {
    const { cache, clock } = this.#parts;
    const now = clock.now();
    for (const fetched of cache.all()) {
      if (!hasEnded(fetched.collateral, now)) this.#watch(fetched.collateral, this.#pauseAfter(fetched));
    }
  }

  /**
   * Calls the services one after the other. Returns `because`, with the failures, if none supplies collateral.
   * @param askMs longest wait for each; null: that of the request
   */
  async fetch(
    key: CollateralKey,
    because: Unavailable,
    context: FetchContext,
    askMs: number | null = null,
  ): Promise<Fetched | Unavailable> {
    let problem: Unavailable | null = null;
    for (const service of this.#parts.services) {
      const ask = (signal: AbortSignal) => this.#fetchFrom(service, key, because, { ...context, signal });
      const fetched = await (askMs === null ? ask(context.signal) : underBound(context.signal, askMs, ask));
      if (!('code' in fetched)) return fetched;
      problem ??= fetched;
    }
    return problem ?? because;
  }

  /**
   * Like `fetch`, if other collateral is available: a service has `askMs` to answer, and is not called again for
   * `cooldownMs` after a failed attempt. Background renewal retries a slower service.
   */
  async ask(key: CollateralKey, context: FetchContext): Promise<Fetched | Unavailable> {
    if (this.isOff) return NEWER;
    const { clock, pauses, inBackground } = this.#parts;
    const failure = this.#failures.get(keyName(key));
    if (failure !== undefined && clock.monotonicMs() < failure.until) return failure.problem;
    const begun = performance.now();
    const fetched = await this.fetch(key, NEWER, context, pauses.askMs);
    if (!('code' in fetched) || !hadFairTime(context.signal, begun, pauses.askMs)) return fetched;
    this.#failures.set(keyName(key), { problem: fetched, until: clock.monotonicMs() + pauses.cooldownMs });
    if (inBackground) this.#watch(key, pauses.cooldownMs);
    return fetched;
  }

  /**
   * Notes that the cached collateral of a key is in use, and renews it if that is due.
   * @param isBehind whether another replica has newer collateral from the same source
   */
  use(key: CollateralKey, isBehind: boolean): void {
    const watched = this.#watched.get(keyName(key));
    if (watched !== undefined && this.#isDue(watched, isBehind)) void this.#refresh(watched);
  }

  /** Renews due sets, and removes files of expired ones. Resolves when all attempts have ended. */
  async refreshDue(): Promise<void> {
    const due = [...this.#watched.values()].filter((watched) => this.#isDue(watched));
    await Promise.all([
      this.#parts.cache.removeEnded(this.#parts.clock.now()),
      ...due.map((watched) => this.#refresh(watched)),
    ]);
  }

  /** Aborts renewals, and waits until nothing more is written. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#renewals);
  }

  async #fetchFrom(
    service: CollateralService,
    key: CollateralKey,
    because: Unavailable,
    { at, historical, signal }: FetchContext,
  ): Promise<Fetched | Unavailable> {
    try {
      const collateral = await this.#flights.run(
        `${service.name} ${keyName(key)} ${historical}`,
        signal,
        (ending) => download(service, this.#parts.reader, key, { signal: ending, remember: !historical }),
        () => new FetchError('aborted', 'gave no answer in time'),
      );
      if (!isCurrent(collateral, at)) return notCurrent(because, missing([collateral], at), service.name);
      return historical ? { collateral, downloaded: collateral } : await this.#take(collateral, service.name, at);
    } catch (error) {
      return serviceProblem(because, service.name, error);
    }
  }

  /** Stores fetched collateral and returns it, or returns why it is unusable. */
  async #take(downloaded: IntelCollateral, source: FetchedSourceName, at: Date): Promise<Fetched | Unavailable> {
    const { cache, memory, clock } = this.#parts;
    const { highest, held } = await memory.marksOf(downloaded, source);
    // One server of the service may lag behind another: its older answer must not replace a newer one.
    const given = cache.all(source).map((fetched) => fetched.collateral);
    const collateral = withNewestShared(downloaded, given, at);
    const before = cache.held(collateral).find((one) => one.source === source)?.collateral;
    const isRefused = isBehind(collateral, highest);
    // Another replica has newer collateral. The set that would stay in use here may be older still.
    if (isRefused && !replacesOlder(collateral, before && withNewestShared(before, given, at), held, at)) {
      return this.#refused(collateral, highest, source);
    }
    const newest = before !== undefined && isCurrent(before, at) ? newestParts(collateral, before) : collateral;
    const fetched = { collateral: newest, source, fetchedAt: clock.now() };
    // The cache has the new set before the first of its marks is visible: a request meanwhile would find the previous set
    // older than its marks.
    const hold = () => cache.keep(fetched);
    const isNewest = await (isRefused ? memory.advanceOwn(newest, source, hold) : memory.advance(newest, source, hold));
    // A process with the same folder, such as an import, has relied on something newer meanwhile.
    if (!isNewest) return this.#refused(newest, (await memory.marksOf(newest, source)).highest, source);
    this.#failures.delete(keyName(newest));
    this.#watch(newest, this.#pauseAfter(fetched));
    return { collateral: newest, downloaded };
  }

  #refused(collateral: IntelCollateral, marks: CollateralMarks, source: FetchedSourceName): Unavailable {
    const fields = { source, platform: keyName(collateral) };
    const message = 'TDX collateral is older than what was relied on before';
    if (!isUnknown(marks)) this.#parts.log.error(fields, message);
    return ofService(rolledBack([marks]), source);
  }

  #watch({ fmspc, ca }: CollateralKey, pauseMs: number, isAttempt = false): void {
    const dueAt = this.#parts.clock.monotonicMs() + pauseMs;
    const name = keyName({ fmspc, ca });
    const retryAt = isAttempt ? dueAt : (this.#watched.get(name)?.retryAt ?? Number.NEGATIVE_INFINITY);
    this.#watched.set(name, { key: { fmspc, ca }, dueAt, retryAt });
  }

  #pauseAfter({ collateral, fetchedAt }: FetchedCollateral): number {
    const { clock, pauses } = this.#parts;
    return renewalPauseMs(collateral, fetchedAt, pauses) - (clock.now().getTime() - fetchedAt.getTime());
  }

  #isDue({ dueAt, retryAt }: Watched, isBehind = false): boolean {
    const at = isBehind ? Math.min(dueAt, retryAt) : dueAt;
    return this.#parts.inBackground && !this.isOff && this.#parts.clock.monotonicMs() >= at;
  }

  /** Never rejects: the request has collateral already. */
  async #refresh({ key }: Watched): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#watch(key, this.#parts.pauses.retryMs, true);
    const renewal = this.#renew(key);
    this.#renewals.add(renewal);
    await renewal;
    this.#renewals.delete(renewal);
  }

  async #renew(key: CollateralKey): Promise<void> {
    const { cache, clock, log, pauses } = this.#parts;
    try {
      const fetched = await underBound(this.#closing.signal, pauses.timeoutMs, (signal) =>
        this.fetch(key, NEWER, { at: clock.now(), historical: false, signal }),
      );
      if (this.#closing.signal.aborted) return;
      if ('code' in fetched) log.warn({ platform: keyName(key), why: fetched.detail }, 'TDX collateral not renewed');
      // Expired or uncached collateral is requested again when a request needs it.
      const isHeld = cache.held(key).some(({ collateral }) => !hasEnded(collateral, clock.now()));
      if (!isHeld) this.#watched.delete(keyName(key));
    } catch (error) {
      log.error({ platform: keyName(key), err: error }, 'TDX collateral not renewed');
    }
  }
}

/** Whether a part of collateral is newer than that of a set that this replica uses. */
function replacesOlder(
  collateral: IntelCollateral,
  before: IntelCollateral | undefined,
  marks: CollateralMarks,
  at: Date,
): boolean {
  if (before === undefined || !isCurrent(before, at) || isBehind(before, marks)) return false;
  return newestParts(before, collateral) !== before;
}

const NEWER: Unavailable = {
  code: 'collateral_unavailable',
  detail: 'no Intel source could be asked for newer collateral',
  retryable: true,
};
