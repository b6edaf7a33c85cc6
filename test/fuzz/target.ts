import { PARSER_NAMES, undeclaredError } from './parsers.js';

/** The function that Jazzer.js calls with each input. `FUZZ_PARSER` names the parser. */

/** A call that takes longer, and does so when it is made again, is a fault: a parser is to be bounded in steps. */
const LONGEST_CALL_MS = 1000;

const name = PARSER_NAMES.find((candidate) => candidate === process.env['FUZZ_PARSER']);
if (name === undefined) throw new Error('FUZZ_PARSER names no parser');

export function fuzz(data: Buffer): void {
  if (timed(data) > LONGEST_CALL_MS && timed(data) > LONGEST_CALL_MS)
    throw new Error(`longer than ${LONGEST_CALL_MS} ms`);
}

function timed(data: Buffer): number {
  const start = performance.now();
  const error = undeclaredError(name as (typeof PARSER_NAMES)[number], data);
  if (error !== null) throw error;
  return performance.now() - start;
}
