import type { PathProfile } from '../../crypto/path-profile.js';
import type { SignatureAlgorithm } from '../../formats/signature-algorithm.js';

/**
 * SHA-256 of the SubjectPublicKeyInfo of the Intel SGX Root CA, which all of SGX and TDX ends at. The root is pinned by
 * key, not carried: its certificate comes with the evidence or the collateral, and counts only where it fits the pin.
 * The same value stands in the independent verifiers of Google and of the dcap-qvl project.
 */
export const INTEL_SGX_ROOT_PINS: ReadonlySet<string> = new Set([
  'a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e',
]);

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
