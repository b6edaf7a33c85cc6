import type { PolicyProblem } from '../document/policy-problem.js';
import { withoutSlash } from './compare-authority.js';
import { lintDebug } from './debug-clause.js';
import { type KnownAuthorities, lintAuthority, type TokenSight } from './lint-authority.js';
import { lintClaimCondition } from './lint-claim-condition.js';
import { lintCombinations } from './lint-combinations.js';
import { lintGuestWords } from './lint-guest-words.js';
import { lintGuidCase } from './lint-guid-case.js';
import { lintTokenKinds } from './lint-token-kinds.js';
import type { ClaimCondition, Condition, ReleaseAuthority, ReleasePolicy } from './policy-tree.js';

export interface ReleaseLintOptions {
  /** Whether tokens of an issuer, without trailing slash, are accepted as tokens of a Verifier. */
  readonly knownAuthorities: KnownAuthorities;
}

/** A release policy outside a policy document is for tokens of Azure Attestation. */
const ALONE: TokenSight = { routes: ['maa'], isRule: false };

/**
 * Lints a parsed release policy: unreliable authorities, conditions that are always or never met, and comparisons that
 * Key Vault may decide differently. Lists problems in the order of the policy. A policy without problems may still
 * require too little.
 *
 * @param sight tokens that the policy is evaluated on; defaults to those for a release policy outside a document
 */
export function lintReleasePolicy(
  policy: ReleasePolicy,
  options: ReleaseLintOptions,
  sight: TokenSight = ALONE,
): readonly PolicyProblem[] {
  return policy.authorities.flatMap((entry) => [
    ...lintAuthority(entry, options.knownAuthorities, sight),
    ...conditionClaims(entry.group).flatMap(lintClaimCondition),
    ...lintGuidCase(entry.group),
    ...lintGuestWords(entry.group),
    ...lintCombinations(entry.group),
    ...lintTokenKinds(entry.group),
    ...lintDebug(entry, isOfTrustAuthority(entry, options)),
  ]);
}

function isOfTrustAuthority({ authority }: ReleaseAuthority, { knownAuthorities }: ReleaseLintOptions): boolean {
  const issuer = withoutSlash(authority);
  return knownAuthorities(issuer, 'ita') && !knownAuthorities(issuer, 'maa');
}

function conditionClaims(condition: Condition): readonly ClaimCondition[] {
  return condition.kind === 'claim' ? [condition] : condition.conditions.flatMap(conditionClaims);
}
