import { type Combination, combinationOfSet, differencesOf } from './combination.js';
import type { LearnableEvidence, LearnedPolicy } from './learned-policy.js';
import type { LearningPlan } from './plan.js';

/** Returns the changes for people, one sentence each. */
export function changesOf(
  { before, replaced, version }: LearningPlan,
  { policy, isNew, added, seenAgain }: LearnedPolicy,
  evidence: readonly LearnableEvidence[],
): readonly string[] {
  const sets = policy.referenceValues.map(combinationOfSet);
  const first = sets.length - added.length;
  const news = added.map((group, offset) => {
    const names = group.evidence.map(({ source }) => source.name).join(', ');
    const set = `set ${first + offset + 1} is new, from ${names}`;
    return `${set}: ${before === null ? combinationText(group.combination) : nearest(group.combination, sets.slice(0, first))}`;
  });
  const again = [...seenAgain].map(
    ([index, sources]) => `set ${index + 1} was seen again, in ${sources.map(({ name }) => name).join(', ')}`,
  );
  const told = new Set([...seenAgain.values()].flat());
  const met = evidence.flatMap(({ source, met: index }) =>
    index === null || told.has(source) ? [] : [`${source.name} was allowed before, by set ${index + 1}`],
  );
  const accepts = policy.accepts.filter((type) => before?.policy.accepts.includes(type) === false);
  return [
    ...(before === null ? [] : [versions(before.policy.version, isNew ? version : null)]),
    ...(replaced === null ? [] : [`version ${version}, was ${replaced.version}: ${replaced.name} is replaced`]),
    ...(accepts.length === 0 ? [] : [`accepts: ${accepts.join(', ')} is new`]),
    ...news,
    ...again,
    ...met,
  ];
}

function versions(before: number, after: number | null): string {
  return after === null ? `version ${before} stays as it is: nothing is new` : `version ${after}, was ${before}`;
}

function combinationText({ product, members }: Combination): string {
  const names = members.map(({ path }) => path).join(', ');
  return product === null ? names : `${product}, ${names}`;
}

/** Returns the differences between a set and the most similar earlier set. */
function nearest(combination: Combination, sets: readonly Combination[]): string {
  const [closest] = sets
    .map((set, index) => ({ index, differences: differencesOf(combination, set) }))
    .sort((a, b) => a.differences.length - b.differences.length);
  if (closest === undefined) return combinationText(combination);
  return `it differs from set ${closest.index + 1} in ${closest.differences.join(', ')}`;
}
