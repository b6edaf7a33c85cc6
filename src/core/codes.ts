import { MALFORMED_ROWS, type MalformedCode } from './malformed-codes.js';
import { PROBLEM_ROWS, type ProblemCode } from './problem-codes.js';

/**
 * The closed list of codes. A code is the id of a check, the reason when that check fails, and the `code` of a
 * problem document. Adding one is a minor change, renaming one a breaking change; openapi.yaml carries the same list.
 */
export type { CheckId } from './checks/tables.js';
export type { MalformedCode } from './malformed-codes.js';
export type { ProblemCode } from './problem-codes.js';

/** Codes of requests whose bytes are malformed (400): nothing was judged. */
export const MALFORMED_CODES = Object.keys(MALFORMED_ROWS) as readonly MalformedCode[];

/** Codes that only problem documents carry. */
export const PROBLEM_CODES = Object.keys(PROBLEM_ROWS) as readonly ProblemCode[];
