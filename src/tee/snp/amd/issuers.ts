import type { SnpProduct } from '../../../core/claims.js';
import type { SnpSigningKey } from '../../../core/endorsement.js';
import type { AmdRootPins } from './roots.js';

/** One of the chains of a product line: the VCEK's (ARK, ASK) or the VLEK's (ARK, ASVK). */
export interface SnpLine {
  readonly product: SnpProduct;
  readonly signingKey: SnpSigningKey;
}

export const SNP_SIGNING_KEYS: readonly SnpSigningKey[] = ['vcek', 'vlek'];

/** Both chains of each product line that has pins. */
export function chainsPinned(pins: AmdRootPins): readonly SnpLine[] {
  return [...pins.keys()].flatMap((product) => SNP_SIGNING_KEYS.map((signingKey) => ({ product, signingKey })));
}

/** Name of a line as a key of maps and in file names, such as `milan-vcek`. */
export function lineName({ product, signingKey }: SnpLine): string {
  return `${product.toLowerCase()}-${signingKey}`;
}

/** The common name that AMD gives to the issuer of a VCEK (ASK) and of a VLEK (ASVK) of a product line. */
export function issuerName(product: SnpProduct, signingKey: SnpSigningKey): string {
  return signingKey === 'vcek' ? `SEV-${product}` : `SEV-VLEK-${product}`;
}

/** The names that AMD gives to the certificates of a chain, leaf first. */
export function certificateRoles(signingKey: SnpSigningKey): readonly [string, string, string] {
  return signingKey === 'vcek' ? ['VCEK', 'ASK', 'ARK'] : ['VLEK', 'ASVK', 'ARK'];
}

/** The product line and kind of key in a common name; null if it names no pinned line. */
export function lineOfIssuer(commonName: string | null, pins: AmdRootPins): SnpLine | null {
  return chainsPinned(pins).find(({ product, signingKey }) => issuerName(product, signingKey) === commonName) ?? null;
}

/** The common name that AMD gives to the ARK of a product line. */
export function rootName(product: SnpProduct): string {
  return `ARK-${product}`;
}

/** The product line of an ARK by its common name; null if it names no pinned line. */
export function productOfRoot(commonName: string | null, pins: AmdRootPins): SnpProduct | null {
  return [...pins.keys()].find((product) => rootName(product) === commonName) ?? null;
}
