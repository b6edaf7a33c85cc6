import type { CollateralReader } from '../../crypto/tdx-collateral.js';
import type { FetchContext, Unavailable } from '../../model/endorsement.js';
import type { Clock, Log } from '../../model/ports.js';
import { FetchError } from '../fetch-error.js';
import { SingleFlight } from '../single-flight.js';
import { UnfitError } from '../unfit-error.js';
import type { CollateralCache, FetchedSourceName } from './collateral-cache.js';
import { type CollateralMemory, isBehind } from './collateral-memory.js';
import { missing, ROLLED_BACK, serviceProblem } from './collateral-problem.js';
import type { CollateralService } from './collateral-service.js';
import {
  type CollateralKey,
  type IntelCollateral,
  isCurrent,
  keyName,
  newestParts,
  readIntelCollateral,
  windowOfAll,
  withNewestLists,
} from './intel-collateral.js';

/** When collateral is renewed. */
export interface CollateralPauses {
  /** Time from one fetch to the next, of what is asked for. Up to a quarter less, so that not all are due at once. */
  readonly refreshMs: number;
  /** Shortest time between two attempts to renew one set, while one is held. */
  readonly retryMs: number;
  /** Longest time of such an attempt. */
  readonly timeoutMs: number;
}

interface CollateralSupplyOptions {
  /** In the order in which they are asked. */
  readonly services: readonly CollateralService[];
  readonly reader: CollateralReader;
  readonly cache: CollateralCache;
  readonly memory: CollateralMemory;
  readonly clock: Clock;
  readonly log: Log;
  readonly pauses: CollateralPauses;
  /** Whether there is time after the requests: a command ends with them. */
  readonly inBackground: boolean;
}

/** Collateral that a service gave, with the newer parts that are at hand. */
export interface Fetched {
  readonly collateral: IntelCollateral;
  /** As the service gave it. */
  readonly downloaded: IntelCollateral;
}

/** Collateral that is in use: when it is to be renewed, and whether anybody has asked for it since it was. */
interface Watched {
  readonly key: CollateralKey;
  /** Monotonic. */
  dueAt: number;
  isUsed: boolean;
}

/**
 * Fetches collateral from the services and renews what is in use, in the background and before it ends. Nothing that was
 * rolled back, has ended or does not verify is ever kept.
 */
export class CollateralSupply {
  readonly #options: CollateralSupplyOptions;
  readonly #flights = new SingleFlight<IntelCollateral>();
  readonly #watched = new Map<string, Watched>();
  readonly #closing = new AbortController();
  /** Attempts in the background. */
  readonly #renewals = new Set<Promise<void>>();

  constructor(options: CollateralSupplyOptions) {
    this.#options = options;
  }

  /** Asks the services one after the other. `because`, with what went wrong, where none has it. */
  async fetch(key: CollateralKey, because: Unavailable, context: FetchContext): Promise<Fetched | Unavailable> {
    let problem: Unavailable | null = null;
    for (const service of this.#options.services) {
      const fetched = await this.#fetchFrom(service, key, because, context);
      if (!('code' in fetched)) return fetched;
      problem ??= fetched;
    }
    return problem ?? because;
  }

  /** Notes that held collateral of a key is relied on, and has it renewed where that is due. */
  use(key: CollateralKey): void {
    this.#use(key, Math.random() * this.#options.pauses.retryMs);
  }

  /** Notes that collateral of a key was needed that is not held, and has it fetched in the background, where there is one. */
  want(key: CollateralKey): void {
    if (this.#options.inBackground) this.#use(key, 0);
  }

  /** Renews what is in use and due, and removes files of what has ended. Resolves when all attempts have ended. */
  async refreshDue(): Promise<void> {
    const due = [...this.#watched.values()].filter((watched) => watched.isUsed && this.#isDue(watched));
    await Promise.all([
      this.#options.cache.removeEnded(this.#options.clock.now()),
      ...due.map((watched) => this.#refresh(watched)),
    ]);
  }

  /** Ends what is being renewed, and waits until nothing more is written. */
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
        (ending) => this.#download(service, key, { signal: ending, remember: !historical }),
        () => new FetchError('aborted', 'gave no answer within the time of the request'),
      );
      if (!isCurrent(collateral, at)) return missing([collateral], at);
      return historical ? { collateral, downloaded: collateral } : await this.#take(collateral, service.name, at);
    } catch (error) {
      return serviceProblem(because, service.name, error);
    }
  }

  async #download(
    service: CollateralService,
    key: CollateralKey,
    call: Parameters<CollateralService['collateral']>[1],
  ): Promise<IntelCollateral> {
    const collateral = readIntelCollateral(this.#options.reader, await service.collateral(key, call));
    if (keyName(collateral) !== keyName(key)) throw new UnfitError('collateral is of another kind of platform');
    if (!collateral.documents.isEven) throw new UnfitError('TCB info and QE identity are of two evaluations');
    return collateral;
  }

  /** Keeps what was fetched and gives it out, or says why it is not to be relied on. */
  async #take(downloaded: IntelCollateral, source: FetchedSourceName, at: Date): Promise<Fetched | Unavailable> {
    const { cache, memory, log } = this.#options;
    const marks = await memory.marksOf(downloaded, source);
    // A front of the service that lags behind must not take back what another has given.
    const collateral = withNewestLists(downloaded, cache.all(source), at);
    if (isBehind(collateral, marks)) {
      log.error({ source, platform: keyName(collateral) }, 'TDX collateral is older than what the source gave before');
      return ROLLED_BACK;
    }
    const before = cache.held(collateral).find((held) => held.source === source)?.collateral;
    const newest = before !== undefined && isCurrent(before, at) ? newestParts(collateral, before) : collateral;
    await Promise.all([memory.advance(newest, source), cache.keep({ collateral: newest, source })]);
    this.#watch(newest, this.#pauseAfter(newest));
    return { collateral: newest, downloaded };
  }

  #use(key: CollateralKey, pauseMs: number): void {
    const watched = this.#watched.get(keyName(key)) ?? this.#watch(key, pauseMs);
    watched.isUsed = true;
    if (this.#isDue(watched)) void this.#refresh(watched);
  }

  #watch({ fmspc, ca }: CollateralKey, pauseMs: number): Watched {
    const watched = { key: { fmspc, ca }, dueAt: this.#options.clock.monotonicMs() + pauseMs, isUsed: true };
    this.#watched.set(keyName(watched.key), watched);
    return watched;
  }

  /** What was renewed, or is not held, is asked for again only where somebody asks for it. */
  #rest(key: CollateralKey): void {
    const watched = this.#watched.get(keyName(key));
    if (watched !== undefined) watched.isUsed = false;
  }

  /** A day, with jitter; half of what is left where that is sooner. */
  #pauseAfter(collateral: IntelCollateral): number {
    const { clock, pauses } = this.#options;
    const leftMs = windowOfAll(collateral).until.getTime() - clock.now().getTime();
    const soonest = Math.min(pauses.refreshMs * (1 - Math.random() / 4), leftMs / 2);
    return Math.max(pauses.retryMs, soonest);
  }

  #isDue({ dueAt }: Watched): boolean {
    return this.#options.services.length > 0 && this.#options.clock.monotonicMs() >= dueAt;
  }

  /** Never rejects: whoever asked has collateral already. */
  async #refresh({ key }: Watched): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#watch(key, this.#options.pauses.retryMs);
    const renewal = this.#renew(key);
    this.#renewals.add(renewal);
    await renewal;
    this.#renewals.delete(renewal);
  }

  async #renew(key: CollateralKey): Promise<void> {
    const { cache, clock, log, pauses } = this.#options;
    try {
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(pauses.timeoutMs)]);
      const fetched = await this.fetch(key, NEWER, { at: clock.now(), historical: false, signal });
      if (this.#closing.signal.aborted) return;
      if ('code' in fetched) log.warn({ platform: keyName(key), why: fetched.detail }, 'TDX collateral not renewed');
      if (!('code' in fetched) || cache.held(key).length === 0) this.#rest(key);
    } catch (error) {
      log.error({ platform: keyName(key), err: error }, 'TDX collateral not renewed');
    }
  }
}

const NEWER: Unavailable = { code: 'collateral_unavailable', detail: 'newer TDX collateral', retryable: true };
