import type { EvidenceType } from '../core/evidence.js';
import type { JsonValue } from '../core/json.js';
import { ISOLATION } from './akv/maa-claims.js';
import type { Condition, ReleasePolicy } from './akv/policy-tree.js';
import { nameInTee } from './akv/token-kinds.js';
import { acceptedValuesOf } from './appraise/reference-values.js';
import type { Binary, Expression } from './cel/expression.js';
import { foresee, type Known } from './cel/foresee.js';
import { knownOf, type RuledPolicy } from './document/known-claims.js';
import type { ReferenceSet } from './document/reference-grammar.js';
import type { Rule } from './document/rule.js';

/**
 * A claim that must have one of some values, with its name in reference values, such as `snp.measurement` or
 * `tdx.rtmr1`.
 */
export interface PinnedClaim {
  readonly op: 'pin';
  readonly claim: string;
  readonly values: readonly JsonValue[];
  /** JSON pointer of the member, rule or condition that requires it. */
  readonly pointer: string;
}

/**
 * The values that evidence must have to meet a rule or a set of reference values. `any` without parts is never met.
 * Other requirements, such as `!=` and ranges, pin nothing and are omitted.
 */
export type Pinning = PinnedClaim | { readonly op: 'all' | 'any'; readonly parts: readonly Pinning[] };

const NOTHING: Pinning = { op: 'all', parts: [] };
const NEVER_MET: Pinning = { op: 'any', parts: [] };

/** Lists every pinned claim, including those in alternatives. */
export function pinnedIn(pinning: Pinning): readonly PinnedClaim[] {
  return pinning.op === 'pin' ? [pinning] : pinning.parts.flatMap(pinnedIn);
}

export function pinningOfSet(set: ReferenceSet, pointer: string): Pinning {
  const parts = acceptedValuesOf(set).map(
    ({ claim, accepted }): Pinning => ({ op: 'pin', claim, values: accepted, pointer }),
  );
  return { op: 'all', parts };
}

/** Pins of a rule for evidence of one type, without branches that such evidence never takes. */
export function pinningOfRule(rule: Rule, type: EvidenceType, policy: RuledPolicy, pointer: string): Pinning {
  if (rule.language === 'akv') return pinningOfReleasePolicy(rule.policy);
  return new CelPinning(withTokens(knownOf(type, policy)), pointer).of(rule.expression);
}

/** Adds tokens: a token from the caller is verified even if its route is off, and rules can use its claims. */
function withTokens(known: Known): Known {
  return { ...known, canHave: (claim) => TOKEN_SECTIONS.includes(claim.path[0] ?? '') || known.canHave(claim) };
}

const TOKEN_SECTIONS: readonly string[] = ['maa', 'ita'];

class CelPinning {
  readonly #known: Known;
  readonly #pointer: string;

  constructor(known: Known, pointer: string) {
    this.#known = known;
    this.#pointer = pointer;
  }

  of(expression: Expression): Pinning {
    if (!this.#canBeTrue(expression)) return NEVER_MET;
    switch (expression.op) {
      case 'and':
        return { op: 'all', parts: expression.operands.map((operand) => this.of(operand)) };
      case 'or':
        return { op: 'any', parts: expression.operands.map((operand) => this.of(operand)) };
      case 'choose':
        return this.#ofChoice(expression);
      case 'binary':
        return this.#ofComparison(expression);
      default:
        return NOTHING;
    }
  }

  #canBeTrue(expression: Expression): boolean {
    const value = foresee(expression, this.#known);
    return value !== 'false' && value !== 'undefined';
  }

  #ofChoice({ condition, ifTrue, ifFalse }: Expression & { op: 'choose' }): Pinning {
    const foreseen = foresee(condition, this.#known);
    if (foreseen === 'true') return this.of(ifTrue);
    if (foreseen === 'false') return this.of(ifFalse);
    return { op: 'any', parts: [this.of(ifTrue), this.of(ifFalse)] };
  }

  #ofComparison({ operator, left, right }: Binary): Pinning {
    if (operator === 'in') return right.op === 'list' ? this.#pin(left, right.items) : NOTHING;
    if (operator !== '==') return NOTHING;
    return left.op === 'literal' ? this.#pin(right, [left]) : this.#pin(left, [right]);
  }

  #pin(side: Expression, values: readonly Expression[]): Pinning {
    const claim = claimOf(side);
    if (claim === null || !values.every((value) => value.op === 'literal')) return NOTHING;
    return { op: 'pin', claim, values: values.map(({ value }) => value), pointer: this.#pointer };
  }
}

/** Name of a claim, or of an item of the RTMR list; null for any other expression. */
function claimOf(side: Expression): string | null {
  if (side.op === 'item') return claimOf(side.list) === 'tdx.rtmr' ? `tdx.rtmr${side.index}` : null;
  if (side.op !== 'claim') return null;
  const name = side.path.join('.');
  return name === 'hcl.vmConfiguration.vmUniqueId' ? VM_UNIQUE_ID : name;
}

export const VM_UNIQUE_ID = 'hcl.vmUniqueId';

/** Pins of a release policy. Its authorities are alternatives. */
export function pinningOfReleasePolicy({ authorities }: ReleasePolicy): Pinning {
  return { op: 'any', parts: authorities.map(({ group }) => pinningOfCondition(group)) };
}

function pinningOfCondition(condition: Condition): Pinning {
  if (condition.kind !== 'claim') {
    const parts = condition.conditions.map(pinningOfCondition);
    return { op: condition.kind === 'allOf' ? 'all' : 'any', parts };
  }
  const claim = BY_TOKEN_CLAIM.get(condition.claim) ?? BY_TEE_CLAIM.get(nameInTee(condition.claim));
  if (claim === undefined || condition.operator !== 'equals') return NOTHING;
  return { op: 'pin', claim, values: [condition.value], pointer: condition.pointer };
}

/** The VM id in tokens. Outside x-ms-isolation-tee, the guest can write vm-configuration itself. */
const BY_TOKEN_CLAIM: ReadonlyMap<string, string> = new Map([
  ['x-ms-azurevm-vmid', VM_UNIQUE_ID],
  [`${ISOLATION}.x-ms-runtime.vm-configuration.vmUniqueId`, VM_UNIQUE_ID],
]);

const BY_TEE_CLAIM: ReadonlyMap<string, string> = new Map([
  ['x-ms-sevsnpvm-launchmeasurement', 'snp.measurement'],
  ['x-ms-sevsnpvm-authorkeydigest', 'snp.authorKeyDigest'],
  ['x-ms-sevsnpvm-idkeydigest', 'snp.idKeyDigest'],
  ['x-ms-sevsnpvm-hostdata', 'snp.hostData'],
  ['x-ms-sevsnpvm-familyId', 'snp.familyId'],
  ['x-ms-sevsnpvm-imageId', 'snp.imageId'],
  ['tdx_mrtd', 'tdx.mrtd'],
  ['tdx_rtmr1', 'tdx.rtmr1'],
  ['tdx_rtmr2', 'tdx.rtmr2'],
  ['tdx_mrconfigid', 'tdx.mrConfigId'],
  ['tdx_mrowner', 'tdx.mrOwner'],
  ['tdx_mrownerconfig', 'tdx.mrOwnerConfig'],
]);
