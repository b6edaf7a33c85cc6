import { SNP_PRODUCTS, type SnpProduct } from '../../model/claims.js';
import type { SnpSigningKey } from '../../model/endorsement.js';

const SIGNING_KEYS: readonly SnpSigningKey[] = ['vcek', 'vlek'];

/** The common name that AMD gives to the issuer of a VCEK (ASK) and of a VLEK (ASVK) of a product line. */
export function issuerName(product: SnpProduct, signingKey: SnpSigningKey): string {
  return signingKey === 'vcek' ? `SEV-${product}` : `SEV-VLEK-${product}`;
}

/** What AMD calls the certificates of a path, leaf first. */
export function certificateRoles(signingKey: SnpSigningKey): readonly [string, string, string] {
  return signingKey === 'vcek' ? ['VCEK', 'ASK', 'ARK'] : ['VLEK', 'ASVK', 'ARK'];
}

/** The product line and kind of key that a common name stands for; null for a name that AMD does not use. */
export function lineOfIssuer(
  commonName: string | null,
): { readonly product: SnpProduct; readonly signingKey: SnpSigningKey } | null {
  const lines = SNP_PRODUCTS.flatMap((product) => SIGNING_KEYS.map((signingKey) => ({ product, signingKey })));
  return lines.find(({ product, signingKey }) => issuerName(product, signingKey) === commonName) ?? null;
}
