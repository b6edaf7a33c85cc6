import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { TpmEvidence } from '../../../../src/core/evidence.js';
import { evidenceSha256 } from '../../../../src/tee/evidence-identity.js';
import { overrideRequest, readVerifyRequest } from '../../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../../format-error-of.js';
import { buildTpmtSignature, createTrustedLaunchMachine, VirtualTpm } from '../../../lab/index.js';
import { HCL_REPORT } from '../../wire/sample-bodies.js';
import { expectFailed, expectVerified, JWK, OTHER_NONCE } from '../fixture.js';
import { AK_PKI, MACHINE, tpmOnlyVerifier, verifyTpm } from './tpm-fixture.js';

type Members = { readonly [name: string]: unknown };

const NONCE = Buffer.alloc(32, 9);
const NATIVE = MACHINE.evidence({ nonce: NONCE });
const SIGNATURE = buildTpmtSignature('rsassa', 'sha256', NATIVE.tpmQuote.signature);
const AK_DER = 'der' in NATIVE.ak.certificate ? NATIVE.ak.certificate.der : new Uint8Array();
const OTHER_TPM = await VirtualTpm.create();
const P521_TPM = await VirtualTpm.create({ curve: 'P-521' });
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const spkiOf = ({ privateKey }: VirtualTpm) => createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
const evidenceOf = async (vtpm: VirtualTpm) =>
  (await createTrustedLaunchMachine({ pki: AK_PKI, vtpm })).evidence({ nonce: NONCE });

/** A quote over these bytes, as guests send it. */
const quoteOver = (extraData: Uint8Array): Members => {
  const { message, signature } = MACHINE.evidence({ nonce: extraData }).tpmQuote;
  return { message: base64(message), signature: base64(buildTpmtSignature('rsassa', 'sha256', signature)) };
};
const FILLED = Buffer.concat([NONCE, Buffer.alloc(32)]);

/** The evidence of a guest, and the certificate beside it. */
function trustee(quote: Members = {}, value: Members = {}): Members {
  const pcrs = [...(NATIVE.tpmQuote.pcrs.get('sha256')?.values() ?? [])].map((pcr) => Buffer.from(pcr).toString('hex'));
  const tpmQuote = { signature: base64(SIGNATURE), message: base64(NATIVE.tpmQuote.message), pcrs, ...quote };
  return {
    type: 'tpm',
    dialect: 'trustee',
    value: { ak_public: base64(MACHINE.vtpm.akPublic()), tpm_quote: tpmQuote, ...value },
    akCertificate: base64(AK_DER),
  };
}

const request = (evidence: Members, members: Members = {}) =>
  readVerifyRequest(Buffer.from(JSON.stringify({ evidence, ...members })));

/** With the chain, which comes from the directory of the operator. */
function read(evidence: Members): TpmEvidence {
  const found = request(evidence).evidence as TpmEvidence;
  return { ...found, ak: { ...found.ak, chain: NATIVE.ak.chain } };
}

const verify = (evidence: Members, nonce: Uint8Array = NONCE) => verifyTpm(read(evidence), { nonce });

describe('dialect trustee of a vTPM by itself', () => {
  it('verifies with TPM2B_PUBLIC, TPMT_PUBLIC and SubjectPublicKeyInfo of the key', async () => {
    const areas = [MACHINE.vtpm.akPublic(), MACHINE.vtpm.akPublic().subarray(2), spkiOf(MACHINE.vtpm)];
    for (const area of areas) {
      const found = await verify(trustee({}, { ak_public: base64(area) }));
      expectVerified(found);
      expect(found.required).toContain('hcl_ak_mismatch');
      expect(found.bound).toEqual(['tpm.extraData']);
    }
  });

  it('verifies what guests send: the nonce filled with zeros up to 64 bytes', async () => {
    const found = await verify(trustee(quoteOver(FILLED), { ak_public: base64(spkiOf(MACHINE.vtpm)) }));
    expectVerified(found);
    expect(found.bound).toEqual(['tpm.extraData']);
    const older = { report_data: base64(FILLED), svn: '1' };
    expectVerified(await verify(trustee(quoteOver(FILLED), older)));
  });

  it('denies anything else behind the nonce, and another length: nonce_mismatch', async () => {
    const others = [
      Buffer.concat([NONCE, Buffer.alloc(31), Buffer.from([1])]),
      FILLED.subarray(0, 63),
      Buffer.alloc(64),
    ];
    for (const extraData of others) expectFailed(await verify(trustee(quoteOver(extraData))), 'nonce_mismatch');
  });

  it('denies a filled nonce in the native form: nonce_mismatch', async () => {
    expectFailed(await verifyTpm(MACHINE.evidence({ nonce: FILLED }), { nonce: NONCE }), 'nonce_mismatch');
  });

  it('has the identity of the native form', () => {
    const native = { ...NATIVE, tpmQuote: { ...NATIVE.tpmQuote, signature: SIGNATURE } };
    expect(evidenceSha256(read(trustee()))).toBe(evidenceSha256(native));
  });

  it('verifies with SubjectPublicKeyInfo of a key on a curve', async () => {
    const vtpm = await VirtualTpm.create({ curve: 'P-256' });
    const found = await verifyTpm({ ...(await evidenceOf(vtpm)), akSpki: spkiOf(vtpm) }, { nonce: NONCE });
    expectVerified(found);
    const other = await VirtualTpm.create({ curve: 'P-256' });
    const stated = { ...(await evidenceOf(vtpm)), akSpki: spkiOf(other) };
    expectFailed(await verifyTpm(stated, { nonce: NONCE }), 'hcl_ak_mismatch');
  });

  it('HCL-14 denies another key in each form, and names ak_public: hcl_ak_mismatch', async () => {
    const areas = [OTHER_TPM.akPublic(), OTHER_TPM.akPublic().subarray(2), spkiOf(OTHER_TPM)];
    for (const area of areas) {
      const found = await verify(trustee({}, { ak_public: base64(area) }));
      expectFailed(found, 'hcl_ak_mismatch');
      const { detail } = found.checks.find(({ id }) => id === 'hcl_ak_mismatch') ?? {};
      expect(detail).toBe('ak_public is of another key than the attestation key');
    }
  });

  it('denies another nonce: nonce_mismatch', async () => {
    expectFailed(await verify(trustee(), Buffer.from(OTHER_NONCE)), 'nonce_mismatch');
  });

  it.each([
    ['nothing', ''],
    ['one byte', 'AQ=='],
    ['a SubjectPublicKeyInfo that is cut', base64(spkiOf(MACHINE.vtpm).subarray(0, -1))],
    ['a SubjectPublicKeyInfo with a byte behind it', base64(Buffer.concat([spkiOf(MACHINE.vtpm), Buffer.of(0)]))],
    ['a key on P-521', base64(spkiOf(P521_TPM))],
    ['a certificate', base64(AK_DER)],
  ])('refuses a key in another form: %s', (_name, text) => {
    const open = () => tpmOnlyVerifier().open(read(trustee({}, { ak_public: text })));
    expect(formatErrorOf(open)).toEqual({ code: 'tpm_format', pointer: '/evidence/akPublic' });
  });

  it('refuses a nonce that is not 32 bytes, from the body and from the command line', () => {
    const error = { code: 'nonce', pointer: '/nonce' };
    for (const length of [31, 33, 48]) {
      const nonce = Buffer.alloc(length, 9).toString('base64url');
      expect(formatErrorOf(() => request(trustee(), { nonce }))).toEqual(error);
      const overrides = { policies: null, nonce, at: null };
      expect(formatErrorOf(() => overrideRequest(request(trustee()), overrides))).toEqual(error);
    }
    const nonce = NONCE.toString('base64url');
    expect(request(trustee(), { nonce }).nonce).toEqual(NONCE);
  });

  it('refuses a bound key', () => {
    const members = { nonce: NONCE.toString('base64url'), binding: { jwk: JWK } };
    expect(formatErrorOf(() => request(trustee(), members))).toEqual({ code: 'schema', pointer: '/binding/jwk' });
  });

  it.each<[string, Members, string, string]>([
    ['REQ-04 an unknown member', trustee({}, { a: 1 }), 'unknown_property', '/evidence/value/a'],
    ['REQ-05 no certificate', { ...trustee(), akCertificate: undefined }, 'schema', '/evidence/akCertificate'],
    ['REQ-05 23 PCRs', trustee({ pcrs: Array(23).fill('00') }), 'schema', '/evidence/value/tpm_quote/pcrs'],
    ['REQ-06 a bad signature', trustee({ signature: '*' }), 'encoding', '/evidence/value/tpm_quote/signature'],
    [
      'REQ-12 an HCL report',
      trustee({ message: base64(HCL_REPORT) }),
      'type_mismatch',
      '/evidence/value/tpm_quote/message',
    ],
  ])('refuses: %s', (_name, evidence, code, pointer) => {
    expect(formatErrorOf(() => request(evidence))).toEqual({ code, pointer });
  });
});
