import type { JsonValue } from '../../../../src/core/json.js';
import { lintReleasePolicy } from '../../../../src/policy/akv/lint-release-policy.js';
import { POLICY_PROBLEMS, type PolicyProblem } from '../../../../src/policy/document/policy-problem.js';
import { ISSUER, read, TEE, written } from './fixture.js';

const NOT_DEBUGGABLE = { claim: `${TEE}.x-ms-sevsnpvm-is-debuggable`, equals: false };

/** The problems of these conditions beside one against debug: `code pointer`, each with its message. */
export function lintOf(...conditions: readonly JsonValue[]): Readonly<Record<string, string>> {
  return linted(written(NOT_DEBUGGABLE, ...conditions));
}

export function linted(value: JsonValue): Readonly<Record<string, string>> {
  return byPlace(problemsOf(value), ({ message }) => message);
}

/** The severity of each of these problems. */
export function severities(...conditions: readonly JsonValue[]): Readonly<Record<string, string>> {
  const problems = problemsOf(written(NOT_DEBUGGABLE, ...conditions));
  return byPlace(problems, ({ code, severity }) => severity ?? POLICY_PROBLEMS[code].severity);
}

/** The remedy of each of these problems. */
export function remedies(...conditions: readonly JsonValue[]): Readonly<Record<string, string>> {
  const problems = problemsOf(written(NOT_DEBUGGABLE, ...conditions));
  return byPlace(problems, ({ code, remedy }) => remedy ?? POLICY_PROBLEMS[code].remedy);
}

function problemsOf(value: JsonValue): readonly PolicyProblem[] {
  return lintReleasePolicy(read(value), { knownAuthorities: (issuer) => issuer === ISSUER });
}

function byPlace(problems: readonly PolicyProblem[], shown: (problem: PolicyProblem) => string) {
  const entries = problems.map((problem) => [`${problem.code} ${problem.pointer}`, shown(problem)] as const);
  if (new Set(entries.map(([key]) => key)).size < entries.length) throw new Error('a problem is told twice');
  return Object.fromEntries(entries);
}

/** Where a condition that `lintOf` got stands. */
export function at(index: number): string {
  return `/anyOf/0/allOf/${index + 1}`;
}
