import { hex, sha256 } from '../../crypto/digest.js';
import type { Signed } from '../../crypto/tdx-collateral.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import type { EndorsementOrigin, UsedEndorsement } from '../../model/endorsement.js';
import { readOnce } from '../read-once.js';
import type { CollateralAtHand } from './collateral-checks.js';
import type { PckPath } from './pck-path.js';

const KINDS = ['pck', 'pck-ca', 'sgx-root'] as const;

/**
 * What a quote was verified with: the path that it brings, and collateral where there was some.
 *
 * @param revoked of these certificates
 */
export function usedEndorsements(
  { certificates }: PckPath,
  found: CollateralAtHand | null,
  revoked: ReadonlySet<X509Certificate> = new Set(),
): readonly UsedEndorsement[] {
  const stateOf = (certificate: X509Certificate) => {
    if (found === null) return 'unavailable';
    return revoked.has(certificate) ? 'revoked' : 'good';
  };
  const path = KINDS.flatMap((kind, index) => {
    const certificate = certificates[index];
    if (certificate === undefined) return [];
    return [used(kind, certificate, 'evidence', kind === 'sgx-root' ? 'not_applicable' : stateOf(certificate))];
  });
  return found === null ? path : [...path, ...ofCollateral(found, stateOf)];
}

function ofCollateral(
  { value: { tcbInfo, qeIdentity, pckCrl, rootCrl }, origin, listOrigins }: CollateralAtHand,
  stateOf: (certificate: X509Certificate) => UsedEndorsement['revocation'],
): readonly UsedEndorsement[] {
  const [signer] = tcbInfo.chain;
  return [
    ...(signer === undefined ? [] : [used('tcb-signing', signer, origin, stateOf(signer))]),
    signed('tcb-info', tcbInfo, origin),
    signed('qe-identity', qeIdentity, origin),
    signed('crl', pckCrl, listOrigins.pckCrl),
    signed('crl', rootCrl, listOrigins.rootCaCrl),
  ];
}

function signed(
  kind: UsedEndorsement['kind'],
  { sha256: digest, value }: Signed<{ readonly nextUpdate: Date | null }>,
  source: EndorsementOrigin,
): UsedEndorsement {
  return { kind, sha256: digest, source, notAfter: value.nextUpdate, revocation: 'not_applicable' };
}

function used(
  kind: UsedEndorsement['kind'],
  certificate: X509Certificate,
  source: EndorsementOrigin,
  revocation: UsedEndorsement['revocation'],
): UsedEndorsement {
  return { kind, sha256: digestOf(certificate), source, notAfter: certificate.notAfter, revocation };
}

const digestOf: (certificate: X509Certificate) => string = readOnce(({ der }) => hex(sha256(der)));
