import { describe, expect, it } from 'vitest';
import { AMD_LINES } from '../../../../../src/core/amd-lines.js';
import { lineOf } from '../../../../../src/tee/snp/amd/product-lines.js';
import { readTcb, requireTcbReservedZero, tcbFitsLayout } from '../../../../../src/tee/snp/amd/tcb.js';
import { parseSnpReport } from '../../../../../src/tee/snp/format/snp-report.js';
import { azureReportFields, buildSnpReport, SNP_PROCESSORS, type SnpReportFields } from '../../../../lab/index.js';

const BYTES = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const parse = (fields: Partial<SnpReportFields>) =>
  parseSnpReport(buildSnpReport({ ...azureReportFields(), ...fields }));

describe('TCB_VERSION', () => {
  it('is read by the layout of the line', () => {
    const old = { bootloader: 1, tee: 2, snp: 7, microcode: 8 };
    expect(readTcb(BYTES, lineOf('Milan', AMD_LINES))).toEqual(old);
    expect(readTcb(BYTES, lineOf('Genoa', AMD_LINES))).toEqual(old);
    expect(readTcb(BYTES, lineOf('Turin', AMD_LINES))).toEqual({ fmc: 1, bootloader: 2, tee: 3, snp: 4, microcode: 8 });
  });

  it('fits a layout where the bytes that the line leaves unused are zero', () => {
    const unused = { Milan: [2, 3, 4, 5], Genoa: [2, 3, 4, 5], Turin: [4, 5, 6] } as const;
    for (const product of ['Milan', 'Genoa', 'Turin'] as const) {
      for (let index = 0; index < 8; index++) {
        const tcb = Uint8Array.from({ length: 8 }, (_, at) => (at === index ? 1 : 0));
        const fits = !(unused[product] as readonly number[]).includes(index);
        expect(tcbFitsLayout(tcb, lineOf(product, AMD_LINES)), `${product} byte ${index}`).toBe(fits);
      }
    }
  });

  it('SNP-06 refuses only what every layout reserves in a report that names no line', () => {
    const turinLike = Uint8Array.of(1, 1, 1, 3, 0, 0, 0, 71);
    expect(() =>
      requireTcbReservedZero(parse({ version: 2, cpuid: null, launchTcb: turinLike }), AMD_LINES),
    ).not.toThrow();
    expect(() => requireTcbReservedZero(parse({ launchTcb: turinLike }), AMD_LINES)).toThrow(
      expect.objectContaining({ code: 'snp_reserved' }),
    );
    const { cpuid } = SNP_PROCESSORS.Turin;
    const all = { currentTcb: turinLike, committedTcb: turinLike, reportedTcb: turinLike, launchTcb: turinLike };
    expect(() => requireTcbReservedZero(parse({ cpuid, ...all }), AMD_LINES)).not.toThrow();
  });
});
