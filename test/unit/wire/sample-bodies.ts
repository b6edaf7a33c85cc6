/** Bodies that keep to the contract. Their bytes are of the right shape and were never signed by anything. */

export type Json = { [member: string]: unknown };

export const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
export const bodyOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const filled = (length: number, byte: number) => Buffer.alloc(length, byte);

/** 1184 bytes that begin like a version 3 report. */
export const SNP_REPORT = Buffer.concat([
  Buffer.from([3, 0, 0, 0]),
  filled(0x30, 0),
  Buffer.from([1, 0, 0, 0]),
  filled(1128, 7),
]);
export const HCL_REPORT = Buffer.concat([Buffer.from('HCLA'), filled(2596, 9)]);
export const TPM_MESSAGE = Buffer.concat([Buffer.from('ff5443478018', 'hex'), filled(140, 1)]);
export const TPM_SIGNATURE = filled(256, 2);
export const VCEK = Buffer.concat([Buffer.from('3082', 'hex'), filled(1300, 3)]);
export const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
export const TD_QUOTE = Buffer.concat([Buffer.from('0400020081000000', 'hex'), filled(4992, 4)]);
/** As long as a TDREPORT, and beginning like one. */
export const TD_REPORT = Buffer.concat([Buffer.from('81000000', 'hex'), filled(1020, 6)]);
export const NONCE = filled(32, 5);
export const PCRS = Array.from({ length: 24 }, (_, index) => filled(32, index));

export const snpEvidence = (): Json => ({ type: 'snp', report: base64url(SNP_REPORT) });

export const azSnpVtpmEvidence = (): Json => ({
  type: 'az-snp-vtpm',
  hclReport: base64url(HCL_REPORT),
  tpmQuote: {
    message: base64url(TPM_MESSAGE),
    signature: base64url(TPM_SIGNATURE),
    pcrs: { sha256: Object.fromEntries(PCRS.map((value, index) => [index, value.toString('hex')])) },
  },
  endorsements: { vek: base64url(VCEK) },
});

/** Texts are not read here: any will do. */
export const collateral = (): Json => ({
  tcb_info: '{"id":"TDX"}',
  qe_identity: '{"id":"TD_QE"}',
  tcb_info_signature: 'ab'.repeat(64),
  qe_identity_signature: 'CD'.repeat(64),
  tcb_info_issuer_chain: PEM,
  qe_identity_issuer_chain: PEM + PEM,
  pck_crl_issuer_chain: PEM,
  pck_crl: '3001',
  root_ca_crl: '3002',
});

export const tdxEvidence = (): Json => ({ type: 'tdx', quote: base64url(TD_QUOTE) });

export const azTdxVtpmEvidence = (): Json => {
  const { hclReport, tpmQuote } = azSnpVtpmEvidence();
  return { type: 'az-tdx-vtpm', hclReport, tpmQuote, tdQuote: base64url(TD_QUOTE) };
};

export const trusteeV0 = (): Json => ({
  type: 'az-snp-vtpm',
  dialect: 'trustee',
  value: {
    quote: { signature: [...TPM_SIGNATURE], message: [...TPM_MESSAGE], pcrs: PCRS.map((value) => [...value]) },
    report: [...HCL_REPORT],
    vcek: PEM,
  },
});

export const trusteeV1 = (version: number): Json => ({
  type: 'az-snp-vtpm',
  dialect: 'trustee',
  value: {
    version,
    tpm_quote: {
      signature: TPM_SIGNATURE.toString('hex'),
      message: TPM_MESSAGE.toString('hex'),
      pcrs: PCRS.map((value) => value.toString('hex')),
    },
    hcl_report: base64url(HCL_REPORT),
    vcek: base64url(VCEK),
  },
});

export const trusteeTdxV0 = (): Json => {
  const { quote, report } = trusteeV0()['value'] as Json;
  return {
    type: 'az-tdx-vtpm',
    dialect: 'trustee',
    value: { tpm_quote: quote, hcl_report: report, td_quote: [...TD_QUOTE] },
  };
};

export const trusteeTdxV1 = (version: number): Json => {
  const { vcek: _, ...value } = trusteeV1(version)['value'] as Json;
  return { type: 'az-tdx-vtpm', dialect: 'trustee', value: { ...value, td_quote: base64url(TD_QUOTE) } };
};

export const trusteeTd = (): Json => ({
  type: 'tdx',
  dialect: 'trustee',
  value: { quote: base64url(TD_QUOTE), cc_eventlog: null },
});

export const trusteeTpm = (): Json => ({
  type: 'tpm',
  dialect: 'trustee',
  value: {
    ak_public: base64url(Buffer.of(0, 1)),
    tpm_quote: {
      signature: base64url(TPM_SIGNATURE),
      message: base64url(TPM_MESSAGE),
      pcrs: PCRS.map((value) => value.toString('hex')),
    },
  },
  akCertificate: base64url(VCEK),
});

const maaData = (): Json => ({ data: base64url(Buffer.from('{"keys":[]}')), dataType: 'JSON' });

/** Body of attest/SevSnpVm. */
export const maaSnpRequest = (document: Json = maaSnpReport()): Json => ({
  type: 'snp',
  dialect: 'maa',
  value: {
    report: base64url(bodyOf(document)),
    runtimeData: maaData(),
    initTimeData: { data: '', dataType: '' },
    draftPolicyForAttestation: 'version=1.0;',
    nonce: '17',
  },
});

export const maaSnpReport = (): Json => ({
  SnpReport: base64url(SNP_REPORT),
  VcekCertChain: base64url(Buffer.from(PEM + PEM + PEM)),
});

/** Body of attest/TdxVm. */
export const maaTdxRequest = (): Json => ({
  type: 'tdx',
  dialect: 'maa',
  value: {
    quote: base64url(TD_QUOTE),
    runtimeData: maaData(),
    initTimeData: null,
    nonce: 17,
  },
});

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** attestationInfo of Azure's guest attestation client, of a machine on SEV-SNP. */
export const azureGuestInfo = (): Json => ({
  AttestationProtocolVersion: '2.0',
  OSType: 'TGludXg=',
  OSDistro: 'VWJ1bnR1',
  OSVersionMajor: 24,
  OSVersionMinor: 4,
  OSBuild: 'Tm90QXBwbGljYXRpb24=',
  TcgLogs: 'AAAA',
  ClientPayload: { nonce: 'bm9uY2U=' },
  TpmInfo: {
    AikCert: base64(VCEK),
    AikPub: base64(filled(280, 5)),
    PcrQuote: base64(TPM_MESSAGE),
    PcrSignature: base64(TPM_SIGNATURE),
    PcrSet: [0, 1],
    PCRs: PCRS.map((value, Index) => ({ Index, Digest: base64(value) })),
    EncKeyPub: base64(filled(280, 6)),
    EncKeyCertifyInfo: base64(TPM_MESSAGE),
    EncKeyCertifyInfoSignature: base64(filled(256, 7)),
  },
  IsolationInfo: {
    Type: 'SevSnp',
    Evidence: { Proof: base64(bodyOf(maaSnpReport())), RunTimeData: base64(Buffer.from('{"keys":[]}')) },
  },
});

/** The same of a machine on TDX. */
export const azureGuestTdxInfo = (): Json => ({
  ...azureGuestInfo(),
  IsolationInfo: {
    Type: 'Tdx',
    Evidence: { Proof: base64(TD_QUOTE), RunTimeData: base64(Buffer.from('{"keys":[]}')) },
  },
});

export const azureCleanroomValue = (): Json => ({
  evidence: {
    tpmQuote: base64url(Buffer.concat([Buffer.of(0, TPM_MESSAGE.length), TPM_MESSAGE, TPM_SIGNATURE])),
    hclReport: base64url(HCL_REPORT),
    snpReport: base64url(SNP_REPORT),
    aikCert: base64url(VCEK),
    pcrs: { '0': base64url(Buffer.alloc(32)) },
    runtimeClaims: null,
  },
  nonce: base64url(NONCE),
  imageReference: null,
});

export const azureCleanroom = (value: Json): Json => ({ type: 'az-snp-vtpm', dialect: 'azure-cleanroom', value });

export const azureGuest = (value: unknown = azureGuestInfo(), type = 'az-snp-vtpm'): Json => ({
  type,
  dialect: 'azure-guest',
  value,
});

const itaTdx = (): Json => ({
  quote: TD_QUOTE.toString('base64'),
  runtime_data: Buffer.from('{"keys":[]}').toString('base64'),
  user_data: 'AAAA',
  event_log: 'AAAA',
  verifier_nonce: { val: 'bm9uY2U=', iat: 'YXQ=', signature: 'AAAA' },
});
const itaWishes = (): Json => ({ policy_ids: ['00'], policy_must_match: true, token_signing_alg: 'PS384' });

/** Body of attest, or attest/azure: flat in version 1, under `tdx` in version 2. */
export const itaRequest = (version: 1 | 2): Json => ({
  type: 'tdx',
  dialect: 'ita',
  value: version === 1 ? { ...itaTdx(), ...itaWishes() } : { tdx: itaTdx(), ...itaWishes() },
});

export const configfsTsmTdx = (): Json => ({
  type: 'tdx',
  dialect: 'configfs-tsm',
  value: { provider: 'tdx_guest', outblob: base64url(TD_QUOTE), auxblob: '' },
});

export const extendedReport = (table: Uint8Array = new Uint8Array(0)): Json => ({
  type: 'snp',
  dialect: 'extended-report',
  value: base64url(Buffer.concat([SNP_REPORT, table])),
});

export const configfsTsm = (): Json => ({
  type: 'snp',
  dialect: 'configfs-tsm',
  value: { provider: 'sev_guest', outblob: base64url(SNP_REPORT), auxblob: base64url(Buffer.alloc(24)) },
});

export const RSA_JWK = { kty: 'RSA', n: base64url(filled(256, 0xc1)), e: 'AQAB' };
export const EC_JWK = { kty: 'EC', crv: 'P-256', x: base64url(filled(32, 1)), y: base64url(filled(32, 2)) };
export const OKP_JWK = { kty: 'OKP', crv: 'X25519', x: base64url(filled(32, 3)) };
