import type { PathProfile } from '../../crypto/path-profile.js';
import type { SignatureAlgorithm } from '../../formats/signature-algorithm.js';

/**
 * Intel's certificates for SGX and TDX: PCK, its Platform or Processor CA, root; TCB signing, root.
 *
 * @param anchors SHA-256 of the SubjectPublicKeyInfo of each root that is trusted, lower-case hex
 */
export function intelSgxProfile(anchors: ReadonlySet<string>): PathProfile {
  return {
    anchors,
    signatureAlgorithms: new Set<SignatureAlgorithm>(['ecdsa-sha256']),
    issuerKeys: [{ kind: 'ec', curve: 'P-256' }],
    leafKeys: [{ kind: 'ec', curve: 'P-256' }],
  };
}
