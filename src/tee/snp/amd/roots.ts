import { AMD_LINES } from '../../../core/amd-lines.js';
import type { SnpProduct } from '../../../core/claims.js';
import type { PathProfile } from '../../../crypto/path-profile.js';
import type { SignatureAlgorithm } from '../../../formats/signature-algorithm.js';
import { GENOA, MILAN, TURIN } from './generated/carried-certificates.js';

/** Built-in public certificates of a product line, PEM, as AMD's Key Distribution Service publishes them. */
export interface CarriedCertificates {
  readonly ark: string;
  readonly ask: string;
  readonly asvk: string;
}

/** The files in `carried`. Genoa has the re-issued ASK: AMD's CRL revokes its predecessor, serial number 020001. */
export const CARRIED_CERTIFICATES: ReadonlyMap<SnpProduct, CarriedCertificates> = new Map([
  ['Milan', MILAN],
  ['Genoa', GENOA],
  ['Turin', TURIN],
]);

/** The trust anchors of the built-in product lines. */
export const AMD_ROOT_PINS: ReadonlyMap<SnpProduct, ReadonlySet<string>> = new Map(
  [...AMD_LINES].map(([product, { arkSpki }]) => [product, arkSpki]),
);

/** Pins of the ARKs by product line. */
export type AmdRootPins = typeof AMD_ROOT_PINS;

/**
 * The profile of AMD's paths: VCEK or VLEK, ASK or ASVK, ARK (AMD 57230). Every VEK has the serial number 0, so the
 * caller parses it with `allowZeroSerial`.
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

/** The product line that a key is pinned for; null for none. */
export function productOfPin(pins: AmdRootPins, digest: string): SnpProduct | null {
  return [...pins].find(([, digests]) => digests.has(digest))?.[0] ?? null;
}

/** The profile of AMD's certificates below the ARK of a product line. Without a line or pins it trusts no root. */
export function profileOf(pins: AmdRootPins, product: SnpProduct | null): PathProfile {
  return amdVekProfile((product === null ? undefined : pins.get(product)) ?? new Set());
}

/** The profile of certificates and CRLs below an issuer whose path to a pin was already verified. It trusts no root. */
export const ANCHORED: PathProfile = amdVekProfile(new Set());
