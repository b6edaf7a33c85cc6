import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../../src/core/json.js';
import { lintReleasePolicy } from '../../../../src/policy/akv/lint-release-policy.js';
import { MAX_AUTHORITIES, MAX_CONDITIONS, MAX_DEPTH, OPERATORS } from '../../../../src/policy/akv/policy-tree.js';
import { POLICY_PROBLEMS } from '../../../../src/policy/document/policy-problem.js';
import { read } from './fixture.js';

const TEXT = readFileSync(new URL('../../../../docs/release-policies.md', import.meta.url), 'utf8');
const CONTOSO = 'https://contoso.weu.attest.azure.net';
const NOT_DEBUGGABLE = { claim: 'x-ms-isolation-tee.x-ms-sevsnpvm-is-debuggable', equals: false };

const ROWS = [...TEXT.matchAll(/^\| `(akv_\w+)` \| (\w+) \| .*? \| `([{[].*?[\]}])` \| /gm)].map(
  ([, code = '', severity = '', example = '']) => ({ code, severity, example: JSON.parse(example) as JsonValue }),
);

/** The problems of lint, by code and severity. */
function foundIn(policy: JsonValue): readonly string[] {
  const problems = lintReleasePolicy(read(policy), { knownAuthorities: (issuer) => issuer === CONTOSO });
  return problems.map(({ code, severity }) => `${code} ${severity ?? POLICY_PROBLEMS[code].severity}`);
}

/** A policy with an example in it: an authority, conditions that belong together, or one condition. */
function around(code: string, example: JsonValue): JsonValue {
  const clauses = code === 'akv_no_debug' ? [] : [NOT_DEBUGGABLE];
  const isAuthority = JSON.stringify(example).startsWith('{"authority"');
  const entry = { authority: CONTOSO, ...(isAuthority ? (example as object) : {}) };
  const conditions = Array.isArray(example) ? example : [example];
  return { version: '1.0.0', anyOf: [{ ...entry, allOf: [...clauses, ...(isAuthority ? [] : conditions)] }] };
}

describe('docs/release-policies.md', () => {
  it('has an example of a policy that lint finds nothing in', () => {
    const [, example = ''] = /```json\n(.*?)```/s.exec(TEXT) ?? [];
    expect(foundIn(JSON.parse(example))).toEqual([]);
  });

  it.each(ROWS)('has an example of $code that has this problem alone: $example', ({ code, severity, example }) => {
    expect(foundIn(around(code, example))).toEqual([`${code} ${severity}`]);
  });

  it('has every code of lint', () => {
    const codes = Object.keys(POLICY_PROBLEMS).filter((code) => code.startsWith('akv_'));
    expect(new Set(ROWS.map(({ code }) => code))).toEqual(new Set(codes));
  });

  it('names the operators and the bounds', () => {
    expect(TEXT).toContain(`exactly one operator: ${OPERATORS.map((operator) => `\`${operator}\``).join(', ')}`);
    expect(TEXT).toContain(`a list of 1 to ${MAX_AUTHORITIES} authorities`);
    expect(TEXT).toContain(`Up to ${MAX_DEPTH} levels of \`allOf\` and \`anyOf\``);
    expect(TEXT).toContain(`and ${MAX_CONDITIONS} conditions in the policy`);
  });
});
