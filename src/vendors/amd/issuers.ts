import { SNP_PRODUCTS, type SnpProduct } from '../../model/claims.js';
import type { SnpSigningKey } from '../../model/endorsement.js';

/** One of the chains of a product line: the VCEK's (ARK, ASK) or the VLEK's (ARK, ASVK). */
export interface SnpLine {
  readonly product: SnpProduct;
  readonly signingKey: SnpSigningKey;
}

export const SNP_SIGNING_KEYS: readonly SnpSigningKey[] = ['vcek', 'vlek'];

/** Both chains of each product line that has pins. */
export function chainsPinned(pins: ReadonlyMap<SnpProduct, unknown>): readonly SnpLine[] {
  return [...pins.keys()].flatMap((product) => SNP_SIGNING_KEYS.map((signingKey) => ({ product, signingKey })));
}

const SNP_LINES: readonly SnpLine[] = SNP_PRODUCTS.flatMap((product) =>
  SNP_SIGNING_KEYS.map((signingKey) => ({ product, signingKey })),
);

/** `milan-vcek`: a key of maps, and part of file names. */
export function lineName({ product, signingKey }: SnpLine): string {
  return `${product.toLowerCase()}-${signingKey}`;
}

/** The common name that AMD gives to the issuer of a VCEK (ASK) and of a VLEK (ASVK) of a product line. */
export function issuerName(product: SnpProduct, signingKey: SnpSigningKey): string {
  return signingKey === 'vcek' ? `SEV-${product}` : `SEV-VLEK-${product}`;
}

/** What AMD calls the certificates of a chain, leaf first. */
export function certificateRoles(signingKey: SnpSigningKey): readonly [string, string, string] {
  return signingKey === 'vcek' ? ['VCEK', 'ASK', 'ARK'] : ['VLEK', 'ASVK', 'ARK'];
}

/** The product line and kind of key that a common name stands for; null for a name that AMD does not use. */
export function lineOfIssuer(commonName: string | null): SnpLine | null {
  return SNP_LINES.find(({ product, signingKey }) => issuerName(product, signingKey) === commonName) ?? null;
}

/** The product line whose ARK has a common name; null for any other name. */
export function productOfRoot(commonName: string | null): SnpProduct | null {
  return SNP_PRODUCTS.find((product) => commonName === `ARK-${product}`) ?? null;
}
