import type { FetchContext, Sourced, TokenKeySet, TokenKeysRequest, Unavailable } from '../../core/endorsement.js';
import type { FoundKeys, KeySetMemory } from './key-set-memory.js';
import { issuerName } from './token-issuer.js';

/** Finds the key set of a token's issuer. Never throws for an unreachable source. */
export interface TokenKeysSource {
  /**
   * The set of a configured issuer, which may lack the requested key.
   * `jwks_unavailable`, `jwks_invalid` or `jwks_stale` if it is unknown whether the issuer has the key.
   */
  find(request: TokenKeysRequest, context: FetchContext): Promise<Sourced<TokenKeySet> | Unavailable>;
}

/** An issuer's keys, and CRLs of the operator. */
export interface ServedIssuer {
  readonly keys: IssuerKeys;
  readonly roots: { readonly crls: readonly Uint8Array[] } | null;
}

const NOT_CONFIGURED: Unavailable = {
  code: 'jwks_unavailable',
  detail: 'the issuer is not configured',
  retryable: false,
};

/** Key sets of the configured issuers only. */
export class TokenKeys implements TokenKeysSource {
  readonly #issuers: ReadonlyMap<string, ServedIssuer>;
  readonly #ready: Promise<void>;

  /** @param issuers by `issuerName` @param ready resolves once their files are read */
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

/** The keys of one issuer, from any source. */
export interface IssuerKeys {
  find(kid: string, context: FetchContext): Promise<Sourced<TokenKeySet> | Unavailable>;
}

/**
 * Combines memories of fetched keys.
 *
 * @param historical a separate memory for historical requests, so that their fetches never affect others; they
 *   also use the sets cached for others
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
