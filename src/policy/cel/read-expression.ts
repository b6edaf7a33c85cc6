import { type ASTNode, serialize } from '@marcbachmann/cel-js';
import { ORDERINGS } from '../orderings.js';
import type { ScalarType } from './claim-type.js';
import {
  ARITHMETIC,
  type Claim,
  type Expression,
  isOneOf,
  itemTypeOf,
  kindOf,
  type Literal,
  OPERATORS,
  type Operator,
  type Quantified,
  RULE_FUNCTIONS,
} from './expression.js';
import { readClaim, readUntypedClaim, stepsOf } from './read-claim.js';
import { RuleFault } from './rule-fault.js';

/** An expression, and its claims that get their type from a literal. */
export interface ReadExpression {
  readonly expression: Expression;
  readonly untyped: readonly Claim[];
}

/**
 * Converts the tree of a CEL expression to that of a rule. Refuses operators, functions and macros that are not listed,
 * and names that no claim has, also in `has()`. The type checker checks the types.
 *
 * @throws {RuleFault}
 */
export function readExpression(node: ASTNode): ReadExpression {
  const untyped: Claim[] = [];
  return { expression: new Reader(untyped).read(node, null), untyped };
}

/** Makes the text of a part on first use. All texts of a deep rule together are many times as long as the rule. */
class WithText {
  readonly #node: ASTNode;
  #text: string | null = null;

  constructor(node: ASTNode) {
    this.#node = node;
  }

  get text(): string {
    this.#text ??= serialize(this.#node);
    return this.#text;
  }
}

function partOf<P extends object>(node: ASTNode, members: P): P & { readonly text: string } {
  return Object.assign(new WithText(node), members);
}

/** The variable of the macro around a part. */
interface Variable {
  readonly name: string;
  readonly type: ScalarType;
}

/** Maximum nesting of parts. The operands of one chain of `&&` or `||` have the same depth. */
const DEEPEST = 16;

class Reader {
  readonly #untyped: Claim[];
  #depth = 0;

  constructor(untyped: Claim[]) {
    this.#untyped = untyped;
  }

  read(node: ASTNode, variable: Variable | null): Expression {
    if (this.#depth === DEEPEST) throw new RuleFault('rule_limit', `has parts that are nested deeper than ${DEEPEST}`);
    this.#depth++;
    const expression = this.#read(node, variable);
    this.#depth--;
    return expression;
  }

  #read(node: ASTNode, variable: Variable | null): Expression {
    switch (node.op) {
      case 'value':
        return readLiteral(node);
      case 'id':
        if (node.args === variable?.name) return partOf(node, { op: 'variable', name: node.args, type: variable.type });
        return readClaim(node, [{ name: node.args, isIndex: false }]);
      case '.':
      case '[]':
        return this.#access(node, variable);
      case '!_':
        return partOf(node, { op: 'not', operand: this.read(node.args, variable) });
      case '-_':
        return partOf(node, { op: 'negative', operand: this.read(node.args, variable) });
      case '&&':
        return partOf(node, { op: 'and', operands: this.#operands(node, variable) });
      case '||':
        return partOf(node, { op: 'or', operands: this.#operands(node, variable) });
      case '?:': {
        const [condition, ifTrue, ifFalse] = node.args;
        const read = (part: ASTNode) => this.read(part, variable);
        return partOf(node, { op: 'choose', condition: read(condition), ifTrue: read(ifTrue), ifFalse: read(ifFalse) });
      }
      case 'list':
        return this.#list(node, variable);
      case 'call':
        return this.#call(node, variable);
      case 'rcall':
        return this.#method(node, variable);
      case 'map':
      case '.?':
      case '[?]':
        throw new RuleFault('rule_function', `rules have no maps and no optional members: ${serialize(node)}`);
      default:
        return this.#binary(node, variable);
    }
  }

  /** `a && b && c` becomes one part with three operands. */
  #operands(chain: ASTNode & { op: '&&' | '||' }, variable: Variable | null): readonly Expression[] {
    const operands: Expression[] = [];
    const add = (node: ASTNode): void => {
      if (node.op === chain.op) node.args.forEach(add);
      else operands.push(this.read(node, variable));
    };
    add(chain);
    return operands;
  }

  #access(node: ASTNode & { op: '.' | '[]' }, variable: Variable | null): Expression {
    const steps = stepsOf(node);
    if (steps !== null && rootOf(node) !== variable?.name) return readClaim(node, steps);
    const [of, member] = node.args;
    const list = this.read(of, variable);
    if (typeof member === 'string') {
      throw new RuleFault('rule_type', `${list.text} has no members: ${serialize(node)}`);
    }
    const index = member.op === 'value' ? member.args : null;
    if (kindOf(list) === 'list') {
      if (typeof index !== 'bigint') {
        throw new RuleFault('rule_type', `the index of a list is a number: ${serialize(node)}`);
      }
      return partOf(node, { op: 'item', list, index: Number(index) });
    }
    const quoted = typeof index === 'bigint' ? `; write ${list.text}["${index}"]` : '';
    throw new RuleFault('rule_type', `the index of a claim is a text, written out: ${serialize(node)}${quoted}`);
  }

  #list(node: ASTNode & { op: 'list' }, variable: Variable | null): Expression {
    const items = node.args.map((item) => this.read(item, variable));
    if (!items.every(isSingleValue)) {
      throw new RuleFault('rule_type', `a list has single values, and no lists or objects: ${serialize(node)}`);
    }
    return partOf(node, { op: 'list', items });
  }

  #call(node: ASTNode & { op: 'call' }, variable: Variable | null): Expression {
    const [name, args] = node.args;
    const [only, ...more] = args;
    if (name === 'has' && only !== undefined && more.length === 0) {
      const steps = only.op === '.' ? stepsOf(only) : null;
      if (steps === null) {
        const what = `has() takes the name of a claim, written with dots: ${serialize(node)}`;
        throw new RuleFault('rule_type', what);
      }
      return partOf(node, { op: 'present', claim: readClaim(only, steps) });
    }
    if (name !== 'size') throw unknownFunction(name, node);
    return partOf(node, { op: 'call', name, args: args.map((arg) => this.read(arg, variable)) });
  }

  #method(node: ASTNode & { op: 'rcall' }, variable: Variable | null): Expression {
    const [name, receiver, args] = node.args;
    if (name === 'all' || name === 'exists') return this.#quantified(name, node, variable);
    if (!isOneOf(RULE_FUNCTIONS, name)) throw unknownFunction(name, node);
    return partOf(node, { op: 'call', name, args: [receiver, ...args].map((arg) => this.read(arg, variable)) });
  }

  #quantified(op: Quantified['op'], node: ASTNode & { op: 'rcall' }, outer: Variable | null): Expression {
    const [, receiver, [name, body, ...more]] = node.args;
    if (outer !== null) {
      const what = `all() and exists() cannot stand inside of one another: ${serialize(node)}`;
      throw new RuleFault('rule_limit', what);
    }
    if (name?.op !== 'id' || body === undefined || more.length > 0) {
      throw new RuleFault('rule_function', `${op}() takes a variable and a condition: ${serialize(node)}`);
    }
    const list = this.read(receiver, outer);
    const type = itemTypeOf(list);
    if (type === null) throw new RuleFault('rule_type', `${op}() goes over a list of claims: ${serialize(node)}`);
    return partOf(node, { op, list, variable: name.args, body: this.read(body, { name: name.args, type }) });
  }

  #binary(node: ASTNode, variable: Variable | null): Expression {
    const operator: string = node.op;
    if (!isOneOf(OPERATORS, operator)) {
      throw new RuleFault('rule_function', `rules have no ${operator}: ${serialize(node)}`);
    }
    const [leftNode, rightNode] = node.args as readonly [ASTNode, ASTNode];
    const [left, right] =
      operator === '=='
        ? this.#equated(leftNode, rightNode, variable)
        : [this.read(leftNode, variable), this.read(rightNode, variable)];
    requireComparable(operator, left, right, node);
    return partOf(node, { op: 'binary', operator, left, right });
  }

  /** Reads the sides of `==`. One may be an undeclared claim if the other is a literal. */
  #equated(leftNode: ASTNode, rightNode: ASTNode, variable: Variable | null): readonly [Expression, Expression] {
    const untypedAs = (node: ASTNode, other: ASTNode): Claim | null =>
      isLiteral(other) && rootOf(node) !== variable?.name
        ? readUntypedClaim(node, literalOf(this.read(other, null)))
        : null;
    const left = untypedAs(leftNode, rightNode);
    const right = left === null ? untypedAs(rightNode, leftNode) : null;
    for (const claim of [left, right]) if (claim !== null) this.#untyped.push(claim);
    return [left ?? this.read(leftNode, variable), right ?? this.read(rightNode, variable)];
  }
}

/** Returns the first name of an access. */
function rootOf(node: ASTNode): string | undefined {
  return stepsOf(node)?.[0]?.name;
}

function isLiteral(node: ASTNode): boolean {
  return node.op === 'value' || (node.op === '-_' && node.args.op === 'value');
}

/** In comparisons with claims, a number with a sign counts as a literal. */
function literalOf(expression: Expression): Expression {
  return expression.op === 'negative' ? expression.operand : expression;
}

function readLiteral(node: ASTNode & { op: 'value' }): Literal {
  const value: unknown = node.args;
  switch (typeof value) {
    case 'bigint':
      if (!Number.isSafeInteger(Number(value)))
        throw new RuleFault('rule_limit', `the number is too large: ${serialize(node)}`);
      return partOf(node, { op: 'literal', type: 'int', value: Number(value) });
    case 'number':
      return partOf(node, { op: 'literal', type: 'double', value });
    case 'boolean':
      return partOf(node, { op: 'literal', type: 'bool', value });
    case 'string':
      return partOf(node, { op: 'literal', type: 'string', value });
    default:
      throw new RuleFault(
        'rule_type',
        value === null
          ? 'no claim is null: one that is absent leaves the rule undefined, which is not met'
          : `rules have texts, integers, booleans and lists of them: ${serialize(node)}`,
      );
  }
}

function unknownFunction(name: string, node: ASTNode): RuleFault {
  const known = ['has', ...RULE_FUNCTIONS, 'all', 'exists'].map((each) => `${each}()`).join(', ');
  return new RuleFault('rule_function', `rules have no ${name}(): ${serialize(node)}; there are ${known}`);
}

/** Refuses comparisons that mislead: ordering of texts by letters, and comparison of whole objects. */
function requireComparable(operator: Operator, left: Expression, right: Expression, node: ASTNode): void {
  const kinds = [kindOf(left), kindOf(right)];
  const [kind] = kinds;
  if ((isOneOf(ORDERINGS, operator) || isOneOf(ARITHMETIC, operator)) && kinds.some((each) => each !== 'int')) {
    throw new RuleFault('rule_type', `${operator} takes integers: ${serialize(node)}`);
  }
  if (operator === 'in' && kindOf(right) !== 'list') {
    throw new RuleFault('rule_type', `in looks into a list: ${serialize(node)}`);
  }
  const compared = operator === 'in' ? [left] : [left, right];
  if (!compared.every(isSingleValue)) {
    throw new RuleFault(
      'rule_type',
      `${operator} compares single values, and no ${kind === 'object' ? kind : 'list'}: ${serialize(node)}`,
    );
  }
}

/** Only these types have equality. Lists and objects have none, neither by content nor by identity. */
function isSingleValue(expression: Expression): boolean {
  const kind = kindOf(expression);
  return kind !== 'list' && kind !== 'object';
}
