import { beforeAll, describe, expect, it } from 'vitest';
import { describeRaw, EVENT_LOG, RAW_KINDS, recogniseRaw, remarkOnRaw } from '../../../src/inspect/raw-structures.js';
import { rawInspections } from '../../../src/service/inspections.js';
import { encodeCollateralFile } from '../../../src/vendors/intel/collateral-file.js';
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

const LOG_BYTES = 1 << 20;
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
let files: ReadonlyMap<string, readonly [Uint8Array, readonly string[]]>;

beforeAll(async () => {
  const vm = await createVirtualMachine({ pki: amd });
  const { hclReport, tpmQuote } = vm.evidence();
  const crl = amd.issueCrl({ product: 'Milan' });
  files = new Map([
    ['an SNP report', [snp.report(), ['ATTESTATION_REPORT']]],
    ['an SNP extended report', [Buffer.concat([snp.report(), table]), ['ATTESTATION_REPORT', 'VCEK']]],
    ['an SNP certificate table', [table, ['VCEK']]],
    ['an HCL report', [hclReport, ['HCL report', 'runtime data', 'ATTESTATION_REPORT']]],
    ['a TD quote', [tdx.quote(), []]],
    ['a TPM quote', [tpmQuote.message, ['TPMS_ATTEST']]],
    ['certificates or CRLs in PEM', [utf8(amd.chainPem('Milan')), ['certificate', 'certificate']]],
    ['a certificate in DER', [snp.vek.der, ['certificate']]],
    ['a CRL in DER', [crl, ['revocation list']]],
    ['a token', [utf8(`${TOKEN}\n`), ['JOSE header', 'claims']]],
    ['an event log', [buildCcel(labCcelEvents()), []]],
    ['TDX collateral in JSON', [utf8(encodeCollateralFile(tdx.collateral())), []]],
  ]);
});

const fileOf = (kind: string) => files.get(kind)?.[0] ?? new Uint8Array();

describe('a file by itself', () => {
  it.each(RAW_KINDS.filter((kind) => kind !== 'a TDREPORT'))('is recognised as %s, and as nothing else', (kind) => {
    const [bytes, names] = files.get(kind) ?? [new Uint8Array(), []];
    expect(recogniseRaw(bytes)).toEqual([kind]);
    const structures = describeRaw(bytes, kind, LOG_BYTES);
    // An event log is shown as what it replays to instead.
    expect(structures.length > 0).toBe(kind !== EVENT_LOG);
    if (names.length > 0) expect(structures.map(({ name }) => name)).toEqual(names);
    expect(structures.map(({ about }) => about.replace(/\/.*$/, ''))).toEqual(structures.map(() => ''));
  });

  it('is recognised as a TDREPORT, the one in an HCL report too', async () => {
    const report = new Uint8Array(1024);
    report[0] = 0x81;
    expect(recogniseRaw(report)).toEqual(['a TDREPORT']);
    expect(describeRaw(report, 'a TDREPORT', LOG_BYTES).map(({ name }) => name)).toEqual(['TDREPORT']);
  });

  it('is not recognised by its name or length alone', () => {
    expect(recogniseRaw(new Uint8Array(1184))).toEqual([]);
    expect(recogniseRaw(new Uint8Array(1024))).toEqual([]);
    expect(recogniseRaw(new Uint8Array(4096))).toEqual([]);
    expect(recogniseRaw(utf8('hello'))).toEqual([]);
    expect(recogniseRaw(utf8('{"evidence":{"type":"snp"}}'))).toEqual([]);
    expect(recogniseRaw(new Uint8Array())).toEqual([]);
  });

  it.each([
    ['an SNP report', 0x008, 'snp_policy'],
    ['a TD quote', 0x030 + 0x078, null],
    ['an HCL report', 0x004, 'hcl_format'],
  ] as const)('is malformed as what it looks like: %s', (kind, offset, code) => {
    const bytes = Uint8Array.from(fileOf(kind));
    bytes.fill(0xff, offset, offset + 4);
    expect(recogniseRaw(bytes)).toEqual([kind]);
    if (code !== null) expect(formatErrorOf(() => describeRaw(bytes, kind, LOG_BYTES)).code).toBe(code);
  });

  it('keeps to the longest event log', () => {
    const log = fileOf(EVENT_LOG);
    const shown = (eventLogBytes: number) => rawInspections(eventLogBytes).execute(log, EVENT_LOG);
    expect(formatErrorOf(() => shown(log.byteLength - 1)).code).toBe('eventlog_limit');
    expect(shown(log.byteLength)).toMatchObject({ verified: false, takenFor: EVENT_LOG, type: 'event-log' });
  });

  it.each([
    ['base64', base64, 'written in base64: turn it into bytes first (base64 -d)'],
    [
      'hex',
      (bytes: Uint8Array) => Buffer.from(bytes).toString('hex'),
      'written in hex: turn it into bytes first (xxd -r -p)',
    ],
  ])('is said to be %s of what is known', (_name, encode, remark) => {
    for (const kind of ['an SNP report', 'a TD quote', 'an HCL report', 'a certificate in DER']) {
      const text = utf8(encode(fileOf(kind)).replace(/(.{76})/g, '$1\n'));
      expect(recogniseRaw(text)).toEqual([]);
      expect(remarkOnRaw(text)).toBe(`it is ${kind} ${remark}`);
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
    expect(recogniseRaw(guest.evidence().quote)).toEqual(['a TD quote']);
  });
});
