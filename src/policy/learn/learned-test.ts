import type { Node } from 'yaml';
import type { Claims } from '../../core/claims.js';
import type { JsonValue } from '../../core/json.js';
import type { Policy } from '../document/policy-document.js';
import { MAX_TEST_BYTES, MOST_CASES } from '../test-cases/case-document.js';
import { combinationOfSet } from './combination.js';
import { type LearnedCases, learnedCases, type TestedSet, type TryClaims } from './learned-cases.js';
import { writeTest } from './learned-document.js';
import { TESTS_HEADER } from './learned-header.js';
import type { LearnableEvidence, LearnedPolicy } from './learned-policy.js';

/** The test of a learned policy, and the parts that it omits. */
export interface LearnedTest {
  /** Null if nothing can be tested. */
  readonly text: string | null;
  readonly notes: readonly string[];
}

/**
 * Writes the test of a learned policy, as YAML that `policy test` reads. Where it would be too large with a case for each
 * member, the members of a set are changed together; where that is too large too, no test is written.
 *
 * It does not establish that the policy refuses other machines, but that each value in it counts.
 *
 * @param evidence that was judged this time: a set that was there before has no other claims for the rules
 * @param file of the policy, as the test names it
 * @param kept cases that somebody added to the test: they come last
 */
export function learnedTest(
  learned: LearnedPolicy,
  evidence: readonly LearnableEvidence[],
  file: string,
  kept: readonly Node[],
  tryClaims: TryClaims,
): LearnedTest {
  const { policy } = learned;
  const sets = testedSets(learned, evidence);
  const counts = {
    each: sum(sets.map(({ combination }) => 1 + combination.members.length)),
    together: 2 * sets.length,
  };
  for (const detail of ['each', 'together'] as const) {
    if (counts[detail] + policy.rules.length + kept.length > MOST_CASES) continue;
    const found = learnedCases(policy, sets, detail, tryClaims);
    if (found.cases.length === 0) return { text: null, notes: untestedNotes(found, policy) };
    const text = testDocumentText(found, file, kept);
    if (Buffer.byteLength(text) > MAX_TEST_BYTES) continue;
    return { text, notes: [...untestedNotes(found, policy), ...keptNotes(kept)] };
  }
  const beside = kept.length === 0 ? '' : ` beside ${countOf(kept)} of your own`;
  return { text: null, notes: [`there are too many sets for one test (${sets.length})${beside}, so none is written`] };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}

function testedSets(
  { policy: { referenceValues }, added }: LearnedPolicy,
  evidence: readonly LearnableEvidence[],
): readonly TestedSet[] {
  const kept = referenceValues.length - added.length;
  return referenceValues.map((set, index) => ({
    combination: combinationOfSet(set),
    claims: claimsFor(added[index - kept]?.evidence ?? evidence.filter(({ met }) => met === index), evidence),
  }));
}

/** Returns the claims of the set's own evidence, and of one other machine of each type. */
function claimsFor(own: readonly LearnableEvidence[], all: readonly LearnableEvidence[]): readonly Claims[] {
  const ofType = new Map(all.map(({ seen }) => [seen.type, seen.claims]));
  return [...own.slice(0, 1).map(({ seen }) => seen.claims), ...ofType.values()];
}

function testDocumentText({ cases }: LearnedCases, policy: string, kept: readonly Node[]): string {
  const plain = cases as unknown as readonly JsonValue[];
  return writeTest(TESTS_HEADER, { policy, cases: plain }, kept);
}

function keptNotes(kept: readonly Node[]): readonly string[] {
  if (kept.length === 0) return [];
  return [`${countOf(kept)} of the test that policy learn did not write ${kept.length === 1 ? 'is' : 'are'} kept`];
}

function countOf({ length }: readonly Node[]): string {
  return length === 1 ? '1 case' : `${length} cases`;
}

function untestedNotes({ untested }: LearnedCases, { rules }: Policy): readonly string[] {
  if (untested.length === 0) return [];
  const why = rules.length > 0 ? ', since rules need claims of their evidence' : '';
  return [`without a case in the test${why}: set ${untested.join(', ')}`];
}
