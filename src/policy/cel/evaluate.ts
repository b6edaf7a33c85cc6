import { type Binary, type Claim, type Expression, isOneOf, ORDERINGS, type Quantified } from './expression.js';

/** The value of a part that rests on a claim that is absent, or that has no value: it makes a rule not met. */
export const UNDEFINED: unique symbol = Symbol('undefined');

export type RuleValue = number | boolean | string | readonly (number | string)[] | typeof UNDEFINED;

/** A claim that is there, and is not of the type that the rule compares it as. */
export interface MistypedClaim {
  readonly claim: string;
  readonly expected: string;
  readonly actual: string;
}

/** Most items that `all` and `exists` go over. */
const MOST_ITEMS = 256;

/** Parts that all rules of one appraisal may evaluate together; long texts count more than once. */
export const MOST_STEPS = 200_000;

/** Characters of a text that are compared or searched, and items of a list that are read, for the price of one step. */
const [CHARACTERS_A_STEP, ITEMS_A_STEP] = [32, 8];

/** What the rules of one appraisal may cost, in steps, so that no text of a policy holds up the service. */
export class RuleBudget {
  #left: number;

  constructor(most = MOST_STEPS) {
    this.#left = most;
  }

  /** @returns whether there was so much left */
  spend(steps: number): boolean {
    this.#left -= steps;
    return this.#left >= 0;
  }
}

/** Claims that a rule is evaluated over, and what is noted on the way. */
export class RuleScope {
  readonly claims: ReadonlyMap<string, unknown>;
  readonly #budget: RuleBudget;
  /** Claims that are absent, as the rule writes them. */
  readonly absent = new Set<string>();
  readonly mistyped = new Map<string, MistypedClaim>();
  /** Other reasons why a part has no value: by the part, one sentence. */
  readonly faults = new Map<string, string>();
  #variable: RuleValue = UNDEFINED;
  readonly #values: Map<Expression, RuleValue> | null;

  /**
   * @param claims by section, and each verified; of what is absent nothing
   * @param kept takes the value of each part, and that of the last item of what is evaluated for many
   */
  constructor(
    claims: ReadonlyMap<string, unknown>,
    budget = new RuleBudget(),
    kept: Map<Expression, RuleValue> | null = null,
  ) {
    this.claims = claims;
    this.#budget = budget;
    this.#values = kept;
  }

  keep(part: Expression, value: RuleValue): RuleValue {
    this.#values?.set(part, value);
    return value;
  }

  /** Whether one more part may be evaluated. */
  step(): boolean {
    return this.#budget.spend(1);
  }

  /** Whether these values may be looked at, of which texts can be long. */
  affords(values: readonly RuleValue[]): boolean {
    let steps = 0;
    for (const value of values) if (typeof value === 'string') steps += Math.floor(value.length / CHARACTERS_A_STEP);
    return this.#budget.spend(steps);
  }

  /** The value of the macro's variable while a part is evaluated with it. */
  get variable(): RuleValue {
    return this.#variable;
  }

  within<T>(item: RuleValue, evaluateBody: () => T): T {
    this.#variable = item;
    const value = evaluateBody();
    this.#variable = UNDEFINED;
    return value;
  }

  /** Null, as claims write what nothing shows, is absent. An object has no value of its own, and is true: it is there. */
  read(claim: Claim): RuleValue {
    const { path, text, type } = claim;
    const [section = '', ...members] = path;
    let value: unknown = this.claims.get(section);
    for (const member of members) value = memberOf(value, member);
    if (value === undefined || value === null) {
      this.absent.add(text);
      return UNDEFINED;
    }
    if (type !== 'double' && type.kind === 'object') return true;
    const isDear = Array.isArray(value) && !this.#budget.spend(Math.floor(value.length / ITEMS_A_STEP));
    if (isDear) return this.fault(claim, TOO_EXPENSIVE);
    const typed = type === 'double' ? ofType('double', value) : ofClaimType(type, value);
    if (typed !== undefined) return typed;
    const expected = type === 'double' ? 'number' : type.kind === 'list' ? `list of ${type.item.kind}` : type.kind;
    this.mistyped.set(text, { claim: text, expected, actual: nameOfType(value) });
    return UNDEFINED;
  }

  /** Notes why a part has no value, and is its value. */
  fault(part: Expression, why: string): typeof UNDEFINED {
    this.faults.set(part.text, why);
    return UNDEFINED;
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as { readonly [member: string]: unknown })[name] : undefined;
}

function ofClaimType(
  type: Exclude<Claim['type'], 'double'>,
  value: unknown,
): Exclude<RuleValue, typeof UNDEFINED> | undefined {
  if (type.kind !== 'list') return type.kind === 'object' ? undefined : ofType(type.kind, value);
  if (!Array.isArray(value)) return undefined;
  const { kind } = type.item;
  return value.every((item) => ofType(kind, item) !== undefined) ? (value as (number | string)[]) : undefined;
}

function ofType(kind: 'int' | 'bool' | 'string' | 'double', value: unknown): number | boolean | string | undefined {
  switch (kind) {
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'int':
      return Number.isSafeInteger(value) ? Number(value) : undefined;
    case 'double':
      return typeof value === 'number' ? value : undefined;
  }
}

function nameOfType(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return 'number';
  return typeof value === 'number' ? 'int' : typeof value === 'boolean' ? 'bool' : typeof value;
}

const TOO_EXPENSIVE = 'the rules of the policy take more steps than they may';

/**
 * The value of an expression. Where a part is undefined, so is what rests on it: `&&` and `||` look at all of their sides,
 * in whatever order they stand, so that an absent claim never lets a rule pass. Only `?:` leaves a side out.
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
      return listed(expression.items, scope);
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

function listed(items: readonly Expression[], scope: RuleScope): RuleValue {
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
      return String(of).includes(String(text));
  }
}

/** Characters as CEL counts them: two halves of a surrogate pair are one. */
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
        ? ordered(operator, Number(left), Number(right))
        : calculated(expression, Number(left), Number(right), scope);
  }
}

function ordered(operator: (typeof ORDERINGS)[number], left: number, right: number): boolean {
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

/** Integers that no number holds exactly are no value, and neither is a division by zero. */
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
