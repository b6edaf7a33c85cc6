import type { Unavailable } from '../../core/endorsement.js';
import { boundedSeconds, type FetchError } from '../fetch-error.js';

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
  if (fault === 'not_allowed' || fault === 'proxy_refused') return false;
  return fault !== 'status' || status === 429 || (status ?? 0) >= 500;
}
