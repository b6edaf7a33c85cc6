import type { EcCurve, PublicKey } from '../formats/public-key.js';
import type { SignatureAlgorithm } from '../formats/signature-algorithm.js';
import { isOnCurve } from './curve.js';

export type KeyRule =
  | { readonly kind: 'rsa'; readonly minimumBits: number; readonly maximumBits: number }
  | { readonly kind: 'ec'; readonly curve: EcCurve };

/** The profile of a vendor's certificates. Anything else is rejected. */
export interface PathProfile {
  /** SHA-256 of the SubjectPublicKeyInfo of each permitted trust anchor, lower-case hex. */
  readonly anchors: ReadonlySet<string>;
  readonly signatureAlgorithms: ReadonlySet<SignatureAlgorithm>;
  readonly issuerKeys: readonly KeyRule[];
  readonly leafKeys: readonly KeyRule[];
}

/** RSA with PKCS #1 padding and SHA-2, of 2048 bits or more. It has no anchors: the caller adds them. */
export const RSA_PKCS1_PROFILE: PathProfile = {
  anchors: new Set(),
  signatureAlgorithms: new Set(['rsassa-pkcs1-sha256', 'rsassa-pkcs1-sha384', 'rsassa-pkcs1-sha512']),
  issuerKeys: [{ kind: 'rsa', minimumBits: 2048, maximumBits: 8192 }],
  leafKeys: [{ kind: 'rsa', minimumBits: 2048, maximumBits: 8192 }],
};

const EXPONENT_65537 = Buffer.from('010001', 'hex');

/** Returns why a key is not allowed; null if it is. An allowed key can be imported and used. */
export function keyProblem(key: PublicKey, rules: readonly KeyRule[]): string | null {
  if (key.kind === 'other') return `key is not allowed: ${key.detail}`;
  if (!rules.some((rule) => fitsRule(key, rule))) return 'key is of a kind or size that is not allowed';
  // every vendor's keys have this exponent; with a small or even one, an attacker could forge signatures
  if (key.kind === 'rsa') return EXPONENT_65537.equals(key.exponent) ? null : 'RSA exponent is not 65537';
  return isOnCurve(key) ? null : 'key is not a point on its curve';
}

function fitsRule(key: PublicKey, rule: KeyRule): boolean {
  if (rule.kind === 'rsa') return key.kind === 'rsa' && key.bits >= rule.minimumBits && key.bits <= rule.maximumBits;
  return key.kind === 'ec' && key.curve === rule.curve;
}
