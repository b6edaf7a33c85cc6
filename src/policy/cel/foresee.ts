import type { JsonValue } from '../../model/json.js';
import { evaluate, RuleScope, type RuleValue, UNDEFINED } from './evaluate.js';
import { type Claim, claimsIn, type Expression, partsOf } from './expression.js';

/** What is known of some kind of evidence before there is any. */
export interface Known {
  /** Whether such evidence can have a claim. */
  canHave(claim: Claim): boolean;
  /** The value of a claim that every such evidence has; undefined where the evidence decides. */
  valueOf(claim: Claim): string | undefined;
}

/**
 * What a rule can come to for some kind of evidence. `undefined`: it rests on a claim that such evidence never has. `open`:
 * the evidence decides. An absent claim makes a rule not met, so `has()` can only help it where it is true.
 */
export function foresee(expression: Expression, known: Known): 'open' | 'undefined' | 'true' | 'false' {
  const value = new Foresight(known).of(expression);
  if (value === OPEN) return 'open';
  if (value === UNDEFINED) return 'undefined';
  return value === true ? 'true' : 'false';
}

/** Claims that a rule looks at for some kind of evidence: not those of a branch that it never takes. */
export function consultedClaims(expression: Expression, known: Known): readonly Claim[] {
  if (expression.op === 'claim') return [expression];
  const parts = expression.op === 'choose' ? takenParts(expression, known) : partsOf(expression);
  return parts.flatMap((part) => consultedClaims(part, known));
}

function takenParts({ condition, ifTrue, ifFalse }: Expression & { op: 'choose' }, known: Known) {
  switch (foresee(condition, known)) {
    case 'open':
      return [condition, ifTrue, ifFalse];
    case 'undefined':
      return [condition];
    case 'true':
      return [condition, ifTrue];
    case 'false':
      return [condition, ifFalse];
  }
}

/** Stands for a value that the evidence decides. */
const OPEN: unique symbol = Symbol('open');

type Foreseen = RuleValue | typeof OPEN;

class Foresight {
  readonly #known: Known;

  constructor(known: Known) {
    this.#known = known;
  }

  of(expression: Expression): Foreseen {
    switch (expression.op) {
      case 'claim':
        return this.#known.canHave(expression) ? (this.#known.valueOf(expression) ?? OPEN) : UNDEFINED;
      case 'variable':
        return OPEN;
      case 'present':
        return this.#known.canHave(expression.claim) ? true : UNDEFINED;
      case 'not': {
        const value = this.of(expression.operand);
        return typeof value === 'boolean' ? !value : value;
      }
      case 'choose':
        return this.#choice(expression);
      case 'and':
      case 'or':
        return this.#joined(expression);
      default:
        return this.#rest(expression);
    }
  }

  #joined({ op, operands }: Expression & { op: 'and' | 'or' }): Foreseen {
    const values = operands.map((operand) => this.of(operand));
    if (values.includes(UNDEFINED)) return UNDEFINED;
    if (op === 'and' && values.includes(false)) return false;
    if (values.includes(OPEN)) return OPEN;
    return op === 'and' ? true : values.includes(true);
  }

  #choice({ condition, ifTrue, ifFalse }: Expression & { op: 'choose' }): Foreseen {
    const value = this.of(condition);
    if (value === UNDEFINED) return value;
    if (value !== OPEN) return this.of(value === true ? ifTrue : ifFalse);
    const one = this.of(ifTrue);
    return one === this.of(ifFalse) ? one : OPEN;
  }

  /** Of parts that have a value as soon as all that they are made of has one. */
  #rest(expression: Expression): Foreseen {
    const values = partsOf(expression).map((part) => this.of(part));
    if (values.includes(UNDEFINED)) return UNDEFINED;
    // has() has no value that could be evaluated with: it is only known that it can be true.
    if (values.includes(OPEN) || partsOf(expression).some(asksForPresence)) return OPEN;
    return evaluate(expression, new RuleScope(this.#claimsOf(expression)));
  }

  #claimsOf(expression: Expression): ReadonlyMap<string, JsonValue> {
    const claims = new Map<string, Readonly<Record<string, JsonValue>>>();
    for (const claim of claimsIn(expression)) {
      const [section = '', name = ''] = claim.path;
      claims.set(section, { ...claims.get(section), [name]: this.#known.valueOf(claim) ?? null });
    }
    return claims;
  }
}

function asksForPresence(expression: Expression): boolean {
  return expression.op === 'present' || partsOf(expression).some(asksForPresence);
}
