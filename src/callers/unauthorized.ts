import { RefusedError } from '../core/errors.js';

/** Nobody is recognised. The detail is for the client. */
export function unauthorized(detail: string, options: { readonly endsConnection?: boolean } = {}): RefusedError {
  return new RefusedError('unauthorized', detail, options);
}
