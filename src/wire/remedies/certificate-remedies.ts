import { type Remedies, value } from './words.js';

const CHAIN = 'The caller should fetch the certificate chain from its vendor again, because';

export const CERTIFICATE_REMEDIES = {
  cert_untrusted:
    "The caller should send the vendor's own certificate chain, because one that ends at any other root, such as a lab's, is never accepted.",
  cert_signature: `${CHAIN} one of its certificates was changed or is not signed by the one above it.`,
  cert_algorithm: `${CHAIN} no vendor issues certificates with such a key or signature algorithm.`,
  cert_not_ca: `${CHAIN} a certificate that is no CA stands where an issuer must be.`,
  cert_path: `${CHAIN} it is longer than its issuers allow, or not in their order.`,
  cert_role: `${CHAIN} a certificate in it was issued for another purpose.`,
  cert_extension: `${CHAIN} a certificate in it does not have the extensions that the vendor writes.`,
  cert_validity: ({ expected }) =>
    `The caller should send certificates that are valid at ${value(expected, 'the instant judged')}, or leave them out so that the service fetches current ones.`,
  cert_revoked:
    "The guest's owner should move it to another machine, because the vendor has revoked a certificate that this evidence rests on.",
  crl_invalid: 'The caller should send the revocation lists that the vendor publishes now, or none.',
  crl_issuer:
    'The caller should send the revocation list of the CA that issued the PCK certificate: Intel publishes one for each of its two PCK CAs.',
  vcek_unavailable:
    'The caller should send the key certificate and its chain in endorsements, or the operator should let the service reach amd.kds or put them into the folder amd.chains.',
  crl_stale:
    "The operator should let the service fetch the vendor's current revocation list, or put it into the folder amd.chains.",
  crl_unavailable:
    "The operator should let the service fetch the vendor's revocation list or put it into the folder amd.chains, or the caller should send it in endorsements.crls.",
  crl_rollback:
    'The operator should put the newest revocation list of AMD in place, because an older one than was seen before is offered.',
  crl_unconfirmed:
    "The operator should let the service reach amd.kds, so that the request's own revocation list is held against AMD's.",
} satisfies Remedies;
