import type { CheckRows } from './row.js';

export const CERTIFICATE_CHECKS = {
  cert_untrusted: {
    holds: 'the certificate chain ends at a pinned root, and every signature in it verifies',
    fails: 'the certificate chain does not end at a pinned root',
    underlies: 'hardware',
  },
  cert_signature: {
    holds: 'every certificate of the chain is signed by the one above it',
    fails: 'a certificate of the chain is not signed by the one above it',
    underlies: 'hardware',
  },
  cert_algorithm: {
    holds: 'every certificate of the chain has a key and a signature algorithm that its vendor uses',
    fails: 'a certificate of the chain has a key or a signature algorithm that its vendor does not use',
    underlies: 'hardware',
  },
  cert_not_ca: {
    holds: 'every issuer in the chain is a CA',
    fails: 'an issuer in the chain is not a CA',
    underlies: 'hardware',
  },
  cert_path: {
    holds: 'the chain is no longer than its issuers allow, and has no key twice',
    fails: 'the chain is longer than its issuers allow, or has a key twice',
    underlies: 'hardware',
  },
  cert_role: {
    holds: 'every certificate of the chain was issued for the purpose that it is used for',
    fails: 'a certificate of the chain was issued for another purpose',
    underlies: 'hardware',
  },
  cert_extension: {
    holds: 'every certificate of the chain has the extensions that its vendor writes',
    fails: 'a certificate of the chain does not have the extensions that its vendor writes',
    underlies: 'hardware',
  },
  cert_validity: {
    holds: 'every certificate of the chain is valid at the verification time',
    fails: 'a certificate of the chain is not valid at the verification time',
    underlies: 'hardware',
  },
  cert_revoked: {
    holds: 'no certificate of the chain is revoked',
    fails: 'a certificate of the chain is revoked',
    underlies: 'hardware',
  },
  crl_invalid: {
    holds: 'every CRL can be read, and is signed by its issuer',
    fails: 'a CRL is not signed by its issuer, is from the future, or cannot be read',
    underlies: 'hardware',
  },
  crl_issuer: {
    holds: 'every CRL is from the issuer of the certificates that it covers',
    fails: 'a CRL is from another issuer than the certificate',
    underlies: 'hardware',
  },
} satisfies CheckRows;
