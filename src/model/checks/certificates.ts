import { SNP_PRODUCTS } from '../claims.js';
import { type CheckRows, isOfToken, type Remedy } from './row.js';
import { value } from './words.js';

const CHAIN = 'The caller should fetch the certificate chain from the vendor again, because';

export const CERTIFICATE_CHECKS = {
  cert_untrusted: {
    holds: 'the certificate chain ends at a pinned root, and every signature in it verifies',
    fails: 'the certificate chain does not end at a pinned root',
    underlies: 'hardware',
    remedy: ofCertificates(
      ({ actual }) =>
        SNP_PRODUCTS.some((line) => line === actual)
          ? `The caller should send the certificate chain for the product line of the key certificate, which is not ${value(actual, '')}, or leave the chain out so that the service fetches it.`
          : "The caller should send the vendor's own certificate chain, because a chain that ends at any other root, such as a test root, is never accepted.",
      "The operator should add the issuer's root to the file of ita.issuers[].roots if the key of the token is the issuer's own, because its certificate chain ends at no root in that file.",
    ),
  },
  cert_signature: {
    holds: 'every certificate of the chain is signed by the one above it',
    fails: 'a certificate of the chain is not signed by the one above it',
    underlies: 'hardware',
    remedy: `${CHAIN} one of its certificates was changed or is not signed by the one above it.`,
  },
  cert_algorithm: {
    holds: 'every certificate of the chain has a key and a signature algorithm that its vendor uses',
    fails: 'a certificate of the chain has a key or a signature algorithm that its vendor does not use',
    underlies: 'hardware',
    remedy: `${CHAIN} no vendor issues certificates with such a key or signature algorithm.`,
  },
  cert_not_ca: {
    holds: 'every issuer in the chain is a CA',
    fails: 'an issuer in the chain is not a CA',
    underlies: 'hardware',
    remedy: `${CHAIN} an issuer in it is not a CA.`,
  },
  cert_path: {
    holds: 'the chain is no longer than its issuers allow, and has no key twice',
    fails: 'the chain is longer than its issuers allow, or has a key twice',
    underlies: 'hardware',
    remedy: `${CHAIN} it is longer than its issuers allow, or is not in order.`,
  },
  cert_role: {
    holds: 'every certificate of the chain was issued for the purpose that it is used for',
    fails: 'a certificate of the chain was issued for another purpose',
    underlies: 'hardware',
    remedy: `${CHAIN} a certificate in it was issued for another purpose.`,
  },
  cert_extension: {
    holds: 'every certificate of the chain has the extensions that its vendor writes',
    fails: 'a certificate of the chain does not have the extensions that its vendor writes',
    underlies: 'hardware',
    remedy: `${CHAIN} a certificate in it does not have the extensions that the vendor writes.`,
  },
  cert_validity: {
    holds: 'every certificate of the chain is valid at the verification time',
    fails: 'a certificate of the chain is not valid at the verification time',
    underlies: 'hardware',
    remedy: ofCertificates(
      ({ expected }) =>
        `The caller should send certificates that are valid at ${value(expected, 'the verification time')}, or leave them out so that the service fetches current ones.`,
      ({ expected }) =>
        `The caller should get a token that is signed with a key whose certificates are valid at ${value(expected, 'the verification time')}.`,
    ),
  },
  cert_revoked: {
    holds: 'no certificate of the chain is revoked',
    fails: 'a certificate of the chain is revoked',
    underlies: 'hardware',
    remedy: ofCertificates(
      "The guest's owner should move the guest to another machine, because the vendor has revoked a certificate that this evidence rests on.",
      'The caller should get a token that is signed with another key, because a certificate of the key that signed this one has been revoked.',
    ),
  },
  crl_invalid: {
    holds: 'every CRL can be read, and is signed by its issuer',
    fails: 'a CRL is not signed by its issuer, is from the future, or cannot be read',
    underlies: 'hardware',
    remedy: 'The caller should send the CRLs that the vendor publishes now, or none.',
  },
  crl_issuer: {
    holds: 'every CRL is from the issuer of the certificates that it covers',
    fails: 'a CRL is from another issuer than the certificate',
    underlies: 'hardware',
    remedy:
      'The caller should send the CRL of the CA that issued the PCK certificate: Intel publishes one for each of its two PCK CAs.',
  },
} satisfies CheckRows;

/** One remedy for certificates under the evidence, and one for those of a token's key. */
export function ofCertificates(ofEvidence: Remedy, ofToken: Remedy): Remedy {
  return (finding) => {
    const remedy = isOfToken(finding) ? ofToken : ofEvidence;
    return typeof remedy === 'string' ? remedy : remedy(finding);
  };
}
