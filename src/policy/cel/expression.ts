import { ORDERINGS } from '../orderings.js';
import type { ClaimType, ObjectType, ScalarType } from './claim-type.js';

/** A rule as the service evaluates it: the part of CEL that rules may use. `text` is the part in CEL syntax. */
export type Expression =
  | Literal
  | Claim
  | { readonly op: 'variable'; readonly text: string; readonly name: string; readonly type: ScalarType }
  | { readonly op: 'item'; readonly text: string; readonly list: Expression; readonly index: number }
  | { readonly op: 'not' | 'negative'; readonly text: string; readonly operand: Expression }
  | { readonly op: 'and' | 'or'; readonly text: string; readonly operands: readonly Expression[] }
  | Binary
  | {
      readonly op: 'choose';
      readonly text: string;
      readonly condition: Expression;
      readonly ifTrue: Expression;
      readonly ifFalse: Expression;
    }
  | { readonly op: 'list'; readonly text: string; readonly items: readonly Expression[] }
  | { readonly op: 'present'; readonly text: string; readonly claim: Claim }
  | { readonly op: 'call'; readonly text: string; readonly name: RuleFunction; readonly args: readonly Expression[] }
  | Quantified;

export interface Literal {
  readonly op: 'literal';
  readonly text: string;
  readonly type: 'int' | 'double' | 'bool' | 'string';
  readonly value: number | boolean | string;
}

/** A claim by its path, section first. */
export interface Claim {
  readonly op: 'claim';
  readonly text: string;
  readonly path: readonly string[];
  /** `double`: the claim has no declared type, and gets this one from the literal beside it. */
  readonly type: ClaimType | 'double';
}

export const ARITHMETIC = ['+', '-', '*', '/', '%'] as const;
export const OPERATORS = ['==', '!=', 'in', ...ORDERINGS, ...ARITHMETIC] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Binary {
  readonly op: 'binary';
  readonly text: string;
  readonly operator: Operator;
  readonly left: Expression;
  readonly right: Expression;
}

/** `all` and `exists` over a list. */
export interface Quantified {
  readonly op: 'all' | 'exists';
  readonly text: string;
  readonly list: Expression;
  readonly variable: string;
  readonly body: Expression;
}

/** Functions of rules, besides `has` and the two macros. None of them takes a pattern. */
export const RULE_FUNCTIONS = ['size', 'startsWith', 'endsWith', 'contains'] as const;
export type RuleFunction = (typeof RULE_FUNCTIONS)[number];

/** Returns the direct parts of an expression, in the order of the text. */
export function expressionParts(expression: Expression): readonly Expression[] {
  switch (expression.op) {
    case 'literal':
    case 'claim':
    case 'variable':
      return [];
    case 'item':
      return [expression.list];
    case 'not':
    case 'negative':
      return [expression.operand];
    case 'and':
    case 'or':
      return expression.operands;
    case 'binary':
      return [expression.left, expression.right];
    case 'choose':
      return [expression.condition, expression.ifTrue, expression.ifFalse];
    case 'list':
      return expression.items;
    case 'present':
      return [expression.claim];
    case 'call':
      return expression.args;
    case 'all':
    case 'exists':
      return [expression.list, expression.body];
  }
}

/** Returns an expression and its parts at every depth, in the order of the text. */
export function withAllParts(expression: Expression): readonly Expression[] {
  return [expression, ...expressionParts(expression).flatMap(withAllParts)];
}

/** Returns every claim that an expression names. */
export function claimsIn(expression: Expression): readonly Claim[] {
  return withAllParts(expression).filter((part) => part.op === 'claim');
}

/** The kind of value of an expression, as far as its own form determines it. */
export function kindOf(expression: Expression): ScalarType['kind'] | 'double' | 'list' | ObjectType['kind'] {
  switch (expression.op) {
    case 'literal':
      return expression.type;
    case 'claim':
      return expression.type === 'double' ? 'double' : expression.type.kind;
    case 'variable':
      return expression.type.kind;
    case 'item':
      return kindOfItem(expression.list);
    case 'list':
      return 'list';
    case 'negative':
      return kindOf(expression.operand);
    case 'choose':
      return kindOf(expression.ifTrue);
    case 'binary':
      return isOneOf(ARITHMETIC, expression.operator) ? 'int' : 'bool';
    case 'call':
      return expression.name === 'size' ? 'int' : 'bool';
    default:
      return 'bool';
  }
}

/** Returns the kind of the items of a claim, a literal list, or a choice between two lists, which have one type. */
function kindOfItem(list: Expression): ReturnType<typeof kindOf> {
  if (list.op === 'choose') return kindOfItem(list.ifTrue);
  const first = list.op === 'list' ? list.items[0] : undefined;
  return first === undefined ? (itemTypeOf(list)?.kind ?? 'bool') : kindOf(first);
}

/** Returns the declared type of a claim, an item, or a variable of a macro; null for other expressions. */
export function scalarOf(expression: Expression): ScalarType | null {
  switch (expression.op) {
    case 'claim':
      return expression.type !== 'double' && isScalar(expression.type) ? expression.type : null;
    case 'variable':
      return expression.type;
    case 'item':
      return itemTypeOf(expression.list);
    default:
      return null;
  }
}

/** Returns the declared type of the items of a list; null for a literal list. */
export function itemTypeOf(list: Expression): ScalarType | null {
  if (list.op !== 'claim' || list.type === 'double') return null;
  return list.type.kind === 'list' ? list.type.item : null;
}

function isScalar(type: ClaimType): type is ScalarType {
  return type.kind !== 'list' && type.kind !== 'object';
}

export function isOneOf<T extends string>(words: readonly T[], word: string): word is T {
  return (words as readonly string[]).includes(word);
}
