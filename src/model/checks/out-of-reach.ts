import { ofCertificates } from './certificates.js';
import type { CheckRows } from './row.js';
import { COLLATERAL } from './words.js';

const TOKEN_CRLS =
  "The operator should let the service reach the issuer's keys and the CRLs that their certificates name, or put a current CRL beside the roots in the file of ita.issuers[].roots.";

export const OUT_OF_REACH_CHECKS = {
  vcek_unavailable: {
    holds: 'the key certificate and its chain are available',
    fails: 'the key certificate or its chain is not available',
    underlies: 'hardware',
    remedy:
      'The caller should send the key certificate and its chain in endorsements, or the operator should let the service reach amd.kds or put them into the folder amd.chains.',
  },
  crl_stale: {
    holds: 'the CRL is valid at the verification time',
    fails: 'the CRL is past its next update',
    underlies: 'hardware',
    relaxedBy: 'revocation',
    remedy: ofCertificates(
      "The operator should let the service fetch the vendor's current CRL, or put it into the folder amd.chains.",
      TOKEN_CRLS,
    ),
  },
  crl_unavailable: {
    holds: 'a CRL is available',
    fails: 'no CRL is available',
    underlies: 'hardware',
    relaxedBy: 'revocation',
    waiver: 'plain',
    remedy: ofCertificates(
      "The operator should let the service fetch the vendor's CRL, or put the CRL and the certificate chain into the folder amd.chains (the chain of a request does not count for that), or the caller should send the CRL in endorsements.crls.",
      ({ result }) =>
        result === 'warn'
          ? "The operator should check whether AMD has revoked the issuer of the report in the certificate of the token's key, because the service has no CRL for it."
          : TOKEN_CRLS,
    ),
  },
  crl_rollback: {
    holds: 'the CRL is not older than one that was relied on before',
    fails: 'the CRL is older than one that was relied on before, or the two cannot be compared',
    underlies: 'hardware',
    remedy:
      'The operator should provide the newest CRL of AMD, or restore or remove the rollback mark that the log names if it is damaged.',
  },
  collateral_unavailable: {
    holds: 'collateral is available',
    fails: 'no collateral that can be relied on is available for this platform',
    underlies: 'hardware',
    remedy:
      'The caller should send the collateral of the platform, or the operator should let the service reach intel.pcs or put it into the folder intel.collateral.',
  },
  collateral_stale: {
    holds: 'no part of the collateral is past its next update, or older than the policy allows',
    fails: 'a part of the collateral is past its next update, or older than the policy allows',
    underlies: 'hardware',
    remedy: `The caller should send the collateral that Intel publishes now, ${COLLATERAL}.`,
  },
  collateral_rollback: {
    holds: 'the collateral is not older than what was fetched or imported before',
    fails: 'the collateral is older than what was fetched or imported before, or the two cannot be compared',
    underlies: 'hardware',
    remedy: `The caller should send the newest collateral, ${COLLATERAL}, and the operator should restore or remove the rollback mark that the log names if it is damaged.`,
  },
  jwks_unavailable: {
    holds: 'the key set of the issuer is available',
    fails: 'the key set of the issuer is not available',
    remedy:
      "The operator should let the service reach the issuer's keys, or name a file with them in the configuration.",
  },
  jwks_invalid: {
    holds: 'the key set of the issuer can be used',
    fails: 'the key set of the issuer cannot be used',
    remedy:
      "The operator should check the issuer's key set or the configured file, because it has no key that can be used.",
  },
  jwks_stale: {
    holds: 'the cached key set is recent enough',
    fails: 'the cached key set is too old',
    remedy:
      "The operator should let the service reach the issuer's keys again, because the cached ones are too old to be relied on.",
  },
  route_unavailable: {
    holds: 'a token could be fetched for the route',
    fails: 'no token could be fetched for the route',
    remedy:
      'The caller should try again later or send a token in attestationResults, and the operator should see in the log why none could be fetched.',
  },
  nonce_store: {
    holds: 'the challenge store says whether the challenge is unused',
    fails: 'the challenge store does not say whether the challenge is unused',
    trust: { guest: { 'instance-identity': 0 } },
    remedy:
      'The caller should get another challenge, and the operator should see in the log why the challenge store does not answer.',
  },
  release_unavailable: {
    holds: 'the vault answers',
    fails: 'the vault does not answer',
    remedy:
      'The caller should try again with a new challenge, and the operator should see in the log why the vault does not answer.',
  },
  audit_unavailable: {
    holds: 'the decision was stored',
    fails: 'the decision could not be stored',
    remedy: 'The operator should see in the log why the decision could not be stored.',
  },
} satisfies CheckRows;
