import type { PathProfile } from '../../crypto/path-profile.js';
import type { SignatureAlgorithm } from '../../formats/signature-algorithm.js';
import type { SnpProduct } from '../../model/claims.js';
import { GENOA_ARK, GENOA_ASK, GENOA_ASVK } from './carried/genoa.js';
import { MILAN_ARK, MILAN_ASK, MILAN_ASVK } from './carried/milan.js';
import { TURIN_ARK, TURIN_ASK, TURIN_ASVK } from './carried/turin.js';

/** A product line of AMD: the trust anchor, and the public certificates that the product carries. */
export interface AmdProductLine {
  /** SHA-256 of the SubjectPublicKeyInfo of each ARK, lower-case hex. Only this makes a root trusted. */
  readonly arkSpki: ReadonlySet<string>;
  /** PEM. */
  readonly ark: string;
  readonly ask: string;
  readonly asvk: string;
}

/** The digests are also in the independent verifiers of Google, VirTEE and the Confidential Containers project. */
export const AMD_PRODUCT_LINES: ReadonlyMap<SnpProduct, AmdProductLine> = new Map([
  [
    'Milan',
    {
      arkSpki: new Set(['9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9']),
      ark: MILAN_ARK,
      ask: MILAN_ASK,
      asvk: MILAN_ASVK,
    },
  ],
  [
    'Genoa',
    {
      arkSpki: new Set(['429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831']),
      ark: GENOA_ARK,
      ask: GENOA_ASK,
      asvk: GENOA_ASVK,
    },
  ],
  [
    'Turin',
    {
      arkSpki: new Set(['4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08']),
      ark: TURIN_ARK,
      ask: TURIN_ASK,
      asvk: TURIN_ASVK,
    },
  ],
]);

/** The trust anchors by product line. */
export const AMD_ROOT_PINS: ReadonlyMap<SnpProduct, ReadonlySet<string>> = new Map(
  [...AMD_PRODUCT_LINES].map(([product, { arkSpki }]) => [product, arkSpki]),
);

/** Pins by product line. Others than AMD's own are only ever given by a test. */
export type AmdRootPins = typeof AMD_ROOT_PINS;

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

/** The product line that a key is pinned for; null for none. */
export function productOfPin(pins: AmdRootPins, digest: string): SnpProduct | null {
  return [...pins].find(([, digests]) => digests.has(digest))?.[0] ?? null;
}

/** What AMD's certificates look like below the ARK of a product line: null, and a line without pins, trust none. */
export function profileOf(pins: AmdRootPins, product: SnpProduct | null): PathProfile {
  return amdVekProfile((product === null ? undefined : pins.get(product)) ?? new Set());
}

/** The profile of what is issued under a key that has already been found to be pinned, or end at a pin. */
export const ANCHORED: PathProfile = amdVekProfile(new Set());
