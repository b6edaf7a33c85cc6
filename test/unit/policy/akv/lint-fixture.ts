import type { JsonValue } from '../../../../src/model/json.js';
import { lintReleasePolicy } from '../../../../src/policy/akv/lint-release-policy.js';
import { ISSUER, read, TEE, written } from './fixture.js';

const NOT_DEBUGGABLE = { claim: `${TEE}.x-ms-sevsnpvm-is-debuggable`, equals: false };

/** What lint says of these conditions beside one against debug: `code pointer`, each with its message. */
export function lintOf(...conditions: readonly JsonValue[]): Readonly<Record<string, string>> {
  return linted(written(NOT_DEBUGGABLE, ...conditions));
}

export function linted(value: JsonValue): Readonly<Record<string, string>> {
  const problems = lintReleasePolicy(read(value), { knownAuthorities: (issuer) => issuer === ISSUER });
  const entries = problems.map(({ code, pointer, message }) => [`${code} ${pointer}`, message]);
  if (new Set(entries.map(([key]) => key)).size < entries.length) throw new Error('a problem is told twice');
  return Object.fromEntries(entries);
}

/** Where a condition that `lintOf` got stands. */
export function at(index: number): string {
  return `/anyOf/0/allOf/${index + 1}`;
}
