import { describe, expect, it } from 'vitest';
import { evidenceSha256 } from '../../../../src/tee/evidence-identity.js';
import { readInspectRequest, readVerifyRequest } from '../../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../../format-error-of.js';
import {
  azSnpVtpmEvidence,
  azTdxVtpmEvidence,
  base64url,
  bodyOf,
  HCL_REPORT,
  type Json,
  PEM,
  SNP_REPORT,
  TD_QUOTE,
  tdxEvidence,
  trusteeTd,
  trusteeTdxV0,
  trusteeTdxV1,
  trusteeV0,
  trusteeV1,
  VCEK,
} from '../sample-bodies.js';

const read = (evidence: Json) => readVerifyRequest(bodyOf({ evidence })).evidence;
const errorOf = (evidence: Json) => formatErrorOf(() => read(evidence));
const withValue = (evidence: Json, members: Json): Json => ({
  ...evidence,
  value: { ...(evidence['value'] as Json), ...members },
});
const withQuote = (evidence: Json, name: string, members: Json): Json =>
  withValue(evidence, { [name]: { ...((evidence['value'] as Json)[name] as Json), ...members } });
/** Numbers and buffers alike as hex, maps as pairs. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return [...value].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
};

describe('dialect trustee', () => {
  it.each([1, 2])('reads version %i as the native form', (version) => {
    expect(plain(read(trusteeV1(version)))).toEqual(plain(read(azSnpVtpmEvidence())));
  });

  it('reads version 0 as the native form, with a certificate in PEM', () => {
    const endorsements = expect.objectContaining({ vek: { pem: PEM } });
    expect(plain(read(trusteeV0()))).toEqual({ ...(plain(read(azSnpVtpmEvidence())) as object), endorsements });
  });

  it('REQ-10 reads base64url with padding', () => {
    const padded = withValue(trusteeV1(1), {
      hcl_report: Buffer.from(HCL_REPORT).toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
    });
    expect(plain(read(padded))).toEqual(plain(read(trusteeV1(1))));
  });

  it.each<[string, Json, string, string]>([
    [
      'REQ-04 an unknown member of version 0',
      withValue(trusteeV0(), { a: 1 }),
      'unknown_property',
      '/evidence/value/a',
    ],
    [
      'REQ-04 an unknown member of version 1',
      withValue(trusteeV1(1), { a: 1 }),
      'unknown_property',
      '/evidence/value/a',
    ],
    [
      'REQ-04 an unknown member of a quote',
      withQuote(trusteeV1(1), 'tpm_quote', { a: 1 }),
      'unknown_property',
      '/evidence/value/tpm_quote/a',
    ],
    [
      'REQ-04 endorsements beside the value',
      { ...trusteeV1(1), endorsements: {} },
      'unknown_property',
      '/evidence/endorsements',
    ],
    [
      'REQ-04 members of version 0 under a version',
      withValue(trusteeV0(), { version: 1 }),
      'schema',
      '/evidence/value/tpm_quote',
    ],
    ['REQ-05 version 3', trusteeV1(3), 'schema', '/evidence/value/version'],
    ['REQ-05 version 0, which no guest writes', trusteeV1(0), 'schema', '/evidence/value/version'],
    ['REQ-05 a version as a string', withValue(trusteeV1(1), { version: '1' }), 'schema', '/evidence/value/version'],
    ['REQ-05 no value', { type: 'az-snp-vtpm', dialect: 'trustee' }, 'schema', '/evidence/value'],
    ['REQ-05 a value as text', { ...trusteeV1(1), value: '{}' }, 'schema', '/evidence/value'],
    ['REQ-05 a number over 255', withValue(trusteeV0(), { report: [72, 256] }), 'schema', '/evidence/value/report/1'],
    ['REQ-05 a negative number', withValue(trusteeV0(), { report: [-1] }), 'schema', '/evidence/value/report/0'],
    [
      'REQ-09 a fraction',
      withQuote(trusteeV0(), 'quote', { message: [1.5] }),
      'schema',
      '/evidence/value/quote/message/0',
    ],
    [
      'REQ-05 23 PCRs',
      withQuote(trusteeV1(1), 'tpm_quote', { pcrs: Array(23).fill('00') }),
      'schema',
      '/evidence/value/tpm_quote/pcrs',
    ],
    [
      'REQ-05 25 PCRs',
      withQuote(trusteeV0(), 'quote', { pcrs: Array(25).fill([0]) }),
      'schema',
      '/evidence/value/quote/pcrs',
    ],
    [
      'REQ-10 a quote that is no hex',
      withQuote(trusteeV1(1), 'tpm_quote', { message: 'zz' }),
      'encoding',
      '/evidence/value/tpm_quote/message',
    ],
    [
      'REQ-10 a signature of an odd number of digits',
      withQuote(trusteeV1(1), 'tpm_quote', { signature: 'abc' }),
      'encoding',
      '/evidence/value/tpm_quote/signature',
    ],
    [
      'REQ-10 a PCR that is no hex',
      withQuote(trusteeV1(1), 'tpm_quote', { pcrs: [...Array(23).fill('00'), '0'] }),
      'encoding',
      '/evidence/value/tpm_quote/pcrs/23',
    ],
    [
      'REQ-10 a report in both alphabets',
      withValue(trusteeV1(1), { hcl_report: '-_+/' }),
      'encoding',
      '/evidence/value/hcl_report',
    ],
    [
      'REQ-10 a certificate with blanks',
      withValue(trusteeV1(1), { vcek: `${base64url(VCEK)} ` }),
      'encoding',
      '/evidence/value/vcek',
    ],
    [
      'REQ-12 evidence of a TDX guest',
      withValue(trusteeV1(1), { td_quote: 'AAAA' }),
      'type_mismatch',
      '/evidence/value/td_quote',
    ],
    [
      'REQ-12 version 0 evidence of a TDX guest',
      withValue(trusteeV0(), { td_quote: [4, 0] }),
      'type_mismatch',
      '/evidence/value/td_quote',
    ],
    [
      'REQ-12 a bare report for that of the paravisor',
      withValue(trusteeV1(1), { hcl_report: base64url(SNP_REPORT) }),
      'type_mismatch',
      '/evidence/value/hcl_report',
    ],
    [
      'REQ-12 a bare report in version 0',
      withValue(trusteeV0(), { report: [...SNP_REPORT] }),
      'type_mismatch',
      '/evidence/value/report',
    ],
  ])('refuses: %s', (_, evidence, code, pointer) => {
    expect(errorOf(evidence)).toEqual({ code, pointer });
  });
});

describe('dialect trustee on TDX', () => {
  it.each([trusteeTdxV0(), trusteeTdxV1(1), trusteeTdxV1(2)])('reads each version as the native form', (evidence) => {
    expect(plain(read(evidence))).toEqual(plain(read(azTdxVtpmEvidence())));
  });

  const without = (evidence: Json, member: string): Json => {
    const { [member]: _, ...value } = evidence['value'] as Json;
    return { ...evidence, value };
  };

  it.each([trusteeTdxV0(), trusteeTdxV1(1), trusteeTdxV1(2)])('TDX-22 needs a quote in each version', (evidence) => {
    const error = { code: 'tdx_not_a_quote', pointer: '/evidence/value/td_quote' };
    expect(errorOf(without(evidence, 'td_quote'))).toEqual(error);
    expect(errorOf({ ...evidence, value: {} })).toEqual(error);
  });

  it.each<[string, Json, string, string]>([
    ['REQ-04 an unknown member', withValue(trusteeTdxV1(1), { a: 1 }), 'unknown_property', '/evidence/value/a'],
    [
      'REQ-04 an unknown member of a quote',
      withQuote(trusteeTdxV0(), 'tpm_quote', { a: 1 }),
      'unknown_property',
      '/evidence/value/tpm_quote/a',
    ],
    ['REQ-05 version 3', trusteeTdxV1(3), 'schema', '/evidence/value/version'],
    ['REQ-05 no value', { type: 'az-tdx-vtpm', dialect: 'trustee' }, 'schema', '/evidence/value'],
    [
      'REQ-05 a number over 255',
      withValue(trusteeTdxV0(), { td_quote: [256] }),
      'schema',
      '/evidence/value/td_quote/0',
    ],
    [
      'REQ-10 a quote in no encoding',
      withValue(trusteeTdxV1(2), { td_quote: '*' }),
      'encoding',
      '/evidence/value/td_quote',
    ],
    [
      'REQ-12 evidence of an SNP guest',
      withValue(trusteeTdxV1(1), { vcek: PEM }),
      'type_mismatch',
      '/evidence/value/vcek',
    ],
    ['REQ-12 all of an SNP guest', { ...trusteeV1(1), type: 'az-tdx-vtpm' }, 'type_mismatch', '/evidence/value/vcek'],
    [
      'REQ-12 all of a TDX guest',
      { ...trusteeTdxV1(1), type: 'az-snp-vtpm' },
      'type_mismatch',
      '/evidence/value/td_quote',
    ],
    [
      'REQ-12 a TD quote for the report',
      withValue(trusteeTdxV0(), { hcl_report: [...TD_QUOTE] }),
      'type_mismatch',
      '/evidence/value/hcl_report',
    ],
    [
      'REQ-12 an HCL report for the quote',
      withValue(trusteeTdxV1(1), { td_quote: base64url(HCL_REPORT) }),
      'type_mismatch',
      '/evidence/value/td_quote',
    ],
  ])('refuses: %s', (_, evidence, code, pointer) => {
    expect(errorOf(evidence)).toEqual({ code, pointer });
  });
});

describe('dialect trustee of a TD without paravisor', () => {
  const LOG = Buffer.from('a log');

  it('reads quote and log as the native form, with its identity', () => {
    const found = read(withValue(trusteeTd(), { cc_eventlog: LOG.toString('base64') }));
    const native = read({ ...tdxEvidence(), ccel: base64url(LOG) });
    expect(plain(found)).toEqual(plain(native));
    expect(evidenceSha256(found)).toBe(evidenceSha256(native));
  });

  it('has no log where it is null or absent', () => {
    const absent = { ...trusteeTd(), value: { quote: base64url(TD_QUOTE) } };
    const empty = withValue(trusteeTd(), { cc_eventlog: '' });
    for (const evidence of [trusteeTd(), absent, empty])
      expect(plain(read(evidence))).toEqual(plain(read(tdxEvidence())));
  });

  it.each<[string, Json, string, string]>([
    ['REQ-04 an unknown member', withValue(trusteeTd(), { a: 1 }), 'unknown_property', '/evidence/value/a'],
    ['REQ-05 no quote', { ...trusteeTd(), value: {} }, 'schema', '/evidence/value/quote'],
    ['REQ-05 a log as a number', withValue(trusteeTd(), { cc_eventlog: 1 }), 'schema', '/evidence/value/cc_eventlog'],
    ['REQ-06 a bad log', withValue(trusteeTd(), { cc_eventlog: '*' }), 'encoding', '/evidence/value/cc_eventlog'],
    ['REQ-06 a bad quote', withValue(trusteeTd(), { quote: '*' }), 'encoding', '/evidence/value/quote'],
    [
      'REQ-12 an SNP report',
      withValue(trusteeTd(), { quote: base64url(SNP_REPORT) }),
      'type_mismatch',
      '/evidence/value/quote',
    ],
  ])('refuses: %s', (_, evidence, code, pointer) => {
    expect(errorOf(evidence)).toEqual({ code, pointer });
  });
});

describe('what a guest of Trustee makes, as it lies in a file', () => {
  const sentAs = (type: string) =>
    `this looks like evidence of a Trustee guest, which is sent as {"evidence":{"type":"${type}","dialect":"trustee","value":…}}`;

  it.each<[string, Json, string]>([
    ['version 0 on SEV-SNP', { quote: {}, report: [72], vcek: '' }, 'az-snp-vtpm'],
    ['version 1 on SEV-SNP', { version: 1, tpm_quote: {}, hcl_report: '', vcek: '' }, 'az-snp-vtpm'],
    ['version 0 on TDX', { tpm_quote: {}, hcl_report: [72], td_quote: [4] }, 'az-tdx-vtpm'],
    ['version 2 on TDX', { version: 2, tpm_quote: {}, hcl_report: '', td_quote: '' }, 'az-tdx-vtpm'],
    ['a TD without paravisor', { quote: '', cc_eventlog: null }, 'tdx'],
    ['a vTPM by itself', { ak_public: '', tpm_quote: {} }, 'tpm'],
  ])('is told how it is sent: %s', (_title, value, type) => {
    const hint = sentAs(type);
    const missing = `member is missing: ${hint}`;
    const reading = (body: Json) => () => readVerifyRequest(bodyOf(body));
    const problem = (pointer: string, message = missing) =>
      expect.objectContaining({ code: 'schema', pointer, message });
    expect(reading(value)).toThrow(problem('/evidence'));
    expect(reading({ evidence: value })).toThrow(problem('/evidence/type'));
    expect(reading({ evidence: { type, ...value } })).toThrow(problem('/evidence/dialect'));
    expect(reading({ evidence: { type, dialect: 'trustee', ...value } })).toThrow(problem('/evidence/value'));
    expect(reading({ evidence: { dialect: 'trustee', ...value } })).toThrow(problem('/evidence/type'));
    expect(() => readInspectRequest(bodyOf({ type, dialect: 'trustee', ...value }))).toThrow(problem('/value'));
    expect(() => readInspectRequest(bodyOf(value))).toThrow(problem('', hint));
  });

  it('keeps the type of a TD whose quote is missing', () => {
    const evidence = { type: 'az-tdx-vtpm', tpm_quote: {}, hcl_report: '' };
    const message = `member is missing: ${sentAs('az-tdx-vtpm')}`;
    expect(() => readVerifyRequest(bodyOf({ evidence }))).toThrow(
      expect.objectContaining({ code: 'schema', pointer: '/evidence/dialect', message }),
    );
  });

  it.each<[string, Json, string, string]>([
    ['a paravisor report alone', { hcl_report: '' }, '/evidence/type', 'a string'],
    ['a quote that is named as in the native form', { hcl_report: '', tpmQuote: {} }, '/evidence/type', 'a string'],
    [
      'a guest that says that it is of Trustee',
      { type: 'az-snp-vtpm', dialect: 'trustee', report: '' },
      '/evidence/value',
      'an object',
    ],
  ])('twin: %s is not taken for it', (_title, evidence, pointer, expected) => {
    const message = `member is missing, expected ${expected}`;
    expect(() => readVerifyRequest(bodyOf({ evidence }))).toThrow(
      expect.objectContaining({ code: 'schema', pointer, message }),
    );
  });

  it('twin: another body without evidence is not taken for it', () => {
    const message = 'member is missing, expected an object';
    expect(() => readVerifyRequest(bodyOf({ report: 'AA', quote: 'AA' }))).toThrow(
      expect.objectContaining({ code: 'schema', pointer: '/evidence', message }),
    );
  });
});
