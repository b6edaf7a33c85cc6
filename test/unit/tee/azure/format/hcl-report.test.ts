import { describe, expect, it } from 'vitest';
import { parseHclReport } from '../../../../../src/tee/azure/format/hcl-report.js';
import { azureTdFields, buildHclReport, buildTdReport } from '../../../../lab/index.js';

const hardwareReport = Uint8Array.from({ length: 1184 }, (_, index) => index & 0x7f);
const runtimeClaims = Buffer.from('{"keys":[]}');

describe('parseHclReport', () => {
  it('reads hardware report and claims as they stand', () => {
    const report = parseHclReport(buildHclReport({ hardwareReport, runtimeClaims }));
    expect(report).toMatchObject({ version: 2, reportType: 'snp' });
    expect(report.hardwareReport).toEqual(hardwareReport);
    expect(Buffer.from(report.runtimeClaims)).toEqual(runtimeClaims);
  });

  it.each([
    [1, 'vbs'],
    [2, 'snp'],
    [3, 'tvm'],
    [5, 'cca'],
  ])('reads report type %i as %s', (reportType, name) => {
    expect(parseHclReport(buildHclReport({ hardwareReport, runtimeClaims, reportType })).reportType).toBe(name);
  });

  it('HCL-05 refuses a TDREPORT under type SNP, and what is none under type TDX', () => {
    const tdReport = buildTdReport(azureTdFields());
    const parse = (reportType: number, report: Uint8Array) => () =>
      parseHclReport(buildHclReport({ hardwareReport: report, runtimeClaims, reportType })).reportType;
    expect(parse(4, tdReport)()).toBe('tdx');
    expect(parse(2, hardwareReport)()).toBe('snp');
    expect(parse(2, tdReport)).toThrow(expect.objectContaining({ code: 'hcl_format' }));
    expect(parse(4, hardwareReport)).toThrow(expect.objectContaining({ code: 'hcl_format' }));
  });

  it('HCL-01 says of filling that is not zero what it is', () => {
    const report = buildHclReport({ hardwareReport, runtimeClaims });
    const message = 'padding bytes after the runtime claims are not zero';
    expect(() => parseHclReport(Uint8Array.from([...report, 1]))).toThrow(
      expect.objectContaining({ code: 'hcl_format', message }),
    );
  });

  it('TDX-16 reads a TDREPORT of version 1 where a service TD is bound, and of version 0 where none is', () => {
    const parse = (bound: boolean, version: number) => () => {
      const hardwareReport = buildTdReport({ ...azureTdFields(), mrServiceTd: new Uint8Array(48).fill(Number(bound)) });
      hardwareReport[2] = version;
      return parseHclReport(buildHclReport({ hardwareReport, runtimeClaims, reportType: 4 })).reportType;
    };
    expect([parse(true, 1)(), parse(false, 0)()]).toEqual(['tdx', 'tdx']);
    for (const [bound, version, expected] of [
      [true, 0, '1 where SERVTD_HASH is not zero'],
      [true, 2, '1 where SERVTD_HASH is not zero'],
      [false, 1, '0 where SERVTD_HASH is zero'],
    ] as const) {
      const message = `the TDREPORT is of version ${version}, expected ${expected}`;
      expect(parse(bound, version)).toThrow(expect.objectContaining({ code: 'hcl_format', message }));
    }
  });

  it.each([0, 47])('takes a service TD for bound by byte %i of SERVTD_HASH alone', (index) => {
    const mrServiceTd = new Uint8Array(48);
    mrServiceTd[index] = 1;
    const hardwareReport = buildTdReport({ ...azureTdFields(), mrServiceTd });
    const parse = (version: number) => () => {
      hardwareReport[2] = version;
      return parseHclReport(buildHclReport({ hardwareReport, runtimeClaims, reportType: 4 })).reportType;
    };
    expect(parse(1)()).toBe('tdx');
    expect(parse(0)).toThrow(expect.objectContaining({ code: 'hcl_format' }));
  });

  it('reads a report inside of other bytes', () => {
    const report = buildHclReport({ hardwareReport, runtimeClaims });
    const around = Uint8Array.from(Buffer.concat([new Uint8Array(5).fill(0xee), report, new Uint8Array(3).fill(0xee)]));
    expect(parseHclReport(around.subarray(5, 5 + report.byteLength))).toEqual(parseHclReport(report));
  });

  it('HCL-02 takes claims of 2 to 4096 bytes', () => {
    const parse = (length: number) => () =>
      parseHclReport(buildHclReport({ hardwareReport, runtimeClaims: new Uint8Array(length).fill(0x20) }));
    for (const length of [2, 4096]) expect(parse(length)).not.toThrow();
    for (const length of [0, 1, 4097]) expect(parse(length)).toThrow(expect.objectContaining({ code: 'hcl_format' }));
  });
});
