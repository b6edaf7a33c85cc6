import type { PathProfile } from '../../crypto/path-profile.js';
import type { SignatureAlgorithm } from '../../formats/signature-algorithm.js';

/**
 * VCEK or VLEK, ASK or ASVK, ARK (AMD 57230). Beside it, VEKs have the serial number 0: whoever parses one says
 * `allowZeroSerial`.
 *
 * @param anchors SHA-256 of the SubjectPublicKeyInfo of each ARK that is trusted, lower-case hex
 */
export function amdVekProfile(anchors: ReadonlySet<string>): PathProfile {
  return {
    anchors,
    signatureAlgorithms: new Set<SignatureAlgorithm>(['rsassa-pss-sha384']),
    issuerKeys: [{ kind: 'rsa', minimumBits: 4096, maximumBits: 4096 }],
    leafKeys: [{ kind: 'ec', curve: 'P-384' }],
  };
}
