import { FormatError } from '../model/errors.js';

/** Query parameters of /verify. */
export interface VerifyQuery {
  /** Say the decision by the status too. */
  readonly enforce: boolean;
  /** List every skipped check. */
  readonly allChecks: boolean;
}

/** Values that each parameter may have. */
const PARAMETERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['enforce', ['true', 'false']],
  ['checks', ['all']],
]);

/**
 * Reads the query of /verify. A misspelt `enforce` that was passed over would let a pipeline take a deny for a yes.
 *
 * @throws {FormatError} `unknown_property`; `schema` for another value, or a parameter that appears twice
 */
export function readVerifyQuery(query: URLSearchParams): VerifyQuery {
  for (const [name, value] of query) {
    const values = PARAMETERS.get(name);
    if (values === undefined) throw new FormatError('unknown_property', 'unknown query parameter');
    if (!values.includes(value)) throw new FormatError('schema', `query parameter ${name} has no such value`);
    if (query.getAll(name).length > 1) throw new FormatError('schema', `query parameter ${name} appears twice`);
  }
  return { enforce: query.get('enforce') === 'true', allChecks: query.get('checks') === 'all' };
}
