import type { Unavailable } from '../../core/endorsement.js';
import { boundedSeconds, type FetchError } from '../fetch-error.js';

/**
 * Returns why no verifier gave an answer, after every attempt. The message is that of the first attempt, which is the preferred
 * one. Another attempt is worthwhile if one of the faults may be temporary.
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

/** A definite refusal, such as 403 and 404, lasts until an operator changes a configuration. */
function mayPass({ fault, status }: FetchError): boolean {
  if (fault === 'not_allowed' || fault === 'proxy_refused') return false;
  return fault !== 'status' || status === 429 || (status ?? 0) >= 500;
}
