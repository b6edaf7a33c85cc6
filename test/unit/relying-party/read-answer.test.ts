import { describe, expect, it } from 'vitest';
import { readChallenge, readObject, receiptOfAllow } from '../../../src/relying-party/read-answer.js';

const answered = (status: number, body: string) => ({ status, bytes: new TextEncoder().encode(body) });
const problem = (members: object) => JSON.stringify({ type: 'urn:veritee:problem:x', ...members });
const ALLOW = { decision: 'allow', historical: false, receipt: 'a.b.c' };

describe('readObject', () => {
  it('reads the object of a 200', () => {
    expect(readObject(answered(200, '{"decision":"allow"}'))).toEqual({ decision: 'allow' });
  });

  it.each([
    ['no body', ''],
    ['HTML', '<!doctype html>'],
    ['a list', '[]'],
    ['a member twice', '{"decision":"deny","decision":"allow"}'],
    ['a text', '"allow"'],
  ])('GAT-01 refuses a 200 with %s', (_what, body) => {
    expect(() => readObject(answered(200, body))).toThrow(
      expect.objectContaining({ name: 'ServiceError', code: 'answer_invalid', status: 200 }),
    );
  });

  it.each([
    [
      500,
      problem({ code: 'internal_error', detail: 'sorry' }),
      'internal_error',
      'The service answered 500 with internal_error: "sorry".',
    ],
    [401, problem({ code: 'unauthorized' }), 'unauthorized', 'The service answered 401 with unauthorized.'],
    [502, '<html>', 'status_unexpected', 'The service answered 502, and does not say why.'],
    [500, '', 'status_unexpected', 'The service answered 500, and does not say why.'],
    [500, problem({ code: 'Not a code' }), 'status_unexpected', 'The service answered 500, and does not say why.'],
    [201, JSON.stringify(ALLOW), 'status_unexpected', 'The service answered 201, and does not say why.'],
  ])('GAT-01 refuses %i with %s', (status, body, code, message) => {
    expect(() => readObject(answered(status, body))).toThrow(
      expect.objectContaining({ name: 'ServiceError', code, status, message }),
    );
  });

  it('shows no detail without end, and none in several lines', () => {
    const body = problem({ code: 'schema', detail: `a\n${'x'.repeat(1000)}` });
    const message = (() => {
      try {
        return readObject(answered(400, body));
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(message).toMatch(/^The service answered 400 with schema: "a\\nx{298}"\.$/);
  });
});

describe('readChallenge', () => {
  it.each([{}, { nonce: 'AA' }, { nonce: 1, expiresAt: 'x' }])('refuses %j', (answer) => {
    expect(() => readChallenge(answer as never)).toThrow(expect.objectContaining({ code: 'answer_invalid' }));
  });
});

describe('receiptOfAllow', () => {
  it('gives the receipt of an allow', () => {
    expect(receiptOfAllow(ALLOW)).toBe('a.b.c');
  });

  it.each(['Allow', 'ALLOW', true, 1, null, ['allow'], { decision: 'allow' }, undefined])(
    'GAT-01, DEC-08 does not take %j for an allow',
    (decision) => {
      expect(() => receiptOfAllow({ ...ALLOW, decision } as never)).toThrow(
        expect.objectContaining({ name: 'ServiceError', code: 'answer_invalid' }),
      );
    },
  );

  it('DEC-08 does not take an allow in a nested place', () => {
    expect(() => receiptOfAllow({ ...ALLOW, decision: 'deny', policies: [{ outcome: 'allow' }] })).toThrow(
      expect.objectContaining({ name: 'NotAllowedError', decision: 'deny' }),
    );
  });

  it.each([true, undefined, null, 'false', 0])('GAT-01 does not take an allow that is historical: %j', (historical) => {
    expect(() => receiptOfAllow({ ...ALLOW, historical } as never)).toThrow(
      expect.objectContaining({
        name: 'NotAllowedError',
        decision: 'allow',
        message: 'The decision is about the past.',
      }),
    );
  });

  it('says why there is no allow', () => {
    const checks = [
      { id: 'a', result: 'pass' },
      { id: 'b', result: 'fail' },
      { id: 'c', result: 'warn' },
      { id: 'd', result: 'unavailable' },
      { id: 'e', result: 'skipped' },
      null,
    ];
    const answer = {
      decision: 'indeterminate',
      decisionId: 'x',
      reasons: ['b', 'd', 1, 'No code'],
      checks,
      retryable: true,
    };
    expect(() => receiptOfAllow(answer as never)).toThrow(
      expect.objectContaining({
        message: 'The decision is indeterminate: b, d.',
        decision: 'indeterminate',
        decisionId: 'x',
        reasons: ['b', 'd'],
        checks: [checks[1], checks[2], checks[3]],
        retryable: true,
      }),
    );
  });

  it('does without what is not said', () => {
    expect(() => receiptOfAllow({ decision: 'deny' })).toThrow(
      expect.objectContaining({
        message: 'The decision is deny: no reason is given.',
        decisionId: null,
        reasons: [],
        checks: [],
        retryable: false,
      }),
    );
  });
});
