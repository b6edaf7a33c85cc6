import type { Check } from '../../core/check.js';
import type { Claims } from '../../core/claims.js';
import type { Outcome } from '../../core/decision.js';
import type { EvidenceType } from '../../core/evidence.js';
import { jsonPointer } from '../../core/json.js';
import { compareApplyingSets, comparedClaimsOf } from '../appraise/reference-values.js';
import type { Policy } from '../document/policy-document.js';

/** One thing in a policy that cases have to cover. */
interface CoverableMember {
  /** JSON pointer into the policy. */
  readonly pointer: string;
  /** Id of the rule; null for a reference value. */
  readonly rule: string | null;
}

/** A member of a policy, with the first cases that cover it. */
export interface CoveredMember extends CoverableMember {
  /** A case in which it holds; null if there is none. */
  readonly passingCase: string | null;
  /** A case that is denied and in which it does not hold; null if there is none. */
  readonly failingCase: string | null;
}

/** The result of a case. */
export interface DecidedCase {
  readonly name: string;
  readonly type: EvidenceType;
  readonly claims: Claims;
  readonly outcome: Outcome;
  /** At least those of the policy. */
  readonly checks: readonly Check[];
}

/**
 * Lists the rules and reference values of a policy with the cases in which they hold and fail. Each member of each set
 * counts separately, even if another set decides. If a case lacks a section, nothing in it is compared. An absent
 * claim of a present section does not hold.
 *
 * Does not show that every accepted value of a member was tried.
 */
export function coverageOf(policy: Policy, cases: readonly DecidedCase[]): readonly CoveredMember[] {
  const judged = cases.map((each) => ({ ...each, held: heldMembers(policy, each) }));
  return membersOf(policy).map((member) => {
    const passing = judged.find(({ held }) => held.get(member.pointer) === true);
    const failing = judged.find(({ held, outcome }) => held.get(member.pointer) === false && outcome === 'deny');
    return { ...member, passingCase: passing?.name ?? null, failingCase: failing?.name ?? null };
  });
}

function membersOf({ rules, referenceValues }: Policy): readonly CoverableMember[] {
  const ofRules = rules.map(({ id }, index) => ({ pointer: rulePointer(index), rule: id }));
  const ofSets = referenceValues.flatMap((set, index) =>
    comparedClaimsOf(set).map((claim) => ({ pointer: referencePointer(index, claim), rule: null })),
  );
  return [...ofRules, ...ofSets];
}

/** Whether each compared member holds, by pointer. */
function heldMembers(policy: Policy, { type, claims, checks }: DecidedCase): ReadonlyMap<string, boolean> {
  const held = new Map<string, boolean>();
  for (const [index, { id }] of policy.rules.entries()) {
    const result = checks.find((check) => check.id === 'rule_not_met' && check.rule === id)?.result;
    if (result === 'pass' || result === 'fail') held.set(rulePointer(index), result === 'pass');
  }
  if (!policy.accepts.includes(type)) return held;
  const sections = new Map<string, unknown>(Object.entries(claims));
  // A decision does not list the load options of an event log separately. With them, `files` can fail although it seems
  // to hold here. The outcome of the case is still right.
  for (const { index, comparisons } of compareApplyingSets(policy.referenceValues, type, { claims })) {
    for (const { claim, holds } of comparisons) {
      const [section = ''] = claim.split('.');
      if (sections.get(section) !== undefined) held.set(referencePointer(index, claim), holds);
    }
  }
  return held;
}

function rulePointer(index: number): string {
  return jsonPointer(['rules', index]);
}

/** Policies have under `boot` what claims have under `eventLog`. */
function referencePointer(index: number, claim: string): string {
  const names = claim.split('.').map((name) => (name === 'eventLog' ? 'boot' : name));
  return jsonPointer(['referenceValues', index, ...names]);
}
