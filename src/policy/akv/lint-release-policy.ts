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
  /** Whether tokens of an issuer, without slash at its end, are accepted as tokens of a Verifier. */
  readonly knownAuthorities: KnownAuthorities;
}

/** A text that is a release policy and nothing else is a policy for tokens of Azure Attestation. */
const ALONE: TokenSight = { routes: ['maa'], isRule: false };

/**
 * Lints a release policy that parses: unreliable authorities, conditions that are met always
 * or never, and what Key Vault may judge differently. Entry by entry, in the order of the policy. A policy without
 * problems may still ask for too little.
 *
 * @param sight left out for a text that is a release policy and nothing else
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
