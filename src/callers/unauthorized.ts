import { RefusedError } from '../model/errors.js';

/** Nobody is recognised. The detail is for whoever asks. */
export function unauthorized(detail: string): RefusedError {
  return new RefusedError('unauthorized', detail);
}
