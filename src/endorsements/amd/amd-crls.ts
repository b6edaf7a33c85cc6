import type { FetchContext, MissingCrl, Unavailable } from '../../core/endorsement.js';
import { type CrlAge, isOlder } from '../../crypto/revocation-list.js';
import { underBound } from '../../outside/bounded-signal.js';
import { type AmdCrl, latestOf } from '../../tee/snp/amd/crls.js';
import { lineName, type SnpLine } from '../../tee/snp/amd/issuers.js';
import { isConfirmed } from '../files/confirmation.js';
import { isDamaged, type Marks } from '../files/rollback-marks.js';
import { type AmdCrlSupply, type CrlSeries, type HeldCrl, isCurrent, missing, rolledBack } from './amd-crl-supply.js';
import type { KdsFailure } from './amd-kds.js';
import type { AmdParts } from './amd-parts.js';
import type { LineSnapshot, RootedSnapshot } from './line-snapshots.js';

/** The available CRLs for certificates of one kind. */
export interface FoundCrls {
  /** The CRL of the certificates' own series, or a substitute of the operator. */
  readonly own: HeldCrl | MissingCrl;
  /** All others of the line's root that are valid at the verification time: each of them can revoke. */
  readonly others: readonly HeldCrl[];
}

/** A series in use, and when a newer CRL was last requested. */
interface Watched extends CrlSeries {
  askedAt: number;
}

/** A request for the CRL of a series, and the cached material of its line. */
interface Search {
  readonly snapshot: RootedSnapshot;
  readonly context: FetchContext;
  /** The marks that count: none for a past verification time. */
  readonly marks: Marks<CrlAge>;
  /** The request supplies a CRL. */
  readonly supplied: boolean;
  readonly isPathVerified: () => Promise<boolean>;
}

/** The members of a request that affect CRLs. */
export interface CrlRequest {
  /** Whether it supplies a CRL, which is used if no other is available. */
  readonly supplied?: boolean;
  /** Whether the path of the key certificate is valid: only then the service fetches a newer CRL. */
  readonly isPathVerified?: () => Promise<boolean>;
}

/** CRLs are valid for a year. Each is renewed after this time: once a day, with time for a failure. */
const RENEWAL_MS = 23 * 60 * 60_000;
/** Pause after a failure of KDS, for requests that have another CRL. */
const COOLDOWN_MS = 60_000;

/** Why a CRL is not confirmed by KDS. */
const UNVERIFIED_PATH = 'AMD KDS is asked only for a key certificate whose path verifies';

const NO_MARKS: Marks<CrlAge> = { own: null, highest: null };

const RENEWAL: Unavailable = { code: 'crl_unavailable', detail: 'no newer CRL was fetched', retryable: true };

/**
 * Supplies AMD's CRLs. There is one series for VCEKs and one for VLEKs, both signed by the ARK, each with its own
 * address. The service uses the last fetched CRL of the certificates' own series. A CRL of the
 * operator's folder replaces it if KDS is disabled or unreachable.
 *
 * A CRL that KDS did not serve within 48 hours is fetched again before use, like Intel's collateral. If that fails, it
 * counts as unconfirmed, unless KDS is disabled or the verification time is in the past.
 */
export class AmdCrls {
  readonly #parts: AmdParts;
  readonly #supply: AmdCrlSupply;
  readonly #watched = new Map<string, Watched>();
  /** Monotonic times of the last failures, by series. */
  readonly #failedAt = new Map<string, number>();
  readonly #closing = new AbortController();
  /** Running background renewals. */
  readonly #renewals = new Set<Promise<void>>();

  constructor(parts: AmdParts, supply: AmdCrlSupply) {
    this.#parts = parts;
    this.#supply = supply;
  }

  async find(snapshot: RootedSnapshot, context: FetchContext, request: CrlRequest = {}): Promise<FoundCrls> {
    const { supplied = false, isPathVerified = async () => true } = request;
    const marks = context.historical ? NO_MARKS : snapshot.marks;
    const own = await this.#own({ snapshot, context, supplied, isPathVerified, marks });
    const isOwn = ({ list }: HeldCrl) => !('code' in own) && own.list === list;
    return { own, others: snapshot.crls.filter((crl) => !isOwn(crl) && isCurrent(crl, context.at)) };
  }

  /**
   * Returns CRLs of a line without an available root: none can be verified here. A caller whose request supplies the root may find
   * a revocation in the CRLs of the folder. A CRL of the request counts only if KDS was contacted.
   */
  withoutRoot(
    { line, marks: { highest } }: LineSnapshot,
    { problem, outOfReach }: KdsFailure,
    { at, historical }: FetchContext,
  ) {
    const mark = historical ? null : highest;
    const because = isDamaged(mark) ? rolledBack(line, mark) : problem;
    const own: MissingCrl = {
      ...because,
      substitute: outOfReach && !isDamaged(mark) ? { newest: mark, otherSeries: [] } : null,
    };
    return { own, others: this.#supply.unverified(line.product, at) };
  }

  /** Renews a series from now on, if a CRL of it was fetched before. */
  async watch(series: CrlSeries): Promise<void> {
    if ((await this.#parts.cache.crl(series.line, series.ark)) !== null) this.#watch(series);
  }

  /** Fetches newer CRLs if due. Resolves when all attempts have ended. */
  async refreshDue(): Promise<void> {
    await Promise.all([...this.#watched.values()].map((watched) => this.#refresh(watched)));
  }

  /** Aborts renewals, and waits until nothing more is written. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#renewals);
  }

  async #own(search: Search): Promise<HeldCrl | MissingCrl> {
    const { snapshot, context, marks } = search;
    const { line, crls } = snapshot;
    const isFit = (crl: HeldCrl) => isCurrent(crl, context.at) && isInUse(crl, marks);
    const fetched = crls.find(({ origin, series }) => origin === 'cache' && series === line.signingKey);
    if (fetched !== undefined && isFit(fetched)) return this.#renewed(search, fetched);
    const candidates = crls.filter((crl) => crl === fetched || isOfFolderFor(line, crl));
    return this.#asked(search, candidates, latestOf(candidates.filter(isFit)));
  }

  /**
   * Fetches a CRL if no earlier one of the series is usable.
   * @param standIn a CRL of the operator that may replace it
   */
  async #asked(search: Search, candidates: readonly HeldCrl[], standIn: HeldCrl | null): Promise<HeldCrl | MissingCrl> {
    const { snapshot, context, marks, supplied } = search;
    const { line, crls } = snapshot;
    const { at, historical } = context;
    if (!historical) await this.#parts.cache.endCrl(line, at);
    // Nothing that KDS has could count then.
    if (isDamaged(marks.highest)) {
      const damaged = rolledBack(line, marks.highest);
      return standIn === null ? { ...damaged, substitute: null } : this.#unlessOld(search, standIn, damaged.detail);
    }
    const isRolledBack = candidates.some((crl) => isCurrent(crl, at));
    const because = isRolledBack ? rolledBack(line, marks.highest) : missing(line, candidates, at);
    const answered = await this.#ask(search, because, standIn !== null || supplied);
    if (!('problem' in answered)) return answered;
    if (standIn !== null) return this.#reliedOn(search, this.#unlessOld(search, standIn, answered.problem.detail));
    return {
      ...answered.problem,
      substitute: answered.outOfReach ? { newest: marks.highest, otherSeries: ofOtherSeries(line, crls) } : null,
    };
  }

  async #ask(
    { snapshot, context }: Search,
    because: Unavailable,
    canDoWithout: boolean,
    held: AmdCrl | null = null,
  ): Promise<HeldCrl | KdsFailure> {
    const { line, crls } = snapshot;
    const { at, historical } = context;
    if (this.#supply.isOff) return { problem: because, outOfReach: true };
    // The current CRL of KDS is newer than the cached one of the series: it is useless at an earlier verification time.
    const isTooNew = historical && crls.some((crl) => crl.series === line.signingKey && crl.thisUpdate > at);
    if (isTooNew) return { problem: because, outOfReach: true };
    const isCooling = canDoWithout && (await this.#isCooling(line));
    if (isCooling) return { problem: { ...because, retryable: true }, outOfReach: true };
    const { signal } = context;
    const ask = (within: AbortSignal) => this.#supply.fetch(snapshot, because, { at, historical, signal: within });
    const answered = await (canDoWithout ? underBound(signal, this.#parts.tuning.crlAskTimeoutMs, ask) : ask(signal));
    if (!historical) this.#watch(snapshot);
    const hasFailed = 'problem' in answered && (answered.outOfReach || (held !== null && isRollback(answered.problem)));
    if (hasFailed && !historical) await this.#noteFailure(line);
    return answered;
  }

  /** Stores the failure, since the next command is a separate process. */
  async #noteFailure(line: SnpLine): Promise<void> {
    const { cache, clock, inBackground } = this.#parts;
    this.#failedAt.set(lineName(line), clock.monotonicMs());
    if (!inBackground) await cache.keepCrlFailure(line, clock.now());
  }

  async #isCooling(line: SnpLine): Promise<boolean> {
    const { cache, clock, inBackground } = this.#parts;
    const failedAt = this.#failedAt.get(lineName(line)) ?? Number.NEGATIVE_INFINITY;
    const isOwn = clock.monotonicMs() - failedAt < COOLDOWN_MS;
    if (isOwn || inBackground) return isOwn;
    const ofOther = await cache.crlFailedAt(line);
    return ofOther !== null && Math.abs(clock.now().getTime() - ofOther.getTime()) < COOLDOWN_MS;
  }

  /**
   * Accepts a CRL. Only a CRL of a known series raises the rollback mark. The mark is of recent use: it does not apply to
   * a past verification time, and then stays unchanged.
   *
   * @returns the CRL, or a problem if another process has used a newer one meanwhile
   */
  async #reliedOn({ snapshot, context, marks: { own } }: Search, crl: HeldCrl): Promise<HeldCrl | MissingCrl> {
    const isNoted = own !== null && !isOlder(own, crl);
    if (context.historical || crl.series === null || isNoted) return crl;
    const { memory } = this.#parts;
    const name = lineName(snapshot.line);
    if (await memory.advance(name, crl)) return crl;
    return { ...rolledBack(snapshot.line, await memory.highest(name)), substitute: null };
  }

  /**
   * Returns the last fetched CRL, or a newer one. It is fetched before use in two cases: it is due and the process is a command,
   * or KDS has not confirmed it for too long.
   */
  async #renewed(search: Search, fetched: HeldCrl): Promise<HeldCrl | MissingCrl> {
    const { snapshot, context } = search;
    if (context.historical) return fetched;
    const watched = this.#watch(snapshot);
    const relied = await this.#reliedOn(search, fetched);
    const isBehind = !isNoOlder(fetched, search.marks.highest);
    const isDue = isBehind || this.#isDue(snapshot.crlFetchedAt, fetched);
    if ('code' in relied || this.#supply.isOff || !isDue) return relied;
    if (this.#parts.inBackground && isConfirmed(fetched.confirmedAt, context.at)) {
      void this.#refresh(watched, isBehind);
      return fetched;
    }
    if (!(await search.isPathVerified())) return this.#unlessOld(search, fetched, UNVERIFIED_PATH);
    const answered = await this.#ask(search, RENEWAL, true, fetched);
    if (!('problem' in answered)) return answered;
    const standIn = isConfirmed(fetched.confirmedAt, context.at) ? null : this.#recentlyStored(search, fetched);
    if (standIn !== null) return this.#reliedOn(search, standIn);
    return this.#unlessOld(search, fetched, answered.problem.detail);
  }

  /** A CRL that the operator has put into the folder lately, no older than the one that was fetched. */
  #recentlyStored({ snapshot: { line, crls }, context: { at }, marks }: Search, fetched: HeldCrl): HeldCrl | null {
    const fits = (crl: HeldCrl) =>
      isOfFolderFor(line, crl) && isCurrent(crl, at) && isInUse(crl, marks) && crl.thisUpdate >= fetched.thisUpdate;
    return latestOf(crls.filter((crl) => fits(crl) && isConfirmed(crl.confirmedAt, at)));
  }

  /** @param why why KDS does not confirm it */
  #unlessOld({ context: { at, historical } }: Search, crl: HeldCrl, why: string): HeldCrl {
    if (historical || this.#supply.isOff || isConfirmed(crl.confirmedAt, at)) return crl;
    return { ...crl, sourced: { ...crl.sourced, unconfirmed: why } };
  }

  /** A CRL is due once a day, and repeatedly from half of its validity on. */
  #isDue(fetchedAt: Date | null, { thisUpdate, nextUpdate }: AmdCrl): boolean {
    const { clock, tuning } = this.#parts;
    if (fetchedAt === null) return true;
    // After the clock was set back it is due as well.
    const now = clock.now().getTime();
    const isPastHalfLife = now >= (thisUpdate.getTime() + nextUpdate.getTime()) / 2;
    return Math.abs(now - fetchedAt.getTime()) >= (isPastHalfLife ? tuning.crlRefreshPauseMs : RENEWAL_MS);
  }

  #watch({ line, ark }: CrlSeries): Watched {
    const known = this.#watched.get(lineName(line));
    if (known?.ark === ark) return known;
    const watched = { line, ark, askedAt: known?.askedAt ?? Number.NEGATIVE_INFINITY };
    this.#watched.set(lineName(line), watched);
    return watched;
  }

  async #refresh(watched: Watched, isBehind = false): Promise<void> {
    const renewal = this.#renew(watched, isBehind);
    this.#renewals.add(renewal);
    await renewal;
    this.#renewals.delete(renewal);
  }

  /**
   * Also where there is none yet: a KDS that is too slow for requests may be fast enough for this. Never rejects.
   * @param isBehind another replica has a newer one
   */
  async #renew(watched: Watched, isBehind: boolean): Promise<void> {
    const { cache, clock, log, tuning } = this.#parts;
    const now = clock.monotonicMs();
    if (this.#supply.isOff || this.#closing.signal.aborted || now - watched.askedAt < tuning.crlRefreshPauseMs) return;
    try {
      const kept = await cache.crl(watched.line, watched.ark);
      if (!isBehind && kept !== null && !this.#isDue(await cache.crlFetchedAt(watched.line), kept)) return;
      watched.askedAt = now;
      const problem = await this.#refreshFromKds(watched);
      if (this.#closing.signal.aborted) return;
      if (problem !== null) log.warn({ line: lineName(watched.line), why: problem.detail }, 'CRL not renewed');
    } catch (error) {
      log.error({ err: error }, 'CRL not renewed');
    }
  }

  async #refreshFromKds(series: CrlSeries): Promise<Unavailable | null> {
    const { clock, tuning } = this.#parts;
    const answered = await underBound(this.#closing.signal, tuning.crlRefreshTimeoutMs, (signal) =>
      this.#supply.fetch(series, RENEWAL, { at: clock.now(), historical: false, signal }),
    );
    return 'problem' in answered ? answered.problem : null;
  }
}

const isRollback = ({ code }: Unavailable) => code === 'crl_rollback';

const isNoOlder = (list: CrlAge, mark: CrlAge | null) => mark === null || !isOlder(list, mark);

/** A CRL that this replica relied on last stays in use where another has a newer one. Any other must be as new as that. */
function isInUse(list: CrlAge, { own, highest }: Marks<CrlAge>): boolean {
  const isOwn = own !== null && !isOlder(own, list) && !isOlder(list, own);
  return isOwn || isNoOlder(list, highest);
}

/** A CRL of the folder can replace any series but one to which it does not belong. */
function isOfFolderFor({ signingKey }: SnpLine, { origin, series }: HeldCrl): boolean {
  return origin === 'store' && (series === null || series === signingKey);
}

/** CRLs of the other series. A request cannot change the series of a known CRL. */
function ofOtherSeries({ signingKey }: SnpLine, held: readonly HeldCrl[]): readonly string[] {
  return held
    .filter(({ series }) => series !== null && series !== signingKey)
    .map(({ sourced }) => sourced.value.sha256);
}
