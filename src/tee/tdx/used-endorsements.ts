import { hex } from '../../core/bytes.js';
import type { Provenance, UsedEndorsement } from '../../core/endorsement.js';
import { memoized } from '../../core/memoized.js';
import { sha256 } from '../../crypto/digest.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import type { CollateralAtHand } from './collateral-checks.js';
import type { PckPath } from './intel/pck-path.js';
import type { Signed } from './intel/signed-part.js';
import type { RevocationVerdict } from './revocation.js';

const KINDS = ['pck', 'pck-ca', 'sgx-root'] as const;

/**
 * Lists the endorsements of a quote: its certificate chain, and its collateral if there is some.
 *
 * @param stateOf revocation state of a certificate; defaults to `good`, or `unavailable` without collateral
 */
export function usedEndorsements(
  { certificates }: PckPath,
  found: CollateralAtHand | null,
  stateOf: RevocationVerdict['stateOf'] = () => (found === null ? 'unavailable' : 'good'),
): readonly UsedEndorsement[] {
  const path = KINDS.flatMap((kind, index) => {
    const certificate = certificates[index];
    if (certificate === undefined) return [];
    return [
      used(kind, certificate, { origin: 'evidence' }, kind === 'sgx-root' ? 'not_applicable' : stateOf(certificate)),
    ];
  });
  if (found === null) return path;
  const known = new Set(path.map(({ sha256: digest }) => digest));
  return [...path, ...signersOf(found, stateOf).filter((signer) => !known.has(signer.sha256)), ...partsOf(found)];
}

/** The signers of the collateral, each once. */
function signersOf(
  { value: { tcbInfo, qeIdentity, pckCrl }, from }: CollateralAtHand,
  stateOf: RevocationVerdict['stateOf'],
): readonly UsedEndorsement[] {
  const signers = [
    ['tcb-signing', tcbInfo, from.tcbInfo],
    ['tcb-signing', qeIdentity, from.qeIdentity],
    ['pck-ca', pckCrl, from.pckCrl],
  ] as const;
  const listed = signers.flatMap(([kind, { chain }, provenance]) =>
    chain.slice(0, 1).map((signer) => used(kind, signer, provenance, stateOf(signer))),
  );
  return [...new Map(listed.map((signer) => [signer.sha256, signer])).values()];
}

function partsOf({
  value: { tcbInfo, qeIdentity, pckCrl, rootCrl },
  from,
}: CollateralAtHand): readonly UsedEndorsement[] {
  return [
    signed('tcb-info', tcbInfo, from.tcbInfo),
    signed('qe-identity', qeIdentity, from.qeIdentity),
    signed('crl', pckCrl, from.pckCrl),
    signed('crl', rootCrl, from.rootCaCrl),
  ];
}

function signed(
  kind: UsedEndorsement['kind'],
  { sha256: digest, value }: Signed<{ readonly nextUpdate: Date | null }>,
  { origin: source, fetchedAt = null }: Provenance,
): UsedEndorsement {
  return { kind, sha256: digest, source, notAfter: value.nextUpdate, fetchedAt, revocation: 'not_applicable' };
}

function used(
  kind: UsedEndorsement['kind'],
  certificate: X509Certificate,
  { origin: source, fetchedAt = null }: Provenance,
  revocation: UsedEndorsement['revocation'],
): UsedEndorsement {
  return { kind, sha256: digestOf(certificate), source, notAfter: certificate.notAfter, fetchedAt, revocation };
}

const digestOf: (certificate: X509Certificate) => string = memoized(({ der }) => hex(sha256(der)));
