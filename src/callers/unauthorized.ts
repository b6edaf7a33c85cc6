import { RefusedError } from '../core/errors.js';

/** The error for a request without a recognised caller. The detail is for the client. */
export function unauthorized(detail: string, options: { readonly endsConnection?: boolean } = {}): RefusedError {
  return new RefusedError('unauthorized', detail, options);
}
