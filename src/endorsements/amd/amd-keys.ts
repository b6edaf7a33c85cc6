import { createHash } from 'node:crypto';
import { SNP_PRODUCTS, SNP_TCB_COMPONENTS, type SnpProduct, type SnpTcb } from '../../model/claims.js';
import type { SnpSigningKey } from '../../model/endorsement.js';

/** One of the chains of a product line: the VCEK's (ARK, ASK) or the VLEK's (ARK, ASVK). */
export interface SnpLine {
  readonly product: SnpProduct;
  readonly signingKey: SnpSigningKey;
}

/** All of them. */
export const SNP_LINES: readonly SnpLine[] = SNP_PRODUCTS.flatMap((product) => [
  { product, signingKey: 'vcek' as const },
  { product, signingKey: 'vlek' as const },
]);

/** What a VCEK is made for. */
export interface VcekSubject {
  readonly product: SnpProduct;
  /** CHIP_ID, 64 bytes. */
  readonly chipId: Uint8Array;
  readonly tcb: SnpTcb;
}

/** `milan-vcek`: a key of maps, and part of file names. */
export function lineName({ product, signingKey }: SnpLine): string {
  return `${product.toLowerCase()}-${signingKey}`;
}

/** Turin's chip id has 8 bytes, in the certificate and at KDS; in a report 56 zero bytes follow. */
export function hasShortChipId(product: SnpProduct): boolean {
  return product === 'Turin';
}

/** The chip id as the line's certificates have it. Empty where the other bytes of the field are not zero. */
export function certifiedChipId(product: SnpProduct, chipId: Uint8Array): Uint8Array {
  if (!hasShortChipId(product)) return chipId;
  return chipId.subarray(8).every((byte) => byte === 0) ? chipId.subarray(0, 8) : new Uint8Array(0);
}

/** A name for product, chip and TCB that can be a file name: SHA-256 over all of them, hex. */
export function vcekName({ product, chipId, tcb }: VcekSubject): string {
  const levels = SNP_TCB_COMPONENTS.map((component) => tcb[component] ?? '');
  const key = [product, Buffer.from(chipId).toString('hex'), ...levels].join('/');
  return createHash('sha256').update(key).digest('hex');
}
