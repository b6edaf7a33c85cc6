import type { Clock, Log } from '../model/ports.js';
import { FetchError } from './fetch-error.js';

/** Hears how each attempt to reach an origin ended. */
export interface OriginObserver {
  /** From now on the origin is one of those that may be contacted. */
  register(origin: string): void;
  /** It answered in a way that shows that it works, a definite no included. */
  answered(origin: string): void;
  failed(origin: string, error: FetchError): void;
}

/** What is known of one origin. */
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
  attempts: number;
}

interface Known {
  readonly host: string;
  failures: number;
  outage: Outage | null;
}

/**
 * Which origins are out of reach. An outage begins with the first failed attempt and ends with the first answer; each is
 * in the log once, however many requests it touches.
 *
 * An attempt that ends because the caller has left, or that was never made, says nothing about the origin.
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

  register(origin: string): void {
    this.#known(origin);
  }

  answered(origin: string): void {
    const known = this.#known(origin);
    const { host, outage } = known;
    if (outage === null) return;
    known.outage = null;
    const seconds = Math.round((this.#clock.monotonicMs() - outage.begun) / 1000);
    this.#log.info({ host, seconds, attempts: outage.attempts }, 'origin answers again');
  }

  failed(origin: string, error: FetchError): void {
    if (!isOutage(error)) return;
    const known = this.#known(origin);
    known.failures += 1;
    if (known.outage !== null) {
      known.outage.attempts += 1;
      return;
    }
    known.outage = { begun: this.#clock.monotonicMs(), attempts: 1 };
    this.#log.warn(
      { host: known.host, fault: error.fault, status: error.status, cause: causeOf(error) },
      'origin does not answer',
    );
  }

  #known(origin: string): Known {
    const known = this.#origins.get(origin);
    if (known !== undefined) return known;
    const first: Known = { host: new URL(origin).host, failures: 0, outage: null };
    this.#origins.set(origin, first);
    return first;
  }
}

/** Makes an attempt and tells the observer how it ended. */
export async function observed<T>(
  observer: OriginObserver | undefined,
  origin: string,
  attempt: () => Promise<T>,
): Promise<T> {
  try {
    const answer = await attempt();
    observer?.answered(origin);
    return answer;
  } catch (error) {
    if (error instanceof FetchError) tell(observer, origin, error);
    throw error;
  }
}

/** A definite no, such as a 404, shows that the origin works. */
function tell(observer: OriginObserver | undefined, origin: string, error: FetchError): void {
  if (error.fault === 'status' && !isOutage(error)) observer?.answered(origin);
  else observer?.failed(origin, error);
}

/** Whether an attempt says that the origin does not work, or does not serve this service. */
function isOutage(error: FetchError): boolean {
  return error.fault !== 'aborted' && (error.unhealthy || error.throttled);
}

/** The innermost cause: `getaddrinfo ENOTFOUND …`, `certificate has expired`, or what the error itself says. */
function causeOf(error: Error): string {
  let cause: Error = error;
  while (cause.cause instanceof Error) cause = cause.cause;
  return cause.message;
}
