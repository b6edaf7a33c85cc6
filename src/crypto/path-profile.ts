import type { EcCurve, PublicKey } from '../formats/public-key.js';
import type { SignatureAlgorithm } from '../formats/signature-algorithm.js';
import { isOnCurve } from './curve.js';

/** A kind of key that a profile allows. */
export type KeyRule =
  | { readonly kind: 'rsa'; readonly minimumBits: number; readonly maximumBits: number }
  | { readonly kind: 'ec'; readonly curve: EcCurve };

/** What a vendor's certificates look like. Everything else is refused. */
export interface PathProfile {
  /** SHA-256 of the SubjectPublicKeyInfo of each key that a path may end at, lower-case hex. */
  readonly anchors: ReadonlySet<string>;
  readonly signatureAlgorithms: ReadonlySet<SignatureAlgorithm>;
  readonly issuerKeys: readonly KeyRule[];
  readonly leafKeys: readonly KeyRule[];
}

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

const EXPONENT_65537 = Buffer.from('010001', 'hex');

/** Why a key is not allowed; null where it is. A key that is can be imported and used. */
export function keyProblem(key: PublicKey, rules: readonly KeyRule[]): string | null {
  if (key.kind === 'other') return `key is not allowed: ${key.detail}`;
  if (!rules.some((rule) => fitsRule(key, rule))) return 'key is of a kind or size that is not allowed';
  // every vendor's keys have this exponent; a small or even one makes signatures that anybody can write
  if (key.kind === 'rsa') return EXPONENT_65537.equals(key.exponent) ? null : 'rsa exponent is not 65537';
  return isOnCurve(key) ? null : 'key is not a point on its curve';
}

function fitsRule(key: PublicKey, rule: KeyRule): boolean {
  if (rule.kind === 'rsa') return key.kind === 'rsa' && key.bits >= rule.minimumBits && key.bits <= rule.maximumBits;
  return key.kind === 'ec' && key.curve === rule.curve;
}
