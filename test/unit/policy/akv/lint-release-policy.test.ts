import { describe, expect, it } from 'vitest';
import type { KnownAuthorities, TokenSight } from '../../../../src/policy/akv/lint-authority.js';
import { lintReleasePolicy } from '../../../../src/policy/akv/lint-release-policy.js';
import { ISSUER, read, TEE, writtenFor } from './fixture.js';
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

describe('lint of an issuer of Trust Authority', () => {
  const ITA = 'https://portal.trustauthority.intel.com';
  const known: KnownAuthorities = (issuer, route) => issuer === (route === 'maa' ? ISSUER : ITA);
  const told = (authority: string, sight?: TokenSight) =>
    lintReleasePolicy(read(writtenFor(authority, NOT_DEBUGGABLE)), { knownAuthorities: known }, sight).map(
      ({ code, message }) => `${code}: ${message}`,
    );

  it('says nothing where the rule is judged on tokens of it', () => {
    expect(told(ITA, { routes: ['maa', 'ita'], isRule: true })).toEqual([]);
    expect(told(ITA, { routes: ['ita'], isRule: true })).toEqual([]);
    expect(told(ISSUER, { routes: ['maa'], isRule: true })).toEqual([]);
  });

  it('says that the policy of the rule never sees a token of it', () => {
    expect(told(ITA, { routes: ['maa'], isRule: true })).toEqual([
      `akv_authority: "${ITA}" issues tokens of Intel Trust Authority, and this policy never sees one: accept ita-token, or evidence with routes.ita`,
    ]);
    expect(told(ISSUER, { routes: ['ita'], isRule: true })).toEqual([
      `akv_authority: "${ISSUER}" issues tokens of Azure Attestation, and this policy never sees one: accept maa-token, or evidence with routes.maa`,
    ]);
  });

  it('says that a release policy that stands alone is judged on other tokens', () => {
    expect(told(ITA)).toEqual([
      `akv_authority: "${ITA}" issues tokens of Intel Trust Authority, and a release policy that stands alone is judged on maa-token only: write it as a rule of a policy that accepts ita-token, or evidence with routes.ita`,
    ]);
  });

  it('names the members that can have an issuer that is not known', () => {
    const [problem, ...more] = told('https://mine.example', { routes: ['maa', 'ita'], isRule: true });
    expect(more).toEqual([]);
    expect(problem).toMatch(
      /^akv_authority: .*: name a shared provider, or configure it in maa.issuers or ita.issuers$/,
    );
    expect(told('https://mine.example', { routes: ['ita'], isRule: true })[0]).toMatch(
      /: configure it in ita.issuers$/,
    );
  });

  it('takes a name that is no address, where tokens have it', () => {
    const name = 'Intel Trust Authority';
    const policy = read(writtenFor(name, NOT_DEBUGGABLE));
    const lint = (routes: TokenSight['routes']) =>
      lintReleasePolicy(
        policy,
        { knownAuthorities: (issuer, route) => issuer === name && route === 'ita' },
        { routes, isRule: true },
      );
    expect(lint(['ita'])).toEqual([]);
    expect(lint(['maa']).map(({ code }) => code)).toEqual(['akv_authority']);
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
