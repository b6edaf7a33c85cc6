import type { CERTIFICATE_CHECKS } from '../checks/certificates.js';
import type { RemediesOf } from '../checks/row.js';
import { type FilledRemedy, type Finding, isOfToken } from '../checks/row.js';
import { COLLATERAL, faultsOf, inBrackets, value } from './words.js';

export const CERTIFICATE_REMEDIES = {
  cert_untrusted: ofCertificates(
    ({ actual }) =>
      typeof actual === 'string'
        ? `The caller should send the certificate chain for the product line of the key certificate, which is not ${value(actual, '')}, or leave the chain out so that the service fetches it.`
        : "The caller should send the vendor's own certificate chain, because a chain that ends at any other root, such as a test root, is never accepted.",
    () =>
      "The operator should add the issuer's root to the file of ita.issuers[].roots if the key of the token is the issuer's own, because its certificate chain ends at no root in that file.",
  ),
  cert_signature: chain('was changed or is not signed by the one above it'),
  cert_algorithm: chain('has a key or a signature algorithm that its vendor does not use'),
  cert_not_ca: chain('issued another one and is not a CA'),
  cert_path: chain('makes the chain longer than its issuers allow, or has a key that is in it twice'),
  cert_role: chain('was issued for another purpose'),
  cert_extension: chain('does not have the extensions that its vendor writes'),
  cert_validity: ofCertificates(
    (finding) => validCertificates(finding, value(finding.expected, 'the verification time')),
    ({ expected }) =>
      `The caller should get a token that is signed with a key whose certificates are valid at ${value(expected, 'the verification time')}.`,
  ),
  cert_revoked: ofCertificates(
    (finding) => {
      // AMD's CRLs list only intermediates, and AMD reissues the VEKs of a line under the next intermediate.
      if (finding.about.startsWith('/evidence/endorsements')) {
        return 'The caller should send the VCEK or VLEK and the certificate chain that AMD issues now, or leave the VCEK and the chain out so that the service fetches them, because AMD has revoked the ASK or ASVK of those used.';
      }
      const revoked = value(finding.actual, faultsOf(finding, ''));
      return `The guest's owner should move the guest to another machine, because the vendor has revoked a certificate that this evidence rests on${revoked === '' ? '' : `: ${revoked}`}.`;
    },
    () =>
      'The caller should get a token that is signed with another key, because a certificate of the key that signed this one has been revoked.',
  ),
  crl_invalid: ({ about }) =>
    about.startsWith('/evidence/collateral')
      ? `The caller should send the ${about.endsWith('root_ca_crl') ? 'root CA CRL' : 'PCK CRL'} that Intel publishes now, ${COLLATERAL}.`
      : 'The caller should send the CRLs that the vendor publishes now, or none.',
  crl_issuer: ({ expected, actual }) =>
    `The caller should send the CRL of the CA that issued the PCK certificate (${value(expected, 'Intel publishes one for each of its two PCK CAs')}${value(actual, '') === '' ? '' : `, not ${value(actual, '')}`}).`,
} satisfies RemediesOf<typeof CERTIFICATE_CHECKS>;

/** One remedy for certificates under the evidence, and one for those of a token's key. */
export function ofCertificates(ofEvidence: FilledRemedy, ofToken: FilledRemedy): FilledRemedy {
  return (finding) => (isOfToken(finding) ? ofToken : ofEvidence)(finding);
}

/** Remedy for a chain that must be fetched again. A TD quote contains its chain, so only a new quote has another. */
function chain(because: string): FilledRemedy {
  return (finding) => {
    const why = `${faultsOf(finding, 'a certificate of the chain')} ${because}`;
    if (isOfToken(finding)) return `The caller should get a token that is signed with another key, because ${why}.`;
    if (finding.about.startsWith('/evidence/collateral')) {
      return `The caller should send the collateral that Intel publishes now, ${COLLATERAL}, because ${why}.`;
    }
    return isOfQuote(finding)
      ? `The guest should make a new TD quote, which has the PCK certificate chain in it, because ${why}.`
      : `The caller should fetch the certificate chain from the vendor again, because ${why}.`;
  };
}

function validCertificates(finding: Finding, at: string): string {
  const which = inBrackets(finding);
  if (finding.about === '/evidence/akCertificate') {
    return `The guest should read its AK certificate again (NV index 0x01C101D0), because the one sent is not valid at ${at}${which}.`;
  }
  return isOfQuote(finding)
    ? `The machine's owner should have its PCK certificate renewed, because the one in this TD quote is not valid at ${at}${which}, and the guest should then make a new quote.`
    : `The caller should send certificates that are valid at ${at}${which}, or leave them out so that the service fetches current ones.`;
}

function isOfQuote({ about }: Finding): boolean {
  return about === '/evidence/quote' || about === '/evidence/tdQuote';
}
