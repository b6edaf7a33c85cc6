import type { CheckId } from '../../../src/core/codes.js';
import type { AnsweredCheck, CodeLab } from './code-lab.js';
import { certificateRecipes, guestRecipes, snpRecipes, tdxRecipes } from './evidence-recipes.js';
import { serviceRecipes } from './service-recipes.js';
import { tokenRecipes } from './token-recipes.js';

/** How an answer with a code is made: a body of test/answers, what a function makes, or why none can be made here. */
export type Recipe = string | ((lab: CodeLab) => Promise<readonly AnsweredCheck[]>) | { readonly notMade: string };

const NO_RELEASE = { notMade: 'this version releases no keys' };
const NO_REFERENCE = { notMade: 'this version has no reference values for report data' };

/** A new code does not compile without a recipe. */
export const RECIPES: { readonly [id in CheckId]: Recipe } = {
  ...serviceRecipes,
  ...certificateRecipes,
  ...snpRecipes,
  ...tdxRecipes,
  ...guestRecipes,
  ...tokenRecipes,
  snp_report_data: NO_REFERENCE,
  tdx_report_data: NO_REFERENCE,
  hardware_missing: { notMade: 'a body without the report is malformed, and tpm evidence is policy_evidence_type' },
  no_policy: { notMade: 'a request that names no policy has the default one, and an empty list is malformed' },
  release_token_stale: NO_RELEASE,
  release_other_vm: NO_RELEASE,
  release_key_unbound: NO_RELEASE,
  release_refused: NO_RELEASE,
  release_warning: NO_RELEASE,
  release_unavailable: NO_RELEASE,
  audit_unavailable: { notMade: 'this version stores no decisions' },
};
