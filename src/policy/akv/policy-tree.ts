/** The operators that compare one claim with one value. */
export const OPERATORS = [
  'equals',
  'notEquals',
  'less',
  'lessOrEquals',
  'greater',
  'greaterOrEquals',
  'exists',
] as const;
export type Operator = (typeof OPERATORS)[number];

export const SELECTORS = ['allOf', 'anyOf'] as const;
export type Selector = (typeof SELECTORS)[number];

/** A value in a release policy. Lists, objects and null are not allowed. */
export type ReleaseValue = string | number | boolean;

export interface ClaimCondition {
  readonly kind: 'claim';
  /** JSON pointer of the condition in its document. */
  readonly pointer: string;
  /** Dot-separated path of the claim in nested objects. */
  readonly claim: string;
  readonly operator: Operator;
  readonly value: ReleaseValue;
}

/** Conditions of which all or any must be met. At least one. */
export interface ConditionGroup {
  readonly kind: Selector;
  /** JSON pointer of the object that has the selector. */
  readonly pointer: string;
  readonly conditions: readonly Condition[];
}

export type Condition = ClaimCondition | ConditionGroup;

/** One entry of the policy: an issuer, and the conditions on its tokens. */
export interface ReleaseAuthority {
  readonly pointer: string;
  /** The issuer, spelt as in the policy. */
  readonly authority: string;
  readonly group: ConditionGroup;
}

/** A release policy of Azure Key Vault or Managed HSM, version 1.0.0. The authorities are alternatives. */
export interface ReleasePolicy {
  readonly authorities: readonly ReleaseAuthority[];
}

/** Maximum depth of selectors within an authority. The selector of the authority is the first level. */
export const MAX_DEPTH = 8;
/** Maximum number of conditions in a policy, including groups. */
export const MAX_CONDITIONS = 512;
export const MAX_AUTHORITIES = 128;
