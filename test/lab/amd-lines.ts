import type { SnpPart, SnpProduct, SnpTcb } from '../../src/core/claims.js';

/** The properties of a product line from which the lab makes its machines. */
interface LabLine {
  readonly serials: { readonly ark: number; readonly ask: number; readonly asvk: number };
  /** productName in a VCEK. */
  readonly vcekName: string;
  readonly hwIdBytes: 8 | 64;
  readonly hasFmc: boolean;
}

export interface SnpCpuid {
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
}

/** A processor of a part: its line, and a CPUID that names it. */
interface LabProcessor {
  readonly product: SnpProduct;
  readonly cpuid: SnpCpuid;
}

/** Serial numbers as AMD's own certificates have them. */
export const AMD_SERIALS = {
  Milan: { ark: 0x010000, ask: 0x010001, asvk: 0x010101 },
  Genoa: { ark: 0x020000, ask: 0x020002, asvk: 0x020101 },
  Turin: { ark: 0x030000, ask: 0x030001, asvk: 0x030101 },
} as const;

/** Venice and Florence are not built in: a configuration has to add them. */
const LINES: ReadonlyMap<SnpProduct, LabLine> = new Map<SnpProduct, LabLine>([
  ['Milan', { serials: AMD_SERIALS.Milan, vcekName: 'Milan-B0', hwIdBytes: 64, hasFmc: false }],
  ['Genoa', { serials: AMD_SERIALS.Genoa, vcekName: 'Genoa-B1', hwIdBytes: 64, hasFmc: false }],
  ['Turin', { serials: AMD_SERIALS.Turin, vcekName: 'Turin', hwIdBytes: 8, hasFmc: true }],
  ['Venice', { serials: serialsFrom(0x040000), vcekName: 'Venice-A0', hwIdBytes: 8, hasFmc: true }],
  ['Florence', { serials: serialsFrom(0x050000), vcekName: 'Florence-B0', hwIdBytes: 64, hasFmc: false }],
]);

function serialsFrom(ark: number): LabLine['serials'] {
  return { ark, ask: ark + 1, asvk: ark + 0x101 };
}

/** @throws {Error} for a line that the lab does not know */
export function labLine(product: SnpProduct): LabLine {
  const line = LINES.get(product);
  if (line === undefined) throw new Error(`the lab has no product line ${product}`);
  return line;
}

/** A processor of each part that is built in: line, and a CPUID that names it. */
export const SNP_PROCESSORS = {
  Milan: { product: 'Milan', cpuid: { family: 0x19, model: 0x01, stepping: 1 } },
  'Milan-X': { product: 'Milan', cpuid: { family: 0x19, model: 0x01, stepping: 2 } },
  Genoa: { product: 'Genoa', cpuid: { family: 0x19, model: 0x11, stepping: 1 } },
  'Genoa-X': { product: 'Genoa', cpuid: { family: 0x19, model: 0x11, stepping: 2 } },
  'Bergamo-Siena': { product: 'Genoa', cpuid: { family: 0x19, model: 0xa0, stepping: 2 } },
  Turin: { product: 'Turin', cpuid: { family: 0x1a, model: 0x02, stepping: 1 } },
  'Turin-Dense': { product: 'Turin', cpuid: { family: 0x1a, model: 0x11, stepping: 0 } },
} as const satisfies { readonly [part: SnpPart]: LabProcessor };

const CONFIGURED_PROCESSORS: { readonly [part: SnpPart]: LabProcessor } = {
  Venice: { product: 'Venice', cpuid: { family: 0x1a, model: 0x50, stepping: 3 } },
  'Venice-Dense': { product: 'Venice', cpuid: { family: 0x1a, model: 0x91, stepping: 0 } },
  Florence: { product: 'Florence', cpuid: { family: 0x1b, model: 0x01, stepping: 1 } },
};

/** @throws {Error} for a part that the lab does not know */
export function processorOfPart(part: SnpPart): LabProcessor {
  const processor = { ...SNP_PROCESSORS, ...CONFIGURED_PROCESSORS }[part];
  if (processor === undefined) throw new Error(`the lab has no processor ${part}`);
  return processor;
}

/** TCB of a Milan that is current: at the minimum of the built-in baseline. */
export const MILAN_TCB = { bootloader: 4, tee: 0, snp: 24, microcode: 219 } satisfies SnpTcb;

const CURRENT_TCB: ReadonlyMap<SnpPart, SnpTcb> = new Map<SnpPart, SnpTcb>([
  ['Milan', MILAN_TCB],
  ['Milan-X', { bootloader: 4, tee: 0, snp: 24, microcode: 68 }],
  ['Genoa', { bootloader: 10, tee: 0, snp: 23, microcode: 84 }],
  ['Genoa-X', { bootloader: 10, tee: 0, snp: 23, microcode: 79 }],
  ['Bergamo-Siena', { bootloader: 10, tee: 0, snp: 23, microcode: 25 }],
  ['Turin', { fmc: 1, bootloader: 1, tee: 1, snp: 3, microcode: 71 }],
  ['Turin-Dense', { fmc: 1, bootloader: 1, tee: 1, snp: 3, microcode: 71 }],
  ['Florence', { bootloader: 6, tee: 0, snp: 25, microcode: 90 }],
]);

/** TCB of each part that is current: at the minimums of the built-in baseline. */
export function currentTcbOf(part: SnpPart): SnpTcb {
  return CURRENT_TCB.get(part) ?? { fmc: 2, bootloader: 3, tee: 1, snp: 5, microcode: 40 };
}

const MODELS = {
  Venice: {
    cpuid: { family: 0x1a, models: ['0x50-0x57', '0x90-0x9f'] },
    parts: { Venice: ['0x50-0x57'], 'Venice-Dense': [0x91] },
  },
  Florence: { cpuid: { family: 0x1b, models: ['0x00-0x0f'] }, parts: { Florence: [1] } },
} as const;

/** A product line of the lab that a configuration can add. */
export type ConfigurableProduct = keyof typeof MODELS;

/** The entry of `amd.products` for a line that is not built in. @param arkSpki SHA-256 of its roots, hex */
export function lineConfiguration(product: ConfigurableProduct, arkSpki: Iterable<string>) {
  const { hwIdBytes: hwid, hasFmc } = labLine(product);
  return { arkSpki: [...arkSpki], ...MODELS[product], hwid, tcb: hasFmc ? 'turin' : 'milan' };
}
