import { FormatError } from '../src/core/errors.js';

/** Code and pointer of the FormatError that a call must throw. Any other outcome fails the test. */
export function formatErrorOf(call: () => unknown): { readonly code: string; readonly pointer: string | null } {
  try {
    call();
  } catch (error) {
    if (error instanceof FormatError) return { code: error.code, pointer: error.pointer };
    throw error;
  }
  throw new Error('nothing was thrown');
}
