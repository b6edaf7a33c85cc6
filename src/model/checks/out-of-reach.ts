import { ofCertificates } from './certificates.js';
import type { CheckRows } from './row.js';
import { COLLATERAL } from './words.js';

const TOKEN_LISTS =
  "The operator should let the service reach the issuer's keys and the revocation lists that their certificates name, or put a current list beside the roots in the file of ita.issuers[].roots.";

export const OUT_OF_REACH_CHECKS = {
  vcek_unavailable: {
    holds: 'key certificate and chain are at hand',
    fails: 'the key certificate, or its chain, is not at hand',
    underlies: 'hardware',
    remedy:
      'The caller should send the key certificate and its chain in endorsements, or the operator should let the service reach amd.kds or put them into the folder amd.chains.',
  },
  crl_stale: {
    holds: 'the CRL is valid at the instant',
    fails: 'the CRL is past its next update',
    underlies: 'hardware',
    relaxedBy: 'revocation',
    remedy: ofCertificates(
      "The operator should let the service fetch the vendor's current revocation list, or put it into the folder amd.chains.",
      TOKEN_LISTS,
    ),
  },
  crl_unavailable: {
    holds: 'a CRL is at hand',
    fails: 'no CRL is at hand',
    underlies: 'hardware',
    relaxedBy: 'revocation',
    waiver: 'plain',
    remedy: ofCertificates(
      "The operator should let the service fetch the vendor's revocation list, or put the list and the certificate chain into the folder amd.chains (the chain of a request does not count for that), or the caller should send the list in endorsements.crls.",
      ({ result }) =>
        result === 'warn'
          ? "The operator should look whether AMD has revoked the issuer of the report in the certificate of the token's key, because nothing brings a revocation list for it."
          : TOKEN_LISTS,
    ),
  },
  crl_rollback: {
    holds: 'the CRL is not older than one that was relied on before',
    fails: 'the CRL is older than one that was relied on before, or whether it is cannot be told',
    underlies: 'hardware',
    remedy:
      'The operator should put the newest revocation list of AMD in place, or see to the mark in the cache folder that the log names if it is damaged.',
  },
  collateral_unavailable: {
    holds: 'collateral is at hand',
    fails: 'no collateral for this platform is at hand that could be relied on',
    underlies: 'hardware',
    remedy:
      'The caller should send the collateral of the platform, or the operator should let the service reach intel.pcs or put it into the folder intel.collateral.',
  },
  collateral_stale: {
    holds: 'no part of the collateral is past its next update, or older than the policy takes',
    fails: 'a part of the collateral is past its next update, or older than the policy takes',
    underlies: 'hardware',
    remedy: `The caller should send the collateral that Intel publishes now, ${COLLATERAL}.`,
  },
  collateral_rollback: {
    holds: 'the collateral is not older than what was fetched or imported before',
    fails: 'the collateral is older than what was fetched or imported before, or whether it is cannot be told',
    underlies: 'hardware',
    remedy: `The caller should send the newest collateral, ${COLLATERAL}, and the operator should see to the mark in the cache folder that the log names if it is damaged.`,
  },
  jwks_unavailable: {
    holds: 'the key set of the issuer is at hand',
    fails: 'the key set of the issuer is not at hand',
    remedy:
      "The operator should let the service reach the issuer's keys, or name a file with them in the configuration.",
  },
  jwks_invalid: {
    holds: 'the key set of the issuer can be used',
    fails: 'the key set of the issuer is of no use',
    remedy:
      "The operator should look at what the issuer's key set or the configured file holds, because no key of it can be used.",
  },
  jwks_stale: {
    holds: 'the key set that is cached is recent enough',
    fails: 'the key set that is cached is too old',
    remedy:
      "The operator should let the service reach the issuer's keys again, because those held are too old to be relied on.",
  },
  route_unavailable: {
    holds: 'a token of the route could be fetched',
    fails: 'no token of the route could be fetched',
    remedy:
      'The caller should ask again later or send a token in attestationResults, and the operator should look in the log why none could be fetched.',
  },
  nonce_store: {
    holds: 'whether the challenge is unused could be looked up',
    fails: 'whether the challenge is unused could not be looked up',
    trust: { guest: { 'instance-identity': 0 } },
    remedy:
      'The caller should ask for another challenge, and the operator should look in the log why the challenge store does not answer.',
  },
  release_unavailable: {
    holds: 'the vault answers',
    fails: 'the vault does not answer',
    remedy:
      'The caller should ask again with a new challenge, and the operator should look in the log why the vault does not answer.',
  },
  audit_unavailable: {
    holds: 'the decision was stored',
    fails: 'the decision could not be stored',
    remedy: 'The operator should look in the log why the decision could not be stored.',
  },
} satisfies CheckRows;
