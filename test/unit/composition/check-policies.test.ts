import { expect, it } from 'vitest';
import { policyProblem } from '../../../src/composition/check-policies.js';

it('a problem of a policy file keeps its own severity and remedy', () => {
  const problem = {
    pointer: '/rules/0/cel',
    line: 3,
    message: 'is never true',
    severity: 'warning',
    remedy: 'Correct it.',
  };
  expect(policyProblem('rule_never', 'a.yaml', { ...problem, severity: 'warning' })).toEqual({
    code: 'rule_never',
    pointer: '/rules/0/cel',
    message: 'a.yaml line 3: is never true',
    severity: 'warning',
    remedy: 'Correct it.',
  });
});

it('twin: without them it has those of its code', () => {
  expect(policyProblem('rule_never', 'a.yaml', { pointer: '', message: 'is never true' })).toEqual({
    code: 'rule_never',
    pointer: '',
    message: 'a.yaml: is never true',
    severity: 'error',
    remedy: 'Correct the rule: with it the policy never allows.',
  });
});
