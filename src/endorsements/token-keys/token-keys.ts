import type { FetchContext, Sourced, TokenKeySet, TokenKeysRequest, Unavailable } from '../../core/endorsement.js';
import type { FoundKeys, KeySetMemory } from './key-set-memory.js';
import { issuerName } from './token-issuer.js';

/** Finds the key set of a token's issuer. Never throws for what is out of reach. */
export interface TokenKeysSource {
  /**
   * The set of a configured issuer; it need not have the key that is asked for.
   * `jwks_unavailable`, `jwks_invalid` or `jwks_stale` where that cannot be told.
   */
  find(request: TokenKeysRequest, context: FetchContext): Promise<Sourced<TokenKeySet> | Unavailable>;
}

/** An issuer's keys, and CRLs of the operator's. */
export interface ServedIssuer {
  readonly keys: IssuerKeys;
  readonly roots: { readonly crls: readonly Uint8Array[] } | null;
}

const NOT_CONFIGURED: Unavailable = {
  code: 'jwks_unavailable',
  detail: 'the issuer is not configured',
  retryable: false,
};

/** Key sets of the configured issuers, and of nobody else. */
export class TokenKeys implements TokenKeysSource {
  readonly #issuers: ReadonlyMap<string, ServedIssuer>;
  readonly #ready: Promise<void>;

  /** @param issuers by `issuerName` @param ready their files are read */
  constructor(issuers: ReadonlyMap<string, ServedIssuer>, ready: Promise<void>) {
    this.#issuers = issuers;
    this.#ready = ready;
  }

  async find(request: TokenKeysRequest, context: FetchContext): Promise<Sourced<TokenKeySet> | Unavailable> {
    const issuer = this.#issuers.get(issuerName(request));
    if (issuer === undefined) return NOT_CONFIGURED;
    await this.#ready;
    const found = await issuer.keys.find(request.kid, context);
    if ('code' in found || issuer.roots === null) return found;
    const crls = [...issuer.roots.crls, ...found.value.crls];
    return { ...found, value: { ...found.value, crls } };
  }
}

/** The keys of one issuer, wherever they are from. */
export interface IssuerKeys {
  find(kid: string, context: FetchContext): Promise<Sourced<TokenKeySet> | Unavailable>;
}

/**
 * Keys that are fetched.
 *
 * @param historical a memory of its own for historical requests, so that nothing they fetch is ever seen by others; they
 *   use what is cached for those too
 */
export function fetchedKeys(current: KeySetMemory, historical: KeySetMemory): IssuerKeys {
  return {
    find: async (kid, context) => {
      if (!context.historical) return asKeySet(await current.find(kid, context));
      return asKeySet(current.known(kid) ?? (await historical.find(kid, context)));
    },
  };
}

function asKeySet(found: FoundKeys | Unavailable): Sourced<TokenKeySet> | Unavailable {
  if ('code' in found) return found;
  const { keys, crls } = found.value;
  const { unrenewedSince, origin, fetchedAt } = found;
  const unrenewed = unrenewedSince === undefined ? {} : { unrenewedSince };
  return { value: { keys, crls: [...crls.values()], ...unrenewed }, origin, fetchedAt };
}
