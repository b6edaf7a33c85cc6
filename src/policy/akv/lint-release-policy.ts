import type { PolicyProblem } from '../policy-problem.js';
import { withLowerHost, withoutSlash } from './compare-authority.js';
import { lintDebug } from './debug-clause.js';
import { lintClaimCondition } from './lint-claim-condition.js';
import { lintCombinations } from './lint-combinations.js';
import { lintGuidCase } from './lint-guid-case.js';
import { lintTokenKinds } from './lint-token-kinds.js';
import type { ClaimCondition, Condition, ReleaseAuthority, ReleasePolicy } from './policy-tree.js';
import { shownValue } from './shown-values.js';

export interface LintOptions {
  /** Whether an issuer, without slash at its end, is one whose tokens the relying party accepts. */
  readonly knownAuthorities: (issuer: string) => boolean;
}

/**
 * What is wrong with a release policy that reads: authorities that nobody should rely on, conditions that are met always
 * or never, and what Key Vault may judge differently. Entry by entry, in the order of the policy. A policy without
 * problems may still ask for too little.
 */
export function lintReleasePolicy(policy: ReleasePolicy, options: LintOptions): readonly PolicyProblem[] {
  return policy.authorities.flatMap((entry) => [
    ...lintAuthority(entry, options),
    ...claimsOf(entry.group).flatMap(lintClaimCondition),
    ...lintGuidCase(entry.group),
    ...lintCombinations(entry.group),
    ...lintTokenKinds(entry.group),
    ...lintDebug(entry),
  ]);
}

function claimsOf(condition: Condition): readonly ClaimCondition[] {
  return condition.kind === 'claim' ? [condition] : condition.conditions.flatMap(claimsOf);
}

function lintAuthority({ pointer, authority }: ReleaseAuthority, options: LintOptions): readonly PolicyProblem[] {
  const at = `${pointer}/authority`;
  const problems: PolicyProblem[] = [];
  const issuer = withoutSlash(authority);
  const distrusted = whyNotRelied(issuer, options);
  if (distrusted !== null) problems.push({ code: 'akv_authority', pointer: at, message: distrusted });
  if (issuer !== authority) {
    const message = `the authority ends in a slash, which iss does not: write ${shownValue(issuer)}`;
    problems.push({ code: 'akv_slash', pointer: at, message });
  }
  return problems;
}

function whyNotRelied(issuer: string, { knownAuthorities }: LintOptions): string | null {
  const host = /^https:\/\/([^/?#]+)/.exec(issuer)?.[1];
  const shown = shownValue(issuer);
  if (host === undefined) return `${shown} is no address that starts with https://: write the issuer of the tokens`;
  if (host.toLowerCase().split('.').includes('test')) {
    return `${shown} is a test instance, whose tokens prove nothing: name the instance without test`;
  }
  if (knownAuthorities(issuer)) return null;
  const lower = withLowerHost(issuer);
  return lower !== issuer && knownAuthorities(lower)
    ? `${shown} has its host in upper case, which iss does not: write ${shownValue(lower)}`
    : `${shown} is not among the issuers that are relied on: name a shared provider, or configure it in maa.issuers`;
}
