import type { Unavailable } from '../../model/endorsement.js';
import { FormatError } from '../../model/errors.js';
import { boundedSeconds, FetchError } from '../../outgoing/fetch-error.js';

/** The issuer answered, but not with a key set: with a web page, for example, or too long a body. */
const UNFIT_ANSWERS: ReadonlySet<FetchError['fault']> = new Set(['content_type', 'too_large']);

/**
 * Why there is no key set. Every such fault may be over at the next fetch, a 404 included.
 * @throws {unknown} what is neither a fault of the network nor of what came over it
 */
export function keySetProblem(error: unknown): Unavailable {
  if (error instanceof FormatError) {
    return {
      code: 'jwks_invalid',
      detail: `the key set of the issuer is of no use: ${error.message}`,
      retryable: true,
    };
  }
  if (!(error instanceof FetchError)) throw error;
  const code = UNFIT_ANSWERS.has(error.fault) ? 'jwks_invalid' : 'jwks_unavailable';
  const problem: Unavailable = { code, detail: `the key set of the issuer: ${error.message}`, retryable: true };
  if (!error.throttled || error.retryAfterMs === null) return problem;
  return { ...problem, retryAfterSeconds: boundedSeconds(error.retryAfterMs) };
}
