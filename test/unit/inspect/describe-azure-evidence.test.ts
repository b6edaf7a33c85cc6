import { describe, expect, it } from 'vitest';
import {
  describeCertifiedKey,
  describeHclReport,
  describePublicArea,
  describeRuntimeData,
  describeTpmQuote,
} from '../../../src/inspect/describe-azure-evidence.js';
import type { FieldDescription, StructureDescription } from '../../../src/inspect/field-description.js';
import { formatErrorOf } from '../../format-error-of.js';
import { buildHclReport, buildTpm2bPublic, type QuoteOptions, VirtualTpm } from '../../lab/index.js';

const tpm = await VirtualTpm.create();
const NONCE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

const TWO_BANKS = [
  { bank: 'sha256', indices: [7, 0] },
  { bank: 0x0012, indices: [4] },
] as const;
const SIZED: ReadonlySet<string> = new Set(['qualifiedSigner', 'extraData', 'pcrDigest']);
const QUOTE_FIELDS = [
  'magic',
  'type',
  'qualifiedSigner',
  'extraData',
  'clockInfo',
  'firmwareVersion',
  'pcrSelect',
  'pcrDigest',
] as const;

const fieldsOf = ({ fields }: StructureDescription) => new Map(fields.map((field) => [field.name, field]));

function quoteFields(options: QuoteOptions = {}): ReadonlyMap<string, FieldDescription> {
  const [attest] = describeTpmQuote(tpm.quote({ extraData: NONCE, ...options }), '/tpmQuote');
  if (attest === undefined) throw new Error('the quote is not described');
  return fieldsOf(attest);
}

describe("description of the paravisor's report", () => {
  it('has header and runtime claims', () => {
    const hardwareReport = new Uint8Array(1184);
    const runtimeClaims = Buffer.from('{"keys":[],"user-data":"00"}');
    const [report, claims] = describeHclReport(buildHclReport({ hardwareReport, runtimeClaims }), '/hclReport');
    expect(report).toMatchObject({ name: 'HCL report', about: '/hclReport' });
    expect(report && fieldsOf(report).get('report type')).toMatchObject({ offset: 0x4c8, length: 4, value: 'snp' });
    expect(report && fieldsOf(report).get('variable data size')).toMatchObject({ value: 28 });
    expect(claims).toEqual({ ...describeRuntimeData(runtimeClaims, '/hclReport'), start: 0x4d4 });
  });
});

describe('description of a certified key', () => {
  const certified = tpm.certify(tpm.publicJwk, { info: { extraData: NONCE } });
  const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

  it('has what was certified, and the places of its fields', () => {
    const [info] = describeCertifiedKey(certified, '/certifiedKey');
    if (info === undefined) throw new Error('not described');
    expect(info).toMatchObject({ name: 'TPMS_ATTEST', about: '/certifiedKey/info' });
    const fields = fieldsOf(info);
    expect([...fields.keys()]).toEqual(['magic', 'type', 'extraData', 'name', 'qualifiedName']);
    expect(fields.get('type')).toMatchObject({ value: '0x8017', meaning: 'the certification of a key' });
    for (const name of ['extraData', 'name', 'qualifiedName']) {
      const { offset, length, value } = fields.get(name) ?? {};
      expect(hexOf(certified.info.subarray(offset ?? 0, (offset ?? 0) + (length ?? 0)))).toBe(value);
    }
    expect(fields.get('extraData')?.value).toBe(hexOf(NONCE));
    expect(fields.get('extraData')?.meaning).toBe('the nonce, where one was given; base64url AQIDBAUGBwg');
  });

  it('says where it is none', () => {
    for (const [fields, meaning] of [
      [{ type: 0x8018 }, 'not the certification of a key'],
      [{ magic: 1 }, 'not the certification of a key'],
    ] as const) {
      const [info] = describeCertifiedKey(tpm.certify(tpm.publicJwk, { info: fields }), '/certifiedKey');
      const found = info === undefined ? new Map() : fieldsOf(info);
      expect([...found.keys()]).toEqual(['magic', 'type']);
      expect(found.get('type')?.meaning).toBe(meaning);
    }
  });

  it('has the public area, of each kind of key', () => {
    const rsa = fieldsOf(describePublicArea(certified.publicArea, '/certifiedKey/publicArea'));
    expect(rsa.get('nameAlg')).toMatchObject({ offset: 4, length: 2, value: 'sha256' });
    expect(rsa.get('objectAttributes')).toMatchObject({
      offset: 6,
      value: ['fixedTpm', 'fixedParent', 'sensitiveDataOrigin', 'decrypt'],
    });
    expect(rsa.get('authPolicy')).toMatchObject({ offset: 12, length: 32 });
    const modulus = Buffer.from(String(tpm.publicJwk['n']), 'base64url').toString('hex');
    expect(rsa.get('key')?.value).toEqual({ modulus, exponent: '010001' });
    const jwk = { kty: 'EC', crv: 'P-256', x: Buffer.alloc(32, 1).toString('base64url'), y: 'AQ' };
    const ec = fieldsOf(describePublicArea(buildTpm2bPublic({ jwk, nameAlg: 0x0012 }), '/akPublic'));
    expect(ec.get('nameAlg')?.value).toBe('0x12');
    expect(ec.get('key')?.value).toEqual({ curve: 'P-256', x: '01'.repeat(32), y: `${'00'.repeat(31)}01` });
  });
});

describe('description of PCR values', () => {
  it('refuses a value that is longer than every digest', () => {
    const pcrs = (bytes: number) => new Map([['sha512', new Map([[0, new Uint8Array(bytes)]])]] as const);
    const quote = tpm.quote({ extraData: NONCE });
    expect(describeTpmQuote({ ...quote, pcrs: pcrs(64) }, '/tpmQuote')).toHaveLength(2);
    const refused = formatErrorOf(() => describeTpmQuote({ ...quote, pcrs: pcrs(65) }, '/tpmQuote'));
    expect(refused).toEqual({ code: 'tpm_format', pointer: '/tpmQuote/pcrs' });
  });
});

describe('description of runtime data', () => {
  it('has a field for each member', () => {
    expect(describeRuntimeData(Buffer.from('{"nonce":"AQ","keys":[1]}'), '/runtimeData')).toEqual({
      name: 'runtime data',
      about: '/runtimeData',
      start: 0,
      length: 25,
      fields: [
        { name: 'nonce', offset: 9, length: 4, value: 'AQ', meaning: null },
        { name: 'keys', offset: 21, length: 3, value: [1], meaning: null },
      ],
    });
  });

  it.each([
    ['in base64url too, without the zeros behind it', '"0102AB00"', 'base64url AQKr'],
    ['by itself where it was never set', '"0000"', null],
    ['by itself where it is no hex', '"0x01"', null],
    ['by itself where it is no text', '1', null],
  ])('has user-data %s', (_, written, meaning) => {
    const [field] = describeRuntimeData(Buffer.from(`{"user-data":${written}}`), '/runtimeData').fields;
    expect(field).toMatchObject({ name: 'user-data', value: JSON.parse(written), meaning });
  });

  it.each([
    ['no JSON', Uint8Array.of(0xff, 0x00), 'ff00'],
    ['a list', Buffer.from('[]'), '5b5d'],
  ])('is one field of hex, with the reason, where they are %s', (_, bytes, hex) => {
    const { fields } = describeRuntimeData(bytes, '/runtimeData');
    const data = { name: 'data', offset: 0, length: 2, value: hex, meaning: expect.any(String) };
    expect(fields).toEqual([data]);
  });
});

describe('description of a TPM quote', () => {
  it('has what is signed, and the PCR values in order', () => {
    const [attest, pcrs] = describeTpmQuote(tpm.quote({ extraData: NONCE, selections: TWO_BANKS }), '/tpmQuote');
    expect(attest).toMatchObject({ name: 'TPMS_ATTEST', about: '/tpmQuote/message' });
    const fields = quoteFields({ selections: TWO_BANKS });
    expect(fields.get('magic')).toMatchObject({ value: '0xff544347', meaning: 'made by a TPM' });
    expect(fields.get('type')).toMatchObject({ value: '0x8018', meaning: 'a quote' });
    expect(fields.get('extraData')?.value).toBe('0102030405060708');
    expect(fields.get('extraData')?.meaning).toBe('the nonce that the quote was made for; base64url AQIDBAUGBwg');
    expect(fields.get('pcrSelect')?.value).toEqual([
      { hash: 'sha256', pcrs: [0, 7] },
      { hash: '0x12', pcrs: [4] },
    ]);
    expect(pcrs).toMatchObject({ name: 'PCR values', about: '/tpmQuote/pcrs', length: 64 });
    expect(pcrs?.fields.map(({ name }) => name)).toEqual(['sha256:0', 'sha256:7']);
  });

  it.each<[string, QuoteOptions]>([
    ['a nonce and two banks', { selections: TWO_BANKS }],
    ['an empty nonce', { extraData: new Uint8Array() }],
    ['no selection', { selections: [] }],
  ])('has the places of all of it, with %s', (_, options) => {
    const { message, ...rest } = tpm.quote({ extraData: NONCE, ...options });
    // As a decoder gives them: bytes in the middle of others.
    const around = new Uint8Array(message.byteLength + 14);
    around.set(message, 7);
    const inside = around.subarray(7, 7 + message.byteLength);
    const [attest] = describeTpmQuote({ ...rest, message: inside }, '/tpmQuote');
    const fields = attest?.fields ?? [];
    expect(fields.map(({ name }) => name)).toEqual([...QUOTE_FIELDS]);
    let end = 0;
    for (const { name, offset, length } of fields) {
      // TPM2Bs have their size before them, which is two bytes.
      expect(offset, name).toBe(SIZED.has(name) ? end + 2 : end);
      end = (offset ?? 0) + (length ?? 0);
    }
    expect(end).toBe(message.byteLength);
    for (const { name, offset, length, value } of fields.filter((field) => SIZED.has(field.name))) {
      const there = message.subarray(offset ?? 0, (offset ?? 0) + (length ?? 0));
      expect(value, name).toBe(Buffer.from(there).toString('hex'));
    }
  });

  it('stops at the header of what no TPM made, and of what is no quote', () => {
    const foreign = quoteFields({ magic: 0 });
    expect([...foreign.keys()]).toEqual(['magic', 'type']);
    expect(foreign.get('magic')).toMatchObject({ value: '0x0', meaning: 'not made by a TPM' });
    const certify = quoteFields({ type: 0x8017 });
    expect([...certify.keys()]).toEqual(['magic', 'type']);
    expect(certify.get('type')).toMatchObject({ value: '0x8017', meaning: 'not a quote' });
  });
});
