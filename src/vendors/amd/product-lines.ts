import { isZero } from '../../formats/byte-reader.js';
import type { SnpReport } from '../../formats/snp-report.js';
import type { SnpPart, SnpProduct } from '../../model/claims.js';

/** Lowest and highest, both inclusive. */
type Range = readonly [number, number];

/** A part of a product line: AMD numbers the microcode of each by itself. */
interface AmdPart {
  readonly part: SnpPart;
  readonly models: readonly Range[];
  readonly steppings: Range;
}

/** What distinguishes the reports and key certificates of a product line. */
export interface AmdLine {
  readonly product: SnpProduct;
  /** CPUID family, and the models of it. */
  readonly family: number;
  readonly models: readonly Range[];
  /** A report without CPUID counts as the first. */
  readonly parts: readonly [AmdPart, ...AmdPart[]];
  /** Names before the stepping in a productName, beside the line's own. */
  readonly otherNames: readonly string[];
  /** Bytes of a chip id in a certificate and at KDS. In a report zero bytes follow up to 64. */
  readonly chipIdBytes: 8 | 64;
  /** The layout of TCB_VERSION (AMD 56860): Turin's has FMC. */
  readonly layout: 'milan' | 'turin';
}

/** Product lines by name, the likeliest first. */
export type AmdLines = ReadonlyMap<SnpProduct, AmdLine>;

/** `line` is null for a processor of no known line, `part` is `unknown` for a model that no part has. */
export interface SnpProcessor {
  readonly line: AmdLine | null;
  readonly part: SnpPart | 'unknown';
}

const ANY_STEPPING: Range = [0, 255];

const LINES: readonly AmdLine[] = [
  {
    product: 'Milan',
    family: 0x19,
    models: [[0x00, 0x0f]],
    // Parts as the Linux microcode loader tells them apart.
    parts: [
      { part: 'Milan', models: [[0x01, 0x01]], steppings: [0, 1] },
      { part: 'Milan-X', models: [[0x01, 0x01]], steppings: [2, 2] },
    ],
    otherNames: [],
    chipIdBytes: 64,
    layout: 'milan',
  },
  {
    product: 'Genoa',
    family: 0x19,
    // Bergamo and Siena (A0 to AF) are certified under Genoa.
    models: [
      [0x10, 0x1f],
      [0xa0, 0xaf],
    ],
    parts: [
      { part: 'Genoa', models: [[0x11, 0x11]], steppings: [0, 1] },
      { part: 'Genoa-X', models: [[0x11, 0x11]], steppings: [2, 2] },
      { part: 'Bergamo-Siena', models: [[0xa0, 0xa0]], steppings: [1, 2] },
    ],
    otherNames: ['Bergamo', 'Siena'],
    chipIdBytes: 64,
    layout: 'milan',
  },
  {
    product: 'Turin',
    family: 0x1a,
    models: [[0x00, 0x11]],
    parts: [
      { part: 'Turin', models: [[0x02, 0x02]], steppings: ANY_STEPPING },
      { part: 'Turin-Dense', models: [[0x11, 0x11]], steppings: ANY_STEPPING },
    ],
    otherNames: [],
    chipIdBytes: 8,
    layout: 'turin',
  },
];

export const AMD_LINES: AmdLines = new Map(LINES.map((line) => [line.product, line]));

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

/** Whether a productName is of a line: `Milan-B0` or, without a stepping, `Milan`. */
export function isNameOf({ product, otherNames }: AmdLine, productName: string | null): boolean {
  const name = productName?.split('-')[0] ?? '';
  return name === product || otherNames.includes(name);
}

/**
 * The line of a product whose root is pinned.
 * @throws {Error} for a product that is not among the lines
 */
export function lineOf(product: SnpProduct, lines: AmdLines): AmdLine {
  const line = lines.get(product);
  if (line === undefined) throw new Error(`${product} has a pinned root and no product line`);
  return line;
}

/**
 * Product lines that a report can belong to, the likeliest first; empty where it names a line without a root.
 * Version 2 has no CPUID: there the length of the chip id decides, and none says nothing.
 */
export function candidateLines(report: SnpReport, lines: AmdLines): readonly AmdLine[] {
  if (report.cpuid !== null) {
    const { line } = processorOf(report.cpuid, lines);
    return line === null ? [] : [line];
  }
  if (isZero(report.chipId)) return [...lines.values()];
  const bytes = isZero(report.chipId.subarray(8)) ? 8 : 64;
  return [...lines.values()].filter(({ chipIdBytes }) => chipIdBytes === bytes);
}
