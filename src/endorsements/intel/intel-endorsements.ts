import type { CollateralReader } from '../../crypto/tdx-collateral.js';
import type {
  EndorsementOrigin,
  FetchContext,
  Sourced,
  TdxCollateralRequest,
  Unavailable,
} from '../../model/endorsement.js';
import type { TdxCollateral } from '../../model/evidence.js';
import { UnfitError } from '../unfit-error.js';
import type { CollateralCache, FetchedCollateral } from './collateral-cache.js';
import type { CollateralDirectory } from './collateral-directory.js';
import type { CollateralMemory, CollateralSourceName } from './collateral-memory.js';
import { missing, ROLLED_BACK } from './collateral-problem.js';
import type { CollateralSupply } from './collateral-supply.js';
import {
  type CollateralKey,
  collateralOf,
  hasEnded,
  type IntelCollateral,
  isCurrent,
  isFromAfter,
  isOlderThan,
  keyName,
  newestParts,
  readIntelCollateral,
  withNewestLists,
} from './intel-collateral.js';

/** Finds collateral to judge a TD quote by. Never throws for what is out of reach. */
export interface TdxCollateralSource {
  find(request: TdxCollateralRequest, context: FetchContext): Promise<Sourced<TdxCollateral> | Unavailable>;
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

/** Collateral at hand: what it is, who gave it, and what an answer calls that. */
interface Held {
  readonly collateral: IntelCollateral;
  readonly source: CollateralSourceName;
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

  async find(request: TdxCollateralRequest, context: FetchContext): Promise<Sourced<TdxCollateral> | Unavailable> {
    await this.#options.ready;
    const { brought } = request;
    if (brought === null) return sourced(await this.#own(request, context));
    const asBrought = { value: brought, origin: 'evidence' as const };
    // An audit is by what counted then: what has come since says nothing about it.
    if (context.historical) return asBrought;
    const read = this.#read(brought);
    // What does not hold, or is of another platform, is the verifier's to refuse.
    if (read === null || keyName(read) !== keyName(request)) return asBrought;
    const withLists = this.#withLists(read, context.at);
    const own = withLists === read ? asBrought : { ...asBrought, value: collateralOf(withLists) };
    return this.#withBrought(withLists, own, context);
  }

  async #withBrought(
    read: IntelCollateral,
    asBrought: Sourced<TdxCollateral>,
    context: FetchContext,
  ): Promise<Sourced<TdxCollateral> | Unavailable> {
    const { memory, supply } = this.#options;
    const held = await this.#current(read, context);
    if (held !== null) {
      supply.use(read);
      return merged(read, asBrought, held);
    }
    const isOlder = await memory.isOlderThanAny(read);
    if (!isOlder && !hasEnded(read, context.at)) return asBrought;
    const fetched = await supply.fetch(read, isOlder ? ROLLED_BACK : missing([read], context.at), context);
    if (!('code' in fetched)) return merged(read, asBrought, this.#fromNetwork(fetched, context.at));
    // That it has ended the verifier says of it, and what else is wrong.
    return isOlder ? fetched : asBrought;
  }

  /** What the service has by itself. */
  async #own(key: CollateralKey, context: FetchContext): Promise<Held | Unavailable> {
    const { supply } = this.#options;
    const current = await this.#current(key, context);
    if (current !== null) {
      if (!context.historical) supply.use(key);
      return current;
    }
    const because = this.#missing(key, context);
    // What a service has now is newer than what is held: of no use for an instant before that.
    const isTooLate =
      context.historical && this.#held(key, context.at).some(({ collateral }) => isFromAfter(collateral, context.at));
    if (isTooLate) return because;
    const fetched = await supply.fetch(key, because, context);
    return 'code' in fetched ? fetched : this.#fromNetwork(fetched, context.at);
  }

  /** The newest parts of all that is at hand and current. */
  async #current(key: CollateralKey, context: FetchContext): Promise<Held | null> {
    const usable = await this.#usable(key, context);
    return usable
      .filter(({ collateral }) => isCurrent(collateral, context.at))
      .reduce<Held | null>((newest, held) => (newest === null ? held : newer(newest, held)), null);
  }

  /** The memory is of what was given lately: it says nothing about another instant. */
  async #usable(key: CollateralKey, { at, historical }: FetchContext): Promise<readonly Held[]> {
    const held = this.#held(key, at);
    if (historical) return held;
    const { memory } = this.#options;
    const rolledBack = await Promise.all(held.map(({ collateral, source }) => memory.isRolledBack(collateral, source)));
    return held.filter((_, index) => rolledBack[index] === false);
  }

  #missing(key: CollateralKey, { at }: FetchContext): Unavailable {
    const held = this.#held(key, at).map(({ collateral }) => collateral);
    return held.some((collateral) => isCurrent(collateral, at)) ? ROLLED_BACK : missing(held, at);
  }

  #held(key: CollateralKey, at: Date): readonly Held[] {
    const { directory, cache } = this.#options;
    const stored = directory.held(key).map((collateral): Held => ({ collateral, source: 'store', origin: 'store' }));
    const held = [...stored, ...cache.held(key).map((fetched): Held => ({ ...fetched, origin: 'cache' }))];
    return held.map((one) => ({ ...one, collateral: this.#withLists(one.collateral, at) }));
  }

  #fromNetwork(fetched: FetchedCollateral, at: Date): Held {
    return { ...fetched, collateral: this.#withLists(fetched.collateral, at), origin: 'network' };
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

/** The newer parts of two. It is called after where its documents are from. */
function newer(a: Held, b: Held): Held {
  return { ...(isOlderThan(a.collateral, b.collateral) ? b : a), collateral: newestParts(a.collateral, b.collateral) };
}

function merged(read: IntelCollateral, { origin }: Sourced<TdxCollateral>, held: Held): Sourced<TdxCollateral> {
  const value = collateralOf(newestParts(read, held.collateral));
  return { value, origin: isOlderThan(read, held.collateral) ? held.origin : origin };
}

function sourced(found: Held | Unavailable): Sourced<TdxCollateral> | Unavailable {
  return 'code' in found ? found : { value: collateralOf(found.collateral), origin: found.origin };
}
