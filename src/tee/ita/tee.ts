import type { TeeOf } from '../shared/tee.js';
import { tokenIdentity } from '../shared/tokens/token-identity.js';
import { ItaTokenVerifier, type ItaTokenVerifierOptions } from './ita-token-verifier.js';

export interface Parts {
  readonly itaTokens: ItaTokenVerifierOptions;
}

export const ITA_TOKEN = {
  verifier: ({ itaTokens }: Parts) => new ItaTokenVerifier(itaTokens),
  identity: tokenIdentity,
} satisfies TeeOf<'ita-token'>;
