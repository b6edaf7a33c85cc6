import { tokenIdentity } from '../shared/tokens/token-identity.js';
import type { TeeOf } from '../tee-of.js';
import { ItaTokenVerifier } from './ita-token-verifier.js';

export const ITA_TOKEN = {
  verifier: ({ itaIssuers: issuers, tokenLeewaySeconds: leewaySeconds }) =>
    new ItaTokenVerifier({ issuers, leewaySeconds }),
  identity: tokenIdentity,
} satisfies TeeOf<'ita-token'>;
