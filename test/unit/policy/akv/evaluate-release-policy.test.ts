import { describe, expect, it } from 'vitest';
import type { ExplainedPart } from '../../../../src/core/explanation.js';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import type { Comparison } from '../../../../src/policy/akv/compare-values.js';
import { evaluateReleasePolicy } from '../../../../src/policy/akv/evaluate-release-policy.js';
import { OPERATORS } from '../../../../src/policy/akv/policy-tree.js';
import { ISSUER, read, TEE, written, writtenFor } from './fixture.js';

const CLAIMS: JsonObject = {
  iss: ISSUER,
  secureboot: true,
  none: null,
  [TEE]: { 'x-ms-attestation-type': 'sevsnpvm', 'x-ms-sevsnpvm-is-debuggable': false, 'x-ms-sevsnpvm-vmpl': 0 },
};
const TYPE = `${TEE}.x-ms-attestation-type`;
const SNP = { claim: TYPE, equals: 'sevsnpvm' };
const TDX = { claim: TYPE, equals: 'tdxvm' };

function evaluate(policy: JsonValue, comparison: Comparison = 'strict', issuer: string | null = ISSUER) {
  return evaluateReleasePolicy(read(policy), { issuer, claims: CLAIMS }, comparison);
}

/** An explanation as lines, indented by depth. */
function lines(part: ExplainedPart, depth = 0): readonly string[] {
  const outcome = part.state === 'value' ? JSON.stringify(part.value) : part.state;
  const note = part.note === null ? '' : ` (${part.note})`;
  return [
    `${'  '.repeat(depth)}${part.text}: ${outcome}${note}`,
    ...part.parts.flatMap((each) => lines(each, depth + 1)),
  ];
}

/** Indices of the entries that are met. */
function metEntries({ explanation }: ReturnType<typeof evaluate>): readonly number[] {
  return explanation.parts.flatMap(({ value }, index) => (value === true ? [index] : []));
}

describe('a release policy', () => {
  it('is met where the authority is the issuer and its conditions hold', () => {
    const { explanation, ...outcome } = evaluate(written(SNP, { anyOf: [TDX, { claim: 'secureboot', equals: true }] }));
    expect(outcome).toEqual({
      met: true,
      normalisations: [],
    });
    expect(lines(explanation)).toEqual([
      'anyOf: true',
      `  authority "${ISSUER}": true`,
      '    allOf: true',
      `      ${TYPE} equals "sevsnpvm": true`,
      `        ${TYPE}: "sevsnpvm"`,
      '      anyOf: true',
      `        ${TYPE} equals "tdxvm": false`,
      `          ${TYPE}: "sevsnpvm"`,
      '        secureboot equals true: true',
      '          secureboot: true',
    ]);
  });

  it('is not met where one condition of allOf does not hold, or none of anyOf', () => {
    expect(evaluate(written(SNP, TDX)).met).toBe(false);
    expect(evaluate({ version: '1.0.0', anyOf: [{ authority: ISSUER, anyOf: [TDX, TDX] }] }).met).toBe(false);
    expect(evaluate({ version: '1.0.0', anyOf: [{ authority: ISSUER, anyOf: [TDX, SNP] }] }).met).toBe(true);
  });

  it('is not met by the token of another issuer, and shows each entry in one line', () => {
    const entries = ['https://a.example', 'https://b.example'].map((authority) => ({ authority, allOf: [SNP] }));
    const { met, explanation } = evaluate({ version: '1.0.0', anyOf: entries });
    expect(met).toBe(false);
    expect(lines(explanation)).toEqual([
      `anyOf: false (no authority is the issuer "${ISSUER}")`,
      '  authority "https://a.example": not reached (is not the issuer of the token)',
      '  authority "https://b.example": not reached (is not the issuer of the token)',
    ]);
  });

  it('shows of each entry whether it is met', () => {
    const entries = [[TDX], [SNP], [SNP]].map((allOf) => ({ authority: ISSUER, allOf }));
    expect(metEntries(evaluate({ version: '1.0.0', anyOf: entries }))).toEqual([1, 2]);
  });

  it('is not met by claims without an issuer, and still shows which conditions hold', () => {
    const { met, explanation } = evaluate(written(SNP), 'compatible', null);
    expect(met).toBe(false);
    expect(lines(explanation)).toEqual([
      'anyOf: false (iss is absent, so no authority is met)',
      `  authority "${ISSUER}": undefined (iss is absent)`,
      '    allOf: true',
      `      ${TYPE} equals "sevsnpvm": true`,
      `        ${TYPE}: "sevsnpvm"`,
    ]);
  });
});

describe('a claim that is absent', () => {
  const VALUES = {
    equals: 'x',
    notEquals: 'x',
    less: 1,
    lessOrEquals: 1,
    greater: 1,
    greaterOrEquals: 1,
    exists: true,
  };

  it.each(OPERATORS)('does not meet %s, in either comparison', (operator) => {
    for (const comparison of ['strict', 'compatible'] as const) {
      expect(evaluate(written({ claim: 'x-ms-gone', [operator]: VALUES[operator] }), comparison).met).toBe(false);
      expect(evaluate(written({ claim: 'none', [operator]: VALUES[operator] }), comparison).met).toBe(false);
    }
  });

  it('makes the condition undefined, with what is absent', () => {
    const { explanation } = evaluate(
      written({ claim: 'x-ms-runtime.keys', exists: true }, { claim: 'none', notEquals: 1 }),
    );
    expect(lines(explanation).slice(2)).toEqual([
      '    allOf: false',
      '      x-ms-runtime.keys exists true: undefined (x-ms-runtime is absent)',
      '        x-ms-runtime.keys: undefined (x-ms-runtime is absent)',
      '      none notEquals 1: undefined (none is null, which counts as absent)',
      '        none: undefined (none is null, which counts as absent)',
    ]);
  });

  it('leaves the other branches of anyOf', () => {
    expect(evaluate(written({ anyOf: [{ claim: 'x-ms-gone', equals: 1 }, SNP] })).met).toBe(true);
  });
});

describe('what compatible comparison takes as equal', () => {
  const DEBUG = { claim: `${TEE}.x-ms-sevsnpvm-is-debuggable`, equals: 'false' };
  const VMPL = { claim: `${TEE}.x-ms-sevsnpvm-vmpl`, equals: '0' };
  const policy = writtenFor('https://SharedWEU.weu.attest.azure.net/', DEBUG, SNP, VMPL);

  it('is listed in the order of the policy, and nothing else is', () => {
    expect(evaluate(policy, 'compatible')).toMatchObject({
      met: true,
      normalisations: [
        'the authority ends in a slash, the issuer does not',
        'authority and issuer have their host in different case',
        `${DEBUG.claim}: the text "false" of the policy is read as a boolean`,
        `${VMPL.claim}: the text "0" of the policy is read as a number`,
      ],
    });
  });

  it('is that of the first entry that is met alone', () => {
    const entry = (...allOf: readonly JsonObject[]) => ({ authority: ISSUER, allOf });
    const both = { version: '1.0.0', anyOf: [entry(DEBUG, TDX), entry(SNP), entry(VMPL)] };
    const evaluation = evaluate(both, 'compatible');
    expect(metEntries(evaluation)).toEqual([1, 2]);
    expect(evaluation).toMatchObject({ met: true, normalisations: [] });
  });

  it('is said in the explanation', () => {
    const { explanation } = evaluate(policy, 'compatible');
    expect(lines(explanation)[1]).toContain(
      'true (the authority ends in a slash, the issuer does not; authority and issuer have their host in different case)',
    );
    expect(lines(explanation)[3]).toContain('true (the text "false" of the policy is read as a boolean)');
  });

  it('does not meet strict comparison, which says what compatible would take as equal', () => {
    const authority = evaluate(writtenFor(`${ISSUER}/`, SNP));
    expect(authority).toMatchObject({ met: false, normalisations: [] });
    expect(lines(authority.explanation)).toEqual([
      `anyOf: false (no authority is the issuer "${ISSUER}")`,
      `  authority "${ISSUER}/": not reached (the authority ends in a slash, the issuer does not: comparison compatible takes them as equal)`,
    ]);
    const value = evaluate(written(DEBUG));
    expect(value).toMatchObject({ met: false, normalisations: [] });
    expect(lines(value.explanation)[3]).toContain(
      'false (the policy has the text "false": comparison compatible reads it as a boolean)',
    );
  });
});

describe('an explanation', () => {
  it('does not repeat objects, lists and long texts, of which a policy could ask 512 times', () => {
    const claims: JsonObject = { object: { a: 1 }, list: [1, 2], long: 'x'.repeat(5000) };
    const policy = read(written(...Object.keys(claims).map((claim) => ({ claim, exists: true }))));
    const { met, explanation } = evaluateReleasePolicy(policy, { issuer: ISSUER, claims }, 'strict');
    expect(met).toBe(true);
    expect(lines(explanation).filter((line) => line.startsWith('        '))).toEqual([
      '        object: null (an object, which is not repeated)',
      '        list: null (a list of 2, which is not repeated)',
      `        long: "${'x'.repeat(1024)}" (the first 1024 of 5000 characters)`,
    ]);
  });

  it('cuts a long value of the policy', () => {
    const { explanation } = evaluate(written({ claim: 'secureboot', equals: 'y'.repeat(500) }));
    expect(lines(explanation)[3]).toContain(`secureboot equals "${'y'.repeat(128)}"…: false`);
  });
});
