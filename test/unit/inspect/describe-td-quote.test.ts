import { describe, expect, it } from 'vitest';
import { describeTdQuote, describeTdReport } from '../../../src/inspect/describe-td-quote.js';
import type { StructureDescription } from '../../../src/inspect/field-description.js';
import { createIntelPki, patchBytes, type TdQuoteMaking, TdxPlatform } from '../../lab/index.js';

const platform = new TdxPlatform({ pki: createIntelPki() });

/** Name, offset, length, bytes and shown value of a field. Where no value stands, it is the bytes in hex. */
type Row = readonly [name: string, offset: number, length: number, bytes: string, value?: unknown];

/** Intel TDX DCAP Quoting Library API, quote header. */
const HEADER: readonly Row[] = [
  ['attestation key type', 2, 2, '0200', 2],
  ['TEE type', 4, 4, '81000000', '0x81'],
  ['QE vendor id', 12, 16, 'e1'.repeat(16)],
  ['user data', 28, 20, 'e2'.repeat(20)],
];

/** TD report body: in a quote of version 4 it begins at 48. */
const BODY_4: readonly Row[] = [
  ['TEE_TCB_SVN', 48, 16, '01'.repeat(16)],
  ['MRSEAM', 64, 48, '02'.repeat(48)],
  ['MRSIGNERSEAM', 112, 48, '03'.repeat(48)],
  ['SEAMATTRIBUTES', 160, 8, '04'.repeat(8)],
  ['TDATTRIBUTES', 168, 8, '0500000000000000'],
  ['XFAM', 176, 8, '06'.repeat(8)],
  ['MRTD', 184, 48, '07'.repeat(48)],
  ['MRCONFIGID', 232, 48, '08'.repeat(48)],
  ['MROWNER', 280, 48, '09'.repeat(48)],
  ['MROWNERCONFIG', 328, 48, '0a'.repeat(48)],
  ['RTMR0', 376, 48, '10'.repeat(48)],
  ['RTMR1', 424, 48, '11'.repeat(48)],
  ['RTMR2', 472, 48, '12'.repeat(48)],
  ['RTMR3', 520, 48, '13'.repeat(48)],
  ['REPORTDATA', 568, 64, '0b'.repeat(64)],
];

/** In version 5, with the descriptor before it, at 54. */
const BODY_5: readonly Row[] = [
  ['TEE_TCB_SVN', 54, 16, '01'.repeat(16)],
  ['MRSEAM', 70, 48, '02'.repeat(48)],
  ['MRSIGNERSEAM', 118, 48, '03'.repeat(48)],
  ['SEAMATTRIBUTES', 166, 8, '04'.repeat(8)],
  ['TDATTRIBUTES', 174, 8, '0500000000000000'],
  ['XFAM', 182, 8, '06'.repeat(8)],
  ['MRTD', 190, 48, '07'.repeat(48)],
  ['MRCONFIGID', 238, 48, '08'.repeat(48)],
  ['MROWNER', 286, 48, '09'.repeat(48)],
  ['MROWNERCONFIG', 334, 48, '0a'.repeat(48)],
  ['RTMR0', 382, 48, '10'.repeat(48)],
  ['RTMR1', 430, 48, '11'.repeat(48)],
  ['RTMR2', 478, 48, '12'.repeat(48)],
  ['RTMR3', 526, 48, '13'.repeat(48)],
  ['REPORTDATA', 574, 64, '0b'.repeat(64)],
];

const descriptor = (type: string, typeValue: number, size: string, sizeValue: number): readonly Row[] => [
  ['body type', 48, 2, type, typeValue],
  ['body size', 50, 4, size, sizeValue],
];

/** TD 1.5 only. */
const BODY_15: readonly Row[] = [
  ['TEE_TCB_SVN_2', 638, 16, '0c'.repeat(16)],
  ['MRSERVICETD', 654, 48, '0d'.repeat(48)],
];

/** Extended TD 1.5 only. */
const BODY_EXTENDED: readonly Row[] = [
  ['VMID', 702, 1, '0e', 14],
  ['TD_ID', 703, 32, '0f'.repeat(32)],
  ['DEVINFO', 735, 48, '20'.repeat(48)],
  ['INIT_SERVTD_HASH', 783, 48, '21'.repeat(48)],
  ['INIT_SERVTD_ATTR', 831, 8, '22'.repeat(8)],
  ['INIT_CPU_SVN', 839, 16, '23'.repeat(16)],
  ['INIT_TEE_TCB_SVN', 855, 16, '24'.repeat(16)],
  ['INIT_TEE_FMSPC', 871, 12, '25'.repeat(12)],
  ['CURR_SERVTD_HASH', 883, 48, '26'.repeat(48)],
  ['CURR_SERVTD_ATTR', 931, 8, '27'.repeat(8)],
];

const keysAt = (offset: number): readonly Row[] => [
  ['signature', offset, 64, 'a1'.repeat(64)],
  ['attestation key', offset + 64, 64, 'a2'.repeat(64)],
  // Behind type and size of the certification data, and the report of the quoting enclave.
  ['QE report signature', offset + 518, 64, 'a3'.repeat(64)],
  ['QE authentication data', offset + 584, 32, 'a4'.repeat(32)],
];

/** SGX enclave report body. */
const ENCLAVE: readonly Row[] = [
  ['CPUSVN', 0, 16, 'b1'.repeat(16)],
  ['MISCSELECT', 16, 4, 'b2'.repeat(4)],
  ['ATTRIBUTES', 48, 16, '15'.repeat(16)],
  ['MRENCLAVE', 64, 32, 'b3'.repeat(32)],
  ['MRSIGNER', 128, 32, 'b4'.repeat(32)],
  ['ISVPRODID', 256, 2, '0201', 0x0102],
  ['ISVSVN', 258, 2, '0403', 0x0304],
  ['REPORTDATA', 320, 64, 'b5'.repeat(64)],
];

/** TDREPORT_STRUCT (Intel TDX Module ABI Specification). */
const TD_REPORT: readonly Row[] = [
  ['REPORTTYPE', 0, 4, '81000100'],
  ['CPUSVN', 16, 16, 'c1'.repeat(16)],
  ['TEE_TCB_INFO_HASH', 32, 48, 'c2'.repeat(48)],
  ['TEE_INFO_HASH', 80, 48, 'c3'.repeat(48)],
  ['REPORTDATA', 128, 64, 'c4'.repeat(64)],
  ['MAC', 224, 32, 'c5'.repeat(32)],
  ['TEE_TCB_SVN', 264, 16, 'c6'.repeat(16)],
  ['MRSEAM', 280, 48, 'c7'.repeat(48)],
  ['MRSIGNERSEAM', 328, 48, 'c8'.repeat(48)],
  ['SEAMATTRIBUTES', 376, 8, 'd5'.repeat(8)],
  ['TEE_TCB_SVN_2', 384, 16, 'd6'.repeat(16)],
  ['TDATTRIBUTES', 512, 8, 'c9'.repeat(8)],
  ['XFAM', 520, 8, 'ca'.repeat(8)],
  ['MRTD', 528, 48, 'cb'.repeat(48)],
  ['MRCONFIGID', 576, 48, 'cc'.repeat(48)],
  ['MROWNER', 624, 48, 'cd'.repeat(48)],
  ['MROWNERCONFIG', 672, 48, 'ce'.repeat(48)],
  ['RTMR0', 720, 48, 'd0'.repeat(48)],
  ['RTMR1', 768, 48, 'd1'.repeat(48)],
  ['RTMR2', 816, 48, 'd2'.repeat(48)],
  ['RTMR3', 864, 48, 'd3'.repeat(48)],
  ['SERVTD_HASH', 912, 48, 'd4'.repeat(48)],
];

const fromHex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const written = (bytes: Uint8Array, rows: readonly Row[], from = 0) =>
  patchBytes(
    bytes,
    rows.map(([, offset, , text]) => ({ offset: from + offset, bytes: fromHex(text) })),
  );

const asRead = (rows: readonly Row[]) =>
  rows.map(([name, offset, length, bytes, value = bytes]) => [name, offset, length, value]);
const asDescribed = (structure: StructureDescription | undefined) =>
  structure?.fields
    .toSorted((one, other) => (one.offset ?? 0) - (other.offset ?? 0))
    .map(({ name, offset, length, value }) => [name, offset, length, value]);

const meaningIn = (structure: StructureDescription | undefined, name: string) =>
  structure?.fields.find((field) => field.name === name)?.meaning;

describe('description of a TD quote', () => {
  const head = (version: string): readonly Row[] => [['version', 0, 2, version, Number(version[1])], ...HEADER];
  const ofVersion4 = [...head('0400'), ...BODY_4, ...keysAt(636)];
  const ofVersion5 = [...head('0500'), ...descriptor('0200', 2, '48020000', 584), ...BODY_5, ...keysAt(642)];
  const ofTd15 = [...head('0500'), ...descriptor('0300', 3, '88020000', 648), ...BODY_5, ...BODY_15, ...keysAt(706)];

  const ofExtended = [
    ...head('0500'),
    ...descriptor('0400', 4, '75030000', 885),
    ...BODY_5.map((row) => (row[0] === 'TDATTRIBUTES' ? ([...row.slice(0, 3), '0500020000000000'] as const) : row)),
    ...BODY_15,
    ...BODY_EXTENDED,
    ...keysAt(943),
  ] as readonly Row[];

  it.each<readonly [string, TdQuoteMaking, readonly Row[], number]>([
    ['version 4', { version: 4 }, ofVersion4, 770],
    ['version 5 and TD 1.0', { version: 5, body: 'td10' }, ofVersion5, 776],
    ['version 5 and TD 1.5', { version: 5, body: 'td15' }, ofTd15, 840],
    ['version 5 and extended TD 1.5', { version: 5, body: 'td15Extended' }, ofExtended, 1077],
  ])('has each field of %s where it stands, with its length and value', (_what, making, fields, enclave) => {
    const quote = written(written(platform.quote(making), fields), ENCLAVE, enclave);
    const [ofQuote, ofEnclave, ...certificates] = describeTdQuote(quote, '/quote');
    expect(ofQuote).toMatchObject({ name: 'TD quote', about: '/quote', start: 0, length: quote.byteLength });
    expect(asDescribed(ofQuote)).toEqual(asRead(fields));
    expect(ofEnclave).toMatchObject({
      name: 'report of the quoting enclave',
      about: '/quote',
      start: enclave,
      length: 384,
    });
    expect(asDescribed(ofEnclave)).toEqual(asRead(ENCLAVE));
    expect(certificates.map(({ name }) => name)).toEqual(Array(3).fill('certificate of the quote'));
  });

  it('names SERVTD_EXT, which an extended TD 1.5 body has', () => {
    const fields = { tdAttributes: 1n << 17n };
    const [quote] = describeTdQuote(platform.quote({ version: 5, body: 'td15Extended', fields }), '/quote');
    expect(meaningIn(quote, 'TDATTRIBUTES')).toBe('SERVTD_EXT');
  });

  it.each([
    [0, 'DEBUG'],
    [4, 'HGS_PLUS_PROF'],
    [5, 'PERF_PROF'],
    [6, 'PMT_PROF'],
    [16, 'ICSSD'],
    [27, 'LASS'],
    [28, 'SEPT_VE_DISABLE'],
    [29, 'MIGRATABLE'],
    [30, 'PKS'],
    [31, 'KL'],
    [62, 'TPA'],
    [63, 'PERFMON'],
    [1, 'none that is known'],
    [61, 'none that is known'],
  ])('reads bit %i of TDATTRIBUTES as %s', (bit, name) => {
    const [quote] = describeTdQuote(platform.quote({ fields: { tdAttributes: 1n << BigInt(bit) } }), '/quote');
    expect(meaningIn(quote, 'TDATTRIBUTES')).toBe(name);
  });

  it('names all attributes that are set, and says where none is', () => {
    const [several] = describeTdQuote(platform.quote({ fields: { tdAttributes: 0x30000001n } }), '/quote');
    expect(meaningIn(several, 'TDATTRIBUTES')).toBe('DEBUG, SEPT_VE_DISABLE, MIGRATABLE');
    const [none] = describeTdQuote(platform.quote({ fields: { tdAttributes: 0n } }), '/quote');
    expect(meaningIn(none, 'TDATTRIBUTES')).toBe('none that is known');
  });

  it.each([
    ['15', null],
    ['17', 'a debug enclave'],
    ['02', 'a debug enclave'],
    ['fd', null],
  ])('reads ATTRIBUTES of the quoting enclave that begin with %s as %o', (first, expected) => {
    const attributes = fromHex(first + '00'.repeat(15));
    const [, enclave] = describeTdQuote(platform.quote({ qeReport: { attributes } }), '/quote');
    expect(meaningIn(enclave, 'ATTRIBUTES')).toBe(expected);
  });

  it.each([
    ['td10', 'TD 1.0'],
    ['td15', 'TD 1.5'],
    ['td15Extended', 'TD 1.5, extended by its service TDs'],
  ] as const)('says which body a quote of version 5 has: %s', (body, expected) => {
    const [quote] = describeTdQuote(platform.quote({ version: 5, body }), '/quote');
    expect(meaningIn(quote, 'body type')).toBe(expected);
  });

  it('says whose signatures a quote has', () => {
    const [quote] = describeTdQuote(platform.quote(), '/quote');
    expect(['signature', 'QE report signature'].map((name) => meaningIn(quote, name))).toEqual([
      'r and s, by the attestation key over everything above',
      'r and s, by the PCK over the report of the quoting enclave',
    ]);
  });

  it('says how much authentication data the hash of the quoting enclave covers', () => {
    const [, enclave] = describeTdQuote(platform.quote({ qeAuthData: new Uint8Array(7) }), '/quote');
    expect(meaningIn(enclave, 'REPORTDATA')).toBe('SHA-256 of attestation key and 7 bytes of authentication data');
  });

  const ZERO = new Uint8Array(48);
  const ONE = new Uint8Array(48).fill(1);
  it.each([
    ['nothing', [ZERO, ZERO, ZERO, ZERO] as const, 'nothing was measured into any of them'],
    ['something, in the first', [ONE, ZERO, ZERO, ZERO] as const, null],
    ['something, in the last', [ZERO, ZERO, ZERO, ONE] as const, null],
  ])('says of RTMRs that have %s what was measured', (_what, rtmrs, expected) => {
    const [quote] = describeTdQuote(platform.quote({ fields: { rtmrs } }), '/quote');
    expect(['RTMR0', 'RTMR1', 'RTMR2', 'RTMR3'].map((name) => meaningIn(quote, name))).toEqual(Array(4).fill(expected));
  });
});

describe('description of a TDREPORT', () => {
  it('has each field where it stands, with its length and value', () => {
    const described = describeTdReport(written(new Uint8Array(1024), TD_REPORT), '/tdReport');
    expect(described).toMatchObject({ name: 'TDREPORT', about: '/tdReport', start: 0, length: 1024 });
    expect(asDescribed(described)).toEqual(asRead(TD_REPORT));
  });
});
