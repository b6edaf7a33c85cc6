import type { FetchContext, Sourced, TokenKeySet, TokenKeysRequest, Unavailable } from '../../model/endorsement.js';
import type { IssuerKeys } from './issuer-keys.js';
import { issuerName } from './token-issuer.js';

/** Finds the key set of a token's issuer. Never throws for what is out of reach. */
export interface TokenKeysSource {
  /**
   * The set of a configured issuer; it need not have the key that is asked for.
   * `jwks_unavailable`, `jwks_invalid` or `jwks_stale` where that cannot be told.
   */
  find(request: TokenKeysRequest, context: FetchContext): Promise<Sourced<TokenKeySet> | Unavailable>;
}

/** An issuer's keys, and revocation lists of the operator's. */
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
    return { value: { ...found.value, crls }, origin: found.origin };
  }
}
