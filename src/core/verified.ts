declare const verified: unique symbol;

/**
 * A value that comes from bytes whose signature, chain or binding was checked.
 * `tee/shared/evidence/mark-verified.ts` makes one: in `tee`, and in `judge` where claims of several verifications are
 * joined. Policies accept nothing else.
 */
export type Verified<T> = T & { readonly [verified]: true };
