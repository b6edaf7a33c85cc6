declare const verified: unique symbol;

/**
 * A value that comes from bytes whose signature, chain or binding was checked.
 * Only `verifiers/` makes one (`verifiers/evidence/mark-verified.ts`); policy accepts nothing else.
 */
export type Verified<T> = T & { readonly [verified]: true };
