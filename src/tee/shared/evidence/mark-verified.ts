import type { Verified } from '../../../core/verified.js';

/** Marks a value as read from bytes whose signature, chain or binding was verified here. */
export function markVerified<T>(value: T): Verified<T> {
  return value as Verified<T>;
}

/** Returns the members that are not null. */
export function present<T extends object>(members: T): { readonly [name in keyof T]?: NonNullable<T[name]> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null)) as {
    readonly [name in keyof T]?: NonNullable<T[name]>;
  };
}
