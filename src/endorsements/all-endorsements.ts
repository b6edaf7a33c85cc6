import type {
  EndorsementRequest,
  EndorsementSet,
  EndorsementSource,
  FetchContext,
  TokenKeysRequest,
} from '../model/endorsement.js';
import type { TokenKeysSource } from './token-keys/token-keys.js';

/** Asks for each kind of endorsement where it is to be had. */
export class AllEndorsements implements EndorsementSource {
  readonly #amd: EndorsementSource;
  readonly #tokenKeys: TokenKeysSource;

  constructor(amd: EndorsementSource, tokenKeys: TokenKeysSource) {
    this.#amd = amd;
    this.#tokenKeys = tokenKeys;
  }

  async fetch(requests: readonly EndorsementRequest[], context: FetchContext): Promise<EndorsementSet> {
    const [wanted, ...others] = requests.filter((request) => request.kind === 'token-keys');
    // The set does not say whose it is: one for another token must not be able to take its place.
    if (others.length > 0) throw new Error('keys of more than one token are asked for at once');
    const [{ snp }, tokenKeys] = await Promise.all([this.#amd.fetch(requests, context), this.#keys(wanted, context)]);
    return { snp, tokenKeys };
  }

  async #keys(wanted: TokenKeysRequest | undefined, context: FetchContext) {
    return wanted === undefined ? null : this.#tokenKeys.find(wanted, context);
  }
}
