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
    ['REQ-13 a type that is not judged', { type: 'event-log', log: '' }, 'type_unsupported', '/type'],
  ])('refuses: %s', (_, body, code, pointer) => {
    expect(errorOf(body)).toEqual({ code, pointer });
  });

  it('REQ-06 refuses a duplicate', () => {
    const body = Buffer.from('{"type":"snp","report":"","report":""}');
    expect(formatErrorOf(() => readInspectRequest(body)).code).toBe('duplicate_key');
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
