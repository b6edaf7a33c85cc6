import type { CheckRows } from './row.js';

export const CRL_OUT_OF_REACH = {
  crl_stale: {
    holds: 'the CRL is valid at the verification time',
    fails: 'the CRL is past its next update',
    underlies: 'hardware',
    relaxedBy: 'revocation',
  },
  crl_unavailable: {
    holds: 'a CRL is available',
    fails: 'no CRL is available',
    underlies: 'hardware',
    relaxedBy: 'revocation',
    waiver: 'plain',
  },
  crl_rollback: {
    holds: 'the CRL is not older than one that was relied on before',
    fails: 'the CRL is older than one that was relied on before, or the two cannot be compared',
    underlies: 'hardware',
  },
} satisfies CheckRows;

export const OUT_OF_REACH_CHECKS = {
  jwks_unavailable: {
    holds: 'the key set of the issuer is available',
    fails: 'the key set of the issuer is not available',
  },
  jwks_invalid: {
    holds: 'the key set of the issuer can be used',
    fails: 'the key set of the issuer cannot be used',
  },
  jwks_stale: {
    holds: 'the cached key set is recent enough',
    fails: 'the cached key set is too old',
  },
  route_unavailable: {
    holds: 'a token could be fetched for the route',
    fails: 'no token could be fetched for the route',
    members: ['routes.maa', 'routes.ita'],
  },
  nonce_store: {
    holds: 'the challenge store says whether the challenge is unused',
    fails: 'the challenge store does not say whether the challenge is unused',
    trust: { guest: { 'instance-identity': 0 } },
  },
  release_unavailable: {
    holds: 'the vault or key file is available',
    fails: 'the vault or key file is not available',
  },
  receipt_unavailable: {
    holds: 'the receipt was signed',
    fails: 'the receipt could not be signed',
  },
  audit_unavailable: {
    holds: 'the decision was stored',
    fails: 'the decision could not be stored',
  },
} satisfies CheckRows;
