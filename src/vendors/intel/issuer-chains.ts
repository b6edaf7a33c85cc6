import type { PathProblem } from '../../crypto/certificate-path.js';
import { PemChains, requireRootLast } from '../../crypto/pem-chains.js';
import { isSameName } from '../../formats/distinguished-name.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import { FormatError } from '../../model/errors.js';

/** Certificates of a key that signs collateral, its own first, with what of them does not change with time. */
export interface IssuerChain {
  /** One, two, or three certificates; a chain of three never verifies. */
  readonly certificates: readonly X509Certificate[];
  /** Empty where the chain verifies. */
  readonly problems: readonly PathProblem[];
}

/** All that Intel certifies for collateral is certified by its root itself. A chain of three is that of another role. */
const [EXPECTED_CHAIN, MAXIMUM_CHAIN] = [2, 3];

const NOT_OF_ROOT: PathProblem = {
  code: 'cert_role',
  index: 0,
  detail: 'the signer is not certified by the root itself',
};

/**
 * Reads issuer chains (the signer's certificate, then the root) and verifies their paths. Intel has two or three in use.
 * Validity and revocation are for whoever relies on them, each time. A chain that is no path by its names, or has another
 * order, is malformed (`cert_chain`).
 *
 * @param verify says what of a path does not hold, whatever the time
 */
export function issuerChains(
  verify: (path: readonly X509Certificate[]) => readonly PathProblem[],
): PemChains<IssuerChain> {
  return new PemChains({
    maximum: MAXIMUM_CHAIN,
    capacity: 64,
    verify: (certificates) => {
      requireShape(certificates);
      const problems = verify(certificates);
      return { certificates, problems: certificates.length > EXPECTED_CHAIN ? [NOT_OF_ROOT, ...problems] : problems };
    },
  });
}

/** One alone is in no wrong order: it is short, which is for whoever relies on it to say. */
function requireShape(certificates: readonly X509Certificate[]): void {
  if (certificates.length === 1) return;
  requireRootLast(certificates);
  const follows = certificates.every((certificate, index) => {
    const issuer = certificates[index + 1];
    return issuer === undefined || isSameName(certificate.issuer, issuer.subject);
  });
  if (certificates.length > EXPECTED_CHAIN && !follows) {
    throw new FormatError('cert_chain', 'the chain has certificates that it does not need');
  }
}
