import { tokenIdentity } from '../shared/tokens/token-identity.js';
import type { TeeOf } from '../tee-of.js';
import { MaaTokenVerifier } from './maa-token-verifier.js';

export const MAA_TOKEN = {
  verifier: ({ maaIssuers: issuers, tokenLeewaySeconds: leewaySeconds, refuseProducts, snpReports }) =>
    new MaaTokenVerifier({ issuers, leewaySeconds, refuseProducts }, snpReports),
  identity: tokenIdentity,
} satisfies TeeOf<'maa-token'>;
