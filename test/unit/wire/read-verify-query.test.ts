import { describe, expect, it } from 'vitest';
import { readVerifyQuery } from '../../../src/wire/read-verify-query.js';
import { formatErrorOf } from '../../format-error-of.js';

describe('readVerifyQuery', () => {
  it.each([
    ['', { enforce: false, allChecks: false }],
    ['enforce=true', { enforce: true, allChecks: false }],
    ['enforce=false&checks=all', { enforce: false, allChecks: true }],
    ['checks=all&enforce=true', { enforce: true, allChecks: true }],
  ])('reads %o', (text, query) => {
    expect(readVerifyQuery(new URLSearchParams(text))).toEqual(query);
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
  ])('refuses %o', (text, code) => {
    expect(formatErrorOf(() => readVerifyQuery(new URLSearchParams(text))).code).toBe(code);
  });
});
