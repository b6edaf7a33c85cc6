import { describe, expect, it } from 'vitest';
import { MALFORMED_CODES, PROBLEM_CODES } from '../../src/core/codes.js';
import { FormatError, RefusedError } from '../../src/core/errors.js';
import { presentDecision } from '../../src/wire/present-decision.js';
import { presentProblem } from '../../src/wire/problem.js';
import { BARE_DECISION, DECISION, TDX_DECISION } from '../unit/wire/sample-decision.js';
import { schemaErrors } from './openapi-schemas.js';

const asSent = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('Decision', () => {
  it.each([
    ['full', DECISION],
    ['bare', BARE_DECISION],
    ['about a TD', TDX_DECISION],
  ])('is what presentDecision writes: %s', (_, decision) => {
    for (const allChecks of [true, false]) {
      expect(schemaErrors('Decision', asSent(presentDecision(decision, { allChecks })))).toEqual([]);
    }
  });

  it('has no place for a member that the contract does not name', () => {
    const answer = presentDecision(DECISION, { allChecks: true });
    expect(schemaErrors('Decision', asSent({ ...answer, secret: 1 }))).not.toEqual([]);
    const claims = { ...answer.claims, snp: { ...answer.claims.snp, secret: 1 } };
    expect(schemaErrors('Decision', asSent({ ...answer, claims }))).not.toEqual([]);
  });
});

describe('Problem', () => {
  const errors = [
    ...MALFORMED_CODES.map((code) => new FormatError(code, 'no', { pointer: '/a' })),
    ...PROBLEM_CODES.map((code) => new RefusedError(code, 'no')),
    new Error('no'),
  ];

  it('is what presentProblem writes, for every code', () => {
    for (const error of errors) {
      expect(schemaErrors('Problem', asSent(presentProblem(error, 'r1').document))).toEqual([]);
      expect(schemaErrors('Problem', asSent(presentProblem(error, null).document))).toEqual([]);
    }
  });
});
