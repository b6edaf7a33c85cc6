import { readFile } from 'node:fs/promises';
import type { Unavailable } from '../model/endorsement.js';
import type { FailureLog } from '../outgoing/exchange-log.js';
import { boundedSeconds, type FetchError, requireFetchError } from '../outgoing/fetch-error.js';

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

/**
 * Why another verifier gave nothing, after every way was tried. The first way is the preferred one, so that is what
 * people are told; a later attempt is worth while where one of them may be over the fault.
 *
 * @param errors at least one
 */
export function routeUnavailable(what: string, errors: readonly FetchError[]): Unavailable {
  const waits = errors.flatMap(({ retryAfterMs }) => (retryAfterMs === null ? [] : [retryAfterMs]));
  return {
    code: 'route_unavailable',
    detail: `${what}: ${errors[0]?.message ?? 'nothing was asked'}`,
    retryable: errors.some(mayPass),
    ...(waits.length === 0 ? {} : { retryAfterSeconds: boundedSeconds(Math.min(...waits)) }),
  };
}

/** A definite no, such as 403 and 404, stays one until somebody changes a configuration. */
function mayPass({ fault, status }: FetchError): boolean {
  if (fault === 'not_allowed') return false;
  return fault !== 'status' || status === 429 || (status ?? 0) >= 500;
}

/** What a file keeps secret. A line feed at the end is the editor's, not the secret's. */
export async function readSecret(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
}
