import { beforeAll, describe, expect, it } from 'vitest';
import type { StructureKind } from '../../../src/core/evidence.js';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import { parseCrlFrame } from '../../../src/formats/x509-crl.js';
import {
  describeRaw,
  IN_FILE,
  inMember,
  kindOfStructure,
  nameOfKind,
  recogniseRaw,
  remarkOnRaw,
  STRUCTURE_KINDS,
} from '../../../src/inspect/raw-structures.js';
import { encodeCollateralFile } from '../../../src/tee/tdx/intel/collateral-file.js';
import { InspectEvidence, rawInspections } from '../../../src/workbench/inspections.js';
import { formatErrorOf } from '../../format-error-of.js';
import {
  buildCcel,
  buildCertificateTable,
  createAmdPki,
  createIntelPki,
  createTdxGuest,
  createVirtualMachine,
  labCcelEvents,
  SnpPlatform,
  TdxPlatform,
} from '../../lab/index.js';

const amd = createAmdPki();
const snp = new SnpPlatform({ pki: amd });
const tdx = new TdxPlatform({ pki: createIntelPki() });
const table = buildCertificateTable([['vcek', snp.vek.der]]);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const utf8 = (text: string) => Buffer.from(text);
const TOKEN = [{ alg: 'RS256' }, { iss: 'nobody' }, 'signature']
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .join('.');

/** Genuine files, each under the name that it has to be recognised by, with the names of the structures in it. */
let files: ReadonlyMap<StructureKind, readonly [Uint8Array, readonly string[]]>;

beforeAll(async () => {
  const vm = await createVirtualMachine({ pki: amd });
  const { hclReport, tpmQuote } = vm.evidence();
  const crl = amd.issueCrl({ product: 'Milan' });
  files = new Map([
    ['snp-report', [snp.report(), ['ATTESTATION_REPORT']]],
    ['snp-extended-report', [Buffer.concat([snp.report(), table]), ['ATTESTATION_REPORT', 'VCEK']]],
    ['snp-certificate-table', [table, ['VCEK']]],
    ['hcl-report', [hclReport, ['HCL report', 'runtime data', 'ATTESTATION_REPORT']]],
    ['td-quote', [tdx.quote(), []]],
    ['tpm-quote', [tpmQuote.message, ['TPMS_ATTEST']]],
    ['pem', [utf8(amd.chainPem('Milan')), ['certificate', 'certificate']]],
    ['certificate', [snp.vek.der, ['certificate']]],
    ['crl', [crl, ['revocation list']]],
    ['token', [utf8(`${TOKEN}\n`), ['JOSE header', 'claims']]],
    ['event-log', [buildCcel(labCcelEvents()), []]],
    ['collateral', [utf8(encodeCollateralFile(tdx.collateral())), []]],
  ]);
});

const fileOf = (kind: StructureKind) => files.get(kind)?.[0] ?? new Uint8Array();

describe('a file by itself', () => {
  it.each(STRUCTURE_KINDS.filter((kind) => kind !== 'td-report'))(
    'is recognised as %s, and as nothing else',
    (kind) => {
      const [bytes, names] = files.get(kind) ?? [new Uint8Array(), []];
      expect(recogniseRaw(bytes)).toEqual([kind]);
      const structures = describeRaw(bytes, kind, IN_FILE);
      // An event log is shown as what it replays to instead.
      expect(structures.length > 0).toBe(kind !== 'event-log');
      if (names.length > 0) expect(structures.map(({ name }) => name)).toEqual(names);
      expect(structures.map(({ about }) => about.replace(/\/.*$/, ''))).toEqual(structures.map(() => ''));
    },
  );

  it('is recognised as a TDREPORT, the one in an HCL report too', async () => {
    const report = new Uint8Array(1024);
    report[0] = 0x81;
    expect(recogniseRaw(report)).toEqual(['td-report']);
    expect(describeRaw(report, 'td-report', IN_FILE).map(({ name }) => name)).toEqual(['TDREPORT']);
  });

  it('is not recognised by its name or length alone', () => {
    expect(recogniseRaw(new Uint8Array(1184))).toEqual([]);
    expect(recogniseRaw(new Uint8Array(1024))).toEqual([]);
    expect(recogniseRaw(new Uint8Array(4096))).toEqual([]);
    expect(recogniseRaw(utf8('hello'))).toEqual([]);
    expect(recogniseRaw(utf8('{"evidence":{"type":"snp"}}'))).toEqual([]);
    expect(recogniseRaw(new Uint8Array())).toEqual([]);
  });

  it('place certificates where they stand: in a table, behind a report, and by themselves', () => {
    const extended = Buffer.concat([snp.report(), table]);
    const signatureOf = (bytes: Uint8Array, kind: StructureKind) => {
      const { start, fields } = describeRaw(bytes, kind, IN_FILE).at(-1) ?? expect.fail();
      const { offset, length } = fields.find(({ name }) => name === 'signature') ?? expect.fail();
      const from = (start ?? Number.NaN) + (offset ?? Number.NaN);
      return Buffer.from(bytes.subarray(from, from + (length ?? 0))).toString('hex');
    };
    const { signature } = parseCertificate(snp.vek.der, { allowZeroSerial: true });
    const expected = Buffer.from(signature).toString('hex');
    expect(signatureOf(table, 'snp-certificate-table')).toBe(expected);
    expect(signatureOf(extended, 'snp-extended-report')).toBe(expected);
    expect(signatureOf(snp.vek.der, 'certificate')).toBe(expected);
    const crl = amd.issueCrl({ product: 'Milan' });
    expect(signatureOf(crl, 'crl')).toBe(Buffer.from(parseCrlFrame(crl).signature).toString('hex'));
    expect(describeRaw(utf8(amd.chainPem('Milan')), 'pem', IN_FILE).map(({ start }) => start)).toEqual([null, null]);
  });

  it.each([
    ['snp-report', 0x008, 'snp_policy'],
    ['td-quote', 0x030 + 0x078, null],
    ['hcl-report', 0x004, 'hcl_format'],
  ] as const)('is malformed as what it looks like: %s', (kind, offset, code) => {
    const bytes = Uint8Array.from(fileOf(kind));
    bytes.fill(0xff, offset, offset + 4);
    expect(recogniseRaw(bytes)).toEqual([kind]);
    if (code !== null) expect(formatErrorOf(() => describeRaw(bytes, kind, IN_FILE)).code).toBe(code);
  });

  it('keeps to the longest event log', () => {
    const log = fileOf('event-log');
    const shown = (eventLogBytes: number) => rawInspections(eventLogBytes).execute(log, 'event-log');
    expect(formatErrorOf(() => shown(log.byteLength - 1)).code).toBe('eventlog_limit');
    expect(shown(log.byteLength)).toMatchObject({ verified: false, takenFor: 'an event log', type: 'event-log' });
  });

  it.each([
    ['base64', base64, 'written in base64: turn it into bytes first (base64 -d)'],
    [
      'hex',
      (bytes: Uint8Array) => Buffer.from(bytes).toString('hex'),
      'written in hex: turn it into bytes first (xxd -r -p)',
    ],
  ])('is said to be %s of what is known', (_name, encode, remark) => {
    for (const kind of ['snp-report', 'td-quote', 'hcl-report', 'certificate'] as const) {
      const text = utf8(encode(fileOf(kind)).replace(/(.{76})/g, '$1\n'));
      expect(recogniseRaw(text)).toEqual([]);
      expect(remarkOnRaw(text)).toBe(`it is ${nameOfKind(kind)} ${remark}`);
    }
  });

  it('is said to be UTF-16, or a private key', () => {
    expect(remarkOnRaw(Buffer.from('\ufeff{}', 'utf16le'))).toBe('it is UTF-16 text: save it as UTF-8');
    const key = utf8('-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n');
    expect(remarkOnRaw(key)).toBe('it holds a private key, which is never needed here');
    expect(remarkOnRaw(utf8('hello'))).toBeNull();
  });
});

describe('evidence of a TD', () => {
  it('is a quote, whatever stands in its certification data', async () => {
    const guest = createTdxGuest({ platform: tdx });
    expect(recogniseRaw(guest.evidence().quote)).toEqual(['td-quote']);
  });
});

describe('a structure in a request', () => {
  const read = (value: Uint8Array, as: StructureKind | null = null) =>
    new InspectEvidence(1 << 20).execute({ type: 'bytes', as, value });
  const kindOf = (value: Uint8Array, as: StructureKind | null = null) => kindOfStructure({ type: 'bytes', as, value });
  /** Begins as an HCL report, and is a certificate table to the end. */
  const ambiguous = buildCertificateTable([
    ['48434c41-0000-0000-0000-000000000000', Uint8Array.of(1)],
    ['vcek', snp.vek.der],
  ]);

  it.each(STRUCTURE_KINDS.filter((kind) => kind !== 'td-report'))('is recognised as %s, said or not', (kind) => {
    const [bytes, names] = files.get(kind) ?? [new Uint8Array(), []];
    expect([kindOf(bytes), kindOf(bytes, kind)]).toEqual([kind, kind]);
    const inspection = read(bytes);
    expect(inspection['verified']).toBe(false);
    expect(read(bytes, kind)).toEqual(inspection);
    if (kind === 'event-log') return expect(inspection['type']).toBe('event-log');
    expect([inspection['type'], inspection['kind']]).toEqual(['bytes', kind]);
    const structures = inspection['structures'] as readonly { readonly name: string; readonly about: string }[];
    if (names.length > 0) expect(structures.map(({ name }) => name)).toEqual(names);
    const places = kind === 'collateral' ? ['tcb_info', 'qe_identity', 'pck_crl', 'root_ca_crl'] : null;
    expect(structures.map(({ about }) => about)).toEqual(
      places?.map((name) => `/value/${name}`) ?? structures.map(() => '/value'),
    );
  });

  it('REQ-12 is refused where it is another kind than is said', () => {
    for (const kind of STRUCTURE_KINDS.filter((other) => other !== 'snp-report')) {
      expect(formatErrorOf(() => kindOf(fileOf('snp-report'), kind))).toEqual({
        code: 'type_mismatch',
        pointer: '/value',
      });
    }
    expect(() => kindOf(fileOf('td-quote'), 'snp-report')).toThrow('this is a TD quote, expected an SNP report');
  });

  it('is refused where it is nothing that is recognised, which says what is', () => {
    expect(formatErrorOf(() => kindOf(utf8('hello')))).toEqual({ code: 'type_unsupported', pointer: '/value' });
    const understood = STRUCTURE_KINDS.map(nameOfKind).join(', ');
    expect(() => kindOf(utf8('hello'))).toThrow(`this is nothing that is recognised; recognised are ${understood}`);
    const remark = 'it is an SNP report written in hex: turn it into bytes first (xxd -r -p)';
    const inHex = utf8(Buffer.from(fileOf('snp-report')).toString('hex'));
    expect(() => kindOf(inHex)).toThrow(`${remark}; recognised are `);
  });

  it('is refused where it could be several kinds, unless one of them is said', () => {
    expect(recogniseRaw(ambiguous)).toEqual(['snp-certificate-table', 'hcl-report']);
    expect(formatErrorOf(() => kindOf(ambiguous))).toEqual({ code: 'type_unsupported', pointer: '/value' });
    expect(() => kindOf(ambiguous)).toThrow(
      'this looks like an SNP certificate table as well as an HCL report: say in the member as what it is, snp-certificate-table, hcl-report',
    );
    expect(kindOf(ambiguous, 'snp-certificate-table')).toBe('snp-certificate-table');
    expect(formatErrorOf(() => kindOf(ambiguous, 'td-quote')).code).toBe('type_mismatch');
  });

  it.each<[StructureKind, () => Uint8Array, string, string]>([
    ['snp-report', () => fileOf('snp-report').subarray(1), 'snp_format', '/value'],
    ['td-quote', () => utf8('hello'), 'tdx_format', '/value'],
    ['hcl-report', () => utf8('hello'), 'hcl_format', '/value'],
    ['td-report', () => utf8('hello'), 'tdx_format', '/value'],
    ['tpm-quote', () => utf8('hi'), 'tpm_format', '/value'],
    ['pem', () => utf8('hello'), 'cert_format', '/value'],
    ['certificate', () => utf8('hello'), 'cert_format', '/value'],
    ['crl', () => utf8('hello'), 'cert_format', '/value'],
    ['token', () => utf8('hello'), 'token_format', '/value'],
    ['event-log', () => utf8('hello'), 'eventlog_format', '/value'],
    ['collateral', () => utf8('hello'), 'schema', '/value'],
    ['snp-certificate-table', () => utf8('hello'), 'cert_format', '/value'],
    ['snp-extended-report', () => utf8('hello'), 'snp_format', '/value'],
  ])('is malformed as the kind that is said, where it resembles nothing: %s', (kind, bytes, code, pointer) => {
    expect(formatErrorOf(() => read(bytes(), kind))).toEqual({ code, pointer });
  });

  it('is malformed where a member of its JSON is, which is named', () => {
    const collateral = tdx.collateral();
    const text = encodeCollateralFile({ ...collateral, tcbInfo: '{}' });
    expect(formatErrorOf(() => read(utf8(text)))).toMatchObject({ pointer: '/value/tcb_info' });
  });

  const OF_HOST = buildCertificateTable([['vcek', snp.vek.der]]).fill(0xab, 0, 16);

  it.each([
    ['left the table empty', new Uint8Array(4096)],
    ['has only entries of other GUIDs in the table', OF_HOST],
  ])('is an extended report where the host %s', (_what, ofHost) => {
    const withoutCertificates = Buffer.concat([snp.report(), ofHost]);
    const expected = { kind: 'snp-extended-report', structures: [{ name: 'ATTESTATION_REPORT' }] };
    expect(recogniseRaw(withoutCertificates)).toEqual(['snp-extended-report']);
    expect(read(withoutCertificates)).toMatchObject(expected);
    expect(read(withoutCertificates, 'snp-extended-report')).toMatchObject(expected);
    expect(recogniseRaw(ofHost)).toEqual([]);
  });

  it('is said to be a quote of an SGX enclave where it is one', () => {
    const header = (version: number, teeType: number, vendor = '939a7233f79c4ca9940a0db3957f0607') =>
      Buffer.concat([
        Buffer.from([version, 0, 2, 0, teeType, 0, 0, 0, 9, 0, 13, 0]),
        Buffer.from(vendor, 'hex'),
        Buffer.alloc(600),
      ]);
    const said = 'it is a quote of an SGX enclave, not of a TD';
    expect([3, 4, 5].map((version) => remarkOnRaw(header(version, 0)))).toEqual([said, said, said]);
    expect(formatErrorOf(() => read(header(3, 0)))).toEqual({ code: 'type_unsupported', pointer: '/value' });
    expect([header(2, 0), header(6, 0), header(3, 1), header(3, 0, '00'.repeat(16))].map(remarkOnRaw)).toEqual(
      Array(4).fill(null),
    );
  });

  it('is a certificate where zeros follow it, which fill an NV index', () => {
    const filled = Buffer.concat([snp.vek.der, new Uint8Array(4096)]);
    expect(recogniseRaw(filled)).toEqual(['certificate']);
    expect(read(filled)).toEqual(read(snp.vek.der));
    expect(recogniseRaw(Buffer.concat([snp.vek.der, new Uint8Array(31), Uint8Array.of(1)]))).toEqual([]);
  });

  it('is no extended report where what follows the report is no table', () => {
    expect(recogniseRaw(Buffer.concat([snp.report(), new Uint8Array(23)]))).toEqual([]);
    expect(recogniseRaw(Buffer.concat([snp.report(), Buffer.alloc(4096, 1)]))).toEqual([]);
  });

  it('keeps to the longest event log', () => {
    const log = fileOf('event-log');
    const shown = (eventLogBytes: number) =>
      new InspectEvidence(eventLogBytes).execute({ type: 'bytes', as: null, value: log });
    expect(formatErrorOf(() => shown(log.byteLength - 1))).toEqual({ code: 'eventlog_limit', pointer: '/value' });
    const asEventLog = new InspectEvidence(log.byteLength).execute({ type: 'event-log', log, pcrs: null });
    expect(shown(log.byteLength)).toEqual(asEventLog);
  });

  it('REQ-19 is no PEM of more than 32 KiB, which a file may be', () => {
    const one = amd.chainPem('Milan');
    const most = one.repeat(Math.floor(32_768 / one.length));
    expect(read(utf8(most))).toMatchObject({ kind: 'pem' });
    expect(formatErrorOf(() => read(utf8(most + one)))).toEqual({ code: 'cert_format', pointer: '/value' });
    expect(describeRaw(utf8(most + one), 'pem', IN_FILE).length).toBeGreaterThan(2);
    expect(formatErrorOf(() => describeRaw(utf8(most + one), 'pem', inMember('/value'))).code).toBe('cert_format');
  });
});
