import { ConfigurationError, FormatError } from '../../src/core/errors.js';
import type * as PARSERS from './parsers.js';

export type ParserName = keyof typeof PARSERS;

export type Parse = (bytes: Uint8Array) => unknown;

/** A call that takes longer, and does so when it is made again, is a fault: a parser is to be bounded in steps. */
const LONGEST_CALL_MS = 1000;

/**
 * The function that Jazzer.js calls with each input.
 *
 * @public imported by the text of a bundle in run.ts
 */
export function target(parse: Parse): (data: Buffer) => void {
  const timed = (data: Buffer): number => {
    const start = performance.now();
    const error = undeclaredError(parse, data);
    if (error !== null) throw error;
    return performance.now() - start;
  };
  return (data) => {
    if (timed(data) > LONGEST_CALL_MS && timed(data) > LONGEST_CALL_MS)
      throw new Error(`longer than ${LONGEST_CALL_MS} ms`);
  };
}

/** Tries one input. Returns what was thrown that is not a declared error, null if nothing was. */
export function undeclaredError(parse: Parse, bytes: Uint8Array): unknown {
  try {
    parse(bytes);
    return null;
  } catch (error) {
    return error instanceof FormatError || error instanceof ConfigurationError ? null : error;
  }
}
