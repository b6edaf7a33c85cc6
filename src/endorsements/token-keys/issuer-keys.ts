import type { FetchContext, Sourced, TokenKeySet, Unavailable } from '../../model/endorsement.js';
import type { FoundKeys, KeySetMemory } from './key-set-memory.js';

/** The keys of one issuer, wherever they are from. */
export interface IssuerKeys {
  find(kid: string, context: FetchContext): Promise<Sourced<TokenKeySet> | Unavailable>;
}

/** Keys that are fetched. */
export class FetchedIssuerKeys implements IssuerKeys {
  readonly #current: KeySetMemory;
  readonly #historical: KeySetMemory;

  /**
   * @param historical a memory of its own for historical requests, so that nothing they fetch is ever seen by others;
   *   they use what is held for those too
   */
  constructor(current: KeySetMemory, historical: KeySetMemory) {
    this.#current = current;
    this.#historical = historical;
  }

  async find(kid: string, context: FetchContext): Promise<Sourced<TokenKeySet> | Unavailable> {
    if (!context.historical) return asKeySet(await this.#current.find(kid, context));
    return asKeySet(this.#current.known(kid) ?? (await this.#historical.find(kid, context)));
  }
}

function asKeySet(found: FoundKeys | Unavailable): Sourced<TokenKeySet> | Unavailable {
  if ('code' in found) return found;
  const { keys, crls } = found.value;
  const { unrenewedSince } = found;
  const unrenewed = unrenewedSince === undefined ? {} : { unrenewedSince };
  return { value: { keys, crls: [...crls.values()], ...unrenewed }, origin: found.origin };
}
