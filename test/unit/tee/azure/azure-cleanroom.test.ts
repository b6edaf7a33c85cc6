import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AzSnpVtpmEvidence } from '../../../../src/core/evidence.js';
import { evidenceSha256 } from '../../../../src/tee/evidence-identity.js';
import { readVerifyRequest } from '../../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../../format-error-of.js';
import { bigEndian, flipBit, joinBytes } from '../../../lab/byte-patch.js';
import { createAzureAkPki, createVirtualMachine, pemOf } from '../../../lab/index.js';
import { AT, expectFailed, expectVerified, NONCE, OTHER_NONCE, PKI, verifyAzure } from '../fixture.js';

const VM = await createVirtualMachine({ pki: PKI });
const AK_PKI = createAzureAkPki({ at: AT });
const AK = AK_PKI.certificate({ key: VM.vtpm.publicJwk });
const AK_DER = 'der' in AK.certificate ? AK.certificate.der : new Uint8Array();
const { product, vek } = VM.platform;
const [ASK, ARK] = PKI.chainDer(product);
const CHAIN = [pemOf(vek.der), pemOf(ASK), pemOf(ARK)] as const;
/** Where the ATTESTATION_REPORT is in the paravisor's report. */
const hardwareReportIn = (hclReport: Uint8Array) => hclReport.subarray(0x20, 0x20 + 1184);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

const NATIVE = VM.evidence({ nonce: NONCE });
const HCL = NATIVE.hclReport;
const CLAIMS = JSON.parse(Buffer.from(VM.runtimeClaims({ nonce: NONCE })).toString());
/** TPMT_SIGNATURE: RSASSA, SHA-256. */
const SIGNATURE = joinBytes(
  bigEndian(0x0014, 2),
  bigEndian(0x000b, 2),
  bigEndian(NATIVE.tpmQuote.signature.byteLength, 2),
  NATIVE.tpmQuote.signature,
);

type Members = { readonly [name: string]: unknown };

/** The evidence of the agent. */
function cleanroom(parts: Members = {}, members: Members = {}): Members {
  const { message, pcrs } = NATIVE.tpmQuote;
  const values = [...(pcrs.get('sha256') ?? [])].map(([index, value]) => [String(index), base64(value)]);
  const evidence = {
    tpmQuote: base64(joinBytes(bigEndian(message.byteLength, 2), message, SIGNATURE)),
    hclReport: base64(HCL),
    snpReport: base64(hardwareReportIn(HCL)),
    aikCert: base64(AK_DER),
    pcrs: Object.fromEntries(values),
    runtimeClaims: CLAIMS,
    ...parts,
  };
  return { evidence, platformCertificates: CHAIN.join(''), ...members };
}

function read(value: unknown): AzSnpVtpmEvidence {
  const evidence = { type: 'az-snp-vtpm', dialect: 'azure-cleanroom', value };
  return readVerifyRequest(Buffer.from(JSON.stringify({ evidence }))).evidence as AzSnpVtpmEvidence;
}

/** With the chain of the AK certificate and the CRL, which the agent does not send. */
function verify(value: unknown, nonce: Uint8Array | null = NONCE) {
  const evidence = read(value);
  const endorsements = { ...evidence.endorsements, crls: NATIVE.endorsements.crls };
  return verifyAzure(
    { ...evidence, ak: AK, endorsements },
    {
      nonce,
      akRoots: { azure: AK_PKI.pins, configured: new Set(), paravisorsSince: null },
    },
  );
}

describe('dialect azure-cleanroom', () => {
  it('verifies as the agent sends it, by itself and below its platform', async () => {
    const members = { nonce: base64(NONCE), imageReference: { publisher: 'anybody' } };
    for (const value of [cleanroom(), cleanroom({}, members), { report: { snpCvm: cleanroom({}, members) } }]) {
      const found = await verify(value);
      expectVerified(found);
      expect(found.bound).toEqual(['tpm.extraData', 'hcl.userData']);
      expect(found.claims.hcl?.paravisor).toEqual({ known: true, by: 'idKeyDigest' });
    }
    expect(read(cleanroom()).ak).toEqual({ certificate: { der: Buffer.from(AK_DER) }, chain: null });
  });

  it('has the identity of the native form', () => {
    const native = { ...NATIVE, tpmQuote: { ...NATIVE.tpmQuote, signature: SIGNATURE } };
    expect(evidenceSha256(read(cleanroom()))).toBe(evidenceSha256(native));
    expect(evidenceSha256(read({ report: { snpCvm: cleanroom() } }))).toBe(evidenceSha256(native));
  });

  it.each([
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ])('has VCEK, ASK and ARK in any order: %i, %i, %i', (...order) => {
    const platformCertificates = order.map((index) => CHAIN[index]).join('');
    expect(read(cleanroom({}, { platformCertificates })).endorsements).toEqual({
      vek: { der: vek.der },
      chain: CHAIN[1] + CHAIN[2],
      certificateTable: null,
      crls: [],
    });
  });

  it('has no endorsements where none are sent', () => {
    expect(read(cleanroom({}, { platformCertificates: undefined })).endorsements).toMatchObject({
      vek: null,
      chain: null,
    });
  });

  it.each([
    ['two of them', CHAIN[0] + CHAIN[1]],
    ['four', CHAIN.join('') + CHAIN[0]],
    ['no ARK', CHAIN[0] + CHAIN[0] + CHAIN[1]],
    ['two ARKs', CHAIN[0] + CHAIN[2] + CHAIN[2]],
  ])('is refused with other certificates: %s', (_name, platformCertificates) => {
    expect(formatErrorOf(() => read(cleanroom({}, { platformCertificates })))).toEqual({
      code: 'cert_chain',
      pointer: '/evidence/value/platformCertificates',
    });
  });

  it.each([
    ['no quote', ''],
    ['a size that is longer than the bytes', 'AAk='],
    ['no signature behind the quote', base64(joinBytes(bigEndian(4, 2), new Uint8Array(4)))],
  ])('is refused with %s', (_name, tpmQuote) => {
    expect(formatErrorOf(() => read(cleanroom({ tpmQuote }))).pointer).toBe('/evidence/value/evidence/tpmQuote');
  });

  it('is refused for other evidence, and with unknown members', () => {
    const evidence = { type: 'snp', dialect: 'azure-cleanroom', value: cleanroom() };
    expect(formatErrorOf(() => readVerifyRequest(Buffer.from(JSON.stringify({ evidence }))))).toEqual({
      code: 'type_mismatch',
      pointer: '/evidence/dialect',
    });
    expect(formatErrorOf(() => read(cleanroom({}, { other: 1 })))).toEqual({
      code: 'unknown_property',
      pointer: '/evidence/value/other',
    });
  });

  it('denies another SNP report than that of the paravisor: hcl_binding', async () => {
    const snpReport = base64(flipBit(hardwareReportIn(HCL), 0x90));
    expectFailed(await verify(cleanroom({ snpReport })), 'hcl_binding');
  });

  it.each<[string, object]>([
    ['another value', { 'user-data': '00'.repeat(64) }],
    ['another value below a member', { 'vm-configuration': { 'secure-boot': false } }],
    ['another key', { keys: [{ ...CLAIMS.keys[0], n: 'AQAB' }, CLAIMS.keys[1]] }],
    ['a key less', { keys: CLAIMS.keys.slice(0, 1) }],
    ['another first key', { keys: CLAIMS.keys.slice(1) }],
    ['no keys', { keys: null }],
    ['a list for an object', { 'vm-configuration': [] }],
    ['a value for an object', { 'vm-configuration': true }],
    ['an object for a list', { keys: {} }],
    ['a value that the report has not', { invented: 1 }],
    ['a value below a member that the report has not', { invented: { deeper: 'x' } }],
  ])('denies runtime claims that are not those of the report: %s: hcl_binding', async (_name, members) => {
    expectFailed(await verify(cleanroom({ runtimeClaims: { ...CLAIMS, ...members } })), 'hcl_binding');
  });

  it.each<[string, object]>([
    ['nothing', {}],
    ['a part of them', { keys: CLAIMS.keys }],
    ['a part of a member', { 'vm-configuration': { 'secure-boot': true } }],
    ['values that mean none', { ...CLAIMS, a: null, b: '', c: 0, d: false, e: [], f: {}, g: { h: { i: 0 } } }],
  ])('twin: takes runtime claims that state %s', async (_name, runtimeClaims) => {
    expectVerified(await verify(cleanroom({ runtimeClaims })));
  });

  it('denies another nonce than that of the quote: nonce_mismatch', async () => {
    const value = cleanroom({}, { nonce: base64(OTHER_NONCE) });
    expectFailed(await verify(value), 'nonce_mismatch');
    expect((await verify(value, null)).checks).toContainEqual(
      expect.objectContaining({ id: 'nonce_mismatch', result: 'fail' }),
    );
  });

  it('verifies with a key as PEM in user-data', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const text = publicKey.export({ format: 'pem', type: 'spki' }).toString().trimEnd();
    const userData = createHash('sha256').update(text).digest();
    const evidence = VM.evidence({ nonce: NONCE, claims: { userData } });
    const pem = { text: Buffer.from(text), spki: publicKey.export({ format: 'der', type: 'spki' }) };
    const restated = { hardwareReport: hardwareReportIn(evidence.hclReport), runtimeClaims: {}, nonce: NONCE };
    expectVerified(await verifyAzure({ ...evidence, restated }, { nonce: NONCE, pem }));
  });
});
