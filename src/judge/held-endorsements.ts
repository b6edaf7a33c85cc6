import type { HeldEndorsement } from '../core/endorsement.js';
import { RefusedError } from '../core/errors.js';
import type { Caller } from '../core/request.js';

/** Endorsements of the service's own that it judged evidence of a tenant by. */
interface EndorsementsByDigest {
  /** Null: none of that digest is held for the tenant. */
  find(tenant: string, sha256: string): HeldEndorsement | null;
}

/** Gives out endorsements of the service's own that evidence of the caller's tenant was judged by. */
export class HeldEndorsements {
  readonly #held: EndorsementsByDigest;

  constructor(held: EndorsementsByDigest) {
    this.#held = held;
  }

  /**
   * @param sha256 lower-case hex
   * @throws {RefusedError} `not_found`, whether another tenant has it, a request brought it, or nobody knows it
   */
  async get(sha256: string, { tenant }: Pick<Caller, 'tenant'>): Promise<HeldEndorsement> {
    const found = this.#held.find(tenant, sha256);
    if (found !== null) return found;
    throw new RefusedError(
      'not_found',
      'no endorsement of this digest is held: those that evidence brought are not kept, and others not for ever',
    );
  }
}

export type HeldEndorsementsUseCase = Pick<HeldEndorsements, 'get'>;
