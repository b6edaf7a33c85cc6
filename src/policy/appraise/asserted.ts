import type { Claims } from '../../core/claims.js';

/**
 * Unverified claims from a policy test, a recording, or a request that tries a policy. Rules and reference values can
 * be tried on them. No decision can rest on them, because `appraise` takes a verification and `decide` takes only its
 * results.
 */
export class Asserted {
  /** Makes the type nominal, so that no other value is assignable. */
  readonly #claims: Claims;

  private constructor(claims: Claims) {
    this.#claims = claims;
  }

  static of(claims: Claims): Asserted {
    return new Asserted(claims);
  }

  get claims(): Claims {
    return this.#claims;
  }
}
