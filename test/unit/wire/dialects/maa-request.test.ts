import { describe, expect, it } from 'vitest';
import { readVerifyRequest } from '../../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../../format-error-of.js';
import {
  base64url,
  bodyOf,
  type Json,
  maaSnpReport,
  maaSnpRequest,
  maaTdxRequest,
  PEM,
  SNP_REPORT,
  TD_QUOTE,
} from '../sample-bodies.js';

const read = (evidence: Json) => readVerifyRequest(bodyOf({ evidence })).evidence;
const errorOf = (evidence: Json) => formatErrorOf(() => read(evidence));
const withValue = (evidence: Json, members: Json): Json => ({
  ...evidence,
  value: { ...(evidence['value'] as Json), ...members },
});
const RUNTIME_DATA = Buffer.from('{"keys":[]}');
const REPORT = '/evidence/value/report';

describe('dialect maa for snp', () => {
  it('reads report, certificates and runtime data', () => {
    expect(read(maaSnpRequest())).toEqual({
      type: 'snp',
      report: SNP_REPORT,
      runtimeData: RUNTIME_DATA,
      endorsements: { vek: { pem: PEM }, chain: PEM + PEM, certificateTable: null, crls: [] },
    });
  });

  it('reads a report alone, and one with the VCEK alone', () => {
    const { SnpReport } = maaSnpReport();
    const bare = { type: 'snp', dialect: 'maa', value: { report: base64url(bodyOf({ SnpReport })) } };
    expect(read(bare)).toMatchObject({ runtimeData: null, endorsements: { vek: null, chain: null } });
    const one = maaSnpRequest({ SnpReport, VcekCertChain: base64url(Buffer.from(PEM)), Endorsements: 'AAAA' });
    expect(read(one)).toMatchObject({
      endorsements: { vek: { pem: PEM }, chain: null },
      hasLaunchEndorsements: true,
    });
  });

  it('SNP-51 reads initTimeData, and takes an empty text for none', () => {
    const given = withValue(maaSnpRequest(), { initTimeData: { data: 'AAAA', dataType: 'JSON' } });
    expect(read(given)).toMatchObject({ initData: Buffer.alloc(3) });
    expect(read(maaSnpRequest())).not.toHaveProperty('initData');
    const { initTimeData: _, ...value } = maaSnpRequest()['value'] as Json;
    expect(read({ ...maaSnpRequest(), value })).not.toHaveProperty('initData');
  });

  it('takes an empty text for no runtime data', () => {
    const runtimeData = { data: '', dataType: 'JSON' };
    expect(read(withValue(maaSnpRequest(), { runtimeData }))).toMatchObject({ runtimeData: null });
    expect(read(withValue(maaTdxRequest(), { runtimeData }))).toMatchObject({ runtimeData: null });
  });

  it('SNP-51 takes any value of what it ignores', () => {
    for (const nonce of [null, true, {}, [1], 'text', 1.5]) {
      expect(read(withValue(maaSnpRequest(), { nonce, draftPolicyForAttestation: nonce })).type).toBe('snp');
      expect(read(withValue(maaTdxRequest(), { nonce, initTimeData: nonce })).type).toBe('tdx');
    }
  });

  it.each<[string, Json, string, string]>([
    ['REQ-04 an unknown member', withValue(maaSnpRequest(), { a: 1 }), 'unknown_property', '/evidence/value/a'],
    [
      'REQ-04 an unknown member of what is inside',
      maaSnpRequest({ ...maaSnpReport(), a: 1 }),
      'unknown_property',
      REPORT,
    ],
    ['REQ-05 nothing of a report inside', maaSnpRequest({}), 'schema', REPORT],
    [
      'REQ-05 what is inside is no JSON',
      withValue(maaSnpRequest(), { report: base64url(SNP_REPORT) }),
      'schema',
      REPORT,
    ],
    [
      'REQ-05 another type of data',
      withValue(maaSnpRequest(), { runtimeData: { data: '', dataType: 'Text' } }),
      'schema',
      '/evidence/value/runtimeData/dataType',
    ],
    [
      'REQ-06 a duplicate inside',
      withValue(maaSnpRequest(), { report: base64url(Buffer.from('{"SnpReport":"","SnpReport":""}')) }),
      'duplicate_key',
      REPORT,
    ],
    [
      'REQ-10 initTimeData in no encoding',
      withValue(maaSnpRequest(), { initTimeData: { data: '*', dataType: 'JSON' } }),
      'encoding',
      '/evidence/value/initTimeData/data',
    ],
    ['REQ-10 a report in no encoding', withValue(maaSnpRequest(), { report: '*' }), 'encoding', REPORT],
    ['REQ-10 a report inside in no encoding', maaSnpRequest({ SnpReport: '*' }), 'encoding', REPORT],
    ['REQ-12 a TD quote inside', maaSnpRequest({ SnpReport: base64url(TD_QUOTE) }), 'type_mismatch', REPORT],
    [
      'REQ-12 the body of the other operation',
      { ...maaTdxRequest(), type: 'snp' },
      'type_mismatch',
      '/evidence/value/quote',
    ],
    ['REQ-05 no value', { type: 'snp', dialect: 'maa' }, 'schema', '/evidence/value'],
  ])('refuses: %s', (_, evidence, code, pointer) => {
    expect(errorOf(evidence)).toEqual({ code, pointer });
  });
});

describe('dialect maa for tdx', () => {
  it('reads quote and runtime data', () => {
    expect(read(maaTdxRequest())).toEqual({
      type: 'tdx',
      quote: TD_QUOTE,
      runtimeData: RUNTIME_DATA,
      collateral: null,
      ccel: null,
    });
    const bare = { type: 'tdx', dialect: 'maa', value: { quote: base64url(TD_QUOTE) } };
    expect(read(bare)).toMatchObject({ runtimeData: null });
  });

  it.each<[string, Json, string, string]>([
    [
      'REQ-04 a draft policy, which the operation does not have',
      withValue(maaTdxRequest(), { draftPolicyForAttestation: '' }),
      'unknown_property',
      '/evidence/value/draftPolicyForAttestation',
    ],
    ['REQ-05 no quote', { type: 'tdx', dialect: 'maa', value: {} }, 'schema', '/evidence/value/quote'],
    ['REQ-05 no value', { type: 'tdx', dialect: 'maa' }, 'schema', '/evidence/value'],
    [
      'REQ-10 data in no encoding',
      withValue(maaTdxRequest(), { runtimeData: { data: 'A', dataType: 'JSON' } }),
      'encoding',
      '/evidence/value/runtimeData/data',
    ],
    [
      'REQ-12 an SNP report',
      withValue(maaTdxRequest(), { quote: base64url(SNP_REPORT) }),
      'type_mismatch',
      '/evidence/value/quote',
    ],
    ['REQ-12 the body of the other operation', { ...maaSnpRequest(), type: 'tdx' }, 'type_mismatch', REPORT],
  ])('refuses: %s', (_, evidence, code, pointer) => {
    expect(errorOf(evidence)).toEqual({ code, pointer });
  });
});
