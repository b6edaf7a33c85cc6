declare const verified: unique symbol;

/**
 * A value from bytes whose signature, chain or binding was verified.
 * Only `tee/shared/evidence/mark-verified.ts` creates it: in `tee`, and in `judge`, which joins claims of several
 * verifications. Policies accept nothing else.
 */
export type Verified<T> = T & { readonly [verified]: true };
