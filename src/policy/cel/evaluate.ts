import { isOrdered, ORDERINGS } from '../orderings.js';
import { containsText } from './contains-text.js';
import { type Binary, type Expression, isOneOf, type Quantified } from './expression.js';
import { type RuleScope, TOO_EXPENSIVE } from './rule-scope.js';
import { type RuleValue, UNDEFINED } from './rule-value.js';

/** Maximum number of items that `all` and `exists` evaluate. */
const MOST_ITEMS = 256;

/**
 * Evaluates an expression. If a part is undefined, the expression is undefined too. `&&` and `||` evaluate all
 * operands, so an absent claim never lets a rule pass. Only `?:` skips a branch.
 */
export function evaluate(expression: Expression, scope: RuleScope): RuleValue {
  const value = scope.step() ? valueOfPart(expression, scope) : scope.fault(expression, TOO_EXPENSIVE);
  return scope.keep(expression, value);
}

function valueOfPart(expression: Expression, scope: RuleScope): RuleValue {
  switch (expression.op) {
    case 'literal':
      return expression.value;
    case 'claim':
      return scope.read(expression);
    case 'variable':
      return scope.variable;
    case 'present':
      return evaluate(expression.claim, scope) === UNDEFINED ? UNDEFINED : true;
    case 'not': {
      const value = evaluate(expression.operand, scope);
      return value === UNDEFINED ? value : !value;
    }
    case 'negative': {
      const value = evaluate(expression.operand, scope);
      return value === UNDEFINED ? value : -Number(value);
    }
    case 'and':
    case 'or':
      return logical(expression.op, expression.operands, scope);
    case 'choose': {
      const condition = evaluate(expression.condition, scope);
      if (condition === UNDEFINED) return condition;
      return evaluate(condition === true ? expression.ifTrue : expression.ifFalse, scope);
    }
    case 'list':
      return evaluateList(expression.items, scope);
    case 'item':
      return itemOf(expression, scope);
    case 'call':
      return called(expression, scope);
    case 'all':
    case 'exists':
      return quantified(expression, scope);
    case 'binary':
      return binary(expression, scope);
  }
}

function logical(op: 'and' | 'or', operands: readonly Expression[], scope: RuleScope): RuleValue {
  const values = operands.map((operand) => evaluate(operand, scope));
  if (values.includes(UNDEFINED)) return UNDEFINED;
  return op === 'and' ? values.every((value) => value === true) : values.includes(true);
}

function evaluateList(items: readonly Expression[], scope: RuleScope): RuleValue {
  const values = items.map((item) => evaluate(item, scope));
  return values.includes(UNDEFINED) ? UNDEFINED : (values as (number | string)[]);
}

function itemOf(expression: Expression & { op: 'item' }, scope: RuleScope): RuleValue {
  const list = evaluate(expression.list, scope);
  if (list === UNDEFINED) return list;
  const item = (list as readonly (number | string)[])[expression.index];
  return item ?? scope.fault(expression, `${expression.list.text} has no item ${expression.index}`);
}

function called(expression: Expression & { op: 'call' }, scope: RuleScope): RuleValue {
  const values = expression.args.map((arg) => evaluate(arg, scope));
  if (values.includes(UNDEFINED)) return UNDEFINED;
  if (!scope.affords(values)) return scope.fault(expression, TOO_EXPENSIVE);
  const [of, text] = values;
  switch (expression.name) {
    case 'size':
      return typeof of === 'string' ? charactersIn(of) : (of as readonly unknown[]).length;
    case 'startsWith':
      return String(of).startsWith(String(text));
    case 'endsWith':
      return String(of).endsWith(String(text));
    case 'contains':
      return containsText(String(of), String(text));
  }
}

/** Counts characters as CEL does: a surrogate pair is one character. */
function charactersIn(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function quantified(expression: Quantified, scope: RuleScope): RuleValue {
  const list = evaluate(expression.list, scope);
  if (list === UNDEFINED) return list;
  const items = list as readonly (number | string)[];
  if (items.length === 0) return scope.fault(expression, `${expression.list.text} is empty`);
  if (items.length > MOST_ITEMS) {
    return scope.fault(expression, `${expression.list.text} has ${items.length} items, and may have ${MOST_ITEMS}`);
  }
  const values = items.map((item) => scope.within(item, () => evaluate(expression.body, scope)));
  if (values.includes(UNDEFINED)) return UNDEFINED;
  return expression.op === 'all' ? values.every((value) => value === true) : values.includes(true);
}

function binary(expression: Binary, scope: RuleScope): RuleValue {
  const left = evaluate(expression.left, scope);
  const right = evaluate(expression.right, scope);
  if (left === UNDEFINED || right === UNDEFINED) return UNDEFINED;
  const isDear = typeof left === 'string' && !scope.affords(typeof right === 'object' ? right : [left, right]);
  if (isDear) return scope.fault(expression, TOO_EXPENSIVE);
  const { operator } = expression;
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case 'in':
      return (right as readonly unknown[]).includes(left);
    default:
      return isOneOf(ORDERINGS, operator)
        ? isOrdered(operator, Number(left), Number(right))
        : calculated(expression, Number(left), Number(right), scope);
  }
}

/** Calculates a number. Unsafe integers and divisions by zero have no value. */
function calculated(expression: Binary, left: number, right: number, scope: RuleScope): RuleValue {
  const exact = arithmetic(expression.operator, BigInt(left), BigInt(right));
  const value = exact === null ? Number.NaN : Number(exact);
  if (Number.isSafeInteger(value)) return value;
  return scope.fault(expression, exact === null ? 'divides by zero' : 'is out of the range of integers');
}

function arithmetic(operator: Binary['operator'], left: bigint, right: bigint): bigint | null {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    default:
      if (right === 0n) return null;
      return operator === '/' ? left / right : left % right;
  }
}
