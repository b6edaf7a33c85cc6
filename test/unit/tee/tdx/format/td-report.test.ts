import { describe, expect, it } from 'vitest';
import { parseTdReport } from '../../../../../src/tee/tdx/format/td-report.js';
import { parseTdReportBody } from '../../../../../src/tee/tdx/format/td-report-body.js';
import { holdsTdReportHashes } from '../../../../../src/tee/tdx/td-report-match.js';
import { flipBit } from '../../../../lab/byte-patch.js';
import { buildTdBody, linuxTdFields, TD_ATTRIBUTE } from '../../../../lab/td-body-builder.js';
import { buildTdReport } from '../../../../lab/td-report-builder.js';
import { haveVectors, readVector, vectors } from '../../../../vectors.js';

const sized = (byte: number, length = 48) => new Uint8Array(length).fill(byte);
const FIELDS = {
  ...linuxTdFields(),
  teeTcbSvn: sized(1, 16),
  mrSeam: sized(2),
  mrSignerSeam: sized(3),
  seamAttributes: 0x0404040404040404n,
  tdAttributes: 0x0505050505050505n,
  xfam: 0x0606060606060606n,
  mrTd: sized(7),
  mrConfigId: sized(8),
  mrOwner: sized(9),
  mrOwnerConfig: sized(10),
  rtmrs: [sized(11), sized(12), sized(13), sized(14)] as const,
  reportData: sized(15, 64),
  teeTcbSvn2: sized(16, 16),
  mrServiceTd: sized(17),
};
const REPORT = buildTdReport(FIELDS);

describe('body of a TD report', () => {
  it('reads every field at its place', () => {
    const body = parseTdReportBody(buildTdBody(FIELDS, 'td15'));
    expect(body).toEqual({
      teeTcbSvn: sized(1, 16),
      mrSeam: sized(2),
      mrSignerSeam: sized(3),
      seamAttributes: sized(4, 8),
      tdAttributes: 0x0505050505050505n,
      xfam: sized(6, 8),
      xfamBits: 0x0606060606060606n,
      mrTd: sized(7),
      mrConfigId: sized(8),
      mrOwner: sized(9),
      mrOwnerConfig: sized(10),
      rtmr: [sized(11), sized(12), sized(13), sized(14)],
      reportData: sized(15, 64),
      td15: { teeTcbSvn2: sized(16, 16), mrServiceTd: sized(17) },
      extension: null,
    });
    expect(parseTdReportBody(buildTdBody(FIELDS, 'td10')).td15).toBeNull();
  });

  it('TDX-40 reads what an extended TD 1.5 body has behind a TD 1.5 body', () => {
    const extension = {
      vmId: sized(18, 1),
      tdId: sized(19, 32),
      deviceInfo: sized(20),
      initHash: sized(21),
      initAttributes: sized(22, 8),
      initCpuSvn: sized(23, 16),
      initTcbSvn: sized(24, 16),
      initModel: sized(25, 12),
      currentHash: sized(26),
      currentAttributes: sized(27, 8),
    };
    const fields = { ...FIELDS, tdAttributes: TD_ATTRIBUTE.serviceTdExt, extension };
    const bytes = buildTdBody(fields, 'td15Extended');
    const starts = [648, 649, 681, 729, 777, 785, 801, 817, 829, 877];
    expect([bytes.byteLength, ...starts.map((start) => bytes[start])]).toEqual([
      885,
      ...starts.map((_, at) => 18 + at),
    ]);
    const { vmId: _, tdId, deviceInfo, ...serviceTd } = extension;
    expect(parseTdReportBody(bytes)).toMatchObject({
      td15: { mrServiceTd: sized(17) },
      extension: { vmId: 18, tdId, deviceInfo, serviceTd },
    });
  });

  it.each([0, 583, 585, 647, 649, 884, 886])('TDX-02 refuses %d bytes', (length) => {
    expect(() => parseTdReportBody(new Uint8Array(length))).toThrow(expect.objectContaining({ code: 'tdx_format' }));
  });
});

describe('TDREPORT', () => {
  it('reads every field at its place', () => {
    expect(parseTdReport(REPORT)).toMatchObject({
      reportData: sized(15, 64),
      teeTcbSvn: sized(1, 16),
      mrSeam: sized(2),
      mrSignerSeam: sized(3),
      seamAttributes: sized(4, 8),
      teeTcbSvn2: sized(16, 16),
      tdAttributes: sized(5, 8),
      xfam: sized(6, 8),
      mrTd: sized(7),
      mrConfigId: sized(8),
      mrOwner: sized(9),
      mrOwnerConfig: sized(10),
      rtmr: [sized(11), sized(12), sized(13), sized(14)],
      servTdHash: sized(17),
    });
  });

  it.each([0, 1023, 1025])('TDX-02 refuses %d bytes', (length) => {
    expect(() => parseTdReport(new Uint8Array(length))).toThrow(expect.objectContaining({ code: 'tdx_format' }));
  });

  it('refuses another report type', () => {
    expect(() => parseTdReport(flipBit(REPORT, 0))).toThrow(expect.objectContaining({ code: 'tdx_format' }));
    expect(() => parseTdReport(flipBit(REPORT, 1))).toThrow(expect.objectContaining({ code: 'tdx_format' }));
  });

  it('TDX-23 its own hashes cover all of its two parts', () => {
    const holds = (bytes: Uint8Array) => holdsTdReportHashes(parseTdReport(bytes));
    expect(holds(REPORT)).toBe(true);
    for (const offset of [32, 79, 80, 127, 256, 494, 512, 1023]) expect(holds(flipBit(REPORT, offset))).toBe(false);
    // outside of both: report data and MAC, which only the machine itself can check
    for (const offset of [128, 224, 495, 511]) expect(holds(flipBit(REPORT, offset))).toBe(true);
  });

  it.each(
    haveVectors
      ? vectors('az-tdx-vtpm').flatMap(({ files }) => files.filter((file) => file.endsWith('.hcl-report.bin')))
      : [],
  )('TDX-23 hashes of the real one in %s hold', (file) => {
    expect(holdsTdReportHashes(parseTdReport(readVector(file).subarray(32, 32 + 1024)))).toBe(true);
  });
});
