import { FormatError } from '../model/errors.js';
import { listedNames, quotedName } from '../model/names-in-messages.js';

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
  ['checks', ['all']],
  ['explain', ['tree']],
]);

/**
 * Reads the query of /verify. A misspelt `enforce` that was passed over would let a pipeline take a deny for a yes.
 *
 * @throws {FormatError} `unknown_property`; `schema` for another value, or a parameter that appears twice
 */
export function readVerifyQuery(query: URLSearchParams): VerifyQuery {
  for (const [name, value] of query) {
    const values = PARAMETERS.get(name);
    if (values === undefined) throw unknownParameter(name, [...PARAMETERS.keys()]);
    if (query.getAll(name).length > 1) throw new FormatError('schema', `query parameter ${name} appears twice`);
    if (!values.includes(value)) {
      const what = value === '' ? 'is empty' : `cannot be ${quotedName(value)}`;
      const message = `query parameter ${name} ${what}; it can be: ${listedNames(values)}`;
      throw new FormatError('schema', message);
    }
  }
  return {
    enforce: query.get('enforce') === 'true',
    allChecks: query.get('checks') === 'all',
    explain: query.get('explain') === 'tree',
  };
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
