import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { TEE } from './fixture.js';
import { at, lintOf } from './lint-fixture.js';

const OS = 'x-ms-azurevm-ostype';
const SVN = `${TEE}.x-ms-sevsnpvm-guestsvn`;
const never = (where: string) => [`akv_never ${where}`];
const keys = (...conditions: readonly JsonObject[]) => Object.keys(lintOf(...conditions));

describe('lint of conditions that must all be met', () => {
  it('tells of two values of one claim, and names the other condition', () => {
    expect(lintOf({ claim: OS, equals: 'Linux' }, { claim: OS, equals: 'Windows' })).toEqual({
      [`akv_never ${at(1)}`]: `${OS} cannot meet equals "Windows" and equals "Linux" (${at(0)}): remove one, or write both within anyOf`,
    });
  });

  it.each<[JsonObject, JsonObject]>([
    [{ equals: 'a' }, { equals: 'b' }],
    [{ equals: 1 }, { equals: 2 }],
    [{ equals: 'a' }, { notEquals: 'a' }],
    [{ notEquals: 1 }, { equals: 1 }],
    [{ less: 5 }, { greater: 5 }],
    [{ less: 5 }, { greaterOrEquals: 5 }],
    [{ lessOrEquals: 4 }, { greater: 4 }],
    [{ lessOrEquals: 4 }, { greaterOrEquals: 5 }],
    [{ equals: 5 }, { less: 5 }],
    [{ equals: '5' }, { greater: 5 }],
    [{ equals: 'a' }, { greater: 5 }],
    [{ equals: true }, { greater: 5 }],
    [{ greater: 5 }, { equals: 'a' }],
    [{ greater: 5 }, { less: 5 }],
    [{ lessOrEquals: 5 }, { greater: 5 }],
    [{ equals: 5 }, { greater: 5 }],
  ])('tells of %j beside %j, which no value meets', (one, other) => {
    expect(keys({ claim: 'mine', ...one }, { claim: 'mine', ...other })).toEqual(never(at(1)));
  });

  it.each<[JsonObject, JsonObject]>([
    [{ equals: 'a' }, { equals: 'a' }],
    [{ equals: '0' }, { equals: 0 }],
    [{ equals: 'a' }, { notEquals: 'b' }],
    [{ notEquals: 'a' }, { notEquals: 'a' }],
    [{ notEquals: 'a' }, { notEquals: 'b' }],
    [{ lessOrEquals: 5 }, { greaterOrEquals: 5 }],
    [{ greater: 4 }, { less: 5 }],
    [{ equals: 5 }, { lessOrEquals: 5 }],
    [{ equals: 5 }, { greater: 1 }],
    [{ greater: 1 }, { equals: 5 }],
    [{ equals: 5 }, { less: 9 }],
    [{ less: 9 }, { equals: 5 }],
    [{ equals: 5 }, { exists: true }],
    [{ greater: 5 }, { exists: true }],
    [{ exists: true }, { equals: 5 }],
    [{ exists: true }, { equals: 'a' }],
    [{ notEquals: 'b' }, { equals: 'a' }],
    [{ notEquals: 5 }, { less: 5 }],
    [{ less: 5 }, { notEquals: 4 }],
    [{ equals: 5 }, { greaterOrEquals: 5 }],
    [{ greaterOrEquals: 5 }, { equals: 5 }],
  ])('says nothing of %j beside %j', (one, other) => {
    expect(keys({ claim: 'mine', ...one }, { claim: 'mine', ...other })).toEqual([]);
  });

  it('knows that a claim is an integer', () => {
    expect(keys({ claim: SVN, greater: 4 }, { claim: SVN, less: 5 })).toEqual(never(at(1)));
  });

  it.each<[JsonObject, JsonObject]>([
    [{ greater: 4 }, { less: 6 }],
    [{ greater: 4 }, { lessOrEquals: 5 }],
    [{ greaterOrEquals: 4 }, { less: 5 }],
    [{ greaterOrEquals: 5 }, { lessOrEquals: 5 }],
  ])('says nothing of %j beside %j, which one integer meets', (one, other) => {
    expect(keys({ claim: SVN, ...one }, { claim: SVN, ...other })).toEqual([]);
  });

  it('compares a condition with the first 32 on its claim', () => {
    const above = (count: number) => Array.from({ length: count }, (_, index) => ({ claim: SVN, greater: index }));
    expect(keys(...above(31), { claim: SVN, less: 5 }, { claim: OS, exists: true })).toEqual(never(at(31)));
    expect(keys(...above(31), { claim: SVN, equals: 31 }, { claim: SVN, equals: 32 })).toEqual(never(at(32)));
    // The one that both exclude is the 33rd.
    expect(keys(...above(32), { claim: SVN, notEquals: 50 }, { claim: SVN, equals: 50 })).toEqual([]);
  });

  it('says nothing of different claims', () => {
    expect(keys({ claim: 'mine', equals: 1 }, { claim: 'yours', equals: 2 })).toEqual([]);
  });

  it('looks into allOf within allOf', () => {
    const inner = { allOf: [{ claim: 'mine', equals: 1 }, { allOf: [{ claim: 'mine', equals: 2 }] }] };
    expect(keys(inner)).toEqual(never(`${at(0)}/allOf/1/allOf/0`));
    expect(keys({ claim: 'mine', equals: 3 }, { allOf: [{ claim: 'mine', equals: 2 }] })).toEqual(
      never(`${at(1)}/allOf/0`),
    );
  });

  it('takes what is around into anyOf within allOf and anyOf', () => {
    const is = (value: number) => ({ claim: 'mine', equals: value });
    const inner = { anyOf: [is(2), is(1)] };
    const yours = { claim: 'yours', equals: 1 };
    expect(keys(is(1), { allOf: [inner] })).toEqual(never(`${at(1)}/allOf/0/anyOf/0`));
    expect(keys(is(1), { anyOf: [inner, yours] })).toEqual(never(`${at(1)}/anyOf/0/anyOf/0`));
    expect(keys(is(1), { anyOf: [{ allOf: [yours, inner] }, yours] })).toEqual(
      never(`${at(1)}/anyOf/0/allOf/1/anyOf/0`),
    );
    expect(keys(yours, { anyOf: [{ allOf: [is(1), inner] }, yours] })).toEqual(
      never(`${at(1)}/anyOf/0/allOf/1/anyOf/0`),
    );
  });

  it('looks at each branch of anyOf with what is around it, and not at branches with each other', () => {
    const branches = {
      anyOf: [
        { claim: 'mine', equals: 1 },
        { claim: 'mine', equals: 2 },
      ],
    };
    expect(keys(branches)).toEqual([]);
    expect(keys({ claim: 'mine', equals: 1 }, branches)).toEqual(never(`${at(1)}/anyOf/1`));
    expect(keys(branches, { claim: 'mine', equals: 1 })).toEqual(never(`${at(0)}/anyOf/1`));
    expect(
      keys({
        anyOf: [
          {
            anyOf: [
              {
                allOf: [
                  { claim: 'mine', less: 1 },
                  { claim: 'mine', greater: 1 },
                ],
              },
            ],
          },
        ],
      }),
    ).toEqual(never(`${at(0)}/anyOf/0/anyOf/0/allOf/1`));
  });
});

describe('lint of alternatives', () => {
  it('tells of two that leave no value out, at their group', () => {
    expect(
      lintOf({
        anyOf: [
          { claim: 'secureboot', equals: true },
          { claim: 'secureboot', equals: false },
        ],
      }),
    ).toEqual({
      [`akv_always ${at(0)}`]: 'every token that has secureboot meets equals true or equals false: remove one of them',
    });
  });

  it.each<[JsonObject, JsonObject]>([
    [{ equals: 'a' }, { notEquals: 'a' }],
    [{ notEquals: 1 }, { equals: 1 }],
  ])('tells of %j beside %j', (one, other) => {
    expect(
      keys({
        anyOf: [
          { claim: 'mine', ...one },
          { claim: 'mine', ...other },
        ],
      }),
    ).toEqual([`akv_always ${at(0)}`]);
  });

  it('tells of two that are not beside each other, behind a group', () => {
    const conditions = [
      { allOf: [{ claim: 'mine', equals: 1 }] },
      { claim: 'secureboot', equals: true },
      { claim: 'yours', equals: 1 },
      { claim: 'secureboot', equals: false },
    ];
    expect(keys({ anyOf: conditions })).toEqual([`akv_always ${at(0)}`]);
  });

  it.each<[JsonObject, JsonObject]>([
    [
      { claim: 'mine', notEquals: 'b' },
      { claim: 'mine', equals: 'a' },
    ],
    [
      { claim: 'mine', notEquals: 'a' },
      { claim: 'mine', notEquals: 'a' },
    ],
    [
      { claim: 'mine', less: 5 },
      { claim: 'mine', notEquals: 5 },
    ],
    [
      { claim: 'secureboot', equals: false },
      { claim: 'secureboot', exists: true },
    ],
    [
      { claim: 'mine', equals: true },
      { claim: 'mine', equals: false },
    ],
    [
      { claim: 'mine', equals: 'a' },
      { claim: 'mine', notEquals: 'b' },
    ],
    [
      { claim: 'mine', equals: 'a' },
      { claim: 'yours', notEquals: 'a' },
    ],
    [
      { claim: 'secureboot', equals: true },
      { claim: 'secureboot', equals: true },
    ],
  ])('says nothing of %j beside %j', (one, other) => {
    expect(keys({ anyOf: [one, other] })).toEqual([]);
  });
});
