import { PROBLEM_STATUS, type ProblemCode } from '../model/codes.js';
import { FormatError, RefusedError } from '../model/errors.js';
import type { Schemas } from './schema-check.js';

/** A problem document and what of the HTTP answer goes with it. */
export interface Problem {
  readonly status: number;
  /** Value of Retry-After, where there is one. */
  readonly retryAfterSeconds: number | null;
  /** Body, `application/problem+json`. */
  readonly document: Schemas['Problem'];
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

const TITLES: { readonly [C in ProblemCode]: string } = {
  unauthorized: 'Caller not known',
  forbidden: 'Not allowed for this caller',
  not_found: 'No such resource',
  method_not_allowed: 'No such method here',
  not_acceptable: 'No answer of this media type',
  evidence_not_kept: 'Evidence was not kept',
  body_too_large: 'Body too large',
  unsupported_media_type: 'Body is not plain JSON',
  rate_limited: 'Too many requests',
  headers_too_large: 'Headers too large',
  overloaded: 'No capacity for the request',
  clock: 'The clock of the service cannot be relied on',
};

/**
 * The problem document (RFC 9457) for an error. Of an error that is neither the sender's fault nor a refusal it says
 * nothing but that it happened: the cause is for the log.
 */
export function presentProblem(error: unknown, requestId: string | null): Problem {
  if (error instanceof FormatError) {
    const pointer = error.pointer === null ? {} : { pointer: error.pointer };
    const said = { code: error.code, title: 'Malformed request', detail: error.message, ...pointer };
    return problem(400, said, requestId);
  }
  if (error instanceof RefusedError) {
    const { code, message: detail } = error;
    const refused = problem(PROBLEM_STATUS[code], { code, title: TITLES[code], detail }, requestId);
    return { ...refused, retryAfterSeconds: error.retryAfterSeconds };
  }
  const detail = 'the request could not be answered';
  return problem(500, { code: 'internal_error', title: 'Internal error', detail }, requestId);
}

type Said = Omit<Problem['document'], 'type' | 'status' | 'requestId'>;

function problem(status: number, { code, title, detail, ...place }: Said, requestId: string | null): Problem {
  const document = { type: `urn:veritee:problem:${code}`, title, status, detail, code, ...place };
  return { status, retryAfterSeconds: null, document: requestId === null ? document : { ...document, requestId } };
}
