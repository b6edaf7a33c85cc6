import { latest } from '../../core/earliest.js';
import type {
  CollateralOrigins,
  EndorsementOrigin,
  FetchContext,
  SourcedCollateral,
  TdxCollateralRequest,
  Unavailable,
} from '../../core/endorsement.js';
import type { TdxCollateral } from '../../core/evidence.js';
import {
  type CollateralKey,
  collateralForOnce,
  collateralOf,
  hasPartOf,
  type IntelCollateral,
  isCurrent,
  isFromAfter,
  keyName,
  newestParts,
  readIntelCollateral,
  withNewestShared,
  withoutEnded,
} from '../../tee/tdx/intel/collateral-parts.js';
import { CONFIRMED_MS, isConfirmed } from '../files/confirmation.js';
import { attempt } from '../files/material-files.js';
import { type CollateralMarks, type CollateralSourceName, isBehind, isUnknown } from './collateral-memory.js';
import { missing, rolledBack } from './collateral-problem.js';
import type { CollateralSupply } from './collateral-supply.js';
import type { IntelParts } from './intel-parts.js';

/** Finds collateral for a TD quote. Never throws for an unreachable source. */
export interface TdxCollateralSource {
  find(request: TdxCollateralRequest, context: FetchContext): Promise<SourcedCollateral | Unavailable>;
}

interface Held {
  readonly collateral: IntelCollateral;
  readonly source: CollateralSourceName;
  /** Null for material of the operator. */
  readonly fetchedAt: Date | null;
}

type CollateralPart = 'tcbInfo' | 'qeIdentity' | 'pckList' | 'rootList';

/** Collateral, and the name of its origin in an answer. */
interface Origin {
  readonly collateral: IntelCollateral;
  readonly origin: EndorsementOrigin;
}

/** The service's own collateral, after required fetches. */
interface Own {
  /** The newest parts of all current collateral. */
  readonly held: IntelCollateral | null;
  /** The collateral fetched for this request, as received. */
  readonly downloaded: IntelCollateral | null;
  /** Why nothing was fetched within `CONFIRMED_MS`; null after a fetch. */
  readonly problem: Unavailable | null;
}

/** Why no source confirms collateral. */
const OFF = 'no Intel source is configured';
const PAST = 'no source is asked about the past';
const UNFIT = 'no source is asked about collateral that does not verify or is for another platform';

/**
 * Combines collateral of the request, the operator's folder, the cache and the services. Of all current collateral, the newest part
 * counts, from any source.
 *
 * The sender of evidence must not choose the collateral for its verification. So a configured service must
 * have been called within two days before other collateral counts. If it is unreachable, the request's collateral is reported as
 * unconfirmed, and must be new itself. Collateral of a request is only used for that request: it is never cached and
 * raises no mark.
 */
export class IntelEndorsements implements TdxCollateralSource {
  readonly #parts: IntelParts;
  readonly #supply: CollateralSupply;
  readonly #ready: Promise<void>;

  /** @param ready resolves once folder and cache are read */
  constructor(parts: IntelParts, supply: CollateralSupply, ready: Promise<void>) {
    this.#parts = parts;
    this.#supply = supply;
    this.#ready = ready;
  }

  async find(request: TdxCollateralRequest, context: FetchContext): Promise<SourcedCollateral | Unavailable> {
    await this.#ready;
    const { supplied } = request;
    // A historical request is verified with the collateral of its verification time, not with later collateral.
    if (context.historical) return supplied === null ? this.#past(request, context) : unconfirmed(supplied, PAST);
    const marks = await this.#parts.memory.marksOfAll(request);
    const damaged = Object.values(marks)
      .map(({ held }) => held)
      .filter(isUnknown);
    // It is unknown which source is behind, so none may replace another.
    if (damaged.length > 0) return rolledBack(damaged);
    if (supplied === null) return this.#own(request, context);
    const read = attempt(() => readIntelCollateral(this.#parts.reader, supplied));
    // The verifier rejects invalid collateral, or that of another platform. It causes no request to Intel.
    if (read instanceof Error || keyName(read) !== keyName(request)) {
      return unconfirmed(supplied, UNFIT, since(context));
    }
    return this.#withSupplied(read, supplied, context);
  }

  async #withSupplied(
    read: IntelCollateral,
    supplied: TdxCollateral,
    context: FetchContext,
  ): Promise<SourcedCollateral | Unavailable> {
    const { at } = context;
    const { held, downloaded, problem } = await this.#ask(read, context, true);
    const ofRequest: Origin = { collateral: read, origin: 'evidence' };
    const ofBoth = this.#withShared(read, at);
    const newest = held === null ? ofBoth : newestParts(held, withoutEnded(ofBoth, held, at));
    const behind = held === null ? await this.#marksBefore(newest) : [];
    if (behind.length > 0) {
      const rollback = rolledBack(behind);
      return { ...rollback, detail: `${rollback.detail}; ${problem?.detail}` };
    }
    const sourced =
      newest === read ? { value: supplied, origin: ofRequest.origin } : this.#sourced(newest, downloaded, ofRequest);
    if (problem === null) return sourced;
    if (!this.#supply.isOff) {
      return { ...sourced, unconfirmed: { why: problem.detail, issuedSince: since(context) } };
    }
    return hasPartOf(newest, read) ? { ...sourced, unconfirmed: { why: OFF, issuedSince: null } } : sourced;
  }

  /** The service's own collateral. */
  async #own(key: CollateralKey, context: FetchContext): Promise<SourcedCollateral | Unavailable> {
    const { held, downloaded, problem } = await this.#ask(key, context, false);
    if (held !== null) return this.#sourced(held, downloaded);
    return problem ?? (await this.#missing(key, context));
  }

  /**
   * Calls a service, unless one was called recently.
   *
   * @param hasOther whether other collateral is available
   */
  async #ask(key: CollateralKey, context: FetchContext, hasOther: boolean): Promise<Own> {
    const usable = await this.#usable(key, context);
    const held = newestOf(usable);
    const confirmed = usable.find(({ fetchedAt }) => isConfirmed(fetchedAt, context.at));
    if (confirmed !== undefined) {
      const { highest } = await this.#parts.memory.marksOf(key, confirmed.source);
      this.#supply.use(key, isBehind(confirmed.collateral, highest));
      return { held, downloaded: null, problem: null };
    }
    const fetched =
      held === null && !hasOther
        ? await this.#supply.fetch(key, await this.#missing(key, context), context)
        : await this.#supply.ask(key, context);
    if ('code' in fetched) return { held, downloaded: null, problem: fetched };
    return { held: newestOf(await this.#usable(key, context)), downloaded: fetched.downloaded, problem: null };
  }

  /** Cached collateral of the verification time, or else the current one of a service, which may cover a recent time. */
  async #past(key: CollateralKey, context: FetchContext): Promise<SourcedCollateral | Unavailable> {
    const held = newestOf(await this.#usable(key, context));
    if (held !== null) return this.#sourced(held, null);
    const because = await this.#missing(key, context);
    // The current collateral of a service is newer than the cached one: it is useless at an earlier verification time.
    const isTooLate = this.#withSharedOfHeld(key, context.at).some((one) => isFromAfter(one, context.at));
    if (isTooLate) return because;
    const fetched = await this.#supply.fetch(key, because, context);
    if ('code' in fetched) return fetched;
    return this.#sourced(this.#withShared(fetched.collateral, context.at), fetched.downloaded);
  }

  /** Marks of sources with newer collateral. */
  async #marksBefore(collateral: IntelCollateral): Promise<readonly CollateralMarks[]> {
    const marks = await this.#parts.memory.marksOfAll(collateral);
    return Object.values(marks)
      .map(({ highest }) => highest)
      .filter((ofSource) => isBehind(collateral, ofSource));
  }

  /** All available current collateral. The marks are recent: they do not apply to another time. */
  async #usable(key: CollateralKey, { at, historical }: FetchContext): Promise<readonly Held[]> {
    const marks = historical ? null : await this.#parts.memory.marksOfAll(key);
    // Read after the wait: by then the cache has everything that the marks refer to.
    return this.#held(key)
      .map((one) => ({ ...one, collateral: this.#withShared(one.collateral, at) }))
      .filter(({ collateral, source }) => {
        return isCurrent(collateral, at) && (marks === null || !isBehind(collateral, marks[source].held));
      });
  }

  async #missing(key: CollateralKey, { at }: FetchContext): Promise<Unavailable> {
    const marks = await Promise.all(this.#held(key).map(({ source }) => this.#parts.memory.marksOf(key, source)));
    const held = this.#withSharedOfHeld(key, at);
    return held.some((collateral) => isCurrent(collateral, at))
      ? rolledBack(marks.map((ofSource) => ofSource.held))
      : missing(held, at);
  }

  #withSharedOfHeld(key: CollateralKey, at: Date): readonly IntelCollateral[] {
    return this.#held(key).map(({ collateral }) => this.#withShared(collateral, at));
  }

  #held(key: CollateralKey): readonly Held[] {
    const { directory, cache } = this.#parts;
    const stored = directory.held(key).map((collateral): Held => ({ collateral, source: 'store', fetchedAt: null }));
    return [...stored, ...cache.held(key)];
  }

  /** @param ofRequest the request's collateral, which is neither in folder nor cache */
  #sourced(
    collateral: IntelCollateral,
    downloaded: IntelCollateral | null,
    ofRequest: Origin | null = null,
  ): SourcedCollateral {
    const { directory } = this.#parts;
    const all: readonly Origin[] = [
      ...(ofRequest === null ? [] : [ofRequest]),
      ...directory.all().map((stored): Origin => ({ collateral: stored, origin: 'store' })),
      ...(downloaded === null ? [] : [{ collateral: downloaded, origin: 'network' } as const]),
    ];
    // Everything else is in the cache. A cached set may have been renewed since it was found.
    const originOf = (part: CollateralPart) =>
      all.find((one) => one.collateral[part] === collateral[part])?.origin ?? 'cache';
    const origins = {
      tcbInfo: originOf('tcbInfo'),
      qeIdentity: originOf('qeIdentity'),
      pckCrl: originOf('pckList'),
      rootCaCrl: originOf('rootList'),
    };
    const isOfRequest = ofRequest !== null && hasPartOf(collateral, ofRequest.collateral);
    const value = isOfRequest ? collateralForOnce(collateral) : collateralOf(collateral);
    const sourced = { value, origin: origins.tcbInfo, ...this.#fetchTimes(collateral, origins) };
    const isOne = Object.values(origins).every((origin) => origin === origins.tcbInfo);
    return isOne ? sourced : { ...sourced, partOrigins: origins };
  }

  /** For each part of a service, its last fetch time. A historical request caches nothing: its fetch was just now. */
  #fetchTimes(collateral: IntelCollateral, origins: CollateralOrigins): Pick<SourcedCollateral, 'partsFetchedAt'> {
    const { cache, clock } = this.#parts;
    const timeOf = (part: CollateralPart, origin: EndorsementOrigin): Date | null => {
      if (origin !== 'cache' && origin !== 'network') return null;
      const cached = cache.all().filter((fetched) => fetched.collateral[part] === collateral[part]);
      return cached.length > 0 ? latest(cached.map(({ fetchedAt }) => fetchedAt)) : clock.now();
    };
    const times = {
      tcbInfo: timeOf('tcbInfo', origins.tcbInfo),
      qeIdentity: timeOf('qeIdentity', origins.qeIdentity),
      pckCrl: timeOf('pckList', origins.pckCrl),
      rootCaCrl: timeOf('rootList', origins.rootCaCrl),
    };
    const known = Object.entries(times).filter(([, time]) => time !== null);
    return known.length === 0 ? {} : { partsFetchedAt: Object.fromEntries(known) };
  }

  /** Of two valid CRLs of a CA the newer is used, even if it came for another platform. */
  #withShared(collateral: IntelCollateral, at: Date): IntelCollateral {
    const { directory, cache } = this.#parts;
    const cached = cache.all().map((fetched) => fetched.collateral);
    return withNewestShared(collateral, [...directory.all(), ...cached], at);
  }
}

function newestOf(held: readonly Held[]): IntelCollateral | null {
  const [first, ...others] = held.map(({ collateral }) => collateral);
  return first === undefined ? null : others.reduce(newestParts, first);
}

/** Unconfirmed collateral must be at least as new as collateral that would still count as confirmed. */
function since({ at }: FetchContext): Date {
  return new Date(at.getTime() - CONFIRMED_MS);
}

function unconfirmed(supplied: TdxCollateral, why: string, issuedSince: Date | null = null): SourcedCollateral {
  return { value: supplied, origin: 'evidence', unconfirmed: { why, issuedSince } };
}
