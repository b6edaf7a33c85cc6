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

/** A value in a release policy. Lists, objects and null are none. */
export type ReleaseValue = string | number | boolean;

export interface ClaimCondition {
  readonly kind: 'claim';
  /** JSON pointer of the condition in the document that it was read from. */
  readonly pointer: string;
  /** Names of claims with dots between, which lead into nested objects. */
  readonly claim: string;
  readonly operator: Operator;
  readonly value: ReleaseValue;
}

/** Conditions of which all or any must be met. There is at least one. */
export interface ConditionGroup {
  readonly kind: Selector;
  /** JSON pointer of the object that has the selector. */
  readonly pointer: string;
  readonly conditions: readonly Condition[];
}

export type Condition = ClaimCondition | ConditionGroup;

/** One entry of the policy: an issuer of tokens, and what a token of it must say. */
export interface ReleaseAuthority {
  readonly pointer: string;
  /** The issuer as the policy writes it. */
  readonly authority: string;
  readonly group: ConditionGroup;
}

/** A release policy of Azure Key Vault or Managed HSM, version 1.0.0. The authorities are alternatives. */
export interface ReleasePolicy {
  readonly authorities: readonly ReleaseAuthority[];
}

/** Levels of selectors within an authority; its own is the first. */
export const MAX_DEPTH = 8;
/** Conditions of a policy in total, groups among them. */
export const MAX_CONDITIONS = 512;
export const MAX_AUTHORITIES = 128;
