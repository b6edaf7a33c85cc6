import { hex, sha256 } from '../../crypto/digest.js';
import type { SnpProduct } from '../../model/claims.js';
import type { SnpSigningKey } from '../../model/endorsement.js';
import { lineName } from './amd-keys.js';

/**
 * The name of the file that an AMD revocation list is written to. Nothing in the list says whether it is the one for
 * VCEKs or for VLEKs: where that is known, by the address that it was fetched from, the name keeps it.
 */
export function crlFileName(product: SnpProduct, series: SnpSigningKey | null, der: Uint8Array): string {
  const line = series === null ? product.toLowerCase() : lineName({ product, signingKey: series });
  return `crl-${line}-${hex(sha256(der)).slice(0, 16)}.crl`;
}

/** The series that a name made by `crlFileName` keeps; null for any other name, and for that of another list. */
export function seriesOfCrlFile(name: string, product: SnpProduct, der: Uint8Array): SnpSigningKey | null {
  const series = ['vcek', 'vlek'] as const;
  return series.find((each) => crlFileName(product, each, der) === name) ?? null;
}
