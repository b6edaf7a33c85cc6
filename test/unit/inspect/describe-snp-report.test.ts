import { describe, expect, it } from 'vitest';
import { describeSnpReport } from '../../../src/inspect/describe-snp-report.js';
import {
  azureReportFields,
  type BytePatch,
  buildSnpReport,
  patchBytes,
  SNP_PROCESSORS,
  type SnpReportFields,
} from '../../lab/index.js';

const TURIN_TCB = Uint8Array.of(1, 2, 3, 4, 0, 0, 0, 71);

function fieldsOf(fields: Partial<SnpReportFields> = {}) {
  const described = describeSnpReport(buildSnpReport({ ...azureReportFields(), ...fields }), '/report');
  return new Map(described.fields.map((field) => [field.name, field]));
}

/**
 * Name, offset, length, bytes and shown value of each field (AMD 56860, ATTESTATION_REPORT). Where no value stands, it is the bytes in hex. No two
 * fields have the same bytes.
 */
const LAYOUT: readonly (readonly [name: string, offset: number, length: number, bytes: string, value?: unknown])[] = [
  ['VERSION', 0x000, 4, '05000000', 5],
  ['GUEST_SVN', 0x004, 4, '01020304', 0x04030201],
  ['POLICY', 0x008, 8, '3701020000000000', expect.objectContaining({ abiMajor: 1, abiMinor: 0x37 })],
  ['FAMILY_ID', 0x010, 16, 'f1'.repeat(16)],
  ['IMAGE_ID', 0x020, 16, 'f2'.repeat(16)],
  ['VMPL', 0x030, 4, '03000000', 3],
  ['SIGNATURE_ALGO', 0x034, 4, '01000000', 1],
  ['CURRENT_TCB', 0x038, 8, '1112000000001314', { bootloader: 0x11, tee: 0x12, snp: 0x13, microcode: 0x14 }],
  ['PLATFORM_INFO', 0x040, 8, '2500000000000000', expect.objectContaining({ smtEnabled: true, eccEnabled: true })],
  ['KEY_INFO', 0x048, 4, '07000000', { authorKeyEn: true, maskChipKey: true, signingKey: 'vlek' }],
  ['REPORT_DATA', 0x050, 64, 'f3'.repeat(64)],
  ['MEASUREMENT', 0x090, 48, 'f4'.repeat(48)],
  ['HOST_DATA', 0x0c0, 32, 'f5'.repeat(32)],
  ['ID_KEY_DIGEST', 0x0e0, 48, 'f6'.repeat(48)],
  ['AUTHOR_KEY_DIGEST', 0x110, 48, 'f7'.repeat(48)],
  ['REPORT_ID', 0x140, 32, 'f8'.repeat(32)],
  ['REPORT_ID_MA', 0x160, 32, 'f9'.repeat(32)],
  ['REPORTED_TCB', 0x180, 8, '2122000000002324', { bootloader: 0x21, tee: 0x22, snp: 0x23, microcode: 0x24 }],
  ['CPUID', 0x188, 3, '190102', { family: 0x19, model: 0x01, stepping: 0x02 }],
  ['CHIP_ID', 0x1a0, 64, 'fa'.repeat(64)],
  ['COMMITTED_TCB', 0x1e0, 8, '3132000000003334', { bootloader: 0x31, tee: 0x32, snp: 0x33, microcode: 0x34 }],
  ['CURRENT_VERSION', 0x1e8, 3, '040302', '2.3.4'],
  ['COMMITTED_VERSION', 0x1ec, 3, '070605', '5.6.7'],
  ['LAUNCH_TCB', 0x1f0, 8, '4142000000004344', { bootloader: 0x41, tee: 0x42, snp: 0x43, microcode: 0x44 }],
  ['LAUNCH_MIT_VECTOR', 0x1f8, 8, '0102000000000000', '0x201'],
  ['CURRENT_MIT_VECTOR', 0x200, 8, '0304000000000000', '0x403'],
  [
    'SIGNATURE',
    0x2a0,
    144,
    `01${'00'.repeat(46)}02${'00'.repeat(24)}03${'00'.repeat(46)}04${'00'.repeat(24)}`,
    `02${'00'.repeat(46)}0104${'00'.repeat(46)}03`,
  ],
];

/** The report of the table, with other bytes in some places. */
function reportOf(patches: readonly BytePatch[] = []): Uint8Array {
  const written = LAYOUT.map(([, offset, , bytes]) => ({ offset, bytes: Uint8Array.from(Buffer.from(bytes, 'hex')) }));
  return patchBytes(new Uint8Array(0x4a0), [...written, ...patches]);
}

function valueWith(name: string, offset: number, bytes: readonly number[]): unknown {
  const report = reportOf([{ offset, bytes: Uint8Array.from(bytes) }]);
  return describeSnpReport(report, '/report').fields.find((field) => field.name === name)?.value;
}

/** The eight bytes of a number with these bits. */
const bits = (...positions: readonly number[]) => {
  const bytes = new Uint8Array(8);
  for (const position of positions) bytes[position >> 3] = (bytes[position >> 3] ?? 0) | (1 << (position & 7));
  return [...bytes];
};

const meaning = (name: string, fields: Partial<SnpReportFields>) => fieldsOf(fields).get(name)?.meaning;

describe('description of an SEV-SNP report', () => {
  it('names the structure and its length', () => {
    expect(describeSnpReport(reportOf(), '/report')).toMatchObject({
      name: 'ATTESTATION_REPORT',
      about: '/report',
      start: 0,
      length: 1184,
    });
  });

  it('has each field of the specification where it stands, with its length and value', () => {
    const described = describeSnpReport(reportOf(), '/report').fields.toSorted(
      (one, other) => (one.offset ?? 0) - (other.offset ?? 0),
    );
    expect(described.map(({ name, offset, length, value }) => [name, offset, length, value])).toEqual(
      LAYOUT.map(([name, offset, length, bytes, value = bytes]) => [name, offset, length, value]),
    );
  });

  it('says what the report is signed with', () => {
    expect(meaning('SIGNATURE_ALGO', {})).toBe('ECDSA P-384 with SHA-384');
    expect(meaning('SIGNATURE', {})).toBe('ECDSA P-384 with SHA-384 over bytes 0 to 671, as r and s in big endian');
  });

  const NO_POLICY = {
    abiMajor: 0,
    abiMinor: 0,
    smt: false,
    migrateMa: false,
    debug: false,
    singleSocket: false,
    cxlAllow: false,
    memAes256Xts: false,
    raplDis: false,
    ciphertextHidingDram: false,
    pageSwapDisable: false,
  };

  it.each([
    [16, 'smt'],
    [18, 'migrateMa'],
    [19, 'debug'],
    [20, 'singleSocket'],
    [21, 'cxlAllow'],
    [22, 'memAes256Xts'],
    [23, 'raplDis'],
    [24, 'ciphertextHidingDram'],
    [25, 'pageSwapDisable'],
  ])('shows bit %i of POLICY as %s and as nothing else', (bit, name) => {
    expect(valueWith('POLICY', 0x008, bits(17, bit))).toEqual({ ...NO_POLICY, [name]: true });
    expect(valueWith('POLICY', 0x008, bits(17))).toEqual(NO_POLICY);
  });

  const NO_PLATFORM_INFO = {
    smtEnabled: false,
    tsmeEnabled: false,
    eccEnabled: false,
    raplDisabled: false,
    ciphertextHidingDramEnabled: false,
    aliasCheckComplete: false,
    iommuWriteSafe: false,
    tioEnabled: false,
    unknownBits: [],
  };

  it.each([
    [0, { smtEnabled: true }],
    [1, { tsmeEnabled: true }],
    [2, { eccEnabled: true }],
    [3, { raplDisabled: true }],
    [4, { ciphertextHidingDramEnabled: true }],
    [5, { aliasCheckComplete: true }],
    [6, { iommuWriteSafe: true }],
    [7, { tioEnabled: true }],
    [8, { unknownBits: [8] }],
    [63, { unknownBits: [63] }],
  ])('shows bit %i of PLATFORM_INFO as %o and as nothing else', (bit, expected) => {
    expect(valueWith('PLATFORM_INFO', 0x040, bits(bit))).toEqual({ ...NO_PLATFORM_INFO, ...expected });
  });

  it.each([
    [0x00, { authorKeyEn: false, maskChipKey: false, signingKey: 'vcek' }],
    [0x01, { authorKeyEn: true, maskChipKey: false, signingKey: 'vcek' }],
    [0x02, { authorKeyEn: false, maskChipKey: true, signingKey: 'vcek' }],
    [0x04, { authorKeyEn: false, maskChipKey: false, signingKey: 'vlek' }],
    [0x1c, { authorKeyEn: false, maskChipKey: false, signingKey: 'none' }],
  ])('shows what KEY_INFO %i says', (info, expected) => {
    expect(valueWith('KEY_INFO', 0x048, [info])).toEqual(expected);
  });

  it('says whether the host may debug the guest, and whether there is a migration agent', () => {
    expect(meaning('POLICY', {})).toBe('debugging is not allowed');
    expect(meaning('POLICY', { policy: 0xb001fn })).toBe('the host may debug the guest');
    expect(meaning('REPORT_ID_MA', {})).toBe('no migration agent');
    expect(meaning('REPORT_ID_MA', { reportIdMa: new Uint8Array(32) })).toBe('a migration agent is present');
  });

  it('says whether an author key stands behind its digest', () => {
    const keyInfo = { authorKeyEn: true, maskChipKey: false, signingKey: 0 };
    expect(meaning('AUTHOR_KEY_DIGEST', {})).toBe('no author key');
    expect(meaning('AUTHOR_KEY_DIGEST', { keyInfo })).toBeNull();
  });

  it.each([
    [0, 'requested at the most privileged level: where there is a paravisor, by the paravisor'],
    [1, 'requested at a less privileged level of the guest'],
    [0xffffffff, 'requested by the host'],
  ])('says who asked for a report of VMPL %i', (vmpl, expected) => {
    expect(meaning('VMPL', { vmpl })).toBe(expected);
  });

  it('names line and part of the processor, known or not', () => {
    expect(meaning('CPUID', {})).toBe('Milan, part Milan');
    expect(meaning('CPUID', { cpuid: { family: 0x1a, model: 0x50, stepping: 0 } })).toBe(
      'unknown product line, part unknown',
    );
    expect(fieldsOf({ version: 2, cpuid: null }).has('CPUID')).toBe(false);
  });

  it('has the mitigation vectors where the report has them', () => {
    const fields = fieldsOf({ version: 5, mitigation: { launch: 1n, current: 0x13n } });
    expect(fields.get('LAUNCH_MIT_VECTOR')?.value).toBe('0x1');
    expect(fields.get('CURRENT_MIT_VECTOR')?.value).toBe('0x13');
    expect(fieldsOf().has('CURRENT_MIT_VECTOR')).toBe(false);
  });

  it('reads a TCB by the layout of the line', () => {
    expect(fieldsOf().get('REPORTED_TCB')?.value).toEqual({ bootloader: 4, tee: 0, snp: 24, microcode: 219 });
    const { cpuid } = SNP_PROCESSORS.Turin;
    expect(fieldsOf({ cpuid, reportedTcb: TURIN_TCB }).get('REPORTED_TCB')?.value).toEqual({
      fmc: 1,
      bootloader: 2,
      tee: 3,
      snp: 4,
      microcode: 71,
    });
  });

  it('leaves a TCB in hex where the report does not tell the layout, and reads it where all candidates share one', () => {
    const unknown = { cpuid: { family: 0x1a, model: 0x50, stepping: 0 } };
    expect(fieldsOf({ ...unknown, reportedTcb: TURIN_TCB }).get('REPORTED_TCB')?.value).toBe('0102030400000047');
    const version2 = { version: 2, cpuid: null };
    expect(fieldsOf({ ...version2, chipId: new Uint8Array(64) }).get('REPORTED_TCB')?.value).toBe('04000000000018db');
    const long = { ...version2, chipId: new Uint8Array(64).fill(7) };
    expect(fieldsOf(long).get('REPORTED_TCB')?.value).toMatchObject({ snp: 24 });
    const short = { ...version2, chipId: new Uint8Array(64).fill(7, 0, 8), reportedTcb: TURIN_TCB };
    expect(fieldsOf(short).get('REPORTED_TCB')?.value).toMatchObject({ fmc: 1, snp: 4 });
  });
});

describe('REPORT_DATA', () => {
  const WHAT = 'what the guest asked to have signed: a nonce, or the hash of runtime data';

  it.each([
    ['in base64url too, without the zeros behind it', [1, 2, 0xab], `${WHAT}; base64url AQKr`],
    ['in hex alone where it was never set', [], WHAT],
  ])('is shown %s', (_, bytes, meaning) => {
    const report = reportOf([
      { offset: 0x050, bytes: Uint8Array.from([...bytes, ...new Uint8Array(64 - bytes.length)]) },
    ]);
    expect(describeSnpReport(report, '/report').fields.find(({ name }) => name === 'REPORT_DATA')).toMatchObject({
      meaning,
    });
  });
});
