import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../../src/core/errors.js';
import { parseSnpReport, SNP_REPORT_LENGTH, SNP_SIGNED_LENGTH } from '../../../../../src/tee/snp/format/snp-report.js';
import {
  azureReportFields,
  buildSnpReport,
  flipBit,
  type SnpReportFields,
  withSnpSignature,
} from '../../../../lab/index.js';

const parse = (fields: Partial<SnpReportFields> = {}) =>
  parseSnpReport(buildSnpReport({ ...azureReportFields(), ...fields }));

describe('parseSnpReport', () => {
  it('reads every field from its place', () => {
    const fields: Partial<SnpReportFields> = {
      version: 5,
      guestSvn: 0x01020304,
      familyId: new Uint8Array(16).fill(1),
      imageId: new Uint8Array(16).fill(2),
      vmpl: 3,
      reportData: new Uint8Array(64).fill(3),
      measurement: new Uint8Array(48).fill(4),
      hostData: new Uint8Array(32).fill(5),
      idKeyDigest: new Uint8Array(48).fill(6),
      authorKeyDigest: new Uint8Array(48).fill(7),
      reportId: new Uint8Array(32).fill(8),
      reportIdMa: new Uint8Array(32).fill(9),
      chipId: new Uint8Array(64).fill(10),
      currentTcb: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
      committedTcb: Uint8Array.of(2, 2, 3, 4, 5, 6, 7, 8),
      reportedTcb: Uint8Array.of(3, 2, 3, 4, 5, 6, 7, 8),
      launchTcb: Uint8Array.of(4, 2, 3, 4, 5, 6, 7, 8),
      currentFirmware: [1, 55, 29],
      committedFirmware: [1, 54, 3],
      mitigation: { launch: 0x1122334455667788n, current: 7n },
    };
    expect(parse(fields)).toMatchObject({
      version: 5,
      guestSvn: 0x01020304,
      familyId: fields.familyId,
      imageId: fields.imageId,
      vmpl: 3,
      reportData: fields.reportData,
      measurement: fields.measurement,
      hostData: fields.hostData,
      idKeyDigest: fields.idKeyDigest,
      authorKeyDigest: fields.authorKeyDigest,
      reportId: fields.reportId,
      reportIdMa: fields.reportIdMa,
      chipId: fields.chipId,
      tcb: {
        current: fields.currentTcb,
        committed: fields.committedTcb,
        reported: fields.reportedTcb,
        launch: fields.launchTcb,
      },
      cpuid: { family: 0x19, model: 1, stepping: 1 },
      firmware: { current: '1.55.29', committed: '1.54.3' },
      mitigation: fields.mitigation,
    });
  });

  it('reads the signed part and the signature, big endian', () => {
    const report = withSnpSignature(buildSnpReport(azureReportFields()), { r: 0x0102n, s: 0x0304n });
    const { signed, signature } = parseSnpReport(report);
    expect(signed).toEqual(report.subarray(0, SNP_SIGNED_LENGTH));
    expect(Buffer.from(signature).toString('hex')).toBe(`${'0102'.padStart(96, '0')}${'0304'.padStart(96, '0')}`);
  });

  it('reads a report inside of other bytes', () => {
    const report = buildSnpReport(azureReportFields());
    const around = Uint8Array.from(Buffer.concat([new Uint8Array(7).fill(0xee), report, new Uint8Array(9).fill(0xee)]));
    expect(parseSnpReport(around.subarray(7, 7 + SNP_REPORT_LENGTH))).toEqual(parseSnpReport(report));
  });

  it('reads a version without the fields of a later one', () => {
    expect(parse({ version: 2, cpuid: null })).toMatchObject({ version: 2, cpuid: null, mitigation: null });
    expect(parse({ version: 4 })).toMatchObject({ version: 4, mitigation: null });
  });

  it.each([
    [8, 'abiMajor', 1],
    [0, 'abiMinor', 1],
    [16, 'smt', true],
    [18, 'migrateMa', true],
    [19, 'debug', true],
    [20, 'singleSocket', true],
    [21, 'cxlAllow', true],
    [22, 'memAes256Xts', true],
    [23, 'raplDis', true],
    [24, 'ciphertextHidingDram', true],
    [25, 'pageSwapDisable', true],
  ])('reads POLICY bit %i as %s', (bit, name, value) => {
    const none = parse({ policy: 1n << 17n }).policy;
    expect(parse({ policy: (1n << 17n) | (1n << BigInt(bit)) }).policy).toEqual({ ...none, [name]: value });
  });

  it.each([
    [0, 'smtEnabled'],
    [1, 'tsmeEnabled'],
    [2, 'eccEnabled'],
    [3, 'raplDisabled'],
    [4, 'ciphertextHidingDramEnabled'],
    [5, 'aliasCheckComplete'],
    [6, 'iommuWriteSafe'],
    [7, 'tioEnabled'],
  ])('reads PLATFORM_INFO bit %i as %s', (bit, name) => {
    const none = parse({ platformInfo: 0n }).platformInfo;
    expect(parse({ platformInfo: 1n << BigInt(bit) }).platformInfo).toEqual({ ...none, [name]: true });
  });

  it.each([8, 31, 32, 63])('reports PLATFORM_INFO bit %i, which has no name, as unknown', (bit) => {
    expect(parse({ platformInfo: (1n << BigInt(bit)) | 1n }).platformInfo).toMatchObject({
      smtEnabled: true,
      unknownBits: [bit],
    });
  });

  it.each([
    [0, { authorKeyEn: false, maskChipKey: false, signingKey: 'vcek' }],
    [1, { authorKeyEn: true, maskChipKey: false, signingKey: 'vcek' }],
    [2, { authorKeyEn: false, maskChipKey: true, signingKey: 'vcek' }],
    [4, { authorKeyEn: false, maskChipKey: false, signingKey: 'vlek' }],
    [28, { authorKeyEn: false, maskChipKey: false, signingKey: 'none' }],
  ])('reads KEY_INFO %i', (keyInfo, expected) => {
    expect(parse({ keyInfo })).toMatchObject(expected);
  });

  it('SNP-03 refuses each byte beside R and S that is not zero', () => {
    const report = buildSnpReport(azureReportFields());
    for (let offset = 0x2a0; offset < 0x4a0; offset++) {
      const inside = (start: number) => offset >= start && offset < start + 48;
      const parsing = () => parseSnpReport(flipBit(report, offset, 7));
      if (inside(0x2a0) || inside(0x2e8)) expect(parsing).not.toThrow();
      else expect(parsing).toThrow(expect.objectContaining({ code: 'snp_reserved' }));
    }
  });

  it('says nothing of the evidence in its messages', () => {
    try {
      parse({ version: 9 });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      expect((error as FormatError).message).toBe('report version 9 is not known');
    }
  });
});
