import { FormatError } from '../model/errors.js';

/** Material that cannot be read, does not verify, or is not what was looked for. */
export class UnfitError extends Error {
  override readonly name = 'UnfitError';
}

/**
 * Reads material from elsewhere than the request: there, bytes without their form are unfit.
 * @throws {UnfitError} where the bytes are malformed
 */
export function unfitIfMalformed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof FormatError ? new UnfitError(error.message, { cause: error }) : error;
  }
}
