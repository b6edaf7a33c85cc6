import { SNP_PRODUCTS } from '../claims.js';
import { type CheckRows, isOfToken, type Remedy } from './row.js';
import { value } from './words.js';

const CHAIN = 'The caller should fetch the certificate chain from its vendor again, because';

export const CERTIFICATE_CHECKS = {
  cert_untrusted: {
    holds: 'the path ends at a pinned root, and every signature in it holds',
    fails: 'the path does not end at a pinned root',
    underlies: 'hardware',
    remedy: ofCertificates(
      ({ actual }) =>
        SNP_PRODUCTS.some((line) => line === actual)
          ? `The caller should send the chain of the product line that the key certificate is of, which is not ${value(actual, '')}, or leave the chain out so that the service fetches it.`
          : "The caller should send the vendor's own certificate chain, because one that ends at any other root, such as a lab's, is never accepted.",
      "The operator should add the root of the issuer to the file of ita.issuers[].roots if the key of the token is the issuer's own, because its certificates end at no root there.",
    ),
  },
  cert_signature: {
    holds: 'every certificate of the path is signed by the one above it',
    fails: 'a certificate of the path is not signed by the one above it',
    underlies: 'hardware',
    remedy: `${CHAIN} one of its certificates was changed or is not signed by the one above it.`,
  },
  cert_algorithm: {
    holds: 'every certificate of the path has a key and a signature algorithm that its vendor uses',
    fails: 'a certificate of the path has a key or a signature algorithm that no vendor uses',
    underlies: 'hardware',
    remedy: `${CHAIN} no vendor issues certificates with such a key or signature algorithm.`,
  },
  cert_not_ca: {
    holds: 'every issuer in the path is a CA',
    fails: 'an issuer in the path is no CA',
    underlies: 'hardware',
    remedy: `${CHAIN} a certificate that is no CA stands where an issuer must be.`,
  },
  cert_path: {
    holds: 'the path is no longer than its issuers allow, and has no key twice',
    fails: 'the path is longer than its issuers allow, or has a key twice',
    underlies: 'hardware',
    remedy: `${CHAIN} it is longer than its issuers allow, or not in their order.`,
  },
  cert_role: {
    holds: 'every certificate of the path was issued for what it is used for',
    fails: 'a certificate of the path was issued for another purpose',
    underlies: 'hardware',
    remedy: `${CHAIN} a certificate in it was issued for another purpose.`,
  },
  cert_extension: {
    holds: 'every certificate of the path has the extensions that its vendor writes',
    fails: 'a certificate of the path does not have the extensions that its vendor writes',
    underlies: 'hardware',
    remedy: `${CHAIN} a certificate in it does not have the extensions that the vendor writes.`,
  },
  cert_validity: {
    holds: 'every certificate of the path is valid at the instant',
    fails: 'a certificate of the path is not valid at the instant',
    underlies: 'hardware',
    remedy: ofCertificates(
      ({ expected }) =>
        `The caller should send certificates that are valid at ${value(expected, 'the instant judged')}, or leave them out so that the service fetches current ones.`,
      ({ expected }) =>
        `The caller should get a token that is signed with a key whose certificates are valid at ${value(expected, 'the instant judged')}.`,
    ),
  },
  cert_revoked: {
    holds: 'no certificate of the path is revoked',
    fails: 'a certificate of the path is revoked',
    underlies: 'hardware',
    remedy: ofCertificates(
      "The guest's owner should move it to another machine, because the vendor has revoked a certificate that this evidence rests on.",
      'The caller should get a token that is signed with another key, because a certificate of the key that signed this one has been revoked.',
    ),
  },
  crl_invalid: {
    holds: 'the CRLs are signed by their issuers, and can be read',
    fails: 'a CRL is not signed by its issuer, is from the future, or cannot be read',
    underlies: 'hardware',
    remedy: 'The caller should send the revocation lists that the vendor publishes now, or none.',
  },
  crl_issuer: {
    holds: 'the CRLs are of the issuers of the certificates',
    fails: 'a CRL is of another issuer than the certificate',
    underlies: 'hardware',
    remedy:
      'The caller should send the revocation list of the CA that issued the PCK certificate: Intel publishes one for each of its two PCK CAs.',
  },
} satisfies CheckRows;

/** Certificates under the evidence, and those of a token's key: others have them at hand, and they are put elsewhere. */
export function ofCertificates(ofEvidence: Remedy, ofToken: Remedy): Remedy {
  return (finding) => {
    const remedy = isOfToken(finding) ? ofToken : ofEvidence;
    return typeof remedy === 'string' ? remedy : remedy(finding);
  };
}
