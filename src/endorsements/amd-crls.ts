import type { X509Certificate } from '../formats/x509-certificate.js';
import type { CrlFrame } from '../formats/x509-crl.js';
import { latest } from '../model/earliest.js';
import type { EndorsementOrigin, FetchContext, Sourced, Unavailable } from '../model/endorsement.js';
import type { Clock, Log } from '../model/ports.js';
import type { AmdCache } from './amd-cache.js';
import type { AmdDirectory } from './amd-directory.js';
import type { AmdKds } from './amd-kds.js';
import { lineName, type SnpLine } from './amd-keys.js';
import { type AmdCrl, readCrl, verifyCrl } from './amd-material.js';
import { type CrlMemory, isOlder, newestOf } from './crl-memory.js';
import { kdsProblem } from './unavailable.js';
import { UnfitError } from './unfit-error.js';

interface AmdCrlsOptions {
  readonly directory: AmdDirectory;
  readonly cache: AmdCache;
  readonly memory: CrlMemory;
  /** Null where KDS is switched off. */
  readonly kds: AmdKds | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Shortest time between two attempts to have a newer list of one line, while one is held. */
  readonly refreshPauseMs: number;
  /** Longest time of such an attempt. */
  readonly refreshTimeoutMs: number;
}

/** A verified list, and where it is from. */
interface HeldCrl extends AmdCrl {
  readonly origin: EndorsementOrigin;
}

/** A line in use: its root, and when a newer list was last asked for. */
interface Watched {
  readonly line: SnpLine;
  readonly ark: X509Certificate;
  askedAt: number;
}

/**
 * Revocation lists, of each line the newest that is held and valid. Past half of its life a list is used on while a
 * newer one is asked for in the background; past its end it is never used.
 *
 * AMD serves one list for VCEKs and one for VLEKs, both signed by the ARK. Each is a line of its own here; a list in
 * the operator's folder, which does not say where it is from, counts for both.
 */
export class AmdCrls {
  readonly #options: AmdCrlsOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #closing = new AbortController();
  /** Verified once each: a list of the folder under the root that was at hand. */
  readonly #verified = new WeakMap<CrlFrame, { readonly ark: X509Certificate; readonly crl: AmdCrl | null }>();

  constructor(options: AmdCrlsOptions) {
    this.#options = options;
  }

  /** The list to judge by at an instant, or why there is none. */
  async find(line: SnpLine, ark: X509Certificate, context: FetchContext): Promise<Sourced<Uint8Array> | Unavailable> {
    const held = await this.#held(line, ark);
    const found = context.historical
      ? await this.#findHistorical(line, ark, held, context)
      : await this.#findCurrent(line, ark, held, context);
    return 'code' in found ? found : { value: found.list.der, origin: found.origin };
  }

  /** Asks for newer lists where half the life of what is held is over. Resolves when all attempts have ended. */
  async refreshDue(): Promise<void> {
    await Promise.all([...this.#watched.values()].map((watched) => this.#refresh(watched)));
  }

  close(): void {
    this.#closing.abort();
  }

  async #findCurrent(
    line: SnpLine,
    ark: X509Certificate,
    held: readonly HeldCrl[],
    context: FetchContext,
  ): Promise<HeldCrl | Unavailable> {
    const watched = this.#watch(line, ark);
    await this.#options.cache.endCrl(line, context.at);
    const highest = await this.#options.memory.highest(lineName(line));
    const newest = newestOf(held.filter((crl) => isCurrent(crl, context.at)));
    if (newest !== null && (highest === null || !isOlder(newest, highest))) {
      await this.#options.memory.advance(lineName(line), newest);
      if (isPastHalfLife(newest, this.#options.clock.now())) void this.#refresh(watched);
      return newest;
    }
    const because = newest === null ? missing(line, held, context.at) : rolledBack(line);
    return this.#fetchCurrent(line, ark, because, context);
  }

  /** The memory is of what was relied on lately: it says nothing about another instant, and is left as it is. */
  async #findHistorical(
    line: SnpLine,
    ark: X509Certificate,
    held: readonly HeldCrl[],
    { at, signal }: FetchContext,
  ): Promise<HeldCrl | Unavailable> {
    const newest = newestOf(held.filter((crl) => isCurrent(crl, at)));
    if (newest !== null) return newest;
    const because = missing(line, held, at);
    // What KDS has now is newer than what is held: of no use for an instant before that.
    if (this.#options.kds === null || held.some((crl) => crl.thisUpdate > at)) return because;
    const fetched = await this.#fetch(line, ark, because, { signal, remember: false });
    if ('code' in fetched) return fetched;
    return isCurrent(fetched, at) ? fetched : missing(line, [fetched], at);
  }

  async #fetchCurrent(
    line: SnpLine,
    ark: X509Certificate,
    because: Unavailable,
    { at, signal }: FetchContext,
  ): Promise<HeldCrl | Unavailable> {
    const fetched = await this.#fetch(line, ark, because, { signal, remember: true });
    if ('code' in fetched) return fetched;
    return (await this.#take(line, fetched, at)) ?? fetched;
  }

  /** Keeps a fetched list and gives it out, or says why it is not one to rely on. */
  async #take(line: SnpLine, fetched: HeldCrl, at: Date): Promise<Unavailable | null> {
    const { cache, memory } = this.#options;
    if (!isCurrent(fetched, at)) return missing(line, [fetched], at);
    const highest = await memory.highest(lineName(line));
    if (highest !== null && isOlder(fetched, highest)) return rolledBack(line);
    await Promise.all([memory.advance(lineName(line), fetched), cache.keepCrl(line, fetched)]);
    return null;
  }

  async #fetch(
    line: SnpLine,
    ark: X509Certificate,
    because: Unavailable,
    call: { readonly signal: AbortSignal; readonly remember: boolean },
  ): Promise<HeldCrl | Unavailable> {
    const { kds } = this.#options;
    if (kds === null) return because;
    try {
      const list = readCrl(await kds.crl(line.product, line.signingKey, call));
      return { ...verifyCrl(list, ark, line.product), origin: 'network' };
    } catch (error) {
      const problem = kdsProblem(because.code, because.detail, error);
      // A list that has ended or was rolled back may be followed by a newer one at any time.
      return because.code === 'crl_unavailable' ? problem : { ...problem, retryable: true };
    }
  }

  async #held(line: SnpLine, ark: X509Certificate): Promise<readonly HeldCrl[]> {
    const { cache, directory } = this.#options;
    const cached = await cache.crl(line, ark);
    const stored = directory.crls(line.product).flatMap((list): HeldCrl[] => {
      const crl = this.#verify(list, ark, line);
      return crl === null ? [] : [{ ...crl, origin: 'store' }];
    });
    return cached === null ? stored : [...stored, { ...cached, origin: 'cache' }];
  }

  #verify(list: CrlFrame, ark: X509Certificate, { product }: SnpLine): AmdCrl | null {
    const known = this.#verified.get(list);
    if (known?.ark === ark) return known.crl;
    const crl = this.#verifiedOrNull(list, ark, product);
    this.#verified.set(list, { ark, crl });
    return crl;
  }

  #verifiedOrNull(list: CrlFrame, ark: X509Certificate, product: SnpLine['product']): AmdCrl | null {
    try {
      return verifyCrl(list, ark, product);
    } catch (error) {
      if (!(error instanceof UnfitError)) throw error;
      this.#options.log.warn({ product, why: error.message }, 'revocation list of the AMD endorsement folder not used');
      return null;
    }
  }

  #watch(line: SnpLine, ark: X509Certificate): Watched {
    const known = this.#watched.get(lineName(line));
    if (known?.ark === ark) return known;
    const watched = { line, ark, askedAt: known?.askedAt ?? Number.NEGATIVE_INFINITY };
    this.#watched.set(lineName(line), watched);
    return watched;
  }

  /** Never rejects: whoever asked has a list already. */
  async #refresh(watched: Watched): Promise<void> {
    const { kds, clock, log, refreshPauseMs } = this.#options;
    const now = clock.monotonicMs();
    if (kds === null || this.#closing.signal.aborted || now - watched.askedAt < refreshPauseMs) return;
    try {
      const held = newestOf(await this.#held(watched.line, watched.ark));
      if (held === null || !isPastHalfLife(held, clock.now())) return;
      watched.askedAt = now;
      const problem = await this.#refreshFromKds(watched, held);
      if (problem !== null)
        log.warn({ line: lineName(watched.line), why: problem.detail }, 'revocation list not renewed');
    } catch (error) {
      log.error({ err: error }, 'revocation list not renewed');
    }
  }

  async #refreshFromKds({ line, ark }: Watched, held: HeldCrl): Promise<Unavailable | null> {
    const timeout = AbortSignal.timeout(this.#options.refreshTimeoutMs);
    const signal = AbortSignal.any([this.#closing.signal, timeout]);
    const because: Unavailable = { code: 'crl_unavailable', detail: 'a newer revocation list', retryable: true };
    const fetched = await this.#fetch(line, ark, because, { signal, remember: true });
    if ('code' in fetched) return fetched;
    return isOlder(held, fetched) || isOlder(fetched, held)
      ? this.#take(line, fetched, this.#options.clock.now())
      : null;
  }
}

/** Valid at an instant, without leeway: from thisUpdate to nextUpdate, both included. */
function isCurrent({ thisUpdate, nextUpdate }: AmdCrl, at: Date): boolean {
  return thisUpdate <= at && at <= nextUpdate;
}

function isPastHalfLife({ thisUpdate, nextUpdate }: AmdCrl, now: Date): boolean {
  return now.getTime() >= (thisUpdate.getTime() + nextUpdate.getTime()) / 2;
}

function missing({ product }: SnpLine, held: readonly AmdCrl[], at: Date): Unavailable {
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

function rolledBack({ product }: SnpLine): Unavailable {
  return {
    code: 'crl_rollback',
    detail: `revocation list of ${product} is older than one that was relied on before`,
    retryable: true,
  };
}
