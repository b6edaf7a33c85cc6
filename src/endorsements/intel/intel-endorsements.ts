import type { CollateralReader } from '../../crypto/tdx-collateral.js';
import type {
  EndorsementOrigin,
  FetchContext,
  SourcedCollateral,
  TdxCollateralRequest,
  Unavailable,
} from '../../model/endorsement.js';
import type { TdxCollateral } from '../../model/evidence.js';
import { UnfitError } from '../unfit-error.js';
import type { CollateralCache } from './collateral-cache.js';
import type { CollateralDirectory } from './collateral-directory.js';
import { type CollateralMemory, type CollateralSourceName, isBehind } from './collateral-memory.js';
import { missing, ROLLED_BACK } from './collateral-problem.js';
import type { CollateralSupply, Fetched } from './collateral-supply.js';
import {
  type CollateralKey,
  collateralOf,
  hasEnded,
  type IntelCollateral,
  isCurrent,
  isFromAfter,
  keyName,
  newestParts,
  readIntelCollateral,
  withNewestLists,
  withoutEnded,
} from './intel-collateral.js';

/** Finds collateral to judge a TD quote by. Never throws for what is out of reach. */
export interface TdxCollateralSource {
  find(request: TdxCollateralRequest, context: FetchContext): Promise<SourcedCollateral | Unavailable>;
}

interface IntelEndorsementsOptions {
  readonly reader: CollateralReader;
  readonly directory: CollateralDirectory;
  readonly cache: CollateralCache;
  readonly memory: CollateralMemory;
  readonly supply: CollateralSupply;
  /** Folder and cache are read. */
  readonly ready: Promise<void>;
}

/** Collateral at hand, and who gave it. */
interface Held {
  readonly collateral: IntelCollateral;
  readonly source: CollateralSourceName;
}

/** Collateral, and what an answer calls where it is from. */
interface Origin {
  readonly collateral: IntelCollateral;
  readonly origin: EndorsementOrigin;
}

/**
 * Collateral of the request, the operator's folder, the cache and the services, in this order; of two that are current
 * the newer part counts, wherever it is from.
 *
 * What a request brings is for that request alone. It is never kept and moves no memory, so that nobody changes with it
 * what counts for another.
 */
export class IntelEndorsements implements TdxCollateralSource {
  readonly #options: IntelEndorsementsOptions;

  constructor(options: IntelEndorsementsOptions) {
    this.#options = options;
  }

  async find(request: TdxCollateralRequest, context: FetchContext): Promise<SourcedCollateral | Unavailable> {
    await this.#options.ready;
    const { brought } = request;
    if (brought === null) return this.#own(request, context);
    const asBrought = { value: brought, origin: 'evidence' as const };
    // An audit is by what counted then: what has come since says nothing about it.
    if (context.historical) return asBrought;
    const read = this.#read(brought);
    // What does not hold, or is of another platform, is the verifier's to refuse.
    if (read === null || keyName(read) !== keyName(request)) return asBrought;
    return this.#withBrought(read, asBrought, context);
  }

  async #withBrought(
    read: IntelCollateral,
    asBrought: SourcedCollateral,
    context: FetchContext,
  ): Promise<SourcedCollateral | Unavailable> {
    const { memory, supply } = this.#options;
    const ofRequest: Origin = { collateral: read, origin: 'evidence' };
    const withLists = this.#withLists(read, context.at);
    const held = await this.#current(read, context);
    if (held !== null) {
      supply.use(read);
      return this.#sourced(newestParts(withoutEnded(withLists, held, context.at), held), ofRequest);
    }
    const own = withLists === read ? asBrought : this.#sourced(withLists, ofRequest);
    const marks = await memory.marksOfAll(read);
    const isOlder = marks.some((ofSource) => isBehind(this.#withLists(read, context.at), ofSource));
    if (!isOlder && !hasEnded(withLists, context.at)) {
      // What Intel has now is for the next one: whoever comes with evidence must not choose for ever what it is judged by.
      supply.want(read);
      return own;
    }
    const fetched = await supply.fetch(read, isOlder ? ROLLED_BACK : missing([withLists], context.at), context);
    if (!('code' in fetched)) return this.#fromNetwork(fetched, context.at, withLists, ofRequest);
    // That it has ended the verifier says of it, and what else is wrong.
    return isOlder ? fetched : own;
  }

  /** What the service has by itself. */
  async #own(key: CollateralKey, context: FetchContext): Promise<SourcedCollateral | Unavailable> {
    const { supply } = this.#options;
    const current = await this.#current(key, context);
    if (current !== null) {
      if (!context.historical) supply.use(key);
      return this.#sourced(current);
    }
    const because = this.#missing(key, context);
    // What a service has now is newer than what is held: of no use for an instant before that.
    const isTooLate =
      context.historical && this.#withListsOfHeld(key, context.at).some((one) => isFromAfter(one, context.at));
    if (isTooLate) return because;
    const fetched = await supply.fetch(key, because, context);
    return 'code' in fetched ? fetched : this.#fromNetwork(fetched, context.at);
  }

  /** The newest parts of all that is at hand and current. */
  async #current(key: CollateralKey, context: FetchContext): Promise<IntelCollateral | null> {
    const usable = await this.#usable(key, context);
    return usable
      .filter((collateral) => isCurrent(collateral, context.at))
      .reduce<IntelCollateral | null>(
        (newest, collateral) => (newest === null ? collateral : newestParts(newest, collateral)),
        null,
      );
  }

  /** The memory is of what was given lately: it says nothing about another instant. */
  async #usable(key: CollateralKey, { at, historical }: FetchContext): Promise<readonly IntelCollateral[]> {
    const held = this.#held(key);
    const merged = () => held.map(({ collateral }) => this.#withLists(collateral, at));
    if (historical) return merged();
    const { memory } = this.#options;
    const marks = await Promise.all(held.map(({ source }) => memory.marksOf(key, source)));
    // Merged after the wait: what the memory knows of is at hand by then.
    return merged().filter((collateral, index) => {
      const ofSource = marks[index];
      return ofSource !== undefined && !isBehind(collateral, ofSource);
    });
  }

  #missing(key: CollateralKey, { at }: FetchContext): Unavailable {
    const held = this.#withListsOfHeld(key, at);
    return held.some((collateral) => isCurrent(collateral, at)) ? ROLLED_BACK : missing(held, at);
  }

  #withListsOfHeld(key: CollateralKey, at: Date): readonly IntelCollateral[] {
    return this.#held(key).map(({ collateral }) => this.#withLists(collateral, at));
  }

  #held(key: CollateralKey): readonly Held[] {
    const { directory, cache } = this.#options;
    return [...directory.held(key).map((collateral): Held => ({ collateral, source: 'store' })), ...cache.held(key)];
  }

  #fromNetwork(
    { collateral, downloaded }: Fetched,
    at: Date,
    brought?: IntelCollateral,
    ...origins: readonly Origin[]
  ): SourcedCollateral {
    const withLists = this.#withLists(collateral, at);
    const newest = brought === undefined ? withLists : newestParts(withoutEnded(brought, withLists, at), withLists);
    return this.#sourced(newest, ...origins, { collateral: downloaded, origin: 'network' });
  }

  /** @param origins of what is neither in folder nor cache, or was not before this request */
  #sourced(collateral: IntelCollateral, ...origins: readonly Origin[]): SourcedCollateral {
    const { directory, cache } = this.#options;
    const all: readonly Origin[] = [
      ...origins,
      ...directory.all().map((stored): Origin => ({ collateral: stored, origin: 'store' })),
      ...cache.all().map((cached): Origin => ({ collateral: cached, origin: 'cache' })),
    ];
    // What was in the cache when it was found may have been renewed since.
    const originOf = (part: 'documents' | 'pckList' | 'rootList') =>
      all.find((one) => one.collateral[part] === collateral[part])?.origin ?? 'cache';
    const [origin, pckCrl, rootCaCrl] = [originOf('documents'), originOf('pckList'), originOf('rootList')];
    const sourced = { value: collateralOf(collateral), origin };
    return pckCrl === origin && rootCaCrl === origin ? sourced : { ...sourced, listOrigins: { pckCrl, rootCaCrl } };
  }

  /** Of two valid revocation lists of a CA the newer counts, also where it came for another platform. */
  #withLists(collateral: IntelCollateral, at: Date): IntelCollateral {
    const { directory, cache } = this.#options;
    return withNewestLists(collateral, [...directory.all(), ...cache.all()], at);
  }

  #read(collateral: TdxCollateral): IntelCollateral | null {
    try {
      return readIntelCollateral(this.#options.reader, collateral);
    } catch (error) {
      if (error instanceof UnfitError) return null;
      throw error;
    }
  }
}
