import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../src/core/errors.js';
import type { JsonObject } from '../../../../src/core/json.js';
import { readTimes, type TimeRules, type TokenTimes, verifyTimes } from '../../../../src/crypto/token/token-times.js';
import { checksAt } from '../../../../src/tee/catalogue.js';

const AT = new Date('2026-06-01T12:00:00Z');
const NOW = AT.getTime() / 1000;
const LAST_SECOND = Date.parse('9999-12-31T23:59:59Z') / 1000;
const VALID: TokenTimes = { iat: NOW - 100, nbf: NOW - 100, exp: NOW + 100 };

function readError(claims: JsonObject): unknown {
  try {
    return readTimes(claims);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return [error.code, error.message];
  }
}

function verified(times: Partial<TokenTimes>, rules: Partial<TimeRules> = {}) {
  const checks = checksAt('/evidence/token');
  const found = verifyTimes(
    checks,
    { ...VALID, ...times },
    { at: AT, leewaySeconds: 30, longestLifetimeSeconds: 3600, nbfIsOptional: false, ...rules },
  );
  return { found, checks: checks.all };
}

/** What fails, with what the check compared. */
function failed(times: Partial<TokenTimes>, rules: Partial<TimeRules> = {}) {
  const { found, checks } = verified(times, rules);
  expect(found).toBeNull();
  return checks.filter(({ result }) => result === 'fail');
}

describe('readTimes', () => {
  it('reads three times', () => {
    expect(readTimes({ exp: 3, iat: 1, nbf: 2, other: 4 })).toEqual({ exp: 3, iat: 1, nbf: 2 });
  });

  it('reads the first and the last second that have an RFC 3339 form', () => {
    expect(readTimes({ exp: LAST_SECOND, iat: 0 })).toEqual({ exp: LAST_SECOND, iat: 0, nbf: null });
  });

  it('refuses a token without exp: token_claim', () => {
    expect(readError({ iat: 1, nbf: 1 })).toEqual(['token_claim', 'the token has no exp']);
  });

  describe.each(['exp', 'iat', 'nbf'])('refuses an %s', (name) => {
    it.each([
      ['a text', '1'],
      ['null', null],
      ['a list', [1]],
      ['a fraction', 1.5],
      ['negative', -1],
      ['after the year 9999', LAST_SECOND + 1],
      ['too large to be exact', 2 ** 60],
    ])('that is %s: token_claim', (_what, value) => {
      expect(readError({ exp: 9, [name]: value })).toEqual([
        'token_claim',
        `${name} is not a whole number of seconds since 1970`,
      ]);
    });
  });
});

describe('verifyTimes', () => {
  it('passes a token within its times', () => {
    const { found, checks } = verified({});
    expect(found).toEqual({ clockSkewSeconds: null });
    expect(checks).toMatchObject([
      { id: 'token_lifetime', result: 'pass', expected: 3600, actual: 200 },
      {
        id: 'token_time',
        result: 'pass',
        expected: AT.toISOString(),
        actual: { iat: NOW - 100, nbf: NOW - 100, exp: NOW + 100 },
      },
    ]);
  });

  it('passes the longest lifetime', () => {
    expect(verified({}, { longestLifetimeSeconds: 200 }).found).toEqual({ clockSkewSeconds: null });
  });

  it('refuses a longer lifetime: token_lifetime', () => {
    expect(failed({}, { longestLifetimeSeconds: 199 })).toMatchObject([
      { id: 'token_lifetime', expected: 199, actual: 200 },
    ]);
  });

  it.each([
    ['iat', { iat: null }],
    ['nbf', { nbf: null }],
  ])('refuses a token without %s: token_time', (_name, times) => {
    expect(failed(times)).toMatchObject([
      {
        id: 'token_time',
        detail: 'the token does not say when it was issued, or from when it is valid',
        actual: { ...VALID, ...times },
      },
    ]);
  });

  it('has no lifetime where there is no iat', () => {
    expect(verified({ iat: null }).checks).toMatchObject([
      { id: 'token_lifetime', result: 'pass', actual: null },
      { id: 'token_time', result: 'fail' },
    ]);
  });

  it('takes iat in the place of nbf where nbf is optional', () => {
    const optional = { nbfIsOptional: true };
    expect(verified({ nbf: null }, optional).found).toEqual({ clockSkewSeconds: null });
    expect(failed({ nbf: null, iat: null }, optional)).toMatchObject([{ id: 'token_time' }]);
    expect(failed({ nbf: NOW + 31 }, optional)).toMatchObject([{ detail: 'the token is not yet valid' }]);
  });

  it.each([
    ['nbf is exp', { nbf: NOW + 100 }],
    ['nbf is after exp', { nbf: NOW + 101 }],
    ['iat is after exp', { iat: NOW + 101 }],
  ])('refuses a token that ends before it begins, since %s: token_time', (_what, times) => {
    expect(failed(times)).toMatchObject([{ id: 'token_time', detail: 'the token ends before it begins' }]);
  });

  it('passes a token that was issued in its last second', () => {
    expect(verified({ iat: NOW + 10, exp: NOW + 10 }).found).toEqual({ clockSkewSeconds: 10 });
  });

  it.each([
    ['has expired', { exp: NOW - 30 }, 'the token has expired'],
    ['is not yet valid', { nbf: NOW + 31 }, 'the token is not yet valid'],
    ['was issued in the future', { iat: NOW + 31 }, 'the token was issued in the future'],
  ])('refuses a token that %s by more than the leeway: token_time', (_what, times, detail) => {
    expect(failed(times)).toMatchObject([{ id: 'token_time', detail }]);
  });

  it.each([
    ['the issuer is ahead by iat', { iat: NOW + 30 }, 30],
    ['the issuer is ahead by nbf', { nbf: NOW + 30 }, 30],
    ['the token is in its last second', { exp: NOW + 1 }, null],
    ['exp is now', { exp: NOW }, 0],
    ['the issuer is behind', { exp: NOW - 29 }, -29],
  ])('passes within the leeway, and says how far clocks differ: %s', (_what, times, clockSkewSeconds) => {
    expect(verified(times).found).toEqual({ clockSkewSeconds });
  });
});
