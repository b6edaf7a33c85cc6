import { describe, expect, it } from 'vitest';
import { parseSnpReport } from '../../../../src/formats/snp-report.js';
import {
  candidateProducts,
  processorOf,
  readTcb,
  requireTcbReservedZero,
  tcbFitsLayout,
} from '../../../../src/vendors/amd/tcb.js';
import { azureReportFields, buildSnpReport, SNP_PROCESSORS, type SnpReportFields } from '../../../lab/index.js';

const BYTES = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const parse = (fields: Partial<SnpReportFields>) =>
  parseSnpReport(buildSnpReport({ ...azureReportFields(), ...fields }));

describe('TCB_VERSION', () => {
  it('is read by the layout of the line', () => {
    const old = { bootloader: 1, tee: 2, snp: 7, microcode: 8 };
    expect(readTcb(BYTES, 'Milan')).toEqual(old);
    expect(readTcb(BYTES, 'Genoa')).toEqual(old);
    expect(readTcb(BYTES, 'Turin')).toEqual({ fmc: 1, bootloader: 2, tee: 3, snp: 4, microcode: 8 });
  });

  it('fits a layout where the bytes that the line leaves unused are zero', () => {
    const unused = { Milan: [2, 3, 4, 5], Genoa: [2, 3, 4, 5], Turin: [4, 5, 6] } as const;
    for (const product of ['Milan', 'Genoa', 'Turin'] as const) {
      for (let index = 0; index < 8; index++) {
        const tcb = Uint8Array.from({ length: 8 }, (_, at) => (at === index ? 1 : 0));
        const fits = !(unused[product] as readonly number[]).includes(index);
        expect(tcbFitsLayout(tcb, product), `${product} byte ${index}`).toBe(fits);
      }
    }
  });

  it('SNP-06 refuses only what every layout reserves in a report that names no line', () => {
    const turinLike = Uint8Array.of(1, 1, 1, 3, 0, 0, 0, 71);
    expect(() => requireTcbReservedZero(parse({ version: 2, cpuid: null, launchTcb: turinLike }))).not.toThrow();
    expect(() => requireTcbReservedZero(parse({ launchTcb: turinLike }))).toThrow(
      expect.objectContaining({ code: 'snp_reserved' }),
    );
    const { cpuid } = SNP_PROCESSORS.Turin;
    const all = { currentTcb: turinLike, committedTcb: turinLike, reportedTcb: turinLike, launchTcb: turinLike };
    expect(() => requireTcbReservedZero(parse({ cpuid, ...all }))).not.toThrow();
  });
});

describe('processors', () => {
  it('SNP-17 are told apart by part', () => {
    for (const [part, { product, cpuid }] of Object.entries(SNP_PROCESSORS)) {
      expect(processorOf(cpuid)).toEqual({ product, part });
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
    expect(processorOf({ family, model, stepping: 0 }).product).toBe(product);
  });

  it('of a known line and no known part are unknown', () => {
    expect(processorOf({ family: 0x19, model: 0x01, stepping: 3 })).toEqual({ product: 'Milan', part: 'unknown' });
    expect(processorOf({ family: 0x19, model: 0xa0, stepping: 0 })).toEqual({ product: 'Genoa', part: 'unknown' });
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
    expect(candidateProducts(parse(fields))).toEqual(expected);
  });
});
