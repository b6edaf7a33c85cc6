import type { PolicyProblem, PolicyProblemCode } from '../document/policy-problem.js';
import { readTextAs } from './compare-values.js';
import { lintText } from './lint-text.js';
import { type ClaimForm, type MaaClaim, maaClaim, meantClaim } from './maa-claims.js';
import { inBoth, integersOf, isEmptyRange, rangeOf, rangeOfSpan } from './number-range.js';
import type { ClaimCondition, ReleaseValue } from './policy-tree.js';
import { shownValue } from './shown-values.js';
import { isRuleClaim } from './text-forms.js';

const FORM_NAMES: ReadonlyMap<ClaimForm, string> = new Map([
  ['number', 'a number'],
  ['boolean', 'true or false'],
  ['object', 'an object, which equals no value'],
  ['list', 'a list, which equals no value'],
]);

/** Lints a single condition. For an unknown claim, reports only `exists: false` and a name similar to a known one. */
export function lintClaimCondition(condition: ClaimCondition): readonly PolicyProblem[] {
  const claim = maaClaim(condition.claim);
  if (condition.operator === 'exists') return lintExistence(condition, claim);
  if (claim === undefined) return lintName(condition);
  if (!hasTypeOf(claim, condition.value)) return lintType(condition, claim);
  if (claim.form === 'number') return lintNumber(condition, claim);
  return typeof condition.value === 'string' ? lintText(condition, claim, condition.value) : [];
}

function lintExistence(condition: ClaimCondition, claim: MaaClaim | undefined): readonly PolicyProblem[] {
  const { value, claim: path } = condition;
  if (String(value) === 'false') {
    return [
      problem(
        'akv_never',
        condition,
        `exists with false has no meaning in the grammar and is never met: remove ${path}`,
      ),
    ];
  }
  const problems = value === true ? [] : [problem('akv_coerced', condition, `exists of ${path} is a text: write true`)];
  if (claim === undefined) return [...problems, ...lintName(condition)];
  if (!claim.inEveryToken) return problems;
  return [
    ...problems,
    problem('akv_always', condition, `every token has ${path}: remove the condition, or compare the value`),
  ];
}

/** Warns of an unknown name. Not an error, because an instance may issue such a claim by its own policy. */
function lintName(condition: ClaimCondition): readonly PolicyProblem[] {
  const { claim } = condition;
  const meant = isRuleClaim(claim) ? null : meantClaim(claim);
  if (meant === null) return [];
  return [
    {
      ...problem('akv_never', condition, `${claim} is no claim that is known; did you mean ${meant}?`),
      severity: 'warning',
    },
  ];
}

function hasTypeOf({ form }: MaaClaim, value: ReleaseValue): boolean {
  if (form === 'number' || form === 'boolean') return typeof value === form;
  return form !== 'object' && form !== 'list' && typeof value === 'string';
}

function lintType(condition: ClaimCondition, { form }: MaaClaim): readonly PolicyProblem[] {
  const { claim, operator, value } = condition;
  const read = form === 'number' || form === 'boolean' ? readTextAs(form, value) : null;
  if (read !== null) {
    const message = `${claim} is a ${form} and the value a text, which strict comparison does not meet: write ${read}`;
    return [problem('akv_coerced', condition, message)];
  }
  const name = FORM_NAMES.get(form) ?? 'text';
  return [problem('akv_never', condition, `${claim} is ${name}: no token meets ${operator} ${shownValue(value)}`)];
}

function lintNumber(condition: ClaimCondition, claim: MaaClaim): readonly PolicyProblem[] {
  const range = rangeOf(condition);
  if (range === null) return [];
  const spans = claim.range.spans.map(rangeOfSpan);
  const met = spans.map((span) => ({ span, part: inBoth(integersOf(range), span) }));
  const { operator, value, claim: path } = condition;
  const known = `an integer from ${claim.range.what}`;
  if (met.every(({ part }) => isEmptyRange(part))) {
    return [problem('akv_never', condition, `${path} is ${known}: no token meets ${operator} ${shownValue(value)}`)];
  }
  if (met.some(({ span, part }) => part.least > span.least || part.greatest < span.greatest)) return [];
  return [
    problem(
      'akv_always',
      condition,
      `${path} is ${known}: every token that has it meets ${operator} ${shownValue(value)}`,
    ),
  ];
}

function problem(code: PolicyProblemCode, { pointer }: ClaimCondition, message: string): PolicyProblem {
  return { code, pointer, message };
}
