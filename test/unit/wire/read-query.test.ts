import { describe, expect, it } from 'vitest';
import { readDecisionsQuery, readDigest, readVerifyQuery, requireNoQuery } from '../../../src/wire/read-query.js';
import { formatErrorOf } from '../../format-error-of.js';

describe('readVerifyQuery', () => {
  it.each([
    ['', {}],
    ['enforce=true', { enforce: true }],
    ['enforce=false&checks=all', { allChecks: true }],
    ['checks=all&enforce=true', { enforce: true, allChecks: true }],
    ['explain=tree', { explain: true }],
  ])('reads %o', (text, query) => {
    expect(readVerifyQuery(new URLSearchParams(text))).toEqual({
      enforce: false,
      allChecks: false,
      explain: false,
      ...query,
    });
  });

  it.each([
    ['enforce', 'query parameter enforce is empty; it can be: true, false'],
    ['checks=', 'query parameter checks is empty; it can be: all'],
    ['checks=some', 'query parameter checks cannot be "some"; it can be: all'],
  ])('says of %o what it can be', (text, message) => {
    expect(() => readVerifyQuery(new URLSearchParams(text))).toThrow(message);
  });

  it.each([
    ['enforced=true', 'unknown_property'],
    ['Enforce=true', 'unknown_property'],
    ['__proto__=true', 'unknown_property'],
    ['enforce', 'schema'],
    ['enforce=1', 'schema'],
    ['enforce=TRUE', 'schema'],
    ['enforce=true&enforce=false', 'schema'],
    ['checks=some', 'schema'],
    ['explain=all', 'schema'],
  ])('refuses %o', (text, code) => {
    expect(formatErrorOf(() => readVerifyQuery(new URLSearchParams(text))).code).toBe(code);
  });
});

describe('requireNoQuery', () => {
  it('takes a query without parameters', () => {
    expect(() => requireNoQuery(new URLSearchParams(''))).not.toThrow();
  });

  it.each([
    ['explain=tree', 'unknown query parameter "explain"; this call has none'],
    ['x', 'unknown query parameter "x"; this call has none'],
    ['=1', 'unknown query parameter (name withheld); this call has none'],
  ])('refuses %o', (text, message) => {
    const refuse = () => requireNoQuery(new URLSearchParams(text));
    expect(formatErrorOf(refuse).code).toBe('unknown_property');
    expect(refuse).toThrow(message);
  });
});

describe('readDecisionsQuery', () => {
  const ID = '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11';
  const NOTHING = { policy: null, decision: null, since: null, cursor: null };

  it.each([
    ['', {}],
    ['policy=payments', { policy: 'payments' }],
    ['decision=deny', { decision: 'deny' }],
    ['since=2026-05-01T00:00:00Z', { since: new Date('2026-05-01T00:00:00Z') }],
    [`cursor=${ID}`, { cursor: ID }],
    [`cursor=${ID.toUpperCase()}`, { cursor: ID }],
    [`policy=a&decision=allow&cursor=${ID}`, { policy: 'a', decision: 'allow', cursor: ID }],
  ])('reads %o', (text, query) => {
    expect(readDecisionsQuery(new URLSearchParams(text))).toEqual({ ...NOTHING, ...query });
  });

  it.each([
    [
      'until=2026-05-01T00:00:00Z',
      'unknown_property',
      'unknown query parameter "until"; known: policy, decision, since, cursor',
    ],
    ['policy=a&policy=b', 'schema', 'query parameter policy appears twice'],
    ['policy=A', 'schema', 'query parameter policy cannot be "A"; it is the id of a policy'],
    ['decision=Allow', 'schema', 'query parameter decision cannot be "Allow"; it can be: allow, deny, indeterminate'],
    ['decision=', 'schema', 'query parameter decision is empty; it can be: allow, deny, indeterminate'],
    [
      'since=yesterday',
      'schema',
      'query parameter since cannot be "yesterday"; it is a time such as 2026-05-01T00:00:00Z',
    ],
    [
      'since=2026-02-30T00:00:00Z',
      'schema',
      'query parameter since cannot be "2026-02-30T00:00:00Z"; it is a time such as 2026-05-01T00:00:00Z',
    ],
    ['cursor=1', 'schema', 'query parameter cursor cannot be "1"; it is the next of an answer before'],
  ])('refuses %o', (text, code, message) => {
    const read = () => readDecisionsQuery(new URLSearchParams(text));
    expect(formatErrorOf(read).code).toBe(code);
    expect(read).toThrow(message);
  });
});

describe('readDigest', () => {
  it('reads hex of either case, to lower case', () => {
    expect(readDigest('aB'.repeat(32), '/sha256')).toBe('ab'.repeat(32));
  });

  it.each(['', 'ab'.repeat(31), 'ab'.repeat(33), 'zz'.repeat(32), `${'ab'.repeat(32)}\n`, ` ${'ab'.repeat(32)}`])(
    'REQ-10 refuses %o',
    (text) => {
      expect(formatErrorOf(() => readDigest(text, '/sha256'))).toEqual({ code: 'schema', pointer: '/sha256' });
    },
  );
});
