import { describe, expect, it } from 'vitest';
import { readVerifyRequest } from '../../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../../format-error-of.js';
import {
  azureGuest,
  azureGuestInfo,
  azureGuestTdxInfo,
  base64url,
  bodyOf,
  HCL_REPORT,
  type Json,
  maaSnpReport,
  PCRS,
  PEM,
  SNP_REPORT,
  TD_QUOTE,
  TPM_MESSAGE,
  TPM_SIGNATURE,
  VCEK,
} from '../sample-bodies.js';

const read = (evidence: Json) => readVerifyRequest(bodyOf({ evidence })).evidence;
const errorOf = (evidence: Json) => formatErrorOf(() => read(evidence));
const CLAIMS = Buffer.from('{"keys":[]}');
const VALUE = '/evidence/value';
const PROOF = `${VALUE}/IsolationInfo/Evidence/Proof`;

function infoWith(part: string, members: Json, info = azureGuestInfo()): Json {
  const changed = { ...(info[part] as Json), ...members };
  const entries = Object.entries(changed).filter(([, value]) => value !== undefined);
  return { ...info, [part]: Object.fromEntries(entries) };
}
const withTpm = (members: Json) => azureGuest(infoWith('TpmInfo', members));
const withEvidence = (members: Json) => {
  const { Evidence } = azureGuestInfo()['IsolationInfo'] as Json;
  return azureGuest(infoWith('IsolationInfo', { Evidence: { ...(Evidence as Json), ...members } }));
};
const inText = (info: unknown) => base64url(bodyOf(info));

const READ = {
  type: 'az-snp-vtpm',
  hclReport: { hardwareReport: SNP_REPORT, runtimeClaims: CLAIMS },
  endorsements: { vek: { pem: PEM }, chain: PEM + PEM, certificateTable: null, crls: [] },
  tpmQuote: { message: TPM_MESSAGE, signature: TPM_SIGNATURE, pcrs: new Map([['sha256', new Map(PCRS.entries())]]) },
  ak: { certificate: { der: VCEK }, chain: null },
  akPublic: Buffer.alloc(280, 5),
  certifiedKey: { info: TPM_MESSAGE, signature: Buffer.alloc(256, 7), publicArea: Buffer.alloc(280, 6) },
  eventLog: [Buffer.alloc(3)],
};

describe('dialect azure-guest', () => {
  it('reads a machine on SEV-SNP: as JSON, in base64, with a proof that is no text', () => {
    const { Evidence } = azureGuestInfo()['IsolationInfo'] as { Evidence: Json };
    const asObject = { Type: 'SevSnp', Evidence: { ...Evidence, Proof: maaSnpReport() } };
    expect(read(azureGuest())).toEqual(READ);
    expect(read(azureGuest(inText(azureGuestInfo())))).toEqual(READ);
    expect(read(azureGuest(bodyAsBase64()))).toEqual(READ);
    expect(read(azureGuest({ ...azureGuestInfo(), IsolationInfo: asObject }))).toEqual(READ);
  });

  it('reads a machine on TDX', () => {
    const { endorsements: _, ...read_ } = READ;
    expect(read(azureGuest(azureGuestTdxInfo(), 'az-tdx-vtpm'))).toEqual({
      ...read_,
      type: 'az-tdx-vtpm',
      hclReport: { hardwareReport: null, runtimeClaims: CLAIMS },
      tdQuote: TD_QUOTE,
      collateral: null,
    });
  });

  it('reads a machine of Trusted Launch, whose certificate is all that vouches for it', () => {
    const { endorsements: _, hclReport: __, ...others } = READ;
    const info = { ...azureGuestInfo(), IsolationInfo: { Type: 'TrustedLaunch' } };
    expect(read(azureGuest(info, 'tpm'))).toEqual({ ...others, type: 'tpm' });
    expect(read(azureGuest(inText(info), 'tpm'))).toEqual({ ...others, type: 'tpm' });
    const without = infoWith('TpmInfo', { AikCert: undefined }, info);
    expect(errorOf(azureGuest(without, 'tpm'))).toEqual({ code: 'schema', pointer: `${VALUE}/TpmInfo/AikCert` });
    const { IsolationInfo } = infoWith('IsolationInfo', { Type: 'TrustedLaunch' });
    const mixed = errorOf(azureGuest({ ...info, IsolationInfo }, 'tpm'));
    expect(mixed).toEqual({ code: 'type_mismatch', pointer: `${VALUE}/IsolationInfo/Evidence` });
    expect(errorOf(azureGuest(azureGuestInfo(), 'tpm'))).toEqual({
      code: 'type_mismatch',
      pointer: `${VALUE}/IsolationInfo/Type`,
    });
  });

  it('reads what clients leave out', () => {
    const { AttestationProtocolVersion, TpmInfo, IsolationInfo } = azureGuestInfo();
    const { PcrQuote, PcrSignature, PCRs } = TpmInfo as Json;
    const bare = { AttestationProtocolVersion, TpmInfo: { PcrQuote, PcrSignature, PCRs }, IsolationInfo };
    const { akPublic: _, certifiedKey: __, ...others } = READ;
    expect(read(azureGuest(bare))).toEqual({ ...others, ak: null, eventLog: null });
    expect(read(withTpm({ AikCert: '' }))).toEqual({ ...READ, ak: null });
    const withoutLog = azureGuest({ ...azureGuestInfo(), ClientPayload: null, TcgLogs: '' });
    expect(read(withoutLog)).toEqual({ ...READ, eventLog: null });
  });

  it.each<[string, Json]>([
    ['versions as text', { OSVersionMajor: '24', OSVersionMinor: '4' }],
    ['claims of the user of any form', { ClientPayload: { 'user-claims': { n: 1, list: [true, null] } } }],
    ['an empty text for no claims', { ClientPayload: '' }],
  ])("takes what Microsoft's client in Python writes: %s", (_, members) => {
    expect(read(azureGuest({ ...azureGuestInfo(), ...members }))).toEqual(READ);
    expect(read(azureGuest(inText({ ...azureGuestInfo(), ...members })))).toEqual(READ);
  });

  it('REQ-10 takes each encoding, and never a mix of two', () => {
    const standard = Buffer.from(SNP_REPORT).toString('base64');
    const Proof = { ...maaSnpReport(), SnpReport: standard };
    expect(read(withEvidence({ Proof: Buffer.from(bodyOf(Proof)).toString('base64') }))).toEqual(READ);
    expect(errorOf(withTpm({ PcrSignature: '-_+/' }))).toEqual({
      code: 'encoding',
      pointer: `${VALUE}/TpmInfo/PcrSignature`,
    });
  });

  it.each([
    'AikCert',
    'AikPub',
    'PcrQuote',
    'PcrSignature',
    'EncKeyPub',
    'EncKeyCertifyInfo',
    'EncKeyCertifyInfoSignature',
  ])('REQ-10 says where bytes are in no encoding: %s', (name) => {
    expect(errorOf(withTpm({ [name]: '*' }))).toEqual({ code: 'encoding', pointer: `${VALUE}/TpmInfo/${name}` });
  });

  it.each<[string, Json, string, string]>([
    [
      'REQ-10 the digest of a PCR',
      withTpm({ PCRs: [{ Index: 0, Digest: '*' }] }),
      'encoding',
      `${VALUE}/TpmInfo/PCRs/0/Digest`,
    ],
    [
      'REQ-10 runtime claims',
      withEvidence({ RunTimeData: '*' }),
      'encoding',
      `${VALUE}/IsolationInfo/Evidence/RunTimeData`,
    ],
    ['REQ-10 the event log', azureGuest({ ...azureGuestInfo(), TcgLogs: '*' }), 'encoding', `${VALUE}/TcgLogs`],
    ['REQ-10 a proof', withEvidence({ Proof: '*' }), 'encoding', PROOF],
    ['REQ-10 a report in the proof', withEvidence({ Proof: { SnpReport: '*' } }), 'encoding', PROOF],
    ['REQ-10 the whole', azureGuest('*'), 'encoding', VALUE],
    ['REQ-04 an unknown member', azureGuest({ ...azureGuestInfo(), a: 1 }), 'unknown_property', `${VALUE}/a`],
    [
      'REQ-04 an unknown member in base64',
      azureGuest(inText({ ...azureGuestInfo(), a: 1 })),
      'unknown_property',
      VALUE,
    ],
    [
      'REQ-04 an unknown member of the proof',
      withEvidence({ Proof: inText({ ...maaSnpReport(), a: 1 }) }),
      'unknown_property',
      PROOF,
    ],
    ['REQ-05 what is no JSON', azureGuest(base64url(SNP_REPORT)), 'schema', VALUE],
    ['REQ-05 a proof that is no JSON', withEvidence({ Proof: base64url(SNP_REPORT) }), 'schema', PROOF],
    ['REQ-05 no value', { type: 'az-snp-vtpm', dialect: 'azure-guest' }, 'schema', VALUE],
    [
      'REQ-05 another protocol',
      azureGuest({ ...azureGuestInfo(), AttestationProtocolVersion: '3.0' }),
      'schema',
      `${VALUE}/AttestationProtocolVersion`,
    ],
    [
      'REQ-05 a type that there is not',
      azureGuest(infoWith('IsolationInfo', { Type: 'Vbs' })),
      'schema',
      `${VALUE}/IsolationInfo/Type`,
    ],
    [
      'REQ-05 no hardware report',
      azureGuest(infoWith('IsolationInfo', { Evidence: undefined })),
      'schema',
      `${VALUE}/IsolationInfo/Evidence`,
    ],
    [
      'REQ-05 a key without its certification',
      withTpm({ EncKeyCertifyInfo: undefined }),
      'schema',
      `${VALUE}/TpmInfo/EncKeyCertifyInfo`,
    ],
    [
      'REQ-05 a PCR beyond the last',
      withTpm({ PCRs: [{ Index: 24, Digest: 'AAAA' }] }),
      'schema',
      `${VALUE}/TpmInfo/PCRs/0/Index`,
    ],
    [
      'REQ-05 an index that is text',
      withTpm({ PCRs: [{ Index: '0', Digest: 'AAAA' }] }),
      'schema',
      `${VALUE}/TpmInfo/PCRs/0/Index`,
    ],
    [
      'TPM-05 a PCR twice',
      withTpm({
        PCRs: [
          { Index: 7, Digest: 'AAAA' },
          { Index: 7, Digest: 'AAAB' },
        ],
      }),
      'schema',
      `${VALUE}/TpmInfo/PCRs/1/Index`,
    ],
    ['REQ-06 a duplicate in base64', azureGuest(base64url(Buffer.from('{"a":1,"a":2}'))), 'duplicate_key', VALUE],
    ['REQ-07 a forbidden key in base64', azureGuest(base64url(Buffer.from('{"__proto__":1}'))), 'forbidden_key', VALUE],
    [
      'REQ-12 a quote that is a report',
      withTpm({ PcrQuote: base64url(HCL_REPORT) }),
      'type_mismatch',
      `${VALUE}/TpmInfo/PcrQuote`,
    ],
    [
      'REQ-12 a proof with a TD quote in it',
      withEvidence({ Proof: { SnpReport: base64url(TD_QUOTE) } }),
      'type_mismatch',
      PROOF,
    ],
    ['REQ-12 a machine on TDX', azureGuest(azureGuestTdxInfo()), 'type_mismatch', `${VALUE}/IsolationInfo/Type`],
    [
      'REQ-12 a machine on SEV-SNP',
      azureGuest(azureGuestInfo(), 'az-tdx-vtpm'),
      'type_mismatch',
      `${VALUE}/IsolationInfo/Type`,
    ],
    [
      'REQ-12 a machine on SEV-SNP, in base64',
      azureGuest(inText(azureGuestInfo()), 'az-tdx-vtpm'),
      'type_mismatch',
      VALUE,
    ],
    [
      'REQ-12 a machine of Trusted Launch',
      azureGuest(infoWith('IsolationInfo', { Type: 'TrustedLaunch', Evidence: undefined })),
      'type_mismatch',
      `${VALUE}/IsolationInfo/Type`,
    ],
    [
      'REQ-12 the proof of SEV-SNP on TDX',
      azureGuest(tdxWith({ Proof: maaSnpReport() }), 'az-tdx-vtpm'),
      'type_mismatch',
      PROOF,
    ],
    [
      'REQ-12 a report in the place of the TD quote',
      azureGuest(tdxWith({ Proof: base64url(SNP_REPORT) }), 'az-tdx-vtpm'),
      'type_mismatch',
      PROOF,
    ],
    [
      'TDX-22 a TD without quote',
      azureGuest(infoWith('IsolationInfo', { Evidence: undefined }, azureGuestTdxInfo()), 'az-tdx-vtpm'),
      'tdx_not_a_quote',
      `${VALUE}/IsolationInfo/Evidence`,
    ],
    ['REQ-12 a bare report', { ...azureGuest(), type: 'snp' }, 'type_mismatch', '/evidence/dialect'],
  ])('refuses: %s', (_, evidence, code, pointer) => {
    expect(errorOf(evidence)).toEqual({ code, pointer });
  });
});

function bodyAsBase64(): string {
  return Buffer.from(bodyOf(azureGuestInfo())).toString('base64');
}

function tdxWith(members: Json): Json {
  const { Evidence } = azureGuestTdxInfo()['IsolationInfo'] as Json;
  return infoWith('IsolationInfo', { Evidence: { ...(Evidence as Json), ...members } }, azureGuestTdxInfo());
}
