import { AMD_LINES } from '../../../core/amd-lines.js';
import type { SnpProduct } from '../../../core/claims.js';
import type { PathProfile } from '../../../crypto/path-profile.js';
import type { SignatureAlgorithm } from '../../../formats/signature-algorithm.js';
import { GENOA, MILAN, TURIN } from './generated/carried-certificates.js';

/** Public certificates that the product carries for a product line, PEM, as AMD's Key Distribution Service publishes them. */
export interface CarriedCertificates {
  readonly ark: string;
  readonly ask: string;
  readonly asvk: string;
}

/** The files in `carried`. The ASK of Genoa is the re-issued one: AMD's CRL revokes the one before it, serial number 020001. */
export const CARRIED_CERTIFICATES: ReadonlyMap<SnpProduct, CarriedCertificates> = new Map([
  ['Milan', MILAN],
  ['Genoa', GENOA],
  ['Turin', TURIN],
]);

/** The trust anchors of the built-in product lines. */
export const AMD_ROOT_PINS: ReadonlyMap<SnpProduct, ReadonlySet<string>> = new Map(
  [...AMD_LINES].map(([product, { arkSpki }]) => [product, arkSpki]),
);

/** Pins by product line: of those that are served, and no other. */
export type AmdRootPins = typeof AMD_ROOT_PINS;

/**
 * VCEK or VLEK, ASK or ASVK, ARK (AMD 57230). VEKs also have the serial number 0: the caller that parses one sets
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

/** The product line that a key is pinned for; null for none. */
export function productOfPin(pins: AmdRootPins, digest: string): SnpProduct | null {
  return [...pins].find(([, digests]) => digests.has(digest))?.[0] ?? null;
}

/** The profile of AMD's certificates below the ARK of a product line: null, and a line without pins, trust none. */
export function profileOf(pins: AmdRootPins, product: SnpProduct | null): PathProfile {
  return amdVekProfile((product === null ? undefined : pins.get(product)) ?? new Set());
}

/** The profile of what is issued under a key that has already been found to be pinned, or end at a pin. */
export const ANCHORED: PathProfile = amdVekProfile(new Set());
