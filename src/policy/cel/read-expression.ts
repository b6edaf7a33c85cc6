import { type ASTNode, serialize } from '@marcbachmann/cel-js';
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
  ORDERINGS,
  type Quantified,
  RULE_FUNCTIONS,
} from './expression.js';
import { readClaim, readUntypedClaim, stepsOf } from './read-claim.js';
import { RuleFault } from './rule-fault.js';

/** An expression, and the claims in it that only a literal gives a type. */
export interface ReadExpression {
  readonly expression: Expression;
  readonly untyped: readonly Claim[];
}

/**
 * Reads the tree of a CEL expression into that of a rule. What is not on the lists of operators, functions and macros is
 * refused, and so is every name that no claim has, also in `has()`. That the types fit is for the type checker to say.
 *
 * @throws {RuleFault}
 */
export function readExpression(node: ASTNode): ReadExpression {
  const untyped: Claim[] = [];
  return { expression: new Reader(untyped).read(node, null), untyped };
}

/** The variable of the macro around a part. */
interface Variable {
  readonly name: string;
  readonly type: ScalarType;
}

class Reader {
  readonly #untyped: Claim[];

  constructor(untyped: Claim[]) {
    this.#untyped = untyped;
  }

  read(node: ASTNode, variable: Variable | null): Expression {
    const text = serialize(node);
    switch (node.op) {
      case 'value':
        return readLiteral(node.args, text);
      case 'id':
        if (node.args === variable?.name) return { op: 'variable', text, name: node.args, type: variable.type };
        return readClaim(node, [{ name: node.args, isIndex: false }]);
      case '.':
      case '[]':
        return this.#access(node, variable, text);
      case '!_':
        return { op: 'not', text, operand: this.read(node.args, variable) };
      case '-_':
        return { op: 'negative', text, operand: this.read(node.args, variable) };
      case '&&':
        return { op: 'and', text, operands: this.#operands(node, '&&', variable) };
      case '||':
        return { op: 'or', text, operands: this.#operands(node, '||', variable) };
      case '?:': {
        const [condition, ifTrue, ifFalse] = node.args;
        const read = (part: ASTNode) => this.read(part, variable);
        return { op: 'choose', text, condition: read(condition), ifTrue: read(ifTrue), ifFalse: read(ifFalse) };
      }
      case 'list':
        return { op: 'list', text, items: node.args.map((item) => this.read(item, variable)) };
      case 'call':
        return this.#call(node.args[0], node.args[1], variable, text);
      case 'rcall':
        return this.#method(node.args, variable, text);
      case 'map':
      case '.?':
      case '[?]':
        throw new RuleFault('rule_function', `rules have no maps and no optional members: ${text}`);
      default:
        return this.#binary(node.op, node.args, variable, text);
    }
  }

  /** `a && b && c` is one part with three operands, as people read it. */
  #operands(node: ASTNode, op: '&&' | '||', variable: Variable | null): readonly Expression[] {
    if (node.op !== op) return [this.read(node, variable)];
    return node.args.flatMap((side) => this.#operands(side, op, variable));
  }

  #access(node: ASTNode & { op: '.' | '[]' }, variable: Variable | null, text: string): Expression {
    const steps = stepsOf(node);
    if (steps !== null && rootOf(node) !== variable?.name) return readClaim(node, steps);
    const [of, member] = node.args;
    const list = this.read(of, variable);
    if (typeof member === 'string') throw new RuleFault('rule_type', `${list.text} has no members: ${text}`);
    const index = member.op === 'value' ? member.args : null;
    if (kindOf(list) === 'list') {
      if (typeof index !== 'bigint') throw new RuleFault('rule_type', `the index of a list is a number: ${text}`);
      return { op: 'item', text, list, index: Number(index) };
    }
    const quoted = typeof index === 'bigint' ? `; write ${list.text}["${index}"]` : '';
    throw new RuleFault('rule_type', `the index of a claim is a text, written out: ${text}${quoted}`);
  }

  #call(name: string, args: readonly ASTNode[], variable: Variable | null, text: string): Expression {
    const [only, ...more] = args;
    if (name === 'has' && only !== undefined && more.length === 0) {
      const steps = only.op === '.' ? stepsOf(only) : null;
      if (steps === null)
        throw new RuleFault('rule_type', `has() takes the name of a claim, written with dots: ${text}`);
      return { op: 'present', text, claim: readClaim(only, steps) };
    }
    if (name !== 'size') throw unknownFunction(name, text);
    return { op: 'call', text, name, args: args.map((arg) => this.read(arg, variable)) };
  }

  #method(
    [name, receiver, args]: readonly [string, ASTNode, readonly ASTNode[]],
    variable: Variable | null,
    text: string,
  ): Expression {
    if (name === 'all' || name === 'exists') return this.#quantified(name, receiver, args, variable, text);
    if (!isOneOf(RULE_FUNCTIONS, name)) throw unknownFunction(name, text);
    return { op: 'call', text, name, args: [receiver, ...args].map((arg) => this.read(arg, variable)) };
  }

  #quantified(
    op: Quantified['op'],
    receiver: ASTNode,
    [name, body, ...more]: readonly ASTNode[],
    outer: Variable | null,
    text: string,
  ): Expression {
    if (outer !== null)
      throw new RuleFault('rule_limit', `all() and exists() cannot stand inside of one another: ${text}`);
    if (name?.op !== 'id' || body === undefined || more.length > 0) {
      throw new RuleFault('rule_function', `${op}() takes a variable and a condition: ${text}`);
    }
    const list = this.read(receiver, outer);
    const type = itemTypeOf(list);
    if (type === null) throw new RuleFault('rule_type', `${op}() goes over a list of claims: ${text}`);
    return { op, text, list, variable: name.args, body: this.read(body, { name: name.args, type }) };
  }

  #binary(operator: string, args: unknown, variable: Variable | null, text: string): Expression {
    if (!isOneOf(OPERATORS, operator)) throw new RuleFault('rule_function', `rules have no ${operator}: ${text}`);
    const [leftNode, rightNode] = args as readonly [ASTNode, ASTNode];
    const [left, right] =
      operator === '=='
        ? this.#equated(leftNode, rightNode, variable)
        : [this.read(leftNode, variable), this.read(rightNode, variable)];
    requireComparable(operator, left, right, text);
    return { op: 'binary', text, operator, left, right };
  }

  /** The sides of `==`. A claim that is not declared may stand on one of them, and a literal on the other. */
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

/** The name that an access begins with. */
function rootOf(node: ASTNode): string | undefined {
  return stepsOf(node)?.[0]?.name;
}

function isLiteral(node: ASTNode): boolean {
  return node.op === 'value' || (node.op === '-_' && node.args.op === 'value');
}

/** A number with a sign is a literal too, for whoever compares a claim with it. */
function literalOf(expression: Expression): Expression {
  return expression.op === 'negative' ? expression.operand : expression;
}

function readLiteral(value: ASTNode['args'], text: string): Literal {
  switch (typeof value) {
    case 'bigint':
      if (!Number.isSafeInteger(Number(value))) throw new RuleFault('rule_limit', `the number is too large: ${text}`);
      return { op: 'literal', text, type: 'int', value: Number(value) };
    case 'number':
      return { op: 'literal', text, type: 'double', value };
    case 'boolean':
      return { op: 'literal', text, type: 'bool', value };
    case 'string':
      return { op: 'literal', text, type: 'string', value };
    default:
      throw new RuleFault(
        'rule_type',
        value === null
          ? 'no claim is null: one that is absent makes the rule undefined, and has() tells whether it is there'
          : `rules have texts, integers, booleans and lists of them: ${text}`,
      );
  }
}

function unknownFunction(name: string, text: string): RuleFault {
  const known = ['has', ...RULE_FUNCTIONS, 'all', 'exists'].map((each) => `${each}()`).join(', ');
  return new RuleFault('rule_function', `rules have no ${name}(): ${text}; there are ${known}`);
}

/** Refuses comparisons that mean something else than they seem to: texts by the order of their letters, whole objects. */
function requireComparable(operator: Operator, left: Expression, right: Expression, text: string): void {
  const kinds = [kindOf(left), kindOf(right)];
  const [kind] = kinds;
  if ((isOneOf(ORDERINGS, operator) || isOneOf(ARITHMETIC, operator)) && kinds.some((each) => each !== 'int')) {
    throw new RuleFault('rule_type', `${operator} takes integers: ${text}`);
  }
  if (operator !== 'in' && kinds.some((each) => each === 'list' || each === 'object')) {
    throw new RuleFault(
      'rule_type',
      `${operator} compares single values, and no ${kind === 'object' ? kind : 'list'}: ${text}`,
    );
  }
}
