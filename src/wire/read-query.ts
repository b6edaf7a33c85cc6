import { OUTCOMES, type Outcome } from '../core/decision.js';
import { FormatError } from '../core/errors.js';
import { listedNames, quotedName } from '../core/names-in-messages.js';
import { POLICY_ID } from '../core/request.js';
import { readInstant } from './read-requests.js';

export interface VerifyQuery {
  /** Whether the HTTP status also states the decision. */
  readonly enforce: boolean;
  /** Whether every skipped check is listed. */
  readonly allChecks: boolean;
  /** Whether the answer has the explanation tree. */
  readonly explain: boolean;
}

/** Permitted values of each parameter. */
const PARAMETERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['enforce', ['true', 'false']],
  ['dryRun', ['true', 'false']],
  ['checks', ['all']],
  ['explain', ['tree']],
]);

/** Parameters of calls that verify evidence. */
const JUDGING = ['enforce', 'checks', 'explain'] as const;

/**
 * Reads the query of /verify. An ignored typo in `enforce` would let a pipeline take a deny for an allow.
 *
 * @throws {FormatError} `unknown_property`; `schema` for another value, or a parameter that appears twice
 */
export function readVerifyQuery(query: URLSearchParams): VerifyQuery {
  return readParameters(query, JUDGING);
}

/**
 * Reads the query of a key release. An ignored typo in `dryRun` would release the key.
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

/** The filter for decisions of the log. Null: all. */
export interface DecisionsQuery {
  readonly policy: string | null;
  readonly decision: Outcome | null;
  readonly since: Date | null;
  readonly cursor: string | null;
}

/** Upper case is accepted too (RFC 9562 section 4). */
const DECISION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const FILTERS = ['policy', 'decision', 'since', 'cursor'] as const;

/**
 * Reads the query of /decisions.
 *
 * @throws {FormatError} `unknown_property`; `schema` for an invalid value, or a parameter that appears twice
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
 * Rejects every parameter of calls that have none: a client that sends one expects an effect.
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
