import type { EndorsementOrigin, FetchContext, Sourced, Unavailable } from '../../core/endorsement.js';
import type { Clock, Log } from '../../core/ports.js';
import { underBound } from '../../outside/bounded-signal.js';
import { boundedSeconds } from '../../outside/fetch-error.js';
import { SingleFlight } from '../../outside/shared-attempts.js';
import type { DownloadedKeys } from './key-set-download.js';
import { keySetProblem } from './key-set-download.js';

/** Ages and pauses of key sets. */
export interface KeySetPauses {
  /** Age from which a set is fetched again before use. */
  readonly refreshMs: number;
  /** Longest wait from the begin of that fetch; then the older set is used. */
  readonly waitMs: number;
  /** Shortest time between the begins of two fetches, even after a failure. */
  readonly cooldownMs: number;
  /** Age from which a set is no longer used. */
  readonly staleMs: number;
}

interface KeySetMemoryOptions {
  readonly issuer: string;
  readonly download: (before: DownloadedKeys | null, signal: AbortSignal) => Promise<DownloadedKeys>;
  readonly pauses: KeySetPauses;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts fetches. */
  readonly closing: AbortSignal;
  /** Called with each received set. Must not throw. */
  readonly onFetched?: (keys: DownloadedKeys, fetchedOn: Date) => void;
}

export interface FoundKeys extends Sourced<DownloadedKeys> {
  readonly fetchedAt: Date;
  /** When it was fetched, if it is due and the last fetch supplied no newer one; else absent. */
  readonly unrenewedSince?: Date;
}

interface Held extends DownloadedKeys {
  readonly fetchedOn: Date;
  readonly fetchedAt: number;
  /** When it should be fetched again. */
  readonly dueAt: number;
}

const THE_SET = '';
const UNANSWERED: Unavailable = {
  code: 'jwks_unavailable',
  detail: 'the key set of the issuer: no answer yet',
  retryable: true,
};

/**
 * The key set of one issuer, as last fetched.
 *
 * Until the set is due, its keys are used at once. Then it is fetched again first, so that a key that the
 * issuer has withdrawn is rejected. If that fails, hangs, or was just tried, the older set is used. For an
 * unknown key, the caller waits for a fetch. There is one fetch at a time and one per cooldown, including failed
 * ones, and no retries: neither unknown keys nor an outage can make this service overload an issuer. If an issuer
 * fails or publishes unusable data, the set stays, and serves its keys until it is too old.
 *
 * A fetch continues when the caller that caused it has left. Otherwise callers that leave early could use up every
 * cooldown, and block a new set for ever.
 */
export class KeySetMemory {
  readonly #options: KeySetMemoryOptions;
  readonly #flight = new SingleFlight<Unavailable | null>();
  #held: Held | null = null;
  /** The failure of the last fetch; null if it supplied a set. */
  #problem: Unavailable | null = UNANSWERED;
  #restsUntil = Number.NEGATIVE_INFINITY;
  #begunAt = Number.NEGATIVE_INFINITY;

  /** The problem that was logged since the last set. */
  #told: string | null = null;

  constructor(options: KeySetMemoryOptions) {
    this.#options = options;
  }

  /** Takes a set of an earlier process, with its age. It is due at once, so that it only serves if fetching fails. */
  restore(keys: DownloadedKeys, fetchedOn: Date): void {
    const { clock } = this.#options;
    const ageMs = clock.now().getTime() - fetchedOn.getTime();
    const now = clock.monotonicMs();
    // A set from the future was stored with a wrong clock: its age is unknown.
    if (ageMs >= 0) this.#held ??= { ...keys, fetchedOn, fetchedAt: now - ageMs, dueAt: now };
  }

  /** When the set was fetched, and when it expires; null if there is none. */
  get age(): { readonly fetchedAt: Date; readonly expires: Date } | null {
    if (this.#held === null) return null;
    const { fetchedOn } = this.#held;
    return { fetchedAt: fetchedOn, expires: new Date(fetchedOn.getTime() + this.#options.pauses.staleMs) };
  }

  /** The set, if it has this key and may be used. Sends no request. */
  known(kid: string): FoundKeys | null {
    const held = this.#held;
    return held?.keys.has(kid) === true && !this.#isStale(held) ? this.#asHeld(held) : null;
  }

  #asHeld(held: Held): FoundKeys {
    const unrenewed = this.#isDue() && this.#problem !== null ? { unrenewedSince: held.fetchedOn } : {};
    return { ...sourced(held, 'cache'), ...unrenewed };
  }

  /** The set, which may lack the key; or why it is unknown whether the issuer has the key. */
  async find(kid: string, context: FetchContext): Promise<FoundKeys | Unavailable> {
    const known = this.known(kid);
    if (known !== null && !this.#isDue()) return known;
    if (this.#options.clock.monotonicMs() >= this.#restsUntil) void this.#refresh();
    const asks = this.#flight.isUnderWay(THE_SET);
    if (known !== null) return asks ? this.#newerOr(known, context) : known;
    const problem = asks ? await this.#ask(context.signal) : this.#problem;
    if (problem === null && this.#held !== null) return sourced(this.#held, asks ? 'network' : 'cache');
    return this.#unavailable(problem ?? UNANSWERED);
  }

  #isDue(): boolean {
    return this.#options.clock.monotonicMs() >= (this.#held?.dueAt ?? 0);
  }

  /** The set of a running fetch, if it arrives in time (it may lack the key); otherwise the older one. */
  async #newerOr(older: FoundKeys, { signal }: FetchContext): Promise<FoundKeys> {
    const { clock, pauses } = this.#options;
    const left = Math.max(0, this.#begunAt + pauses.waitMs - clock.monotonicMs());
    // Faults other than of the network or its data are in the log already, and change nothing here.
    await underBound(signal, left, (bound) => this.#ask(bound)).catch(() => null);
    const held = this.#held;
    if (held === null) return older;
    return held === older.value ? this.#asHeld(held) : sourced(held, 'network');
  }

  #isStale({ fetchedAt }: Held): boolean {
    return this.#options.clock.monotonicMs() - fetchedAt >= this.#options.pauses.staleMs;
  }

  /** Never rejects: it need not be awaited. */
  async #refresh(): Promise<void> {
    const { closing, issuer, log } = this.#options;
    try {
      await this.#ask(closing);
    } catch (error) {
      log.error({ issuer, err: error }, 'key set of a token issuer not fetched');
    }
  }

  async #ask(signal: AbortSignal): Promise<Unavailable | null> {
    try {
      return await this.#flight.run(THE_SET, signal, (ending) => this.#fetch(ending));
    } catch (error) {
      return keySetProblem(error);
    }
  }

  async #fetch(signal: AbortSignal): Promise<Unavailable | null> {
    const { clock, download, pauses, onFetched } = this.#options;
    this.#begunAt = clock.monotonicMs();
    this.#restsUntil = this.#begunAt + pauses.cooldownMs;
    this.#problem = UNANSWERED;
    try {
      const fetched = await download(this.#held, signal);
      const now = clock.monotonicMs();
      // A missing CRL is fetched again soon.
      const dueAt = fetched.complete ? now + pauses.refreshMs : this.#restsUntil;
      this.#held = { ...fetched, fetchedOn: clock.now(), fetchedAt: now, dueAt };
      this.#problem = null;
      this.#told = null;
      onFetched?.(fetched, this.#held.fetchedOn);
    } catch (error) {
      this.#problem = this.#note(keySetProblem(error), error);
    }
    return this.#problem;
  }

  #note(problem: Unavailable, error: unknown): Unavailable {
    const { clock, issuer, log } = this.#options;
    if (problem.retryAfterSeconds !== undefined) {
      this.#restsUntil = Math.max(this.#restsUntil, clock.monotonicMs() + problem.retryAfterSeconds * 1000);
    }
    const fields = { issuer, code: problem.code, why: problem.detail, held: this.#held !== null, err: error };
    // Logs each kind once until a set arrives: attempts continue as long as tokens arrive.
    const isTold = this.#told === problem.detail;
    this.#told = problem.detail;
    if (isTold) log.debug(fields, 'key set of a token issuer not fetched');
    else log.warn(fields, 'key set of a token issuer not fetched');
    return problem;
  }

  #unavailable(problem: Unavailable): Unavailable {
    const isStale = this.#held !== null && this.#isStale(this.#held);
    const said: Unavailable = isStale
      ? { ...problem, code: 'jwks_stale', detail: `the cached key set is too old; ${problem.detail}` }
      : problem;
    if (said.retryAfterSeconds === undefined) return said;
    return { ...said, retryAfterSeconds: boundedSeconds(this.#restsUntil - this.#options.clock.monotonicMs()) };
  }
}

const sourced = (held: Held, origin: EndorsementOrigin): FoundKeys => ({
  value: held,
  origin,
  fetchedAt: held.fetchedOn,
});
