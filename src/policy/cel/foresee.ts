import { evaluate } from './evaluate.js';
import { type Claim, claimsIn, type Expression, expressionParts } from './expression.js';
import { RuleScope } from './rule-scope.js';
import { type RuleValue, UNDEFINED } from './rule-value.js';

/** Static properties of a kind of evidence. */
export interface Known {
  /** Whether such evidence can have a claim. */
  canHave(claim: Claim): boolean;
  /** The value of a claim in all such evidence; undefined if it depends on the evidence. */
  valueOf(claim: Claim): string | undefined;
}

/**
 * Determines the possible result of a rule for a kind of evidence. `undefined`: it depends on a claim that such
 * evidence never has. `open`: it depends on the evidence. `true`: the rule is met if none of its claims is absent; see
 * `isAlwaysMet`. An absent claim makes a rule not met, so `has()` only helps if it is true.
 */
export function foresee(expression: Expression, known: Known): 'open' | 'undefined' | 'true' | 'false' {
  const value = new Foresight(known).of(expression);
  if (value === OPEN) return 'open';
  if (value === UNDEFINED) return 'undefined';
  return value === true ? 'true' : 'false';
}

/** Whether all evidence of a kind meets a rule: the result is true, and none of its claims can be absent. */
export function isAlwaysMet(expression: Expression, known: Known): boolean {
  const isKnown = (claim: Claim) => known.valueOf(claim) !== undefined;
  return foresee(expression, known) === 'true' && consultedClaims(expression, known).every(isKnown);
}

/** Claims that a rule uses for a kind of evidence, without those in branches that it never takes. */
export function consultedClaims(expression: Expression, known: Known): readonly Claim[] {
  if (expression.op === 'claim') return [expression];
  const parts = expression.op === 'choose' ? takenParts(expression, known) : expressionParts(expression);
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

/** A value that depends on the evidence. */
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
        return this.#logical(expression);
      default:
        return this.#rest(expression);
    }
  }

  #logical({ op, operands }: Expression & { op: 'and' | 'or' }): Foreseen {
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

  /** The result of a part that has a value if all of its parts have one. */
  #rest(expression: Expression): Foreseen {
    const values = expressionParts(expression).map((part) => this.of(part));
    if (values.includes(UNDEFINED)) return UNDEFINED;
    // The result of a part can be known without each claim in it, but it cannot be evaluated without them.
    const claims = claimsIn(expression).map((claim) => [claim.path, this.#known.valueOf(claim)] as const);
    if (values.includes(OPEN) || claims.some(([, value]) => value === undefined)) return OPEN;
    return evaluate(expression, new RuleScope(claimSections(claims)));
  }
}

/** Claims whose value is known before there is evidence, by section: each is a member of its section itself. */
function claimSections(claims: readonly (readonly [path: readonly string[], value: unknown])[]) {
  const sections = new Map<string, Readonly<Record<string, unknown>>>();
  for (const [[section = '', name = ''], value] of claims) {
    sections.set(section, { ...sections.get(section), [name]: value });
  }
  return sections;
}
