import { FormatError, messageOf, UnfitError } from '../core/errors.js';
import type { Clock, Log } from '../core/ports.js';
import { FetchError } from './fetch-error.js';

/** Observes how each attempt to reach an origin ended. */
export interface OriginObserver {
  /** Adds the origin to those that may be contacted. */
  register(origin: string): void;
  /** The origin gave a usable answer. */
  answered(origin: string): void;
  /** The origin refused a resource that a caller chose, such as a chip. */
  refused(origin: string): void;
  failed(origin: string, error: FetchError): void;
  /** Runs an attempt within an observer, such as a span. If it is left out, the attempt just runs. */
  around?<A extends AnyAnswer>(origin: string, attempt: () => Promise<A>): Promise<A>;
}

interface AnyAnswer {
  /** The HTTP status. */
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
  /** Monotonic time of the begin. */
  readonly begun: number;
  /** Cause of the first failed attempt. */
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
 * Records which origins are unreachable. An outage begins with the first failed attempt and ends with the first usable
 * answer. The log has each outage once, regardless of the number of requests. An origin that refuses this service
 * (401, 403, 407, 451 and the like), or gives an unreadable answer, counts as failed.
 *
 * Some attempts do not count: the caller left, the attempt was never made, or a 400 or 404 is about a choice of the
 * caller, such as a chip. So callers can neither begin nor end an outage.
 */
export class Outages implements OriginObserver {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #log: Log;
  readonly #origins = new Map<string, Known>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Every origin that may be contacted, in the order of registration. */
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
  /** Throws if the answer is not usable. */
  readonly check?: (answer: T) => unknown;
  /** Whether a 400 or 404 is no fault of the origin. */
  readonly mayBeRefused?: boolean;
}

/** Makes an attempt and reports its end to the observer. The caller gets the answer even if `check` throws. */
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

/** Returns why an answer is not usable; null if it is. */
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

/** Whether a failure shows that the origin is down, refuses this service, or is blocked by the proxy. */
function isOutage(error: FetchError): boolean {
  return error.fault === 'status' || error.ofProxy || (error.fault !== 'aborted' && error.unhealthy);
}

/** Maps all answers of an origin to few values. */
function outcomeOf({ fault, status }: FetchError): string {
  if (fault !== 'status' || status === null) return fault;
  return status === 429 ? 'status_429' : `status_${Math.floor(status / 100)}xx`;
}

function count({ outcomes }: Known, outcome: string): void {
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

/** The innermost cause: `getaddrinfo ENOTFOUND …`, `certificate has expired`, or the message of the error itself. */
function causeOf(error: Error): string {
  let cause: Error = error;
  while (cause.cause instanceof Error) cause = cause.cause;
  return messageOf(cause);
}
