import { describe, expect, it } from 'vitest';
import type { Policy } from '../../../src/policy/document/policy-document.js';
import { allRecipes, haveVectors, type Recipe, type Vector, vector } from '../../vectors.js';
import { learnedOf, OF_AZURE, OF_ITA, OF_MAA, OF_TDS, OF_VTPMS, policyOfGuest, verdict } from './learning.js';
import {
  azureCase,
  collateralCase,
  logCase,
  type MakeCase,
  releaseCase,
  snpCase,
  tdCase,
  tokenCase,
} from './learning-cases.js';

/** Every mutation of real evidence under the policy that is learned from the evidence without it. */

interface Family {
  /** The policy for evidence before learning. */
  readonly from: (entry: Vector) => Policy;
  readonly make: MakeCase;
}

const FAMILIES: ReadonlyMap<string, Family> = new Map([
  ['az-snp-vtpm', { from: () => OF_AZURE, make: azureCase }],
  ['az-tdx-vtpm', { from: () => OF_AZURE, make: azureCase }],
  ['snp', { from: policyOfGuest, make: snpCase }],
  ['tdx', { from: () => OF_TDS, make: tdCase }],
  ['collateral', { from: () => OF_TDS, make: collateralCase }],
  ['tpm-eventlog', { from: () => OF_VTPMS, make: logCase }],
  ['maa-jwt', { from: () => OF_MAA, make: tokenCase }],
  ['ita-jwt', { from: () => OF_ITA, make: tokenCase }],
  ['akv-policy', { from: () => OF_MAA, make: releaseCase }],
]);

const TOKENS = ['maa-jwt', 'ita-jwt'];

interface NotLearned {
  /** Why nothing is learned. */
  readonly refusal: string;
  /** The statement of the policy about the evidence; its mutations are appraised under that policy too. */
  readonly found: string;
}

/** Bases that nothing is learned from. */
const NOT_LEARNED: ReadonlyMap<string, NotLearned> = new Map([
  [
    'tdx-v5-td15',
    {
      refusal:
        'tdx_tcb_level_unsupported: the evidence is not allowed by tds (deny): the platform is below every level',
      found: 'deny tdx_tcb_level_unsupported',
    },
  ],
  [
    'evlog-gce-debian10-sha1',
    {
      refusal: 'tpm_weak_bank: the evidence is not allowed by vtpms (deny): the event log has no SHA-256 digests',
      found: 'deny tpm_weak_bank',
    },
  ],
  [
    'maa-azurevm-snp-weu-2022',
    { refusal: 'type_unsupported: the evidence is a token, and only evidence has reference values', found: 'allow' },
  ],
  [
    'ita-sgx-dev-2023',
    {
      refusal: 'token_claim_type: the evidence is not allowed by ita (deny): the attester is not a TD',
      found: 'deny token_claim_type',
    },
  ],
  // A release response of Key Vault is neither evidence nor a token of a Verifier.
  ['akv-skr-response-2022', { refusal: 'token_claim: the token has no exp', found: 'malformed token_claim' }],
]);

/** Mutations that are not denied, and what they come to. */
const OTHERS: ReadonlyMap<string, string> = new Map([
  // Collateral past its next update says nothing for or against the TD.
  ['neg-s-185', 'indeterminate collateral_stale'],
  ['neg-s-212', 'indeterminate collateral_stale'],
  ['neg-s-226', 'indeterminate collateral_stale'],
  // Changes a digest of SHA-1, which no quote covers and nothing rests on.
  ['neg-s-251', 'allow'],
]);

const RECIPES = haveVectors ? allRecipes() : [];
const BASES = [...new Set(RECIPES.map(({ base }) => base))];

/** The base of a mutation, how it is judged, and what is learned from it. */
async function baseOf(id: string) {
  const entry = vector(id);
  const family = FAMILIES.get(entry.family);
  if (family === undefined) throw new Error(`no policy for ${entry.family}`);
  const from = family.from(entry);
  const caseOf = (recipe: Recipe | null) => () => family.make(entry, recipe);
  return { from, caseOf, learned: await learnedOf(entry, from, family.make) };
}

describe.skipIf(!haveVectors)('a policy that is learned from the base of a mutation', () => {
  it.each(BASES.filter((id) => !NOT_LEARNED.has(id)))('of %s allows it', async (id) => {
    const { learned, caseOf } = await baseOf(id);
    expect(learned.refusals).toEqual([]);
    expect(learned.policy.referenceValues).toHaveLength(1);
    expect(await verdict(caseOf(null), learned.policy)).toBe('allow');
  });

  it.each([...NOT_LEARNED])('is not there for %s', async (id, { refusal, found }) => {
    const { from, learned, caseOf } = await baseOf(id);
    expect(learned).toEqual({ refusals: [expect.stringContaining(`${id}: ${refusal}`)], policy: from, notes: [] });
    expect(await verdict(caseOf(null), from)).toBe(found);
  });

  it.each(RECIPES.filter(({ id }) => !OTHERS.has(id)))('denies $id $base: $field', async (recipe) => {
    const { learned, caseOf } = await baseOf(recipe.base);
    const found = await verdict(caseOf(recipe), learned.policy);
    expect(found).toMatch(/^(deny|malformed) /);
  });

  it.each([...OTHERS])('comes with %s to: %s', async (id, expected) => {
    const recipe = RECIPES.find((each) => each.id === id);
    if (recipe === undefined) throw new Error(`no recipe ${id}`);
    const { learned, caseOf } = await baseOf(recipe.base);
    expect(await verdict(caseOf(recipe), learned.policy)).toBe(expected);
  });

  it('denies every token, also one that its own policy allows', async () => {
    const { learned } = await baseOf('az-snp-milan-hcl1-b');
    for (const id of BASES.filter((base) => TOKENS.includes(vector(base).family))) {
      const { caseOf } = await baseOf(id);
      expect(await verdict(caseOf(null), learned.policy)).toMatch(/^deny (.* )?policy_evidence_type$/);
      for (const recipe of RECIPES.filter(({ base }) => base === id)) {
        expect(await verdict(caseOf(recipe), learned.policy), recipe.id).toMatch(/^(deny|malformed) /);
      }
    }
  });

  it('is there for each base but those that are listed here', () => {
    expect(BASES).toEqual(expect.arrayContaining([...NOT_LEARNED.keys()]));
  });
});
