import type { CRL_OUT_OF_REACH, OUT_OF_REACH_CHECKS } from '../checks/out-of-reach.js';
import type { Finding, RemediesOf } from '../checks/row.js';
import { ofCertificates } from './certificates.js';
import { faultsOf } from './words.js';

const TOKEN_CRLS =
  "The operator should let the service reach the issuer's keys and the CRLs that their certificates name, or put a current CRL beside the roots in the file of ita.issuers[].roots.";

export const CRL_OUT_OF_REACH_REMEDIES = {
  crl_stale: ofCertificates(
    (finding) =>
      `The operator should let the service fetch AMD's current CRL${ofLine(finding)} from amd.kds, or put it into the folder amd.chains.`,
    () => TOKEN_CRLS,
  ),
  crl_unavailable: ofCertificates(
    (finding) =>
      `The operator should let the service fetch AMD's CRL${ofLine(finding)} from amd.kds, or put the CRL into the folder amd.chains, or the caller should send the CRL in endorsements.crls.`,
    ({ result }) =>
      result === 'warn'
        ? "The operator should check whether AMD has revoked the issuer of the report in the certificate of the token's key, because the service has no CRL for it."
        : TOKEN_CRLS,
  ),
  crl_rollback:
    'The operator should provide the newest CRL of AMD, or restore or remove the rollback mark that the log names if it is damaged.',
} satisfies RemediesOf<typeof CRL_OUT_OF_REACH>;

export const OUT_OF_REACH_REMEDIES = {
  jwks_unavailable: ({ setting = 'maa.issuers[].keys or ita.issuers[].keys' }) =>
    `The operator should let the service reach the keys of the issuer, or name a file with them in ${setting}.`,
  jwks_invalid: ({ setting = 'maa.issuers[].keys or ita.issuers[].keys' }) =>
    `The operator should check the key set of the issuer, or the file that ${setting} names, because it has no key that can be used.`,
  jwks_stale:
    "The operator should let the service reach the issuer's keys again, because the cached ones are too old to be relied on.",
  route_unavailable: ({ setting = 'maa.submit or ita.submit' }) =>
    `The caller should try again later or send a token in attestationResults, and the operator should see in the log why none could be fetched by ${setting}.`,
  nonce_store:
    'The caller should get another challenge, and the operator should see in the log why the challenge store fails.',
  release_unavailable:
    'The caller should try again with a new challenge, and the operator should see in the log why the vault, or the file of the key, does not answer.',
  receipt_unavailable:
    'The caller should try again, with a new challenge where it used one, and the operator should see in the log why the receipt could not be signed.',
  audit_unavailable: 'The operator should see in the log why the decision could not be stored.',
} satisfies RemediesOf<typeof OUT_OF_REACH_CHECKS>;

/** The product line whose CRL it is, as the end of a phrase. */
function ofLine(finding: Finding): string {
  const line = faultsOf(finding, '');
  return line === '' ? '' : ` of ${line}`;
}
