import { describe, expect, it } from 'vitest';
import { readVerifyQuery, requireNoQuery } from '../../../src/wire/read-query.js';
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
