import { describe, expect, it } from 'vitest';
import { readInspectRequest } from '../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../format-error-of.js';
import {
  azSnpVtpmEvidence,
  azTdxVtpmEvidence,
  bodyOf,
  configfsTsm,
  snpEvidence,
  tdxEvidence,
  trusteeV1,
} from './sample-bodies.js';

const errorOf = (body: unknown) => formatErrorOf(() => readInspectRequest(bodyOf(body)));

describe('readInspectRequest', () => {
  it.each([
    ['snp', snpEvidence()],
    ['az-snp-vtpm', azSnpVtpmEvidence()],
    ['az-snp-vtpm', trusteeV1(2)],
    ['snp', configfsTsm()],
    ['tdx', tdxEvidence()],
    ['az-tdx-vtpm', azTdxVtpmEvidence()],
  ])('reads %s evidence, which is the body', (type, body) => {
    expect(readInspectRequest(bodyOf(body)).type).toBe(type);
  });

  it.each<[string, unknown, string, string]>([
    ['REQ-04 an unknown member', { ...snpEvidence(), nonce: 'AAAA' }, 'unknown_property', '/nonce'],
    ['REQ-05 a body that is not an object', [snpEvidence()], 'schema', ''],
    ['REQ-05 a member of another type', { ...snpEvidence(), report: null }, 'schema', '/report'],
    ['REQ-10 bytes in no encoding', { ...snpEvidence(), report: '*' }, 'encoding', '/report'],
    [
      'REQ-12 bytes of another type',
      { ...snpEvidence(), report: azSnpVtpmEvidence()['hclReport'] },
      'type_mismatch',
      '/report',
    ],
    ['REQ-13 a type that is not judged', { type: 'sample', log: '' }, 'type_unsupported', '/type'],
  ])('refuses: %s', (_, body, code, pointer) => {
    expect(errorOf(body)).toEqual({ code, pointer });
  });

  it('REQ-06 refuses a duplicate', () => {
    const body = Buffer.from('{"type":"snp","report":"","report":""}');
    expect(formatErrorOf(() => readInspectRequest(body)).code).toBe('duplicate_key');
  });
});

describe('an event log by itself', () => {
  const log = Buffer.from('log').toString('base64url');
  const values = (bytes: number) => ({ '7': 'ab'.repeat(bytes) });

  it('is read with the values of registers, or without', () => {
    expect(readInspectRequest(bodyOf({ type: 'event-log', log }))).toMatchObject({ type: 'event-log', pcrs: null });
    const pcrs = { sha1: values(20), sha256: values(32), sha384: values(48), sha512: values(64) };
    const read = readInspectRequest(bodyOf({ type: 'event-log', log, pcrs }));
    if (read.type !== 'event-log') throw new Error('read as something else');
    expect(Buffer.from(read.log).toString()).toBe('log');
    expect([...(read.pcrs ?? [])].map(([bank, of]) => [bank, of.get(7)?.byteLength])).toEqual([
      ['sha1', 20],
      ['sha256', 32],
      ['sha384', 48],
      ['sha512', 64],
    ]);
  });

  it.each<[string, object, string, string]>([
    ['REQ-04 an unknown member', { log, nonce: 'AAAA' }, 'unknown_property', '/nonce'],
    ['REQ-04 an unknown bank', { log, pcrs: { sm3: {} } }, 'unknown_property', '/pcrs/sm3'],
    [
      'REQ-04 an index that does not exist',
      { log, pcrs: { sha256: { '24': '' } } },
      'unknown_property',
      '/pcrs/sha256/24',
    ],
    ['REQ-05 no log', {}, 'schema', '/log'],
    ['REQ-05 a log that is no text', { log: 7 }, 'schema', '/log'],
    ['REQ-05 values that are a list', { log, pcrs: [] }, 'schema', '/pcrs'],
    ['REQ-10 a log in no encoding', { log: '*' }, 'encoding', '/log'],
    ['REQ-10 a value that is not hex', { log, pcrs: { sha256: { '7': 'xy' } } }, 'encoding', '/pcrs/sha256/7'],
    ['TPM-07 a value of 31 bytes', { log, pcrs: { sha256: values(31) } }, 'tpm_format', '/pcrs/sha256/7'],
    ['TPM-07 a value of 33 bytes', { log, pcrs: { sha256: values(33) } }, 'tpm_format', '/pcrs/sha256/7'],
    ['TPM-07 a value of another bank', { log, pcrs: { sha1: values(32) } }, 'tpm_format', '/pcrs/sha1/7'],
    ['TPM-07 a value of no bytes', { log, pcrs: { sha384: values(0) } }, 'tpm_format', '/pcrs/sha384/7'],
  ])('is refused, and its place named: %s', (_title, members, code, pointer) => {
    expect(errorOf({ type: 'event-log', ...members })).toEqual({ code, pointer });
  });
});

describe('a whole /verify body', () => {
  it('is read as its evidence alone', () => {
    const whole = { evidence: snpEvidence(), nonce: 'AAAA', policy: 'no-such-policy', at: '2999-01-01T00:00:00Z' };
    expect(readInspectRequest(bodyOf(whole))).toEqual(readInspectRequest(bodyOf(snpEvidence())));
  });

  it.each<[string, unknown, string, string]>([
    ['bytes of its evidence', { evidence: { ...snpEvidence(), report: '*' } }, 'encoding', '/evidence/report'],
    [
      'REQ-04 an unknown member of its evidence',
      { evidence: { ...snpEvidence(), a: 1 } },
      'unknown_property',
      '/evidence/a',
    ],
    ['REQ-04 an unknown member beside it', { evidence: snpEvidence(), a: 1 }, 'unknown_property', '/a'],
    ['a member of another type beside it', { evidence: snpEvidence(), nonce: 1 }, 'schema', '/nonce'],
    ['a private key', { evidence: snpEvidence(), binding: { jwk: { kty: 'EC', d: 'AA' } } }, 'schema', '/binding/jwk'],
    ['neither type nor evidence', {}, 'schema', ''],
  ])('is refused, and its place named: %s', (_title, file, code, pointer) => {
    expect(errorOf(file)).toEqual({ code, pointer });
  });
});

describe('a structure by itself', () => {
  const value = Buffer.from('structure').toString('base64');

  it('is read with the kind that it is said to be, or without', () => {
    const bytes = Uint8Array.from(Buffer.from('structure'));
    const read = (body: object) => {
      const structure = readInspectRequest(bodyOf({ type: 'bytes', ...body }));
      if (structure.type !== 'bytes') throw new Error('read as something else');
      return { ...structure, value: Uint8Array.from(structure.value) };
    };
    expect(read({ value })).toEqual({ type: 'bytes', as: null, value: bytes });
    expect(read({ value, as: 'pem' })).toEqual({ type: 'bytes', as: 'pem', value: bytes });
  });

  it.each<[string, object, string, string]>([
    ['REQ-04 an unknown member', { value, pcrs: {} }, 'unknown_property', '/pcrs'],
    ['REQ-05 no value', {}, 'schema', '/value'],
    ['REQ-05 a value that is no text', { value: 7 }, 'schema', '/value'],
    ['REQ-05 a kind that is null', { value, as: null }, 'schema', '/as'],
    ['REQ-13 a kind that does not exist', { value, as: 'sgx-quote' }, 'schema', '/as'],
    ['REQ-10 a value in no encoding', { value: '*' }, 'encoding', '/value'],
    [
      'REQ-10 a value in hex',
      { value: Buffer.from('0123456789abcdef'.repeat(4)).toString('hex') },
      'encoding',
      '/value',
    ],
    ['REQ-10 a value that is PEM as it is', { value: '-----BEGIN CERTIFICATE-----' }, 'encoding', '/value'],
  ])('is refused, and its place named: %s', (_title, members, code, pointer) => {
    expect(errorOf({ type: 'bytes', ...members })).toEqual({ code, pointer });
  });
});
