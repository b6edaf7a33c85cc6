import type { Log } from '../core/ports.js';
import { type FetchError, requireFetchError } from './fetch-error.js';

/** Most kinds of failure per place. Codes are words of another service, which may have any number of them. */
const MOST_KINDS = 32;

/** Whether a cause is an error code. A sentence may differ each time. */
function isCode(cause: unknown): boolean {
  return typeof cause === 'string' && /^[A-Za-z_]{1,64}$/.test(cause);
}

/**
 * Logs why a contacted service gave no answer; earlier lines explain other failures. Every request during an outage
 * fails, so each kind of failure is a warning once, until the next answer. Then its level is `debug`.
 */
export class FailureLog {
  readonly #log: Log;
  readonly #message: string;
  /** Kinds of failures that were logged since the last answer, by place. */
  readonly #said = new Map<string, Set<string>>();

  constructor(log: Log, message: string) {
    this.#log = log;
    this.#message = message;
  }

  failed(where: string, { fault, status, cause }: FetchError): void {
    if (fault === 'open' || fault === 'waiting' || fault === 'busy') return;
    const reason = cause instanceof Error ? cause.message : cause;
    const fields = { where, fault, status, ...(typeof reason === 'string' ? { reason } : {}) };
    if (this.#isNew(where, `${fault} ${status} ${isCode(cause) ? cause : ''}`)) this.#log.warn(fields, this.#message);
    else this.#log.debug(fields, this.#message);
  }

  answered(where: string): void {
    this.#said.delete(where);
  }

  #isNew(where: string, kind: string): boolean {
    const said = this.#said.get(where) ?? new Set();
    if (said.has(kind) || said.size >= MOST_KINDS) return false;
    this.#said.set(where, said.add(kind));
    return true;
  }
}

/**
 * Runs a call to a service, and logs that it fails, or answers again.
 * @throws {FetchError}
 */
export async function loggingFailures<T>(failures: FailureLog, name: string, ask: () => Promise<T>): Promise<T> {
  try {
    const answer = await ask();
    failures.answered(name);
    return answer;
  } catch (error) {
    const failure = requireFetchError(error);
    failures.failed(name, failure);
    throw failure;
  }
}
