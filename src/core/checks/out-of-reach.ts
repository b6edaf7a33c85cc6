import { ofCertificates } from './certificates.js';
import type { CheckRows, Finding } from './row.js';
import { faultsOf } from './words.js';

const TOKEN_CRLS =
  "The operator should let the service reach the issuer's keys and the CRLs that their certificates name, or put a current CRL beside the roots in the file of ita.issuers[].roots.";

export const CRL_OUT_OF_REACH = {
  crl_stale: {
    holds: 'the CRL is valid at the verification time',
    fails: 'the CRL is past its next update',
    underlies: 'hardware',
    relaxedBy: 'revocation',
    remedy: ofCertificates(
      (finding) =>
        `The operator should let the service fetch AMD's current CRL${ofLine(finding)} from amd.kds, or put it into the folder amd.chains.`,
      () => TOKEN_CRLS,
    ),
  },
  crl_unavailable: {
    holds: 'a CRL is available',
    fails: 'no CRL is available',
    underlies: 'hardware',
    relaxedBy: 'revocation',
    waiver: 'plain',
    remedy: ofCertificates(
      (finding) =>
        `The operator should let the service fetch AMD's CRL${ofLine(finding)} from amd.kds, or put the CRL into the folder amd.chains, or the caller should send the CRL in endorsements.crls.`,
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
} satisfies CheckRows;

export const OUT_OF_REACH_CHECKS = {
  jwks_unavailable: {
    holds: 'the key set of the issuer is available',
    fails: 'the key set of the issuer is not available',
    remedy: ({ setting = 'maa.issuers[].keys or ita.issuers[].keys' }) =>
      `The operator should let the service reach the keys of the issuer, or name a file with them in ${setting}.`,
  },
  jwks_invalid: {
    holds: 'the key set of the issuer can be used',
    fails: 'the key set of the issuer cannot be used',
    remedy: ({ setting = 'maa.issuers[].keys or ita.issuers[].keys' }) =>
      `The operator should check the key set of the issuer, or the file that ${setting} names, because it has no key that can be used.`,
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
    members: ['routes.maa', 'routes.ita'],
    remedy: ({ setting = 'maa.submit or ita.submit' }) =>
      `The caller should try again later or send a token in attestationResults, and the operator should see in the log why none could be fetched by ${setting}.`,
  },
  nonce_store: {
    holds: 'the challenge store says whether the challenge is unused',
    fails: 'the challenge store does not say whether the challenge is unused',
    trust: { guest: { 'instance-identity': 0 } },
    remedy:
      'The caller should get another challenge, and the operator should see in the log why the challenge store fails.',
  },
  release_unavailable: {
    holds: 'what has the key answers',
    fails: 'what has the key does not answer',
    remedy:
      'The caller should try again with a new challenge, and the operator should see in the log why the vault, or the file of the key, does not answer.',
  },
  receipt_unavailable: {
    holds: 'the receipt was signed',
    fails: 'the receipt could not be signed',
    remedy:
      'The caller should try again, with a new challenge where it used one, and the operator should see in the log why the receipt could not be signed.',
  },
  audit_unavailable: {
    holds: 'the decision was stored',
    fails: 'the decision could not be stored',
    remedy: 'The operator should see in the log why the decision could not be stored.',
  },
} satisfies CheckRows;

/** The product line whose CRL it is, as the end of a phrase. */
function ofLine(finding: Finding): string {
  const line = faultsOf(finding, '');
  return line === '' ? '' : ` of ${line}`;
}
