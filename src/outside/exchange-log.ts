import type { Log } from '../core/ports.js';
import { type FetchError, requireFetchError } from './fetch-error.js';

/** Kinds that are said of one place. Codes are words of another service, and it may have any number of them. */
const MOST_KINDS = 32;

/** Whether it is an error code, and no sentence, which may say something else each time. */
function isCode(cause: unknown): boolean {
  return typeof cause === 'string' && /^[A-Za-z_]{1,64}$/.test(cause);
}

/**
 * Says in the log why nothing came, where something was asked: the rest follows from what was logged before. Every
 * request meets an outage, so each kind of failure is a warning once, until there is an answer; then it is for `debug`.
 */
export class FailureLog {
  readonly #log: Log;
  readonly #message: string;
  /** Kinds of failures that were said since the last answer, by place. */
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
 * Runs what asks somebody, and has the log say that it failed, or answers again.
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
