import type { PolicyProblem } from '../document/policy-problem.js';
import { maaClaim } from './maa-claims.js';
import { inBoth, integersOf, isEmptyRange, rangeOf } from './number-range.js';
import type { ClaimCondition, Condition, ConditionGroup } from './policy-tree.js';
import { shownValue } from './shown-values.js';

/** Reports conditions that cannot be met together, and alternatives of which one is always met. */
export function lintCombinations(
  group: ConditionGroup,
  around: readonly ClaimCondition[] = [],
): readonly PolicyProblem[] {
  if (group.kind === 'anyOf') {
    return [...lintAlternatives(group), ...group.conditions.flatMap((each) => lintCombinations(asGroup(each), around))];
  }
  const own = mustHold(group);
  const choices = choicesOf(group);
  return [
    ...lintConjunction(own, around),
    ...choices.flatMap((choice) => lintCombinations(choice, [...around, ...own])),
  ];
}

/** Converts a branch with a single condition to an allOf. */
function asGroup(condition: Condition): ConditionGroup {
  return condition.kind === 'claim'
    ? { kind: 'allOf', pointer: condition.pointer, conditions: [condition] }
    : condition;
}

/** The conditions that an allOf requires, with those of nested allOf groups. */
function mustHold({ conditions }: ConditionGroup): readonly ClaimCondition[] {
  return conditions.flatMap((each) => {
    if (each.kind === 'claim') return [each];
    return each.kind === 'allOf' ? mustHold(each) : [];
  });
}

function choicesOf({ conditions }: ConditionGroup): readonly ConditionGroup[] {
  return conditions.flatMap((each) => {
    if (each.kind === 'claim') return [];
    return each.kind === 'allOf' ? choicesOf(each) : [each];
  });
}

/** Maximum of conditions on one claim that are compared with each other. Further ones are not compared. */
const MOST_COMPARED = 32;

/** Conditions by claim, up to the maximum. */
class Conditions {
  readonly #byClaim = new Map<string, ClaimCondition[]>();

  /** Adds a condition. @returns the earlier conditions on its claim */
  add(condition: ClaimCondition): readonly ClaimCondition[] {
    const before = this.#byClaim.get(condition.claim) ?? [];
    if (before.length < MOST_COMPARED) this.#byClaim.set(condition.claim, [...before, condition]);
    return before;
  }
}

function lintConjunction(own: readonly ClaimCondition[], around: readonly ClaimCondition[]): readonly PolicyProblem[] {
  const conditions = new Conditions();
  for (const condition of around) conditions.add(condition);
  return own.flatMap((condition) => {
    const against = conditions.add(condition).find((other) => excludes(condition, other));
    if (against === undefined) return [];
    const { claim, pointer } = condition;
    const message = `${claim} cannot meet ${conditionText(condition)} and ${conditionText(against)} (${against.pointer}): remove one, or write both within anyOf`;
    return [{ code: 'akv_never' as const, pointer, message }];
  });
}

/**
 * Whether no value of the claim meets both conditions. A string equals the value that it represents, as in compatible
 * mode.
 */
function excludes(a: ClaimCondition, b: ClaimCondition): boolean {
  if (a.operator === 'equals' && b.operator === 'equals') return String(a.value) !== String(b.value);
  const isSame = String(a.value) === String(b.value);
  if (a.operator === 'notEquals' || b.operator === 'notEquals') {
    return isSame && (a.operator === 'equals' || b.operator === 'equals');
  }
  if (a.operator === 'exists' || b.operator === 'exists') return false;
  const [one, other] = [rangeOf(a), rangeOf(b)];
  // An ordered value cannot equal a string that is not a number.
  if (one === null || other === null) return true;
  const both = inBoth(one, other);
  return isEmptyRange(maaClaim(a.claim)?.form === 'number' ? integersOf(both) : both);
}

/** Reports two branches that together accept every value. Compares pairs only. */
function lintAlternatives({ pointer, conditions }: ConditionGroup): readonly PolicyProblem[] {
  const earlier = new Conditions();
  for (const condition of conditions) {
    if (condition.kind !== 'claim') continue;
    const other = earlier.add(condition).find((each) => completes(condition, each));
    if (other === undefined) continue;
    const message = `every token that has ${condition.claim} meets ${conditionText(other)} or ${conditionText(condition)}: remove one of them`;
    return [{ code: 'akv_always', pointer, message }];
  }
  return [];
}

function completes(a: ClaimCondition, b: ClaimCondition): boolean {
  const isPair = (one: string, other: string) => a.operator === one && b.operator === other;
  if (isPair('equals', 'notEquals') || isPair('notEquals', 'equals')) return String(a.value) === String(b.value);
  if (!isPair('equals', 'equals') || maaClaim(a.claim)?.form !== 'boolean') return false;
  return new Set([String(a.value), String(b.value)]).size === 2;
}

function conditionText({ operator, value }: ClaimCondition): string {
  return `${operator} ${shownValue(value)}`;
}
