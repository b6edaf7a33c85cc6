import { hex, sha256 } from '../../crypto/digest.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import type { EndorsementOrigin, UsedEndorsement } from '../../model/endorsement.js';
import { readOnce } from '../read-once.js';
import type { CollateralAtHand } from './collateral-checks.js';
import type { PckPath } from './pck-path.js';

const KINDS = ['pck', 'pck-ca', 'sgx-root'] as const;

/** What a quote was verified with: the path that it brings, and collateral where there was some. */
export function usedEndorsements(
  { certificates }: PckPath,
  found: CollateralAtHand | null,
): readonly UsedEndorsement[] {
  const revocation = found === null ? 'unavailable' : 'good';
  const path = KINDS.flatMap((kind, index) => {
    const certificate = certificates[index];
    if (certificate === undefined) return [];
    return [used(kind, certificate, 'evidence', kind === 'sgx-root' ? 'not_applicable' : revocation)];
  });
  return found === null ? path : [...path, ...ofCollateral(found)];
}

function ofCollateral({ value, origin }: CollateralAtHand): readonly UsedEndorsement[] {
  const { tcbInfo, qeIdentity, pckCrl, rootCrl } = value;
  const text = (
    kind: 'tcb-info' | 'qe-identity',
    { sha256: digest, value: { nextUpdate } }: typeof tcbInfo | typeof qeIdentity,
  ): UsedEndorsement => ({
    kind,
    sha256: digest,
    source: origin,
    notAfter: nextUpdate,
    revocation: 'not_applicable',
  });
  const list = ({ sha256: digest, value: { nextUpdate } }: typeof pckCrl): UsedEndorsement => ({
    kind: 'crl',
    sha256: digest,
    source: origin,
    notAfter: nextUpdate,
    revocation: 'not_applicable',
  });
  const [signer] = tcbInfo.chain;
  return [
    ...(signer === undefined ? [] : [used('tcb-signing', signer, origin, 'good')]),
    text('tcb-info', tcbInfo),
    text('qe-identity', qeIdentity),
    list(pckCrl),
    list(rootCrl),
  ];
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
