import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../../src/core/json.js';
import { looksLikeReleasePolicy, readReleasePolicy } from '../../../../src/policy/akv/release-policy.js';
import { ISSUER, problemsOf, written } from './fixture.js';

const CONDITION = { claim: 'iss', equals: 'x' };
const WRAPPED = '{ "version": "1.0.0", "anyOf": [ { "authority": …, "allOf": [ … ] } ] }';

/** Conditions in groups, the innermost of which is at a level. */
function nested(levels: number): JsonValue {
  return levels === 1 ? CONDITION : { anyOf: [nested(levels - 1)] };
}

function authorities(count: number): JsonValue {
  return { version: '1.0.0', anyOf: Array.from({ length: count }, () => ({ authority: ISSUER, allOf: [CONDITION] })) };
}

describe('reading a release policy', () => {
  it('gives a tree in which each part has its pointer', () => {
    const value = written(CONDITION, {
      anyOf: [{ claim: 'a.b-c', greater: 1 }, { allOf: [{ claim: 'd', exists: true }] }],
    });
    expect(readReleasePolicy(value, '/rules/0/akv').policy).toEqual({
      authorities: [
        {
          pointer: '/rules/0/akv/anyOf/0',
          authority: ISSUER,
          group: {
            kind: 'allOf',
            pointer: '/rules/0/akv/anyOf/0',
            conditions: [
              { kind: 'claim', pointer: '/rules/0/akv/anyOf/0/allOf/0', claim: 'iss', operator: 'equals', value: 'x' },
              {
                kind: 'anyOf',
                pointer: '/rules/0/akv/anyOf/0/allOf/1',
                conditions: [
                  {
                    kind: 'claim',
                    pointer: '/rules/0/akv/anyOf/0/allOf/1/anyOf/0',
                    claim: 'a.b-c',
                    operator: 'greater',
                    value: 1,
                  },
                  {
                    kind: 'allOf',
                    pointer: '/rules/0/akv/anyOf/0/allOf/1/anyOf/1',
                    conditions: [
                      {
                        kind: 'claim',
                        pointer: '/rules/0/akv/anyOf/0/allOf/1/anyOf/1/allOf/0',
                        claim: 'd',
                        operator: 'exists',
                        value: true,
                      },
                    ],
                  },
                ],
              },
            ],
          },
        },
      ],
    });
  });

  it('does not depend on the order of members', () => {
    const value = { anyOf: [{ allOf: [{ equals: 'x', claim: 'iss' }], authority: ISSUER }], version: '1.0.0' };
    expect(readReleasePolicy(value)).toEqual(readReleasePolicy(written(CONDITION)));
  });

  it('freezes what it gives', () => {
    const { policy } = readReleasePolicy(written(CONDITION));
    expect(Object.isFrozen(policy?.authorities[0]?.group.conditions[0])).toBe(true);
  });

  it.each(['x', '', 1.5, -1, true, false])('reads %j as a value', (equals) => {
    expect(problemsOf(written({ claim: 'c', equals }))).toEqual([]);
  });

  it.each([true, false, 'true', 'false'])('reads exists: %j', (exists) => {
    expect(problemsOf(written({ claim: 'c', exists }))).toEqual([]);
  });

  it('says all that is wrong, with the pointers of the document around it', () => {
    const value = { anyOf: [{ authority: '', allOf: [{ claim: 'a', equals: null }, { claim: 'b' }] }] };
    expect(problemsOf(value, '/rules/1/akv')).toEqual([
      '/rules/1/akv/version: is missing: write "version": "1.0.0"',
      '/rules/1/akv/anyOf/0/authority: must be the issuer of tokens, not empty',
      '/rules/1/akv/anyOf/0/allOf/0/equals: must be text, a number, true or false',
      '/rules/1/akv/anyOf/0/allOf/1: needs one operator: equals, notEquals, less, lessOrEquals, greater, greaterOrEquals, exists',
    ]);
  });
});

describe('the top of a release policy', () => {
  const entries = [{ authority: ISSUER, allOf: [CONDITION] }];
  const top = 'cannot stand at the top: write anyOf, since a token has one issuer and the authorities are alternatives';

  it.each<[string, JsonValue, readonly string[]]>([
    ['another version', { version: '1.0.1', anyOf: entries }, ['/version: must be "1.0.0"']],
    ['a version that is a number', { version: 1, anyOf: entries }, ['/version: must be "1.0.0"']],
    ['a version that is null', { version: null, anyOf: entries }, ['/version: must be "1.0.0"']],
    ['no anyOf', { version: '1.0.0' }, ['/anyOf: is missing: it is the list of authorities']],
    ['allOf', { version: '1.0.0', allOf: entries }, [`/allOf: ${top}`]],
    ['allof', { version: '1.0.0', allof: entries }, [`/allof: ${top}`]],
    ['anyof', { version: '1.0.0', anyof: entries }, ['/anyof: must be spelt anyOf']],
    ['allOf beside anyOf', { version: '1.0.0', anyOf: entries, allOf: entries }, [`/allOf: ${top}`]],
    [
      'an unknown member',
      { version: '1.0.0', anyOf: entries, immutable: true },
      ['/immutable: unknown member; there are version, anyOf'],
    ],
    [
      'a member in other letters',
      { Version: '1.0.0', anyOf: entries },
      ['/version: is missing: write "version": "1.0.0"', '/Version: must be spelt version'],
    ],
    ['anyOf that is an object', { version: '1.0.0', anyOf: {} }, ['/anyOf: must be a list of authorities']],
    ['anyOf that is null', { version: '1.0.0', anyOf: null }, ['/anyOf: must be a list of authorities']],
    ['no authorities', { version: '1.0.0', anyOf: [] }, ['/anyOf: must not be empty']],
    ['text', 'anyOf', [': must be an object with version and anyOf']],
    ['null', null, [': must be an object with version and anyOf']],
  ])('is refused with %s', (_, value, problems) => {
    expect(problemsOf(value)).toEqual(problems);
  });
});

describe('an entry of a release policy', () => {
  const inEntry = (entry: JsonValue) => problemsOf({ version: '1.0.0', anyOf: [entry] });

  it.each<[string, JsonValue, readonly string[]]>([
    ['text', 'x', ['/anyOf/0: must be an object with an authority, and with allOf or anyOf']],
    ['a condition', CONDITION, ['/anyOf/0: is a condition: write it within allOf of an object that has the authority']],
    ['no authority', { allOf: [CONDITION] }, ['/anyOf/0/authority: is missing']],
    [
      'an authority that is no text',
      { authority: 1, allOf: [CONDITION] },
      ['/anyOf/0/authority: must be the issuer of tokens, not empty'],
    ],
    ['no selector', { authority: ISSUER }, ['/anyOf/0: needs allOf or anyOf with conditions']],
    [
      'both selectors',
      { authority: ISSUER, allOf: [CONDITION], anyOf: [CONDITION] },
      ['/anyOf/0: has allOf and anyOf: write one of them, and the other within it'],
    ],
    ['a selector in other letters', { authority: ISSUER, anyof: [CONDITION] }, ['/anyOf/0/anyof: must be spelt anyOf']],
    [
      'a second selector in other letters',
      { authority: ISSUER, allOf: [CONDITION], anyof: [CONDITION] },
      ['/anyOf/0/anyof: must be spelt anyOf'],
    ],
    [
      'an unknown member',
      { authority: ISSUER, allOf: [CONDITION], note: 'x' },
      ['/anyOf/0/note: unknown member; there are authority, allOf, anyOf'],
    ],
    [
      'conditions that are no list',
      { authority: ISSUER, allOf: CONDITION },
      ['/anyOf/0/allOf: must be a list of conditions'],
    ],
    ['no conditions', { authority: ISSUER, allOf: [] }, ['/anyOf/0/allOf: must not be empty']],
  ])('is refused with %s', (_, entry, problems) => {
    expect(inEntry(entry)).toEqual(problems);
  });
});

describe('a condition of a release policy', () => {
  const here = '/anyOf/0/allOf/0';
  const obsolete = 'has the form of the preview of 2021 (claim, condition, value): write';

  it.each<[string, JsonValue, readonly string[]]>([
    ['text', 'x', [': must be an object with a claim, or with allOf or anyOf']],
    [
      'two operators',
      { claim: 'a', equals: 1, less: 2 },
      [': has equals and less: write one condition for each operator, both within allOf'],
    ],
    ['an operator in other letters', { claim: 'a', Equals: 1 }, ['/Equals: must be spelt equals']],
    ['an operator that there is not', { claim: 'a', equal: 1 }, ['/equal: unknown member; did you mean equals?']],
    [
      'an unknown member beside the operator',
      { claim: 'a', equals: 1, comment: 'x' },
      [
        '/comment: unknown member; there are claim, equals, notEquals, less, lessOrEquals, greater, greaterOrEquals, exists',
      ],
    ],
    ['no claim', { equals: 1 }, ['/claim: is missing']],
    [
      'a selector beside the claim',
      { claim: 'a', equals: 1, anyOf: [CONDITION] },
      [
        '/anyOf: unknown member; there are claim, equals, notEquals, less, lessOrEquals, greater, greaterOrEquals, exists',
      ],
    ],
    [
      'the obsolete form',
      { claim: 'a', condition: 'equals', value: 'x' },
      [`: ${obsolete} { "claim": …, "equals": … }`],
    ],
    [
      'the obsolete form with another operator',
      { claim: 'a', condition: 'greater', value: 1 },
      [`: ${obsolete} { "claim": …, "greater": … }`],
    ],
    [
      'the obsolete form with an unknown operator',
      { claim: 'a', condition: 'matches', value: 1 },
      [`: ${obsolete} { "claim": …, "equals": … }`],
    ],
    ['an object as value', { claim: 'a', equals: {} }, ['/equals: must be text, a number, true or false']],
    ['a list as value', { claim: 'a', notEquals: ['x'] }, ['/notEquals: must be text, a number, true or false']],
    ['null as value', { claim: 'a', equals: null }, ['/equals: must be text, a number, true or false']],
    [
      'a number without end',
      { claim: 'a', equals: Number.POSITIVE_INFINITY },
      ['/equals: must be text, a number, true or false'],
    ],
    ['no number to be less than', { claim: 'a', less: Number.NaN }, ['/less: must be a number']],
    ['text to be greater than', { claim: 'a', greater: 'x' }, ['/greater: must be a number']],
    [
      'a number in quotes to be greater than',
      { claim: 'a', greaterOrEquals: '1' },
      ['/greaterOrEquals: must be a number, without quotes'],
    ],
    ['a boolean to be less than', { claim: 'a', lessOrEquals: true }, ['/lessOrEquals: must be a number']],
    ['a number for exists', { claim: 'a', exists: 1 }, ['/exists: must be true or false']],
    [
      'both selectors',
      { allOf: [CONDITION], anyOf: [CONDITION] },
      [': has allOf and anyOf: write one of them, and the other within it'],
    ],
    ['an empty group', { anyOf: [] }, ['/anyOf: must not be empty']],
    [
      'an authority in a group',
      { authority: ISSUER, anyOf: [CONDITION] },
      ['/authority: unknown member; there are allOf, anyOf'],
    ],
    ['a group in other letters', { AnyOf: [CONDITION] }, ['/AnyOf: must be spelt anyOf']],
  ])('is refused with %s', (_, given, problems) => {
    expect(problemsOf(written(given))).toEqual(problems.map((problem) => here + problem));
  });

  it.each(['', '.', 'a.', '.a', 'a..b', 'a b', ' a', 1, null])('is refused with the path %j', (claim) => {
    const what = 'must be names of claims with dots between, such as x-ms-isolation-tee.x-ms-runtime';
    expect(problemsOf(written({ claim, equals: 1 }))).toEqual([`${here}/claim: ${what}`]);
  });

  it.each(['a.0', '0', 'a.0.b', 'a[0]', 'a[0].b'])('is refused with %s, which leads into a list', (claim) => {
    expect(problemsOf(written({ claim, equals: 1 }))).toEqual([
      `${here}/claim: leads into a list, which a release policy cannot`,
    ]);
  });

  it.each(['a', 'x-ms-isolation-tee.x-ms-runtime', 'tdx_rtmr0', 'pcr7.sha256'])('reads the path %s', (claim) => {
    expect(problemsOf(written({ claim, equals: 1 }))).toEqual([]);
  });
});

describe('the bounds of a release policy', () => {
  it('allow 8 levels of selectors, and no ninth', () => {
    expect(problemsOf(written(nested(8)))).toEqual([]);
    expect(problemsOf(written(nested(9)))).toEqual([
      `/anyOf/0/allOf/0${'/anyOf/0'.repeat(7)}/anyOf: is more than 8 levels deep`,
    ]);
  });

  it('allow 512 conditions, and report what is beyond once', () => {
    const conditions = (count: number) => written(...Array.from({ length: count }, () => CONDITION));
    expect(problemsOf(conditions(512))).toEqual([]);
    expect(problemsOf(conditions(600))).toEqual(['/anyOf/0/allOf/512: is one of more than 512 conditions']);
  });

  it('count the conditions of all authorities, and groups as conditions', () => {
    const half = (count: number) => ({
      authority: ISSUER,
      allOf: [{ allOf: Array.from({ length: count }, () => CONDITION) }],
    });
    expect(problemsOf({ version: '1.0.0', anyOf: [half(255), half(255)] })).toEqual([]);
    expect(problemsOf({ version: '1.0.0', anyOf: [half(255), half(256), half(1)] })).toEqual([
      '/anyOf/1/allOf/0/allOf/255: is one of more than 512 conditions',
    ]);
  });

  it('allow 128 authorities', () => {
    expect(problemsOf(authorities(128))).toEqual([]);
    expect(problemsOf(authorities(129))).toEqual(['/anyOf: has more than 128 authorities']);
  });
});

describe('a document that is no release policy', () => {
  it.each<[string, JsonValue, string]>([
    [
      'a token',
      'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln',
      'is a JWS, such as a token or the answer of a key release, and no release policy',
    ],
    [
      'an import list',
      { key: {}, claims: [[CONDITION]] },
      `is an import list, which a tool makes a release policy of: write what is in its claims as ${WRAPPED}`,
    ],
    ['a list', [CONDITION], `is a list, and no release policy: write its conditions as ${WRAPPED}`],
    [
      'the form of the REST API',
      { contentType: 'application/json; charset=utf-8', data: 'eyJ9' },
      'is a release_policy as the REST API of Key Vault has it: decode its member data, which is base64url',
    ],
    [
      'a key',
      { key: {}, release_policy: { data: 'eyJ9' } },
      'is a key or a request of Key Vault: its release policy is in release_policy.data, in base64url',
    ],
  ])('is told what it is where it is %s', (_, value, message) => {
    expect(problemsOf(value)).toEqual([`: ${message}`]);
  });
});

describe('looking for a release policy', () => {
  it.each<[JsonValue]>([
    [written(CONDITION)],
    [{ version: '1.0.0' }],
    [{ anyOf: [] }],
    [{ anyof: [], id: 'x' }],
    [{ version: 1, allOf: [] }],
  ])('finds one in %j', (value) => {
    expect(looksLikeReleasePolicy(value)).toBe(true);
  });

  it.each<[JsonValue]>([
    [null],
    ['x'],
    [[]],
    [{}],
    [{ apiVersion: 'veritee/v1', version: '1.0.0', anyOf: [] }],
    [{ id: 'x', version: 1, accepts: ['snp'] }],
    [{ id: 'x', version: '1', accepts: ['snp'] }],
  ])('finds none in %j', (value) => {
    expect(looksLikeReleasePolicy(value)).toBe(false);
  });
});
