import { describe, expect, it } from 'vitest';
import { ISSUER, TEE, writtenFor } from './fixture.js';
import { linted } from './lint-fixture.js';

const NOT_DEBUGGABLE = { claim: `${TEE}.x-ms-sevsnpvm-is-debuggable`, equals: false };
const AT = '/anyOf/0/authority';
const lintAuthority = (authority: string) => linted(writtenFor(authority, NOT_DEBUGGABLE));

describe('lint of an authority', () => {
  it('says nothing of a known issuer', () => {
    expect(lintAuthority(ISSUER)).toEqual({});
  });

  it.each<[string, string]>([
    [
      'http://sharedweu.weu.attest.azure.net',
      'is no address that starts with https://: write the issuer of the tokens',
    ],
    ['sharedweu.weu.attest.azure.net', 'is no address that starts with https://: write the issuer of the tokens'],
    [
      'https://sharedweu.weu.test.attest.azure.net',
      'is a test instance, whose tokens prove nothing: name the instance without test',
    ],
    [
      'https://sharedweu.weu.Test.attest.azure.net',
      'is a test instance, whose tokens prove nothing: name the instance without test',
    ],
    [
      'https://mine.weu.attest.azure.net',
      'is not among the issuers that are relied on: name a shared provider, or configure it in maa.issuers',
    ],
    [
      `${ISSUER}/path`,
      'is not among the issuers that are relied on: name a shared provider, or configure it in maa.issuers',
    ],
    ['https://SharedWEU.weu.attest.azure.net', `has its host in upper case, which iss does not: write "${ISSUER}"`],
  ])('says why %s is not relied on, and nothing else', (authority, why) => {
    expect(lintAuthority(authority)).toEqual({ [`akv_authority ${AT}`]: `"${authority}" ${why}` });
  });

  it('tells of a slash at the end by a code of its own', () => {
    const message = `the authority ends in a slash, which iss does not: write "${ISSUER}"`;
    expect(lintAuthority(`${ISSUER}/`)).toEqual({ [`akv_slash ${AT}`]: message });
    expect(Object.keys(lintAuthority('https://mine.example/'))).toEqual([`akv_authority ${AT}`, `akv_slash ${AT}`]);
  });

  it('takes one slash away, and no second', () => {
    expect(Object.keys(lintAuthority(`${ISSUER}//`))).toEqual([`akv_authority ${AT}`, `akv_slash ${AT}`]);
  });

  it('speaks of a slash only where there is one', () => {
    for (const authority of ['http://x', 'x', 'https://a.test.example', 'https://mine.example', 'https://A.example']) {
      expect(Object.values(lintAuthority(authority)).join()).not.toMatch(/slash/i);
    }
    expect(lintAuthority('https://mine.example/')[`akv_authority ${AT}`]).not.toMatch(/slash/i);
  });
});

it('lint looks at every entry, in the order of the policy', () => {
  const entry = { authority: 'https://mine.example', allOf: [{ claim: 'x', exists: false }] };
  expect(Object.keys(linted({ version: '1.0.0', anyOf: [entry, entry] }))).toEqual([
    'akv_authority /anyOf/0/authority',
    'akv_never /anyOf/0/allOf/0',
    'akv_no_debug /anyOf/0',
    'akv_authority /anyOf/1/authority',
    'akv_never /anyOf/1/allOf/0',
    'akv_no_debug /anyOf/1',
  ]);
});
