import { isZero } from '../../formats/byte-reader.js';
import type { SnpReport } from '../../formats/snp-report.js';
import { SNP_PRODUCTS, type SnpPart, type SnpProduct, type SnpTcb } from '../../model/claims.js';
import { FormatError } from '../../model/errors.js';

/**
 * What CPUID says of a processor. `part` is `unknown` for a model of a known line that is not in AMD's list of
 * parts here; `product` is null for a line without a published root.
 */
export interface SnpProcessor {
  readonly product: SnpProduct | null;
  readonly part: SnpPart | 'unknown';
}

/** One TCB_VERSION by the layout of a product line. Reserved bytes are not looked at here. */
export function readTcb(tcb: Uint8Array, product: SnpProduct): SnpTcb {
  const at = (index: number) => tcb[index] ?? 0;
  return product === 'Turin'
    ? { fmc: at(0), bootloader: at(1), tee: at(2), snp: at(3), microcode: at(7) }
    : { bootloader: at(0), tee: at(1), snp: at(6), microcode: at(7) };
}

/** Whether the bytes that a line's layout leaves unused are zero. */
export function tcbFitsLayout(tcb: Uint8Array, product: SnpProduct): boolean {
  return isZero(product === 'Turin' ? tcb.subarray(4, 7) : tcb.subarray(2, 6));
}

/**
 * Checks the reserved bytes of every TCB_VERSION of a report, as far as the report itself tells the layout.
 * A version 2 report does not: there the line comes from the certificate, and only bytes that both layouts reserve
 * are checked here.
 *
 * @throws {FormatError} `snp_reserved`
 */
export function requireTcbReservedZero(report: SnpReport): void {
  const product = report.cpuid === null ? null : processorOf(report.cpuid).product;
  for (const [name, tcb] of Object.entries(report.tcb)) {
    const zero = product === null ? isZero(tcb.subarray(4, 6)) : tcbFitsLayout(tcb, product);
    if (!zero) throw new FormatError('snp_reserved', `reserved bytes of the ${name} TCB are not zero`);
  }
}

type Range = readonly [number, number];

const LINES: readonly { readonly family: number; readonly models: readonly Range[]; readonly product: SnpProduct }[] = [
  { family: 0x19, models: [[0x00, 0x0f]], product: 'Milan' },
  // Bergamo and Siena (A0 to AF) are certified under Genoa.
  {
    family: 0x19,
    models: [
      [0x10, 0x1f],
      [0xa0, 0xaf],
    ],
    product: 'Genoa',
  },
  { family: 0x1a, models: [[0x00, 0x11]], product: 'Turin' },
];

const ANY_STEPPING: Range = [0, 255];

/** Parts as the Linux microcode loader tells them apart: AMD numbers the microcode of each by itself. */
const PARTS: readonly {
  readonly family: number;
  readonly model: number;
  readonly steppings: Range;
  readonly part: SnpPart;
}[] = [
  { family: 0x19, model: 0x01, steppings: [0, 1], part: 'Milan' },
  { family: 0x19, model: 0x01, steppings: [2, 2], part: 'Milan-X' },
  { family: 0x19, model: 0x11, steppings: [0, 1], part: 'Genoa' },
  { family: 0x19, model: 0x11, steppings: [2, 2], part: 'Genoa-X' },
  { family: 0x19, model: 0xa0, steppings: [1, 2], part: 'Bergamo-Siena' },
  { family: 0x1a, model: 0x02, steppings: ANY_STEPPING, part: 'Turin' },
  { family: 0x1a, model: 0x11, steppings: ANY_STEPPING, part: 'Turin-Dense' },
];

const inside = (value: number, [low, high]: Range) => value >= low && value <= high;

/** Product line and part of a processor (CPUID family, model and stepping). */
export function processorOf(cpuid: { family: number; model: number; stepping: number }): SnpProcessor {
  const line = LINES.find(
    ({ family, models }) => family === cpuid.family && models.some((range) => inside(cpuid.model, range)),
  );
  const part = PARTS.find(
    ({ family, model, steppings }) =>
      family === cpuid.family && model === cpuid.model && inside(cpuid.stepping, steppings),
  );
  return { product: line?.product ?? null, part: part?.part ?? 'unknown' };
}

/** Names of the parts that AMD certifies under another line than their own name says. */
const LINE_OF_NAME: ReadonlyMap<string, SnpProduct> = new Map([
  ...SNP_PRODUCTS.map((product) => [product, product] as const),
  ['Bergamo', 'Genoa'],
  ['Siena', 'Genoa'],
]);

/** The product line of a productName, which is `Milan-B0` or, without a stepping, `Milan`; null for any other name. */
export function productOfName(productName: string | null): SnpProduct | null {
  return LINE_OF_NAME.get(productName?.split('-')[0] ?? '') ?? null;
}

/** The part that a report without CPUID counts as: the first of its line. */
export const FIRST_PART: { readonly [product in SnpProduct]: SnpPart } = {
  Milan: 'Milan',
  Genoa: 'Genoa',
  Turin: 'Turin',
};

/**
 * Product lines that a report can belong to, the likeliest first; empty where it names a line without a root.
 * Version 2 has no CPUID: a chip id of 8 bytes means Turin, a longer one Milan or Genoa, none says nothing.
 */
export function candidateProducts(report: SnpReport): readonly SnpProduct[] {
  if (report.cpuid !== null) {
    const { product } = processorOf(report.cpuid);
    return product === null ? [] : [product];
  }
  if (isZero(report.chipId)) return ['Milan', 'Genoa', 'Turin'];
  return isZero(report.chipId.subarray(8)) ? ['Turin'] : ['Milan', 'Genoa'];
}
