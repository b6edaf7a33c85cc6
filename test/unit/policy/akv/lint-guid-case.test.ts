import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { haveVectors, readVector } from '../../../vectors.js';
import { TEE } from './fixture.js';
import { at, lintOf, remedies, severities } from './lint-fixture.js';

const VMID = 'x-ms-azurevm-vmid';
const UNIQUE_ID = `${TEE}.x-ms-runtime.vm-configuration.vmUniqueId`;
const UPPER = 'B958DC88-E41D-47F1-8D20-E57B6B7E9825';
const LOWER = UPPER.toLowerCase();

const both = (selector: string) => `write "${UPPER}" and "${LOWER}" within ${selector}`;
const says = (claim: string) =>
  `${claim} is compared letter by letter, and hosts write it in upper case or in lower case`;

describe('lint of the case of a GUID', () => {
  it.each([VMID, UNIQUE_ID].flatMap((claim) => [UPPER, LOWER, `b${UPPER.slice(1)}`].map((id) => [claim, id])))(
    'warns that hosts write %s in either case, where it must equal %s',
    (claim, equals) => {
      expect(lintOf({ claim, equals })).toEqual({ [`akv_never ${at(0)}`]: `${says(claim)}: ${both('anyOf')}` });
      expect(severities({ claim, equals })).toEqual({ [`akv_never ${at(0)}`]: 'warning' });
    },
  );

  it('warns where one case alone is ruled out', () => {
    const expected = { [`akv_always ${at(0)}`]: `${says(VMID)}: ${both('allOf')}` };
    expect(lintOf({ claim: VMID, notEquals: UPPER })).toEqual(expected);
    expect(severities({ claim: VMID, notEquals: UPPER })).toEqual({ [`akv_always ${at(0)}`]: 'warning' });
    expect(remedies({ claim: VMID, notEquals: UPPER })).toEqual({
      [`akv_always ${at(0)}`]:
        'Write the GUID in upper case and in lower case, both within allOf, as the message says.',
    });
  });

  it.each<[string, JsonObject]>([
    ['both cases as alternatives', { anyOf: [UPPER, LOWER].map((equals) => ({ claim: VMID, equals })) }],
    ['both cases ruled out', { allOf: [UPPER, LOWER].map((notEquals) => ({ claim: VMID, notEquals })) }],
    ['a GUID without letters', { claim: VMID, equals: '00000000-0000-0000-0000-000000000000' }],
    ['a claim that is not known', { claim: 'mine', equals: UPPER }],
    ['that the claim exists', { claim: VMID, exists: true }],
  ])('says nothing of %s', (_, condition) => {
    expect(lintOf(condition)).toEqual({});
  });

  it('warns where both cases are ruled out as alternatives, which any GUID meets', () => {
    const anyOf = [UPPER, LOWER].map((notEquals) => ({ claim: VMID, notEquals }));
    const keys = Object.keys(lintOf({ anyOf }));
    expect(keys).toEqual(expect.arrayContaining([`akv_always ${at(0)}/anyOf/0`, `akv_always ${at(0)}/anyOf/1`]));
  });

  it('does not take the other case of another claim, or of another branch, as an alternative', () => {
    const upper = { claim: VMID, equals: UPPER };
    const told = (condition: JsonObject) => Object.keys(lintOf(condition));
    expect(told({ anyOf: [upper, { claim: UNIQUE_ID, equals: LOWER }] })).toEqual([
      `akv_never ${at(0)}/anyOf/0`,
      `akv_never ${at(0)}/anyOf/1`,
    ]);
    expect(told({ anyOf: [upper, { allOf: [{ claim: VMID, equals: LOWER }] }] })).toEqual([
      `akv_never ${at(0)}/anyOf/0`,
      `akv_never ${at(0)}/anyOf/1/allOf/0`,
    ]);
  });

  it.runIf(haveVectors)('does not call the id of a VM of 2026 impossible, as its host wrote it', () => {
    const file = 'az-tdx-vtpm/az-tdx-v4-akchain-2026.runtime-data.json';
    const { 'vm-configuration': configuration } = JSON.parse(Buffer.from(readVector(file)).toString());
    expect(configuration.vmUniqueId).toMatch(/[a-f]/);
    const equals = { claim: UNIQUE_ID, equals: configuration.vmUniqueId };
    expect(Object.values(severities(equals))).toEqual(['warning']);
  });
});
