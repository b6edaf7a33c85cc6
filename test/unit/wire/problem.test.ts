import { describe, expect, it } from 'vitest';
import { PROBLEM_CODES } from '../../../src/core/codes.js';
import { FormatError, RefusedError } from '../../../src/core/errors.js';
import { PROBLEM_ROWS } from '../../../src/core/problem-codes.js';
import { presentProblem } from '../../../src/wire/problem.js';

describe('presentProblem', () => {
  it('says code and place of malformed bytes', () => {
    const error = new FormatError('encoding', 'not hex', { pointer: '/nonce' });
    expect(presentProblem(error, 'r1')).toEqual({
      status: 400,
      retryAfterSeconds: null,
      document: {
        type: 'urn:veritee:problem:encoding',
        title: 'Malformed request',
        status: 400,
        detail: 'not hex',
        code: 'encoding',
        pointer: '/nonce',
        requestId: 'r1',
      },
    });
  });

  it('leaves out place and request where they are not known', () => {
    const { document } = presentProblem(new FormatError('schema', 'not JSON'), null);
    expect(Object.keys(document)).toEqual(['type', 'title', 'status', 'detail', 'code']);
  });

  it('says of the whole body that it is meant', () => {
    expect(presentProblem(new FormatError('schema', 'a', { pointer: '' }), null).document.pointer).toBe('');
  });

  it.each(PROBLEM_CODES.map((code) => [code, PROBLEM_ROWS[code].status] as const))(
    'answers %s with %i',
    (code, status) => {
      const problem = presentProblem(new RefusedError(code, 'no', { retryAfterSeconds: 3 }), null);
      expect(problem.status).toBe(status);
      expect(problem.retryAfterSeconds).toBe(3);
      expect(problem.document).toMatchObject({ status, code, detail: 'no', type: `urn:veritee:problem:${code}` });
    },
  );

  it.each([new Error('secret path /etc'), new TypeError('secret'), 'secret', undefined])(
    'says nothing about %o',
    (error) => {
      const problem = presentProblem(error, 'r1');
      expect(problem.status).toBe(500);
      expect(problem.document).toMatchObject({ code: 'internal_error', requestId: 'r1' });
      expect(JSON.stringify(problem)).not.toContain('secret');
    },
  );
});
