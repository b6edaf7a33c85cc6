import { AMD_LINES, type AmdLine, type AmdLines, type Range } from '../../../core/amd-lines.js';
import type { SnpPart, SnpProduct } from '../../../core/claims.js';
import { isZero } from '../../../formats/byte-reader.js';
import type { SnpReport } from '../format/snp-report.js';

/** `line` is null for a processor of an unknown line. `part` is `unknown` if no part has its model and stepping. */
export interface SnpProcessor {
  readonly line: AmdLine | null;
  readonly part: SnpPart | 'unknown';
}

const inside = (value: number, [low, high]: Range) => value >= low && value <= high;
const insideAny = (value: number, ranges: readonly Range[]) => ranges.some((range) => inside(value, range));

/** Product line and part of a processor (CPUID family, model and stepping). */
export function processorOf(
  { family, model, stepping }: { family: number; model: number; stepping: number },
  lines: AmdLines,
): SnpProcessor {
  const line = [...lines.values()].find((known) => known.family === family && insideAny(model, known.models));
  const part = line?.parts.find(({ models, steppings }) => insideAny(model, models) && inside(stepping, steppings));
  return { line: line ?? null, part: part?.part ?? 'unknown' };
}

/**
 * The product line of a report, given the line in its key certificate; null if there is none. A report without CPUID
 * (version 2) can only be of a built-in line, because later lines have no such reports.
 */
export function lineOfReport({ cpuid }: SnpReport, certified: AmdLine, lines: AmdLines): AmdLine | null {
  if (cpuid !== null) return processorOf(cpuid, lines).line;
  return AMD_LINES.has(certified.product) ? certified : null;
}

/** Whether a productName names a line: `Milan-B0` or, without a stepping, `Milan`. */
export function isNameOf({ product, otherNames }: AmdLine, productName: string | null): boolean {
  return [product, ...otherNames].some((name) => productName === name || productName?.startsWith(`${name}-`) === true);
}

/**
 * Returns the line of a product with a pinned root.
 * @throws {Error} for a product that is not among the lines
 */
export function lineOf(product: SnpProduct, lines: AmdLines): AmdLine {
  const line = lines.get(product);
  if (line === undefined) throw new Error(`${product} has a pinned root and no product line`);
  return line;
}

/**
 * The product lines that a report can belong to, the most likely first; empty if it names a line without a pinned root.
 * In version 2, which has no CPUID, the length of the chip id selects among the built-in lines. A report without a chip
 * id can belong to all of them.
 */
export function candidateLines(report: SnpReport, lines: AmdLines): readonly AmdLine[] {
  if (report.cpuid !== null) {
    const { line } = processorOf(report.cpuid, lines);
    return line === null ? [] : [line];
  }
  const builtIn = [...lines.values()].filter(({ product }) => AMD_LINES.has(product));
  if (isZero(report.chipId)) return builtIn;
  const bytes = isZero(report.chipId.subarray(8)) ? 8 : 64;
  return builtIn.filter(({ chipIdBytes }) => chipIdBytes === bytes);
}
