import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckId } from '../../../src/core/codes.js';
import { CHECK_IDS, CHECKS } from '../../../src/tee/catalogue.js';
import { REMEDIES, remedyOf } from '../../../src/tee/remedies.js';
import { type AnsweredCheck, CodeLab } from './code-lab.js';
import { RECIPES, type Recipe } from './recipes.js';

/** Each code in an answer that really has it: its remedy tells whoever reads it what to do, with the values. */

const SENTENCE = /^[A-Z](?:(?!\. )[^\n])*\.$/;
/** Words that stand where a value belongs. */
const PLACEHOLDER =
  /see expected|the detail|depends|undefined|null|\bNaN\b|\[object|…|<[a-z]|\$\{|which actual shows| {2}|\(\)/;

const NOT_FOUND = new Set(['pass', 'skipped', 'not_configured']);

/** Remedies without a value to show: the sentence follows from the place or the policy, or only from the request. */
const BY_PLACE_OR_POLICY: ReadonlySet<CheckId> = new Set([
  'crl_invalid',
  'tpm_weak_bank',
  'nonce_mismatch',
  'nonce_stale',
  'binding_missing',
  'snp_tcb_floor_missing',
  'snp_platform_ecc_enabled',
  'snp_platform_alias_check_complete',
]);

let lab: CodeLab;

beforeAll(async () => {
  lab = await CodeLab.create();
}, 120_000);

afterAll(() => lab.close());

/** Recipes in the order of the codes; those of services that are broken on purpose run one after the other. */
const MADE = CHECK_IDS.map((id): readonly [CheckId, Recipe] => [id, RECIPES[id]]).filter(
  (entry): entry is readonly [CheckId, Exclude<Recipe, { readonly notMade: string }>] => typeof entry[1] !== 'object',
);

describe('the remedy in an answer', () => {
  it.each(MADE)('says for %s who does what, with which value', async (id, recipe) => {
    const checks = typeof recipe === 'string' ? await lab.posted(recipe) : await recipe(lab);
    const found = checks.filter((check) => check.id === id && !NOT_FOUND.has(check.result));
    expect(found, `no ${id} among ${listed(checks)}`).not.toEqual([]);
    for (const check of found) {
      expect(check.remedy).toMatch(SENTENCE);
      expect(check.remedy).not.toMatch(PLACEHOLDER);
      expect(check.remedy?.length).toBeLessThan(700);
    }
    if (!onlyWarns(id)) expect(found.some(({ result }) => result !== 'warn')).toBe(true);
    if (typeof REMEDIES[id] === 'function' && !BY_PLACE_OR_POLICY.has(id))
      expect(found.some(isFilled), found[0]?.remedy ?? '').toBe(true);
  });
});

/** Bits whose meaning is not known are a warning under every policy. */
function onlyWarns(id: CheckId): boolean {
  return CHECKS[id].class === 'warning' || id === 'snp_platform_unknown';
}

/** Whether the remedy says more than it would of the same check without any value. */
function isFilled({ id, result, about, policy, remedy }: AnsweredCheck): boolean {
  return remedy !== remedyOf({ id, result, about, policy, expected: null, actual: null });
}

function listed(checks: readonly AnsweredCheck[]): string {
  return checks
    .filter(({ result }) => result !== 'pass')
    .map(({ id, result }) => `${id} ${result}`)
    .join(', ');
}
