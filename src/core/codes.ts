import { PROBLEM_ROWS, type ProblemCode } from './problem-codes.js';

/**
 * The closed list of codes. A code is the id of a check, the reason when that check fails, and the `code` of a
 * problem document. Adding one is a minor change, renaming one a breaking change; openapi.yaml carries the same list.
 */
export type { CheckId } from './checks/tables.js';
export { MALFORMED_CODES, type MalformedCode } from './malformed-codes.js';
export type { ProblemCode } from './problem-codes.js';

/** Codes that only occur in problem documents. */
export const PROBLEM_CODES = Object.keys(PROBLEM_ROWS) as readonly ProblemCode[];
