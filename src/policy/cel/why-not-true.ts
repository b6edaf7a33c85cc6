import { evaluate } from './evaluate.js';
import { type Claim, claimsIn, type Expression } from './expression.js';
import { RuleScope } from './rule-scope.js';
import { type RuleValue, UNDEFINED } from './rule-value.js';

/** Maximum number of claims that are shown with their values. */
const SHOWN = 3;

/** Maximum number of characters that are shown of a text. */
const LONGEST_SHOWN = 100;

/**
 * Says in one clause why a rule is not true: the part that decided, and its claims with their values.
 *
 * @param value result of the rule
 * @param scope of the evaluation
 */
export function whyNotTrue(expression: Expression, value: RuleValue, scope: RuleScope): string {
  if (value === UNDEFINED) return whyUndefined(scope);
  const values = new Map<Expression, RuleValue>();
  // With its own budget: the explanation of one rule must not use up the budget of the next.
  const own = new RuleScope(scope.claims, undefined, values);
  evaluate(expression, own);
  const part = decidingPart(expression, values);
  const claims = distinct(claimsIn(part));
  const said = claims.slice(0, SHOWN).map((claim) => `${claim.text} is ${ruleValueText(own.read(claim))}`);
  const more = claims.length > SHOWN ? ` and ${claims.length - SHOWN} more` : '';
  return `${shortened(part.text)} is false${said.length === 0 ? '' : `, because ${said.join(', ')}${more}`}`;
}

/** Of parts that must all hold, the first that does not; of a choice, the side that was taken. */
function decidingPart(expression: Expression, values: ReadonlyMap<Expression, RuleValue>): Expression {
  if (expression.op === 'and') {
    const wrong = expression.operands.find((operand) => values.get(operand) === false);
    return wrong === undefined ? expression : decidingPart(wrong, values);
  }
  if (expression.op === 'choose') {
    const isTrue = values.get(expression.condition) === true;
    return decidingPart(isTrue ? expression.ifTrue : expression.ifFalse, values);
  }
  return expression;
}

function whyUndefined(scope: RuleScope): string {
  const reasons = [
    ...[...scope.absent].map((claim) => `${claim} is absent`),
    ...[...scope.mistyped.values()].map(({ claim, expected, actual }) => `${claim} is ${actual}, not ${expected}`),
    ...[...scope.faults.values()],
  ];
  return `it has no value, because ${reasons.slice(0, SHOWN).join(', ')}`;
}

function distinct(claims: readonly Claim[]): readonly Claim[] {
  return [...new Map(claims.map((claim) => [claim.text, claim])).values()];
}

function ruleValueText(value: RuleValue): string {
  if (value === UNDEFINED) return 'absent';
  if (typeof value === 'object') return `a list of ${value.length}`;
  return shortened(typeof value === 'string' ? `"${value}"` : String(value));
}

function shortened(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}
