import { describe, expect, it } from 'vitest';
import { readVerifyRequest } from '../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../format-error-of.js';
import {
  azSnpVtpmEvidence,
  azTdxVtpmEvidence,
  base64url,
  bodyOf,
  collateral,
  HCL_REPORT,
  type Json,
  PEM,
  SNP_REPORT,
  TD_QUOTE,
  TD_REPORT,
  TPM_MESSAGE,
  tdxEvidence,
  VCEK,
} from './sample-bodies.js';

const read = (evidence: Json) => readVerifyRequest(bodyOf({ evidence })).evidence;
const errorOf = (evidence: Json) => formatErrorOf(() => read(evidence));
const MEMBERS = Object.keys(collateral());

const READ_COLLATERAL = {
  tcbInfo: '{"id":"TDX"}',
  qeIdentity: '{"id":"TD_QE"}',
  tcbInfoSignature: Buffer.alloc(64, 0xab),
  qeIdentitySignature: Buffer.alloc(64, 0xcd),
  tcbInfoIssuerChain: PEM,
  qeIdentityIssuerChain: PEM + PEM,
  pckCrlIssuerChain: PEM,
  pckCrl: Buffer.from('3001', 'hex'),
  rootCaCrl: Buffer.from('3002', 'hex'),
};

const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, member) => (member instanceof Map ? [...member] : member)));

describe('tdx evidence', () => {
  it('is read, and null for everything that was left out', () => {
    const evidence = read(tdxEvidence());
    expect(evidence).toEqual({ type: 'tdx', quote: TD_QUOTE, runtimeData: null, collateral: null, ccel: null });
  });

  it('is read with all its members', () => {
    const evidence = read({ ...tdxEvidence(), runtimeData: 'AAAA', collateral: collateral(), ccel: 'AQID' });
    expect(plain(evidence)).toEqual(
      plain({
        type: 'tdx',
        quote: TD_QUOTE,
        runtimeData: Buffer.alloc(3),
        collateral: READ_COLLATERAL,
        ccel: Buffer.of(1, 2, 3),
      }),
    );
  });

  it.each<[string, Json, string, string]>([
    ['REQ-04 an unknown member', { ...tdxEvidence(), eventLog: '' }, 'unknown_property', '/evidence/eventLog'],
    ['REQ-05 no quote', { type: 'tdx' }, 'schema', '/evidence/quote'],
    ['REQ-05 null for collateral', { ...tdxEvidence(), collateral: null }, 'schema', '/evidence/collateral'],
    ['REQ-10 a quote in no encoding', { type: 'tdx', quote: '*' }, 'encoding', '/evidence/quote'],
    [
      'REQ-10 runtime data with unused bits',
      { ...tdxEvidence(), runtimeData: 'QUJDRB==' },
      'encoding',
      '/evidence/runtimeData',
    ],
    ['REQ-10 a log in both alphabets', { ...tdxEvidence(), ccel: '-_+/' }, 'encoding', '/evidence/ccel'],
    ['REQ-12 an SNP report', { type: 'tdx', quote: base64url(SNP_REPORT) }, 'type_mismatch', '/evidence/quote'],
    ['REQ-12 an HCL report', { type: 'tdx', quote: base64url(HCL_REPORT) }, 'type_mismatch', '/evidence/quote'],
    ['REQ-12 a TPM quote', { type: 'tdx', quote: base64url(TPM_MESSAGE) }, 'type_mismatch', '/evidence/quote'],
  ])('refuses: %s', (_, evidence, code, pointer) => {
    expect(errorOf(evidence)).toEqual({ code, pointer });
  });

  it('TDX-22 leaves a bare TDREPORT to the reader of quotes, who says what it is', () => {
    expect(read({ type: 'tdx', quote: base64url(TD_REPORT) })).toMatchObject({ quote: TD_REPORT });
  });

  it('takes a nonce of 64 bytes, which REPORTDATA holds', () => {
    const nonce = base64url(Buffer.alloc(64, 1));
    expect(readVerifyRequest(bodyOf({ evidence: tdxEvidence(), nonce })).nonce).toHaveLength(64);
  });
});

describe('collateral', () => {
  const withMember = (name: string, value: unknown): Json => ({
    ...tdxEvidence(),
    collateral: { ...collateral(), [name]: value },
  });

  it.each(MEMBERS)('REQ-05 needs %s, and it is a string', (name) => {
    const { [name]: _, ...others } = collateral();
    const pointer = `/evidence/collateral/${name}`;
    expect(errorOf({ ...tdxEvidence(), collateral: others })).toEqual({ code: 'schema', pointer });
    expect(errorOf(withMember(name, null))).toEqual({ code: 'schema', pointer });
    expect(errorOf(withMember(name, {}))).toEqual({ code: 'schema', pointer });
  });

  it.each(['tcb_info_signature', 'qe_identity_signature', 'pck_crl', 'root_ca_crl'])(
    'REQ-10 refuses %s that is no hex',
    (name) => {
      for (const text of ['zz', 'abc', 'MAA=', ' ab']) {
        expect(errorOf(withMember(name, text))).toEqual({
          code: 'encoding',
          pointer: `/evidence/collateral/${name}`,
        });
      }
    },
  );

  it('REQ-14 names no place to fetch from', () => {
    expect(errorOf(withMember('pcs', 'https://pcs.example')).code).toBe('unknown_property');
  });
});

describe('az-tdx-vtpm evidence', () => {
  it('is read, and null for everything that was left out', () => {
    const { hclReport, tpmQuote } = read(azSnpVtpmEvidence()) as never;
    expect(read(azTdxVtpmEvidence())).toEqual({
      type: 'az-tdx-vtpm',
      hclReport,
      tdQuote: TD_QUOTE,
      tpmQuote,
      collateral: null,
      ak: null,
      eventLog: null,
    });
  });

  it.each<[string, unknown, readonly (readonly number[])[]]>([
    ['a log', 'AQID', [[1, 2, 3]]],
    ['the log of the firmware and a Canonical Event Log', ['AQID', 'BA'], [[1, 2, 3], [4]]],
  ])('is read with %s', (_, eventLog, logs) => {
    const evidence = read({ ...azTdxVtpmEvidence(), eventLog }) as { readonly eventLog?: readonly Uint8Array[] };
    expect(evidence.eventLog?.map((log) => [...log])).toEqual(logs);
  });

  it.each<[string, unknown, string, string]>([
    ['no log in a list', [], 'schema', '/evidence/eventLog'],
    ['three logs', ['AQID', 'BA', 'BA'], 'schema', '/evidence/eventLog'],
    ['null for a log', null, 'schema', '/evidence/eventLog'],
    ['REQ-10 a log in no encoding', '*', 'encoding', '/evidence/eventLog'],
    ['REQ-10 a second log in no encoding', ['AQID', '*'], 'encoding', '/evidence/eventLog/1'],
  ])('refuses with %s', (_, eventLog, code, pointer) => {
    expect(errorOf({ ...azTdxVtpmEvidence(), eventLog })).toEqual({ code, pointer });
  });

  it('is read with collateral', () => {
    expect(read({ ...azTdxVtpmEvidence(), collateral: collateral() })).toMatchObject({ collateral: READ_COLLATERAL });
  });

  it('TDX-22 is malformed without quote, native or in a dialect, whatever else is wrong', () => {
    const { tdQuote: _, ...evidence } = azTdxVtpmEvidence();
    const error = { code: 'tdx_not_a_quote', pointer: '/evidence/tdQuote' };
    expect(errorOf(evidence)).toEqual(error);
    expect(errorOf({ ...evidence, unknown: 1 })).toEqual(error);
    expect(errorOf({ ...evidence, hclReport: 1 })).toEqual(error);
  });

  it.each<[string, Json, string, string]>([
    [
      'REQ-04 endorsements of SNP',
      { ...azTdxVtpmEvidence(), endorsements: {} },
      'unknown_property',
      '/evidence/endorsements',
    ],
    ['REQ-05 no TPM quote', { type: 'az-tdx-vtpm', hclReport: '', tdQuote: '' }, 'schema', '/evidence/tpmQuote'],
    ['REQ-05 null for the quote', { ...azTdxVtpmEvidence(), tdQuote: null }, 'schema', '/evidence/tdQuote'],
    ['REQ-10 a quote in no encoding', { ...azTdxVtpmEvidence(), tdQuote: 'A' }, 'encoding', '/evidence/tdQuote'],
    [
      'REQ-12 an SNP report for the quote',
      { ...azTdxVtpmEvidence(), tdQuote: base64url(SNP_REPORT) },
      'type_mismatch',
      '/evidence/tdQuote',
    ],
    [
      'REQ-12 a TD quote for the HCL report',
      { ...azTdxVtpmEvidence(), hclReport: base64url(TD_QUOTE) },
      'type_mismatch',
      '/evidence/hclReport',
    ],
  ])('refuses: %s', (_, evidence, code, pointer) => {
    expect(errorOf(evidence)).toEqual({ code, pointer });
  });

  it('refuses a nonce that no TPM quote holds', () => {
    const nonce = base64url(Buffer.alloc(51, 1));
    const error = formatErrorOf(() => readVerifyRequest(bodyOf({ evidence: azTdxVtpmEvidence(), nonce })));
    expect(error).toEqual({ code: 'nonce', pointer: '/nonce' });
  });
});

describe.each([
  ['az-snp-vtpm', azSnpVtpmEvidence],
  ['az-tdx-vtpm', azTdxVtpmEvidence],
])('certificate of an attestation key in %s', (_type, evidence) => {
  it.each<[string, Json, unknown]>([
    ['DER', { akCertificate: base64url(VCEK) }, { certificate: { der: VCEK }, chain: null }],
    ['PEM, and a chain', { akCertificate: PEM, akChain: PEM + PEM }, { certificate: { pem: PEM }, chain: PEM + PEM }],
  ])('is read: %s', (_, members, ak) => {
    expect(read({ ...evidence(), ...members })).toMatchObject({ ak });
  });

  it.each<[string, Json, string, string]>([
    ['REQ-05 a chain without it', { akChain: PEM }, 'schema', '/evidence/akCertificate'],
    ['REQ-05 null', { akCertificate: null }, 'schema', '/evidence/akCertificate'],
    ['REQ-10 no encoding', { akCertificate: '*' }, 'encoding', '/evidence/akCertificate'],
    ['REQ-14 an address', { akCertificate: 'http://crl.example/cert.cer' }, 'encoding', '/evidence/akCertificate'],
  ])('refuses: %s', (_, members, code, pointer) => {
    expect(errorOf({ ...evidence(), ...members })).toEqual({ code, pointer });
  });
});
