import type { Claim } from './expression.js';

/** The value of a part that depends on an absent claim, or that has no value. A rule with this value is not met. */
export const UNDEFINED: unique symbol = Symbol('undefined');

export type RuleValue = number | boolean | string | readonly (number | string)[] | typeof UNDEFINED;

/**
 * Returns a claim as a value of the type that a rule compares with; undefined if it has another type. Objects have no
 * value.
 */
export function ofClaimType(type: Claim['type'], value: unknown): Exclude<RuleValue, typeof UNDEFINED> | undefined {
  if (type === 'double') return ofType('double', value);
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

/** Name of the type with which a rule compares a claim. */
export function nameOfClaimType(type: Claim['type']): string {
  if (type === 'double') return 'number';
  return type.kind === 'list' ? `list of ${type.item.kind}` : type.kind;
}

/** Name of the type of a claim. */
export function nameOfType(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return 'number';
  return typeof value === 'number' ? 'int' : typeof value === 'boolean' ? 'bool' : typeof value;
}
