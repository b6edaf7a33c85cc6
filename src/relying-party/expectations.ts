/** For callers that issue no nonce and so cannot check step 7: a receipt is accepted repeatedly until it expires. */
export const NONCE_NOT_EXPECTED: unique symbol = Symbol('no nonce was given out, so step 7 is not made');

/** A policy that must have been evaluated. */
export interface ExpectedPolicy {
  readonly id: string;
  /** SHA-256 of the policy text, hex in lower case. Left out: any text that the service has under this id. */
  readonly sha256?: string | undefined;
}

/** Step 13: `required`: a key must be bound; `jkt`: the key with this RFC 7638 SHA-256 thumbprint (base64url). */
export type ExpectedBinding = 'required' | { readonly jkt: string };

/** The configuration of a relying party, and the values that it issued for the request. Texts are compared exactly. */
export interface CheckedExpectations {
  /** `iss`. */
  readonly issuer: string;
  /** `aud`: the relying party's own name. */
  readonly audience: string;
  /** `eat_nonce`, base64url, as issued. The caller ensures that it is accepted only once. */
  readonly nonce: string | typeof NONCE_NOT_EXPECTED;
  /** `sub`: see `subjectOf`. */
  readonly subject: string;
  /** Exactly these policies, at least one. */
  readonly policies: readonly ExpectedPolicy[];
  /** Null: any type. */
  readonly evidenceTypes: readonly string[] | null;
  /** Null: no key is required. */
  readonly binding: ExpectedBinding | null;
}

/** The subject of receipts: the tenant, a colon, and the ids of the policies, sorted, with a space between two. */
export function subjectOf(tenant: string, policyIds: readonly string[]): string {
  return `${tenant}:${policyIds.toSorted().join(' ')}`;
}
