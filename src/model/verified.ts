declare const verified: unique symbol;

/**
 * A value that comes from bytes whose signature, chain or binding was checked.
 * `verifiers/evidence/mark-verified.ts` makes one: in `verifiers`, and in `service` where claims of several verifications are
 * joined. Policies accept nothing else.
 */
export type Verified<T> = T & { readonly [verified]: true };
