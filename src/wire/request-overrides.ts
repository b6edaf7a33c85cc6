import { FormatError } from '../model/errors.js';
import type { VerifyRequest } from '../model/request.js';
import { readInstant } from './instant.js';
import { readNonce, requireFits } from './read-verify-request.js';

/** What the command line says instead of the body; null where it says nothing. */
export interface RequestOverrides {
  readonly policies: readonly string[] | null;
  /** base64url, as in the body. */
  readonly nonce: string | null;
  /** RFC 3339 in UTC. */
  readonly at: string | null;
}

/**
 * A body as the command line wants it judged. The verification time is an option alone: a body is often written by
 * whoever is to be judged, and must not turn back the clock of a gate.
 *
 * @throws {FormatError} `at_not_enabled` for a body that has an `at` itself; else as `readVerifyRequest`, for the
 *   members that are replaced
 */
export function overrideRequest(request: VerifyRequest, overrides: RequestOverrides): VerifyRequest {
  if (request.at !== null && overrides.at === null) {
    throw new FormatError(
      'at_not_enabled',
      'the command line takes the verification time from --at only, never from the body',
      {
        pointer: '/at',
      },
    );
  }
  const nonce = overrides.nonce === null ? request.nonce : readNonce(overrides.nonce);
  if (nonce !== null && request.bindingJwk === null) requireFits(nonce, request.evidence);
  return {
    ...request,
    nonce,
    policies: overrides.policies ?? request.policies,
    at: overrides.at === null ? null : readInstant(overrides.at, '/at'),
  };
}
