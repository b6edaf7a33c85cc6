import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import type { Comparison } from '../../../../src/policy/akv/compare-values.js';
import { evaluateReleasePolicy } from '../../../../src/policy/akv/evaluate-release-policy.js';
import { lintReleasePolicy } from '../../../../src/policy/akv/lint-release-policy.js';
import { OPERATORS } from '../../../../src/policy/akv/policy-tree.js';
import { readReleasePolicy } from '../../../../src/policy/akv/release-policy.js';
import { ISSUER, TEE } from './fixture.js';

const NAMES = ['secureboot', 'mine', 'x-ms-azurevm-vmid', `${TEE}.x-ms-sevsnpvm-vmpl`, `${TEE}.x-ms-attestation-type`];
const VALUES = ['a', 'true', 'false', '0', '1', '', 'sevsnpvm', 0, 1, 0.5, true, false];
const MEMBERS = ['version', 'anyOf', 'allOf', 'authority', 'claim', 'condition', 'value', 'claims', ...OPERATORS];

const value = fc.constantFrom(...VALUES);
const issuer = fc.constantFrom(ISSUER, `${ISSUER}/`, 'https://SharedWEU.weu.attest.azure.net', 'https://b.example');

const comparison = fc
  .record({
    claim: fc.constantFrom(...NAMES),
    operator: fc.constantFrom(...OPERATORS),
    value,
    number: fc.integer({ min: -2, max: 5 }),
  })
  .map(({ claim, operator, value: any, number }): JsonObject => {
    if (operator === 'exists') return { claim, exists: any !== 'false' && any !== false };
    return { claim, [operator]: operator === 'equals' || operator === 'notEquals' ? any : number };
  });

const { condition } = fc.letrec<{ condition: JsonObject }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    comparison,
    fc.array(tie('condition'), { minLength: 1, maxLength: 4 }).map((allOf): JsonObject => ({ allOf })),
    fc.array(tie('condition'), { minLength: 1, maxLength: 4 }).map((anyOf): JsonObject => ({ anyOf })),
  ),
}));

const policy = fc
  .array(fc.record({ authority: issuer, allOf: fc.array(condition, { minLength: 1, maxLength: 3 }) }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((anyOf) => readReleasePolicy({ version: '1.0.0', anyOf }).policy)
  .filter((read) => read !== null);

const claims = fc
  .record({ secureboot: value, mine: value, vmpl: value, type: value }, { requiredKeys: [] })
  .map(({ vmpl, type, ...top }): JsonObject => {
    const inside = { 'x-ms-sevsnpvm-vmpl': vmpl ?? null, 'x-ms-attestation-type': type ?? null };
    return { ...top, [TEE]: inside } as JsonObject;
  });

/** Claims of the types that those of Azure Attestation have, all of them there; `mine` is of any. */
const typedClaims = fc
  .record({
    secureboot: fc.boolean(),
    mine: value,
    vmpl: fc.nat({ max: 3 }),
    type: fc.constantFrom('sevsnpvm', 'tdxvm'),
  })
  .map(
    ({ vmpl, type, ...top }): JsonObject => ({
      ...top,
      'x-ms-azurevm-vmid': 'B958DC88-E41D-47F1-8D20-E57B6B7E9825',
      [TEE]: { 'x-ms-sevsnpvm-vmpl': vmpl, 'x-ms-attestation-type': type },
    }),
  );

/** JSON that has members of release policies in all places. */
const { anything } = fc.letrec<{ anything: JsonValue }>((tie) => ({
  anything: fc.oneof(
    { depthSize: 'medium', maxDepth: 10 },
    fc.constantFrom<JsonValue>('1.0.0', ISSUER, null, ...VALUES, ...NAMES),
    fc.array(tie('anything'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...MEMBERS), tie('anything'), { maxKeys: 4 }),
  ),
}));

describe('whatever it is', () => {
  it('a document is read, or refused with problems, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(anything, fc.jsonValue() as fc.Arbitrary<JsonValue>), (document) => {
        const { policy: read, problems } = readReleasePolicy(document, '/p');
        expect(read === null).toBe(problems.length > 0);
        expect(problems.every(({ code, pointer }) => code === 'policy_schema' && pointer.startsWith('/p'))).toBe(true);
      }),
    );
  });

  it('a document of any depth is refused', () => {
    let deep: JsonValue = { claim: 'a', equals: 1 };
    for (let level = 0; level < 20_000; level++) deep = { anyOf: [deep] };
    const entry = { authority: ISSUER, allOf: [deep] };
    expect(readReleasePolicy({ version: '1.0.0', anyOf: [entry] }).problems).toHaveLength(1);
  });

  it('what strict comparison allows, compatible allows too, and what compatible alone allows has a normalisation', () => {
    fc.assert(
      fc.property(policy, issuer, claims, (read, iss, given) => {
        const strict = evaluateReleasePolicy(read, { issuer: iss, claims: given }, 'strict');
        const compatible = evaluateReleasePolicy(read, { issuer: iss, claims: given }, 'compatible');
        expect(strict.normalisations).toEqual([]);
        if (strict.met) expect(compatible.met).toBe(true);
        if (!strict.met && compatible.met) expect(compatible.normalisations).not.toEqual([]);
      }),
    );
  });

  it('claims without an issuer meet no policy', () => {
    fc.assert(
      fc.property(policy, claims, (read, given) => {
        expect(evaluateReleasePolicy(read, { issuer: null, claims: given }, 'compatible').met).toBe(false);
      }),
    );
  });

  it('what lint calls never is met by no token, and what it calls always by each that has the claim', () => {
    fc.assert(
      fc.property(fc.array(comparison, { minLength: 1, maxLength: 3 }), typedClaims, (allOf, given) => {
        const { policy: read } = readReleasePolicy({ version: '1.0.0', anyOf: [{ authority: ISSUER, allOf }] });
        if (read === null) throw new Error('does not read');
        const codes = lintReleasePolicy(read, { knownAuthorities: () => true }).map(({ code }) => code);
        const isMet = (mode: Comparison) => evaluateReleasePolicy(read, { issuer: ISSUER, claims: given }, mode).met;
        if (codes.includes('akv_never')) expect(isMet('compatible')).toBe(false);
        if (allOf.length === 1 && codes.includes('akv_always')) expect(isMet('strict')).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
