/** A refusal for another reason than malformed bytes: a problem document, with the HTTP status of its code. */
interface ProblemRow {
  readonly status: number;
  /** `title` of the problem document, the same for each. */
  readonly title: string;
}

export const PROBLEM_ROWS = {
  unauthorized: { status: 401, title: 'Caller not known' },
  forbidden: { status: 403, title: 'Not allowed for this caller' },
  not_found: { status: 404, title: 'No such resource' },
  method_not_allowed: { status: 405, title: 'No such method here' },
  not_acceptable: { status: 406, title: 'No answer of this media type' },
  evidence_not_kept: { status: 409, title: 'Evidence was not kept' },
  body_too_large: { status: 413, title: 'Body too large' },
  unsupported_media_type: { status: 415, title: 'Body is not plain JSON' },
  rate_limited: { status: 429, title: 'Too many requests' },
  headers_too_large: { status: 431, title: 'Headers too large' },
  overloaded: { status: 503, title: 'No capacity for the request' },
  caller_keys_unavailable: { status: 503, title: 'Keys of a token issuer are out of reach' },
  clock: { status: 503, title: 'The clock of the service cannot be relied on' },
} as const satisfies { readonly [code: string]: ProblemRow };

/** Code of a problem document that is not about malformed bytes. */
export type ProblemCode = keyof typeof PROBLEM_ROWS;
