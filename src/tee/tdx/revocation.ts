import type { Checks } from '../../core/check.js';
import { nameOfCertificate } from '../../crypto/certificate-path.js';
import { isRevoked } from '../../crypto/revocation-list.js';
import { isSameName } from '../../formats/distinguished-name.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import type { SignedCollateral } from './intel/collateral.js';
import type { PckPath } from './intel/pck-path.js';

/** The checks of a quote, and the checks of its collateral at another place in the request. */
export interface QuoteChecks {
  readonly quote: Checks;
  readonly collateral: Checks;
}

export interface RevocationVerdict {
  /** Whether the CRLs are from the right issuers and revoke none of the certificates. */
  readonly holds: boolean;
  /** Revocation state of a certificate; `unavailable` if the CRL is from another issuer. */
  readonly stateOf: (certificate: X509Certificate) => 'good' | 'revoked' | 'unavailable';
}

/**
 * Looks up the PCK certificate in the CRL of its issuer, and every certificate that the root issued in the root CA CRL:
 * the PCK CA of the quote, the PCK CA of the CRL, and the signers of the collateral. Compares names as bytes.
 *
 * Does not check the validity of the CRLs, since a certificate in an old CRL is revoked as well. `checkWindows` does.
 */
export function verifyRevocation(
  checks: QuoteChecks,
  { certificates, leaf }: PckPath,
  { tcbInfo, qeIdentity, pckCrl, rootCrl }: SignedCollateral,
): RevocationVerdict {
  const issued = [certificates, pckCrl.chain, tcbInfo.chain, qeIdentity.chain].map(belowRoot);
  const ofIssuer = isSameName(pckCrl.value.issuer, leaf.issuer);
  const ofRoot = issued.every(({ issuer }) => isSameName(rootCrl.value.issuer, issuer));
  const own = checks.collateral.inside('/pck_crl').require(ofIssuer && ofRoot, 'crl_issuer', {
    expected: leaf.issuer.commonName,
    actual: pckCrl.value.issuer.commonName,
  });
  const revoked = [
    ...(ofIssuer && isRevoked(pckCrl.value, leaf.serial) ? [leaf] : []),
    ...issued.filter(({ serial }) => isRevoked(rootCrl.value, serial)),
  ];
  const good = checks.quote.require(revoked.length === 0, 'cert_revoked', {
    actual: [...new Set(revoked.map(({ subject }) => subject.commonName))],
    detail: 'no certificate of the quote or the collateral is revoked',
    otherwise: `Intel has revoked a certificate of the quote or the collateral: ${namesOf(revoked)}`,
  });
  const stateOf = (certificate: X509Certificate) => {
    if (revoked.includes(certificate)) return 'revoked';
    return (certificate === leaf ? ofIssuer : ofRoot) ? 'good' : 'unavailable';
  };
  return { holds: own && good, stateOf };
}

/** The certificate that the root issued. */
function belowRoot(chain: readonly X509Certificate[]): X509Certificate {
  const certificate = chain.at(-2);
  if (certificate === undefined) throw new Error('a chain has at least two certificates');
  return certificate;
}

function namesOf(certificates: readonly X509Certificate[]): string {
  return [...new Set(certificates.map(nameOfCertificate))].join('; ');
}
