import { ConfigurationError } from '../../core/errors.js';
import { type Policy, parsePolicyValue, policyOf } from '../document/policy-document.js';
import type { ReferenceSet } from '../document/reference-grammar.js';
import { lintEventLogs } from '../lint/lint-event-logs.js';
import { type Combination, combinationKey, combinationOf, combinationOfSet } from './combination.js';
import { hasSource, type Source, writeLearned } from './learned-document.js';
import { joinedMachines, learnedMembers, listedMachines, type Machines, machinesOf } from './learned-members.js';
import { notesOn } from './learned-notes.js';
import type { Seen } from './learned-values.js';
import type { LearningPlan } from './plan.js';
import type { LearnedWarning } from './refusals.js';

/** Allowed evidence to learn from. */
export interface LearnableEvidence {
  readonly source: Source;
  readonly seen: Seen;
  /** The set of the policy that the evidence matched; null if the policy has no sets. */
  readonly matched: ReferenceSet | null;
  /** Index of the first set of the existing learned policy that the evidence matches; null if there is none. */
  readonly met: number | null;
  /** Codes that the user had to accept. */
  readonly accepted: readonly string[];
  /** Other warnings in its decision. */
  readonly warnings: readonly LearnedWarning[];
}

/** One combination, and all evidence that shows it. */
export interface LearnedGroup {
  readonly combination: Combination;
  readonly evidence: readonly LearnableEvidence[];
}

/** The learned policy. */
export interface LearnedPolicy {
  /** The previous text if nothing is new. */
  readonly policy: Policy;
  readonly isNew: boolean;
  readonly added: readonly LearnedGroup[];
  /** Indexes of existing sets that evidence matched again. */
  readonly seenAgain: ReadonlyMap<number, readonly Source[]>;
  /** Notes for people, one sentence each. */
  readonly notes: readonly string[];
}

/** @param version of this software */
export interface LearningTime {
  readonly at: Date;
  readonly version: string;
}

/**
 * Makes the policy. Each combination becomes a set. Values of different evidence are never mixed.
 * @throws {ConfigurationError} if the learned policy does not load
 */
export function learnedPolicy(
  plan: LearningPlan,
  evidence: readonly LearnableEvidence[],
  time: LearningTime,
): LearnedPolicy {
  const groups = grouped(evidence);
  const seenAgain = new Map<number, readonly Source[]>();
  const added: LearnedGroup[] = [];
  for (const group of groups) {
    const kept = keptSet(plan, group);
    if (kept === null) added.push(group);
    else if (kept.sources.length > 0)
      seenAgain.set(kept.index, [...(seenAgain.get(kept.index) ?? []), ...kept.sources]);
  }
  const machines = plan.header.chips ? learnedMachines(plan, evidence) : null;
  const notes = notesOn(evidence, plan);
  if (plan.before !== null && added.length === 0 && seenAgain.size === 0 && !hasMore(machines, plan.before.policy)) {
    return { policy: plan.before.policy, isNew: false, added, seenAgain, notes };
  }
  const policy = loaded(written(plan, { evidence, added, seenAgain, machines, time }));
  const remarks = lintEventLogs(policy).map(({ pointer, message }) => `${pointer}: ${message}`);
  return { policy, isNew: true, added, seenAgain, notes: [...notes, ...remarks] };
}

function grouped(evidence: readonly LearnableEvidence[]): readonly LearnedGroup[] {
  const groups = new Map<string, LearnedGroup>();
  for (const each of evidence) {
    const combination = combinationOf(each.seen, each.matched);
    const key = combinationKey(combination);
    const others = groups.get(key)?.evidence ?? [];
    const isKnown = others.some(({ source }) => source.sha256 === each.source.sha256);
    groups.set(key, { combination, evidence: isKnown ? others : [...others, each] });
  }
  return [...groups.values()];
}

/**
 * Returns the existing set with a combination, and the evidence that it does not name yet; null for a new combination.
 */
function keptSet({ before }: LearningPlan, { combination, evidence }: LearnedGroup) {
  if (before === null) return null;
  const { referenceValues, text } = before.policy;
  const key = combinationKey(combination);
  const index = referenceValues.findIndex((set) => combinationKey(combinationOfSet(set)) === key);
  if (index < 0) return evidence.every(({ met }) => met !== null) ? { index, sources: [] } : null;
  const sources = evidence.map(({ source }) => source).filter((source) => !hasSource(text, index, source));
  return { index, sources };
}

function learnedMachines({ before }: LearningPlan, evidence: readonly LearnableEvidence[]): Machines {
  const own = evidence.map(({ seen }) => machinesOf(seen.claims));
  return joinedMachines(before === null ? own : [listedMachines(before.policy), ...own]);
}

function hasMore(machines: Machines | null, policy: Policy): boolean {
  return machines !== null && JSON.stringify(machines) !== JSON.stringify(listedMachines(policy));
}

interface WrittenParts extends Pick<LearnedPolicy, 'added' | 'seenAgain'> {
  readonly evidence: readonly LearnableEvidence[];
  readonly machines: Machines | null;
  readonly time: LearningTime;
}

function written(plan: LearningPlan, { evidence, added, seenAgain, machines, time }: WrittenParts): string {
  const { id, version, before, header } = plan;
  const accepted = union(before?.header.accepted ?? [], ...evidence.map((each) => each.accepted));
  const ofEvidence = evidence.map((each) => each.warnings.map(({ code }) => code));
  const warnings = union(before?.header.warnings ?? [], ...ofEvidence).filter((code) => !accepted.includes(code));
  const accepts = union(before?.policy.accepts ?? [], ...evidence.map(({ seen }) => [seen.type]));
  const files = new Set(evidence.map(({ source }) => source.sha256)).size;
  const count = `${files} ${files === 1 ? 'piece' : 'pieces'} of evidence`;
  const what = before === null ? 'learned' : 'widened';
  const history = `${what} at ${time.at.toISOString()} (verification time) from ${count}, version ${version}, by veritee ${time.version}`;
  return writeLearned({
    header: { ...header, accepted, warnings, history: [...(before?.header.history ?? []), history] },
    members: learnedMembers(plan.members, { id, version, description: describe(plan, accepted), accepts, machines }),
    before: before === null ? null : { text: before.policy.text, seenAgain },
    added: added.map(({ combination, evidence: own }) => ({ combination, sources: own.map(({ source }) => source) })),
    from: header.from.id,
  });
}

function describe({ header: { from } }: LearningPlan, accepted: readonly string[]): string {
  const relaxed = accepted.length === 0 ? '' : `; accepted: ${accepted.join(', ')}`;
  return `Learned from evidence that ${from.id} version ${from.version} allows${relaxed}`;
}

function loaded(text: string): Policy {
  try {
    return policyOf(parsePolicyValue(text), text);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const problems = error.problems.map((problem) => `the learned policy does not load: ${problem}`);
    throw new ConfigurationError(problems, { cause: error });
  }
}

function union<T>(...lists: readonly (readonly T[])[]): readonly T[] {
  return [...new Set(lists.flat())];
}
