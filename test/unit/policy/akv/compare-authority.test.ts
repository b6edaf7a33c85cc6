import { describe, expect, it } from 'vitest';
import { compareAuthority } from '../../../../src/policy/akv/compare-authority.js';

const ISSUER = 'https://sharedweu.weu.attest.azure.net';
const OURS = 'the authority ends in a slash, the issuer does not';
const THEIRS = 'the issuer ends in a slash, the authority does not';
const CASE = 'authority and issuer have their host in different case';

describe('an authority', () => {
  it.each(['strict', 'compatible'] as const)('is the issuer letter for letter in %s comparison', (comparison) => {
    expect(compareAuthority(ISSUER, ISSUER, comparison)).toEqual({ met: true, normalisations: [], note: null });
  });

  it.each<[string, string, readonly string[]]>([
    [`${ISSUER}/`, ISSUER, [OURS]],
    [ISSUER, `${ISSUER}/`, [THEIRS]],
    ['https://SharedWEU.weu.attest.azure.net', ISSUER, [CASE]],
    ['https://SharedWEU.weu.attest.azure.net/', ISSUER, [OURS, CASE]],
    ['https://SharedWEU.weu.attest.azure.net/', `${ISSUER}/`, [CASE]],
  ])('%s is %s in compatible comparison alone', (authority, issuer, differences) => {
    expect(compareAuthority(authority, issuer, 'compatible')).toEqual({
      met: true,
      normalisations: differences,
      note: null,
    });
    expect(compareAuthority(authority, issuer, 'strict')).toEqual({
      met: false,
      normalisations: [],
      note: `${differences.join('; ')}: comparison compatible takes them as equal`,
    });
  });

  it.each<[string, string]>([
    [`${ISSUER}//`, ISSUER],
    [`${ISSUER}//`, `${ISSUER}/`],
    ['http://sharedweu.weu.attest.azure.net', ISSUER],
    ['HTTPS://sharedweu.weu.attest.azure.net', ISSUER],
    [`${ISSUER}:443`, ISSUER],
    [`${ISSUER}/path`, ISSUER],
    [`${ISSUER}/Path`, `${ISSUER}/path`],
    [`${ISSUER}?`, ISSUER],
    ['https://User@sharedweu.weu.attest.azure.net', 'https://user@sharedweu.weu.attest.azure.net'],
    [`${ISSUER}.example`, ISSUER],
    ['https://attest.azure.net', ISSUER],
    ['https://sharedwe\u{212a}.attest.azure.net', 'https://sharedwek.attest.azure.net'],
    ['Intel Trust Authority', 'intel trust authority'],
    ['', ISSUER],
  ])('%s is not %s in either comparison', (authority, issuer) => {
    for (const comparison of ['strict', 'compatible'] as const) {
      expect(compareAuthority(authority, issuer, comparison)).toEqual({ met: false, normalisations: [], note: null });
    }
  });
});
