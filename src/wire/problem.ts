import { FormatError, RefusedError } from '../core/errors.js';
import { PROBLEM_ROWS } from '../core/problem-codes.js';
import type { Schemas } from './schema-check.js';

/** A problem document, with the status and headers of the answer. */
export interface Problem {
  readonly status: number;
  /** Value of Retry-After, if there is one. */
  readonly retryAfterSeconds: number | null;
  /** Body, `application/problem+json`. */
  readonly document: Schemas['Problem'];
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/**
 * Makes the problem document (RFC 9457) for an error. An unexpected error gets a general document:
 * its cause is only for the log.
 */
export function presentProblem(error: unknown, requestId: string | null): Problem {
  if (error instanceof FormatError) {
    const said = { code: error.code, title: 'Malformed request', detail: error.message, ...problemPointer(error) };
    return problem(400, said, requestId);
  }
  if (error instanceof RefusedError) {
    const { code, message: detail } = error;
    const { status, title } = PROBLEM_ROWS[code];
    const refused = problem(status, { code, title, detail, ...problemPointer(error) }, requestId);
    return { ...refused, retryAfterSeconds: error.retryAfterSeconds };
  }
  const detail = 'the request could not be answered';
  return problem(500, { code: 'internal_error', title: 'Internal error', detail }, requestId);
}

function problemPointer({ pointer }: FormatError | RefusedError): { readonly pointer?: string } {
  return pointer === null ? {} : { pointer };
}

type ProblemMembers = Omit<Problem['document'], 'type' | 'status' | 'requestId'>;

function problem(status: number, { code, title, detail, ...place }: ProblemMembers, requestId: string | null): Problem {
  const document = { type: `urn:veritee:problem:${code}`, title, status, detail, code, ...place };
  return { status, retryAfterSeconds: null, document: requestId === null ? document : { ...document, requestId } };
}
