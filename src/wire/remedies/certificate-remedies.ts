import { isOfToken } from '../../model/check.js';
import { SNP_PRODUCTS } from '../../model/claims.js';
import { filled, type Remedies, type Remedy, value } from './words.js';

const CHAIN = 'The caller should fetch the certificate chain from its vendor again, because';

const TOKEN_LISTS =
  "The operator should let the service reach the issuer's keys and the revocation lists that their certificates name, or put a current list beside the roots in the file of ita.issuers[].roots.";

export const CERTIFICATE_REMEDIES = {
  cert_untrusted: ofCertificates(
    ({ actual }) =>
      SNP_PRODUCTS.some((line) => line === actual)
        ? `The caller should send the chain of the product line that the key certificate is of, which is not ${value(actual, '')}, or leave the chain out so that the service fetches it.`
        : "The caller should send the vendor's own certificate chain, because one that ends at any other root, such as a lab's, is never accepted.",
    "The operator should add the root of the issuer to the file of ita.issuers[].roots if the key of the token is the issuer's own, because its certificates end at no root there.",
  ),
  cert_signature: `${CHAIN} one of its certificates was changed or is not signed by the one above it.`,
  cert_algorithm: `${CHAIN} no vendor issues certificates with such a key or signature algorithm.`,
  cert_not_ca: `${CHAIN} a certificate that is no CA stands where an issuer must be.`,
  cert_path: `${CHAIN} it is longer than its issuers allow, or not in their order.`,
  cert_role: `${CHAIN} a certificate in it was issued for another purpose.`,
  cert_extension: `${CHAIN} a certificate in it does not have the extensions that the vendor writes.`,
  cert_validity: ofCertificates(
    ({ expected }) =>
      `The caller should send certificates that are valid at ${value(expected, 'the instant judged')}, or leave them out so that the service fetches current ones.`,
    ({ expected }) =>
      `The caller should get a token that is signed with a key whose certificates are valid at ${value(expected, 'the instant judged')}.`,
  ),
  cert_revoked: ofCertificates(
    "The guest's owner should move it to another machine, because the vendor has revoked a certificate that this evidence rests on.",
    'The caller should get a token that is signed with another key, because a certificate of the key that signed this one has been revoked.',
  ),
  crl_invalid: 'The caller should send the revocation lists that the vendor publishes now, or none.',
  crl_issuer:
    'The caller should send the revocation list of the CA that issued the PCK certificate: Intel publishes one for each of its two PCK CAs.',
  vcek_unavailable:
    'The caller should send the key certificate and its chain in endorsements, or the operator should let the service reach amd.kds or put them into the folder amd.chains.',
  crl_stale: ofCertificates(
    "The operator should let the service fetch the vendor's current revocation list, or put it into the folder amd.chains.",
    TOKEN_LISTS,
  ),
  crl_unavailable: ofCertificates(
    "The operator should let the service fetch the vendor's revocation list, or put the list and the certificate chain into the folder amd.chains (the chain of a request does not count for that), or the caller should send the list in endorsements.crls.",
    ({ result }) =>
      result === 'warn'
        ? "The operator should look whether AMD has revoked the issuer of the report in the certificate of the token's key, because nothing brings a revocation list for it."
        : TOKEN_LISTS,
  ),
  crl_rollback:
    'The operator should put the newest revocation list of AMD in place, or see to the mark in the cache folder that the log names if it is damaged.',
  crl_unconfirmed:
    "The operator should let the service reach amd.kds, so that the request's own revocation list is held against AMD's.",
} satisfies Remedies;

/** Certificates under the evidence, and those of a token's key: others have them at hand, and they are put elsewhere. */
function ofCertificates(ofEvidence: Remedy, ofToken: Remedy): Remedy {
  return (check) => filled(isOfToken(check) ? ofToken : ofEvidence, check);
}
