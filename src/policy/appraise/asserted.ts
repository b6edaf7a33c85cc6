import type { Claims } from '../../core/claims.js';

/**
 * Claims that somebody states: of a policy test, of a recording, or of a body that tries a policy. Rules and reference values
 * can be tried on them. No decision can rest on them: `appraise` takes a verification, and `decide` takes its results alone.
 */
export class Asserted {
  /** Makes the type nominal: no other value can be taken for one. */
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
