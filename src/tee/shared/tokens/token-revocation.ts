import type { Checks } from '../../../core/check.js';
import { nullIfMalformed } from '../../../core/errors.js';
import { memoized } from '../../../core/memoized.js';
import { nameOfCertificate } from '../../../crypto/certificate-path.js';
import { RSA_PKCS1_PROFILE } from '../../../crypto/path-profile.js';
import { checkRevocationListTime, isRevoked, verifyRevocationList } from '../../../crypto/revocation-list.js';
import type { X509Certificate } from '../../../formats/x509-certificate.js';
import { parseCrlFrame, type X509Crl } from '../../../formats/x509-crl.js';

/** CRLs of the certificates of token keys. */
export interface TokenRevocation {
  /** DER, of any issuer. A CRL that is malformed or has an invalid signature is ignored. */
  readonly crls: readonly Uint8Array[];
  /** Whether a missing CRL makes the decision indeterminate. Otherwise it is a warning. */
  readonly required: boolean;
}

/**
 * Looks up every certificate but the last in the newest valid CRL of its issuer (RFC 5280, section 6.3). The last one
 * is self-signed, so no CRL can revoke it.
 *
 * @param path certificates with valid signatures, the certificate of the key first
 * @returns the ends of the CRLs that were used; null if a certificate is revoked, or if a required CRL is missing
 */
export function verifyTokenRevocation(
  checks: Checks,
  path: readonly X509Certificate[],
  { crls, required }: TokenRevocation,
  at: Date,
): readonly Date[] | null {
  const ends: Date[] = [];
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1];
    if (issuer === undefined) break;
    const genuine = crls.map(listsUnder(issuer)).filter((list) => list !== null);
    const newest = newestOf(genuine.filter((list) => checkRevocationListTime(list, at) === null));
    if (newest === null) {
      if (!recordMissing(checks, issuer, genuine.length > 0, required)) return null;
    } else if (isRevoked(newest, certificate.serial)) {
      checks.fail('cert_revoked', { detail: `its issuer has revoked ${nameOfCertificate(certificate)}` });
      return null;
    } else if (newest.nextUpdate !== null) {
      ends.push(newest.nextUpdate);
    }
  }
  if (ends.length > 0) checks.pass('cert_revoked', { detail: 'no certificate of the key is on a CRL' });
  return ends;
}

/** Reads a CRL and verifies its signature under an issuer. Memoized, because a CRL is used for many tokens. */
const listsUnder: (issuer: X509Certificate) => (der: Uint8Array) => X509Crl | null = memoized((issuer) =>
  memoized((der) => nullIfMalformed(() => genuineList(der, issuer))),
);

function genuineList(der: Uint8Array, issuer: X509Certificate): X509Crl | null {
  const reading = verifyRevocationList(parseCrlFrame(der), issuer, RSA_PKCS1_PROFILE);
  return reading.ok ? reading.list : null;
}

function newestOf(lists: readonly X509Crl[]): X509Crl | null {
  return lists.reduce<X509Crl | null>(
    (best, next) => (best === null || (next.crlNumber ?? -1n) > (best.crlNumber ?? -1n) ? next : best),
    null,
  );
}

/** @returns whether verification can continue without a CRL */
function recordMissing(checks: Checks, { subject }: X509Certificate, isStale: boolean, required: boolean): boolean {
  const of = subject.commonName ?? 'an issuer';
  if (isStale) {
    checks.unavailable('crl_stale', {
      detail: `the CRL of ${of} is not valid at the verification time`,
      retryable: true,
    });
    return false;
  }
  const detail = `no CRL of ${of} is available`;
  if (required) checks.unavailable('crl_unavailable', { detail: detail, retryable: true });
  else checks.warn('crl_unavailable', { detail });
  return !required;
}
