import { describe, expect, it } from 'vitest';
import { readInspectFile, readInspectRequest } from '../../../src/wire/read-inspect-request.js';
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
    ['REQ-05 a body that is no object', [snpEvidence()], 'schema', ''],
    ['REQ-05 a member of another type', { ...snpEvidence(), report: null }, 'schema', '/report'],
    ['REQ-10 bytes in no encoding', { ...snpEvidence(), report: '*' }, 'encoding', '/report'],
    [
      'REQ-12 bytes of another type',
      { ...snpEvidence(), report: azSnpVtpmEvidence()['hclReport'] },
      'type_mismatch',
      '/report',
    ],
    ['REQ-13 a type that is not judged', { type: 'event-log', log: '' }, 'type_unsupported', '/type'],
    ['the body of /verify', { evidence: snpEvidence() }, 'schema', '/type'],
  ])('refuses: %s', (_, body, code, pointer) => {
    expect(errorOf(body)).toEqual({ code, pointer });
  });

  it('REQ-06 refuses a duplicate', () => {
    const body = Buffer.from('{"type":"snp","report":"","report":""}');
    expect(formatErrorOf(() => readInspectRequest(body)).code).toBe('duplicate_key');
  });
});

describe('readInspectFile', () => {
  it('reads evidence, or that of a /verify body', () => {
    expect(readInspectFile(bodyOf(snpEvidence()))).toEqual(readInspectFile(bodyOf({ evidence: snpEvidence() })));
  });

  it.each<[string, unknown, string, string]>([
    ['evidence', { ...snpEvidence(), report: '*' }, 'encoding', '/report'],
    ['a /verify body', { evidence: { ...snpEvidence(), report: '*' } }, 'encoding', '/evidence/report'],
    [
      'an unknown member in a /verify body',
      { evidence: { ...snpEvidence(), a: 1 } },
      'unknown_property',
      '/evidence/a',
    ],
    ['a body without evidence', {}, 'schema', '/evidence'],
  ])('says where in the file: %s', (_title, file, code, pointer) => {
    expect(formatErrorOf(() => readInspectFile(bodyOf(file)))).toEqual({ code, pointer });
  });
});
