import { OUTCOMES, type Outcome } from '../core/decision.js';
import { FormatError } from '../core/errors.js';
import { listedNames, quotedName } from '../core/names-in-messages.js';
import { POLICY_ID } from '../core/request.js';
import { readInstant } from './read-requests.js';

export interface VerifyQuery {
  /** Say the decision by the status too. */
  readonly enforce: boolean;
  /** List every skipped check. */
  readonly allChecks: boolean;
  /** Explain the decision as a tree. */
  readonly explain: boolean;
}

/** Values that each parameter may have. */
const PARAMETERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['enforce', ['true', 'false']],
  ['dryRun', ['true', 'false']],
  ['checks', ['all']],
  ['explain', ['tree']],
]);

/** Those of calls that judge evidence. */
const JUDGING = ['enforce', 'checks', 'explain'] as const;

/**
 * Reads the query of /verify. A misspelt `enforce` that was passed over would let a pipeline take a deny for a yes.
 *
 * @throws {FormatError} `unknown_property`; `schema` for another value, or a parameter that appears twice
 */
export function readVerifyQuery(query: URLSearchParams): VerifyQuery {
  return readParameters(query, JUDGING);
}

/**
 * Reads the query of the release of a key. A misspelt `dryRun` that was passed over would release it.
 *
 * @throws {FormatError} as `readVerifyQuery`
 */
export function readReleaseQuery(query: URLSearchParams): VerifyQuery & { readonly dryRun: boolean } {
  return { ...readParameters(query, [...JUDGING, 'dryRun']), dryRun: query.get('dryRun') === 'true' };
}

function readParameters(query: URLSearchParams, known: readonly string[]): VerifyQuery {
  for (const [name, value] of query) {
    const values = known.includes(name) ? PARAMETERS.get(name) : undefined;
    if (values === undefined) throw unknownParameter(name, known);
    if (query.getAll(name).length > 1) throw new FormatError('schema', `query parameter ${name} appears twice`);
    if (!values.includes(value)) throw unfitValue(name, value, values);
  }
  return {
    enforce: query.get('enforce') === 'true',
    allChecks: query.get('checks') === 'all',
    explain: query.get('explain') === 'tree',
  };
}

/** Which decisions of the log are asked for. Null: all. */
export interface DecisionsQuery {
  readonly policy: string | null;
  readonly decision: Outcome | null;
  readonly since: Date | null;
  readonly cursor: string | null;
}

/** In capitals too (RFC 9562 section 4). */
const DECISION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const FILTERS = ['policy', 'decision', 'since', 'cursor'] as const;

/**
 * Reads the query of /decisions.
 *
 * @throws {FormatError} `unknown_property`; `schema` for a value that cannot be, or a parameter that appears twice
 */
export function readDecisionsQuery(query: URLSearchParams): DecisionsQuery {
  for (const name of query.keys()) {
    if (!FILTERS.some((known) => known === name)) throw unknownParameter(name, FILTERS);
    if (query.getAll(name).length > 1) throw new FormatError('schema', `query parameter ${name} appears twice`);
  }
  const [policy, decision, since, cursor] = FILTERS.map((name) => query.get(name));
  if (policy != null && !POLICY_ID.test(policy)) throw unfitParameter('policy', policy, 'it is the id of a policy');
  const outcome = OUTCOMES.find((known) => known === decision) ?? null;
  if (decision != null && outcome === null) throw unfitValue('decision', decision, OUTCOMES);
  if (cursor != null && !DECISION_ID.test(cursor)) {
    throw unfitParameter('cursor', cursor, 'it is the next of an answer before');
  }
  return {
    policy: policy ?? null,
    decision: outcome,
    since: parseSince(since ?? null),
    cursor: cursor?.toLowerCase() ?? null,
  };
}

function parseSince(since: string | null): Date | null {
  if (since === null) return null;
  try {
    return readInstant(since, '');
  } catch {
    throw unfitParameter('since', since, 'it is a time such as 2026-05-01T00:00:00Z');
  }
}

function unfitValue(name: string, value: string, values: readonly string[]): FormatError {
  return unfitParameter(name, value, `it can be: ${listedNames(values)}`);
}

function unfitParameter(name: string, value: string, what: string): FormatError {
  const fault = value === '' ? 'is empty' : `cannot be ${quotedName(value)}`;
  return new FormatError('schema', `query parameter ${name} ${fault}; ${what}`);
}

/**
 * Refuses every parameter, for calls that have none: whoever sends one expects something of it that does not happen.
 *
 * @throws {FormatError} `unknown_property`
 */
export function requireNoQuery(query: URLSearchParams): void {
  for (const [name] of query) throw unknownParameter(name, []);
}

function unknownParameter(name: string, known: readonly string[]): FormatError {
  const there = known.length === 0 ? 'this call has none' : `known: ${listedNames(known)}`;
  return new FormatError('unknown_property', `unknown query parameter ${quotedName(name)}; ${there}`);
}

/** SHA-256, hex of either case. */
const SHA256 = /^[0-9a-fA-F]{64}$/;

/**
 * Reads a digest of the path.
 *
 * @returns lower-case hex
 * @throws {FormatError} `schema` at the pointer
 */
export function readDigest(text: string, pointer: string): string {
  if (SHA256.test(text)) return text.toLowerCase();
  throw new FormatError('schema', 'not a SHA-256 digest: expected 64 hex digits', { pointer });
}
