import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../../src/core/json.js';
import { canonicalNumber, compareValues } from '../../../../src/policy/akv/compare-values.js';
import type { Operator, ReleaseValue } from '../../../../src/policy/akv/policy-tree.js';

type Claim = Exclude<JsonValue, null>;

function compare(operator: Operator, value: ReleaseValue, claim: Claim) {
  return {
    strict: compareValues({ operator, value }, claim, 'strict'),
    compatible: compareValues({ operator, value }, claim, 'compatible'),
  };
}

describe('values of one type', () => {
  it.each<[Operator, ReleaseValue, Claim, boolean]>([
    ['equals', 'a', 'a', true],
    ['equals', 'a', 'A', false],
    ['equals', 'a', 'a ', false],
    ['equals', 'true', 'true', true],
    ['equals', 1, 1, true],
    ['equals', 1, 2, false],
    ['equals', false, false, true],
    ['equals', false, true, false],
    ['notEquals', 'a', 'b', true],
    ['notEquals', 'a', 'a', false],
    ['notEquals', true, false, true],
    ['notEquals', true, true, false],
    ['less', 3, 2, true],
    ['less', 3, 3, false],
    ['lessOrEquals', 3, 3, true],
    ['lessOrEquals', 3, 4, false],
    ['greater', 3, 4, true],
    ['greater', 3, 3, false],
    ['greaterOrEquals', 3, 3, true],
    ['greaterOrEquals', 3, 2, false],
  ])('%s %j is judged on %j alike in both comparisons: %j', (operator, value, claim, met) => {
    const expected = { met, normalisation: null, note: null };
    expect(compare(operator, value, claim)).toEqual({ strict: expected, compatible: expected });
  });
});

describe('a claim that is there', () => {
  it.each<Claim>(['', 0, false, {}, []])('meets exists: true also as %j', (claim) => {
    const expected = { met: true, normalisation: null, note: null };
    expect(compare('exists', true, claim)).toEqual({ strict: expected, compatible: expected });
  });

  it.each<[ReleaseValue, Claim]>([
    [false, 'x'],
    [false, false],
    ['false', 'x'],
  ])('never meets exists: %j', (value, claim) => {
    const expected = { met: false, normalisation: null, note: 'exists with false is never met' };
    expect(compare('exists', value, claim)).toEqual({ strict: expected, compatible: expected });
  });
});

describe('a text of the policy', () => {
  it.each<[Operator, ReleaseValue, Claim, string]>([
    ['equals', 'false', false, 'boolean'],
    ['equals', 'true', true, 'boolean'],
    ['equals', '0', 0, 'number'],
    ['equals', '-1.5', -1.5, 'number'],
    ['notEquals', 'true', false, 'boolean'],
    ['notEquals', '1', 0, 'number'],
    ['exists', 'true', 'x', 'boolean'],
  ])('%s %j meets %j in compatible comparison alone', (operator, value, claim, type) => {
    expect(compare(operator, value, claim)).toEqual({
      strict: {
        met: false,
        normalisation: null,
        note: `the policy has the text "${value}": comparison compatible reads it as a ${type}`,
      },
      compatible: { met: true, normalisation: `the text "${value}" of the policy is read as a ${type}`, note: null },
    });
  });

  it.each<[Operator, ReleaseValue, Claim, string]>([
    ['equals', 'true', false, 'the claim is a boolean and the value of the policy text'],
    ['equals', 'False', false, 'the claim is a boolean and the value of the policy text'],
    ['equals', '0', false, 'the claim is a boolean and the value of the policy text'],
    ['equals', '00', 0, 'the claim is a number and the value of the policy text'],
    ['equals', '0.0', 0, 'the claim is a number and the value of the policy text'],
    ['equals', '-0', 0, 'the claim is a number and the value of the policy text'],
    ['equals', '', 0, 'the claim is a number and the value of the policy text'],
    ['equals', 'false', 0, 'the claim is a number and the value of the policy text'],
    ['notEquals', 'true', true, 'the claim is a boolean and the value of the policy text'],
    ['notEquals', 'x', true, 'the claim is a boolean and the value of the policy text'],
  ])('%s %j does not meet %j in either comparison, without a normalisation', (operator, value, claim, note) => {
    const expected = { met: false, normalisation: null, note };
    expect(compare(operator, value, claim)).toEqual({ strict: expected, compatible: expected });
  });
});

describe('values that cannot be compared', () => {
  it.each<[Operator, ReleaseValue, Claim, string]>([
    ['equals', false, 'false', 'the claim is text and the value of the policy a boolean'],
    ['equals', 0, '0', 'the claim is text and the value of the policy a number'],
    ['notEquals', 0, '1', 'the claim is text and the value of the policy a number'],
    ['greater', 0, '1', 'the claim is text and the value of the policy a number'],
    ['less', 1, false, 'the claim is a boolean and the value of the policy a number'],
    ['equals', 'x', { x: 1 }, 'the claim is an object and the value of the policy text'],
    ['notEquals', 'x', { x: 1 }, 'the claim is an object and the value of the policy text'],
    ['equals', '[object Object]', {}, 'the claim is an object and the value of the policy text'],
    ['equals', 'x', ['x'], 'the claim is a list and the value of the policy text'],
    ['notEquals', 1, [1], 'the claim is a list and the value of the policy a number'],
  ])('%s %j does not meet %j in either comparison', (operator, value, claim, note) => {
    const expected = { met: false, normalisation: null, note };
    expect(compare(operator, value, claim)).toEqual({ strict: expected, compatible: expected });
  });
});

describe('a number as text', () => {
  it.each([
    ['0', 0],
    ['-1', -1],
    ['1.5', 1.5],
    ['115', 115],
  ])('is %s', (text, number) => {
    expect(canonicalNumber(text)).toBe(number);
  });

  it.each(['', ' 1', '01', '1.', '.5', '1.50', '1e3', '+1', '-0', '0x1', 'Infinity', 'NaN', '9007199254740993'])(
    'is not %j, which a number is not written as',
    (text) => {
      expect(canonicalNumber(text)).toBeNull();
    },
  );
});
