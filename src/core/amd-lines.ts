import type { SnpPart, SnpProduct } from './claims.js';

/** Lowest and highest, both inclusive. */
export type Range = readonly [number, number];

/** A part of a product line: AMD numbers the microcode of each part separately. */
export interface AmdPart {
  readonly part: SnpPart;
  readonly models: readonly Range[];
  readonly steppings: Range;
}

/** A product line of AMD: its trust anchor, and the values that distinguish its reports and key certificates. */
export interface AmdLine {
  readonly product: SnpProduct;
  /** SHA-256 of the SubjectPublicKeyInfo of each ARK, lower-case hex. Only this makes a root trusted. */
  readonly arkSpki: ReadonlySet<string>;
  /** CPUID family, and the models of it. */
  readonly family: number;
  readonly models: readonly Range[];
  /** A report without CPUID counts as the first part. */
  readonly parts: readonly AmdPart[];
  /** Names before the stepping in a productName, besides that of the line. */
  readonly otherNames: readonly string[];
  /** Bytes of a chip id in a certificate and at KDS. In a report zero bytes follow up to 64. */
  readonly chipIdBytes: 8 | 64;
  /** The layout of TCB_VERSION (AMD 56860): Turin's has FMC. */
  readonly layout: 'milan' | 'turin';
}

/** Product lines by name, the likeliest first. */
export type AmdLines = ReadonlyMap<SnpProduct, AmdLine>;

/** The name of a product line or part that a configuration adds, or a policy names. */
export const LINE_NAME = /^[A-Z][A-Za-z0-9-]{0,31}$/;

export const ANY_STEPPING: Range = [0, 255];

// The digests are also in the independent verifiers of Google, VirTEE and the Confidential Containers project.
const LINES: readonly AmdLine[] = [
  {
    product: 'Milan',
    arkSpki: new Set(['9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9']),
    family: 0x19,
    models: [[0x00, 0x0f]],
    // Parts, as the Linux microcode loader distinguishes them.
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
    arkSpki: new Set(['429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831']),
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
    arkSpki: new Set(['4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08']),
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

/** The built-in product lines. A configuration can add others. */
export const AMD_LINES: AmdLines = new Map(LINES.map((line) => [line.product, line]));

/** Names of the built-in product lines. */
export const SNP_PRODUCTS: readonly SnpProduct[] = LINES.map(({ product }) => product);

/** Names of their parts. */
export const SNP_PARTS: readonly SnpPart[] = LINES.flatMap(({ parts }) => parts.map(({ part }) => part));

/** The product line with a part; null if there is none. */
export function lineOfPart(part: SnpPart, lines: AmdLines): AmdLine | null {
  return [...lines.values()].find(({ parts }) => parts.some((own) => own.part === part)) ?? null;
}
