/** For who gives out no nonce and so cannot make step 7: the receipt is accepted again until it ends. */
export const NONCE_NOT_EXPECTED: unique symbol = Symbol('no nonce was given out, so step 7 is not made');

/** A policy that has to have judged. */
export interface ExpectedPolicy {
  readonly id: string;
  /** Over the text of the policy, hex in lower case. Left out: whatever text the service has under this id. */
  readonly sha256?: string | undefined;
}

/** Step 13: `required`: some key is bound; `jkt`: the key with this RFC 7638 SHA-256 thumbprint (base64url). */
export type ExpectedBinding = 'required' | { readonly jkt: string };

/** The configuration of a relying party, and the values that it issued for the request. Texts are compared exactly. */
export interface CheckedExpectations {
  /** `iss`. */
  readonly issuer: string;
  /** `aud`: the relying party's own name. */
  readonly audience: string;
  /** `eat_nonce`, base64url, as it was given out. That it is accepted once is for the caller. */
  readonly nonce: string | typeof NONCE_NOT_EXPECTED;
  /** `sub`: see `subjectOf`. */
  readonly subject: string;
  /** Exactly these, and at least one. */
  readonly policies: readonly ExpectedPolicy[];
  /** Null: of whatever type. */
  readonly evidenceTypes: readonly string[] | null;
  /** Null: no key is needed. */
  readonly binding: ExpectedBinding | null;
}

/** The subject of receipts: the tenant, a colon, and the ids of the policies, sorted, with a space between two. */
export function subjectOf(tenant: string, policyIds: readonly string[]): string {
  return `${tenant}:${policyIds.toSorted().join(' ')}`;
}
