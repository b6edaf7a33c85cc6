import { describe, expect, it } from 'vitest';
import { AMD_LINES } from '../../../../../src/core/amd-lines.js';
import {
  candidateLines,
  isNameOf,
  lineOf,
  lineOfReport,
  processorOf,
} from '../../../../../src/tee/snp/amd/product-lines.js';
import { parseSnpReport } from '../../../../../src/tee/snp/format/snp-report.js';
import { servedWith } from '../../../../configured-lines.js';
import {
  azureReportFields,
  buildSnpReport,
  createAmdPki,
  SNP_PROCESSORS,
  type SnpReportFields,
} from '../../../../lab/index.js';

const { lines: SERVED } = servedWith(createAmdPki(), 'Venice', 'Florence');
const VENICE_CPUID = { family: 0x1a, model: 0x50, stepping: 0 };

const parse = (fields: Partial<SnpReportFields>) =>
  parseSnpReport(buildSnpReport({ ...azureReportFields(), ...fields }));

function named(cpuid: Parameters<typeof processorOf>[0]) {
  const { line, part } = processorOf(cpuid, AMD_LINES);
  return { product: line?.product ?? null, part };
}

describe('processors', () => {
  it('SNP-17 are told apart by part', () => {
    for (const [part, { product, cpuid }] of Object.entries(SNP_PROCESSORS)) {
      expect(named(cpuid)).toEqual({ product, part });
    }
  });

  it.each([
    [0x19, 0x00, 'Milan'],
    [0x19, 0x0f, 'Milan'],
    [0x19, 0x10, 'Genoa'],
    [0x19, 0x1f, 'Genoa'],
    [0x19, 0x20, null],
    [0x19, 0x9f, null],
    [0x19, 0xa0, 'Genoa'],
    [0x19, 0xaf, 'Genoa'],
    [0x19, 0xb0, null],
    [0x1a, 0x00, 'Turin'],
    [0x1a, 0x11, 'Turin'],
    [0x1a, 0x12, null],
    [0x1a, 0x50, null],
    [0x18, 0x01, null],
  ])('of family %i and model %i are of line %s', (family, model, product) => {
    expect(named({ family, model, stepping: 0 }).product).toBe(product);
  });

  it('of a known line and no known part are unknown', () => {
    expect(named({ family: 0x19, model: 0x01, stepping: 3 })).toEqual({ product: 'Milan', part: 'unknown' });
    expect(named({ family: 0x19, model: 0xa0, stepping: 0 })).toEqual({ product: 'Genoa', part: 'unknown' });
  });
});

describe('candidate lines of a report', () => {
  const chipId = (length: number) => Uint8Array.from({ length: 64 }, (_, index) => (index < length ? 7 : 0));

  it.each([
    ['names one', { chipId: chipId(64) }, ['Milan']],
    ['names one without a root', { cpuid: { family: 0x1a, model: 0x50, stepping: 0 } }, []],
    ['of version 2 has a long chip id', { version: 2, cpuid: null, chipId: chipId(64) }, ['Milan', 'Genoa']],
    ['of version 2 has a chip id of 8 bytes', { version: 2, cpuid: null, chipId: chipId(8) }, ['Turin']],
    ['of version 2 has none', { version: 2, cpuid: null, chipId: chipId(0) }, ['Milan', 'Genoa', 'Turin']],
  ])('that %s', (_, fields, expected) => {
    expect(candidateLines(parse(fields), AMD_LINES).map(({ product }) => product)).toEqual(expected);
  });
});

describe('the line of a product', () => {
  it('is the one of its name', () => {
    for (const product of ['Milan', 'Genoa', 'Turin'] as const) {
      expect(lineOf(product, AMD_LINES).product).toBe(product);
    }
  });

  it('that is not among the lines is an error, and no other line', () => {
    expect(() => lineOf('Turin', new Map())).toThrow(/Turin has a pinned root and no product line/);
  });
});

describe('a name in a key certificate', () => {
  const named = (product: string, name: string | null) => isNameOf(lineOf(product, SERVED), name);

  it.each([
    ['Milan', 'Milan'],
    ['Milan', 'Milan-B0'],
    ['Genoa', 'Bergamo-A1'],
    ['Genoa', 'Siena'],
    ['Venice', 'Venice-A0'],
    ['Venice', 'Venice'],
  ])('SNP-31 is of the line %s: %s', (product, name) => {
    expect(named(product, name)).toBe(true);
  });

  it.each([
    ['Milan', 'Milano'],
    ['Milan', 'milan-B0'],
    ['Milan', 'Genoa-B1'],
    ['Genoa', 'Milan-B0'],
    ['Genoa', 'Bergamo2'],
    ['Milan', ''],
    ['Milan', null],
    ['Milan', '-B0'],
    ['Venice', 'Venice2-A0'],
    ['Venice', 'Florence-B0'],
  ])('SNP-31 is not of the line %s: %j', (product, name) => {
    expect(named(product, name)).toBe(false);
  });
});

describe('the line of a report', () => {
  const line = (product: string) => lineOf(product, SERVED);

  it.each([
    ['the one of its processor, whatever its key is certified for', {}, 'Venice', 'Milan'],
    ['the one of its processor, which a configuration adds', { cpuid: VENICE_CPUID }, 'Milan', 'Venice'],
    ['without CPUID the built-in one that its key is certified for', { version: 2, cpuid: null }, 'Genoa', 'Genoa'],
    ['without CPUID none under the key of a configured one', { version: 2, cpuid: null }, 'Venice', undefined],
  ])('SNP-17 is %s', (_what, fields, certified, product) => {
    expect(lineOfReport(parse(fields), line(certified), SERVED)?.product).toBe(product);
  });

  it('is no configured one where it has no CPUID: none is a candidate', () => {
    const found = candidateLines(parse({ version: 2, cpuid: null }), SERVED);
    expect(found.map(({ product }) => product)).toEqual(['Milan', 'Genoa', 'Turin']);
  });
});
