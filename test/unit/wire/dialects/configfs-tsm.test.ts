import { describe, expect, it } from 'vitest';
import { readVerifyRequest } from '../../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../../format-error-of.js';
import { base64url, bodyOf, configfsTsm, configfsTsmTdx, type Json, SNP_REPORT, TD_QUOTE } from '../sample-bodies.js';

const read = (evidence: Json) => readVerifyRequest(bodyOf({ evidence })).evidence;
const withValue = (members: Json): Json => ({
  ...configfsTsm(),
  value: { ...(configfsTsm()['value'] as Json), ...members },
});
const outblob = base64url(SNP_REPORT);

describe('dialect configfs-tsm', () => {
  it('reads report and certificate table', () => {
    expect(read(configfsTsm())).toEqual({
      type: 'snp',
      report: SNP_REPORT,
      runtimeData: null,
      endorsements: { vek: null, chain: null, certificateTable: Buffer.alloc(24), crls: [] },
    });
  });

  it.each<[string, Json]>([
    ['without auxblob', { provider: 'sev_guest', outblob }],
    ['with an empty auxblob', { provider: 'sev_guest', outblob, auxblob: '' }],
    ['without provider', { outblob }],
    ['with the line feed of the kernel', { provider: 'sev_guest\n', outblob }],
  ])('reads a value %s', (_, value) => {
    const evidence = read({ ...configfsTsm(), value });
    expect(evidence).toMatchObject({ type: 'snp', report: SNP_REPORT, endorsements: { certificateTable: null } });
  });

  it.each<[string, Json, string, string]>([
    ['REQ-04 an unknown member', withValue({ generation: '1' }), 'unknown_property', '/evidence/value/generation'],
    ['REQ-05 a provider that nobody knows', withValue({ provider: 'tpm' }), 'schema', '/evidence/value/provider'],
    ['REQ-05 a provider with a blank', withValue({ provider: 'sev_guest ' }), 'schema', '/evidence/value/provider'],
    ['REQ-05 null for auxblob', withValue({ auxblob: null }), 'schema', '/evidence/value/auxblob'],
    ['REQ-05 no outblob', { ...configfsTsm(), value: { auxblob: '' } }, 'schema', '/evidence/value/outblob'],
    ['REQ-10 an outblob in no encoding', withValue({ outblob: '*' }), 'encoding', '/evidence/value/outblob'],
    ['REQ-10 an auxblob in no encoding', withValue({ auxblob: 'A' }), 'encoding', '/evidence/value/auxblob'],
    ['REQ-12 the provider of TDX', withValue({ provider: 'tdx_guest' }), 'type_mismatch', '/evidence/value/provider'],
    [
      'REQ-12 the provider of CCA',
      withValue({ provider: 'arm_cca_guest\n' }),
      'type_mismatch',
      '/evidence/value/provider',
    ],
    ['REQ-12 a TD quote', withValue({ outblob: base64url(TD_QUOTE) }), 'type_mismatch', '/evidence/value/outblob'],
  ])('refuses: %s', (_, evidence, code, pointer) => {
    expect(formatErrorOf(() => read(evidence))).toEqual({ code, pointer });
  });
});

describe('what is said of a provider', () => {
  it.each<[string, string, string]>([
    ['snp', 'tpm', 'the value is not a provider, expected sev_guest'],
    ['tdx', 'tdx_guest\n\n', 'the value is not a provider, expected tdx_guest'],
    ['snp', 'arm_cca_guest', 'this is the provider of another TEE, expected sev_guest'],
    ['tdx', 'sev_guest\n', 'this is the provider of another TEE, expected tdx_guest'],
  ])('of %s evidence, %j', (type, provider, message) => {
    const value = { provider, outblob: type === 'snp' ? outblob : base64url(TD_QUOTE) };
    expect(() => read({ type, dialect: 'configfs-tsm', value })).toThrow(
      expect.objectContaining({ pointer: '/evidence/value/provider', message }),
    );
  });
});

describe('hex in a dialect', () => {
  const hexOf = (length: number) => Buffer.from(Array.from({ length }, (_, index) => index % 251)).toString('hex');

  it.each<[string, Json, string]>([
    ['configfs-tsm', { ...configfsTsm(), value: { outblob: hexOf(1184) } }, '/evidence/value/outblob'],
    ['configfs-tsm of TDX', { ...configfsTsmTdx(), value: { outblob: hexOf(5000) } }, '/evidence/value/outblob'],
    ['extended-report', { type: 'snp', dialect: 'extended-report', value: hexOf(1184) }, '/evidence/value'],
    ['ita', { type: 'tdx', dialect: 'ita', value: { quote: hexOf(5000) } }, '/evidence/value/quote'],
    ['maa', { type: 'tdx', dialect: 'maa', value: { quote: hexOf(5000) } }, '/evidence/value/quote'],
  ])('is said to be hex: %s', (_, evidence, pointer) => {
    const message = 'this is hex: expected base64url or base64';
    expect(() => read(evidence)).toThrow(expect.objectContaining({ code: 'encoding', pointer, message }));
  });
});

describe('dialect configfs-tsm for tdx', () => {
  const withTdxValue = (members: Json): Json => ({
    ...configfsTsmTdx(),
    value: { ...(configfsTsmTdx()['value'] as Json), ...members },
  });
  const quote = base64url(TD_QUOTE);

  it.each<[string, Json]>([
    ['as the kernel gives it', { provider: 'tdx_guest\n', outblob: quote, auxblob: '' }],
    ['without auxblob and provider', { outblob: quote }],
  ])('reads the quote %s', (_, value) => {
    const evidence = read({ ...configfsTsmTdx(), value });
    expect(evidence).toEqual({ type: 'tdx', quote: TD_QUOTE, runtimeData: null, collateral: null, ccel: null });
  });

  it.each<[string, Json, string, string]>([
    ['REQ-04 an unknown member', withTdxValue({ inblob: '' }), 'unknown_property', '/evidence/value/inblob'],
    ['REQ-05 something in auxblob', withTdxValue({ auxblob: 'AAAA' }), 'schema', '/evidence/value/auxblob'],
    ['REQ-05 no outblob', { ...configfsTsmTdx(), value: {} }, 'schema', '/evidence/value/outblob'],
    ['REQ-10 an outblob in no encoding', withTdxValue({ outblob: '*' }), 'encoding', '/evidence/value/outblob'],
    [
      'REQ-12 the provider of SNP',
      withTdxValue({ provider: 'sev_guest\n' }),
      'type_mismatch',
      '/evidence/value/provider',
    ],
    ['REQ-12 an SNP report', withTdxValue({ outblob }), 'type_mismatch', '/evidence/value/outblob'],
    ['REQ-12 all of SNP under this type', { ...configfsTsm(), type: 'tdx' }, 'schema', '/evidence/value/auxblob'],
  ])('refuses: %s', (_, evidence, code, pointer) => {
    expect(formatErrorOf(() => read(evidence))).toEqual({ code, pointer });
  });
});
