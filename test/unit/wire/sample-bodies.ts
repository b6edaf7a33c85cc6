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
