import { FormatError, messageOf, UnfitError } from '../core/errors.js';
import type { Clock, Log } from '../core/ports.js';
import { FetchError } from './fetch-error.js';

/** Hears how each attempt to reach an origin ended. */
export interface OriginObserver {
  /** From now on the origin is one of those that may be contacted. */
  register(origin: string): void;
  /** It answered with what is of use. */
  answered(origin: string): void;
  /** It said no to what a caller chose, such as a chip. */
  refused(origin: string): void;
  failed(origin: string, error: FetchError): void;
  /** Makes an attempt, for who watches each while it lasts. Left out, it is just made. */
  around?<A extends AnyAnswer>(origin: string, attempt: () => Promise<A>): Promise<A>;
}

interface AnyAnswer {
  /** Of HTTP. */
  readonly status: number;
}

/** How attempts to reach one origin ended. */
export interface FetchCount {
  /** Host and port. */
  readonly host: string;
  /** `answered`, `refused`, the fault, or the class of the status: `status_429`, `status_4xx`, `status_5xx`. */
  readonly outcome: string;
  /** Since the start of the service. */
  readonly count: number;
}

/** The state of one origin. */
export interface OriginState {
  /** Host and port. */
  readonly host: string;
  readonly isReachable: boolean;
  /** Failed attempts since the start of the service. */
  readonly failures: number;
}

interface Outage {
  /** Monotonic. */
  readonly begun: number;
  /** Of the attempt that it began with. */
  readonly cause: string;
  attempts: number;
}

interface Known {
  readonly host: string;
  readonly outcomes: Map<string, number>;
  failures: number;
  outage: Outage | null;
}

/**
 * Which origins are out of reach. An outage begins with the first failed attempt and ends with the first answer that is of
 * use; each is in the log once, however many requests it touches. An origin that refuses this service (401, 403, 407, 451
 * and the like), or answers with what nobody can read, fails.
 *
 * An attempt says nothing about the origin where it ends because the caller has left, where it was never made, and where
 * a 400 or 404 is about what a caller chose, such as a chip: callers must neither begin nor end an outage.
 */
export class Outages implements OriginObserver {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #log: Log;
  readonly #origins = new Map<string, Known>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Every origin that may be contacted, in the order in which they were named. */
  get states(): readonly OriginState[] {
    return [...this.#origins.values()].map(({ host, failures, outage }) => ({
      host,
      isReachable: outage === null,
      failures,
    }));
  }

  /** How attempts ended, by origin. */
  get fetches(): readonly FetchCount[] {
    return [...this.#origins.values()].flatMap(({ host, outcomes }) =>
      [...outcomes].map(([outcome, count]) => ({ host, outcome, count })),
    );
  }

  register(origin: string): void {
    this.#known(origin);
  }

  refused(origin: string): void {
    count(this.#known(origin), 'refused');
  }

  answered(origin: string): void {
    const known = this.#known(origin);
    const { host, outage } = known;
    count(known, 'answered');
    if (outage === null) return;
    known.outage = null;
    const seconds = Math.round((this.#clock.monotonicMs() - outage.begun) / 1000);
    const { attempts, cause } = outage;
    this.#log.info({ host, seconds, attempts, cause }, 'origin answers again');
  }

  failed(origin: string, error: FetchError): void {
    const known = this.#known(origin);
    count(known, outcomeOf(error));
    if (!isOutage(error)) return;
    known.failures += 1;
    if (known.outage !== null) {
      known.outage.attempts += 1;
      return;
    }
    const cause = causeOf(error);
    known.outage = { begun: this.#clock.monotonicMs(), cause, attempts: 1 };
    const { fault, status } = error;
    this.#log.warn({ host: known.host, fault, status, cause }, 'origin does not answer');
  }

  #known(origin: string): Known {
    const known = this.#origins.get(origin);
    if (known !== undefined) return known;
    const first: Known = { host: new URL(origin).host, outcomes: new Map(), failures: 0, outage: null };
    this.#origins.set(origin, first);
    return first;
  }
}

/** The limits of an attempt at an origin. */
interface Observed<T> {
  readonly origin: string;
  /** Throws where nobody can use the answer. */
  readonly check?: (answer: T) => unknown;
  /** Whether a 400 or 404 says nothing of the origin. */
  readonly mayBeRefused?: boolean;
}

/** Makes an attempt and reports its end to the observer. The caller gets the answer whatever `check` finds. */
export async function observed<T>(
  observer: OriginObserver | undefined,
  attempt: () => Promise<T>,
  asked: Observed<T>,
): Promise<T> {
  try {
    const answer = await attempt();
    if (observer !== undefined) tell(observer, asked, answerFault(answer, asked.check));
    return answer;
  } catch (error) {
    if (error instanceof FetchError && observer !== undefined) tell(observer, asked, error);
    throw error;
  }
}

function tell<T>(observer: OriginObserver, { origin, mayBeRefused }: Observed<T>, fault: FetchError | null): void {
  if (fault === null) observer.answered(origin);
  else if (mayBeRefused === true && fault.refusesQuestion) observer.refused(origin);
  else observer.failed(origin, fault);
}

/** Why an answer is of no use; null where it is. */
function answerFault<T>(answer: T, check: Observed<T>['check']): FetchError | null {
  try {
    check?.(answer);
    return null;
  } catch (error) {
    if (error instanceof FetchError) return error;
    if (!(error instanceof FormatError) && !(error instanceof UnfitError)) throw error;
    return new FetchError('content_type', 'answered with something that cannot be used', { cause: error });
  }
}

/** Whether an attempt says that the origin does not work, does not serve this service, or is cut off by the proxy. */
function isOutage(error: FetchError): boolean {
  return error.fault === 'status' || error.ofProxy || (error.fault !== 'aborted' && error.unhealthy);
}

/** Few values, whatever an origin answers. */
function outcomeOf({ fault, status }: FetchError): string {
  if (fault !== 'status' || status === null) return fault;
  return status === 429 ? 'status_429' : `status_${Math.floor(status / 100)}xx`;
}

function count({ outcomes }: Known, outcome: string): void {
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

/** The innermost cause: `getaddrinfo ENOTFOUND …`, `certificate has expired`, or what the error itself says. */
function causeOf(error: Error): string {
  let cause: Error = error;
  while (cause.cause instanceof Error) cause = cause.cause;
  return messageOf(cause);
}
