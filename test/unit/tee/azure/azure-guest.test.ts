import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CheckId } from '../../../../src/core/codes.js';
import type { AzSnpVtpmEvidence, AzTdxVtpmEvidence } from '../../../../src/core/evidence.js';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import type { Verification } from '../../../../src/core/verification.js';
import { hashed } from '../../../../src/crypto/digest.js';
import { parsePemCertificates } from '../../../../src/formats/pem.js';
import { evidenceSha256 } from '../../../../src/tee/evidence-identity.js';
import { readVerifyRequest } from '../../../../src/wire/read-requests.js';
import { buildEventLog, grubBoot, measureInto } from '../../../lab/event-log-builder.js';
import {
  type AttestationInfoOptions,
  type AzureEvidenceOptions,
  attestationInfo,
  azureGuestEvidence,
  boundValue,
  type CertifyOptions,
  createAzureAkPki,
  createVirtualMachine,
  EPHEMERAL_ATTRIBUTES,
  flipBit,
  jwkThumbprint,
  VirtualTpm,
  WHOLE_SHA256_BANK,
  withOtherSnpSignature,
} from '../../../lab/index.js';
import {
  AT,
  expectFailed,
  expectMalformed,
  expectVerified,
  failed,
  type Judging,
  JWK,
  NONCE,
  OTHER_NONCE,
  PKI,
  verifyAzure,
} from '../fixture.js';
import { TDX_VM, verifyAzureTdx } from './tdx-fixture.js';

/** attestationInfo of the lab's machines, read as a request and verified. */

const vm = await createVirtualMachine({ pki: PKI, vtpm: TDX_VM.vtpm });
const { vtpm } = vm;
const OTHER_TPM = await VirtualTpm.create();
const EPHEMERAL = jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }));
const OTHER_EPHEMERAL = jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }));
const EC = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }));
const EC384 = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' }));
const AK_PKI = createAzureAkPki({ at: AT });
const OTHER_POLICY = new Uint8Array(32).fill(7);

function jwkOf(jwk: object): JsonObject {
  return Object.fromEntries(Object.entries(jwk)) as JsonObject;
}

interface Making extends AttestationInfoOptions {
  /** The changes of the machine's evidence. */
  readonly native?: AzureEvidenceOptions;
  /** The key that is certified, and how. */
  readonly key?: JsonObject;
  readonly certify?: CertifyOptions;
  readonly form?: 'object' | 'text';
}

function read(evidence: JsonObject): AzSnpVtpmEvidence {
  const found = readVerifyRequest(Buffer.from(JSON.stringify({ evidence }))).evidence;
  if (found.type !== 'az-snp-vtpm') throw new Error('another type');
  // the dialect carries no CRL
  const { crls } = vm.evidence().endorsements;
  return { ...found, endorsements: { ...found.endorsements, crls } };
}

/** As the client makes it, but for the nonce in the quote, which it leaves out. */
function evidenceOf({ native, key = EPHEMERAL, certify, ...options }: Making = {}): AzSnpVtpmEvidence {
  const certifiedKey = vtpm.certify(key, certify);
  const whole = native === undefined ? WHOLE : vm.evidence({ nonce: NONCE, ...native });
  return read(azureGuestEvidence(whole, { akPublic: vtpm.akPublic(), certifiedKey, ...options }));
}

const judge = (making: Making = {}, judging: Judging = {}): Promise<Verification> =>
  verifyAzure(evidenceOf(making), { nonce: NONCE, ...judging });

const thumbprint = (jwk: JsonObject) => Buffer.from(jwkThumbprint(jwk)).toString('base64url');

/** Signatures of the hardware differ each time: one and the same evidence. */
const WHOLE = vm.evidence({ nonce: NONCE });

const infoOf = () =>
  attestationInfo(WHOLE, {
    akPublic: vtpm.akPublic(),
    certifiedKey: vtpm.certify(EPHEMERAL),
  });

/** The bytes of a member of TpmInfo, one bit of them changed. */
function altered(member: string, offset: number): JsonValue {
  const { [member]: text } = infoOf()['TpmInfo'] as JsonObject;
  return Buffer.from(flipBit(Buffer.from(String(text), 'base64'), offset)).toString('base64');
}

describe('attestationInfo of a machine on SEV-SNP', () => {
  it.each(['object', 'text'] as const)('is verified as native evidence is: %s', async (form) => {
    for (const proof of ['object', 'text'] as const) {
      const found = await judge({ form, proof });
      expectVerified(found);
      const native = await verifyAzure(vm.evidence({ nonce: NONCE }), { nonce: NONCE });
      const { certifiedKey, ...tpm } = found.claims.tpm ?? {};
      expect({ ...found.claims, tpm }).toEqual(native.claims);
      expect(certifiedKey).toEqual({ jkt: thumbprint(EPHEMERAL), jwk: { kty: 'RSA', n: EPHEMERAL['n'], e: 'AQAB' } });
      expect(found.bound).toEqual(['tpm.extraData', 'hcl.userData']);
      expect(found.required).toEqual(expect.arrayContaining(['hcl_ak_mismatch', 'hcl_binding', 'tpm_signature']));
    }
  });

  it('is verified without public area, certificate and ephemeral key', async () => {
    const evidence = read(azureGuestEvidence(vm.evidence({ nonce: NONCE })));
    const found = await verifyAzure(evidence, { nonce: NONCE });
    expectVerified(found);
    expect(found.claims.tpm).not.toHaveProperty('certifiedKey');
    expect(found.required).not.toContain('hcl_ak_mismatch');
  });

  it('TPM-03 with the empty extraData of the stock client is not fresh', async () => {
    expectFailed(await judge({ native: { quote: { extraData: new Uint8Array() } } }), 'nonce_mismatch');
  });

  it('FRS-06 with the nonce in the quote alone is fresh, with another in user-data it is not', async () => {
    expect((await judge({ native: { claims: { userData: null } } })).bound).toEqual(['tpm.extraData']);
    expectFailed(await judge({ native: { claims: { userData: OTHER_NONCE } } }), 'nonce_mismatch');
  });

  it.each<[string, AttestationInfoOptions, CheckId]>([
    ['PcrQuote', { tpmInfo: { PcrQuote: altered('PcrQuote', 60) } }, 'tpm_signature'],
    ['PcrSignature', { tpmInfo: { PcrSignature: altered('PcrSignature', 9) } }, 'tpm_signature'],
    ['AikPub, its modulus', { tpmInfo: { AikPub: altered('AikPub', 100) } }, 'hcl_ak_mismatch'],
    ['AikPub, its attributes', { tpmInfo: { AikPub: altered('AikPub', 7) } }, 'hcl_ak_mismatch'],
    ['EncKeyPub', { tpmInfo: { EncKeyPub: altered('EncKeyPub', 100) } }, 'tpm_signature'],
    ['EncKeyCertifyInfo', { tpmInfo: { EncKeyCertifyInfo: altered('EncKeyCertifyInfo', 90) } }, 'tpm_signature'],
    [
      'EncKeyCertifyInfoSignature',
      { tpmInfo: { EncKeyCertifyInfoSignature: altered('EncKeyCertifyInfoSignature', 3) } },
      'tpm_signature',
    ],
    ['RunTimeData', { evidence: { RunTimeData: Buffer.from('{"keys":[]}').toString('base64') } }, 'hcl_binding'],
  ])('%s altered alone is denied', async (_, changed, id) => {
    expectFailed(await judge(changed), id);
  });

  it('PCRs altered alone are denied', async () => {
    const pcrs = [...(vtpm.selected(WHOLE_SHA256_BANK).get('sha256') ?? [])].map(([Index, value]) => ({
      Index,
      Digest: Buffer.from(Index === 8 ? flipBit(value, 0) : value).toString('base64'),
    }));
    const found = await judge({ tpmInfo: { PCRs: pcrs } });
    expectFailed(found, 'tpm_pcr_digest');
    expect(found.claims.tpm).not.toHaveProperty('certifiedKey');
    expectFailed(await judge({ tpmInfo: { PCRs: pcrs.slice(1) } }), 'tpm_pcr_selection');
  });

  it('Proof altered alone is denied: the report, the certificates', async () => {
    const report = (changed: Uint8Array) => ({ SnpReport: Buffer.from(changed).toString('base64url') });
    const proof = JSON.parse(JSON.stringify(snpProof())) as { SnpReport: string; VcekCertChain: string };
    const signed = flipBit(Buffer.from(proof.SnpReport, 'base64url'), 0x90);
    expectFailed(await judge({ evidence: { Proof: { ...proof, ...report(signed) } } }), 'snp_signature');
    const short = Buffer.from(proof.SnpReport, 'base64url').subarray(0, 1183);
    await expectMalformed(judge({ evidence: { Proof: { ...proof, ...report(short) } } }), 'snp_format');
    const twice = Buffer.from(Buffer.from(proof.VcekCertChain, 'base64').toString().repeat(2)).toString('base64');
    await expectMalformed(judge({ evidence: { Proof: { ...proof, VcekCertChain: twice } } }), 'cert_chain');
  });

  it.each<[string, AttestationInfoOptions]>([
    ['PcrSet', { tpmInfo: { PcrSet: [16] } }],
    ['ClientPayload', { members: { ClientPayload: null } }],
    ['OSType, OSDistro and OSBuild', { members: { OSType: 'x', OSDistro: 'x', OSBuild: 'x' } }],
    ['OSVersionMajor and OSVersionMinor', { members: { OSVersionMajor: 0, OSVersionMinor: 0 } }],
  ])('%s changes nothing', async (_, changed) => {
    expectVerified(await judge(changed));
    expect(evidenceSha256(evidenceOf(changed))).toBe(evidenceSha256(evidenceOf()));
  });

  it('TPM-15 has TcgLogs compared with the quote, as the event log of native evidence', async () => {
    const machine = await createVirtualMachine({ pki: PKI, vtpm: OTHER_TPM });
    const events = grubBoot();
    measureInto(machine.vtpm, events);
    const infoOf = (log: Uint8Array) => read(azureGuestEvidence(machine.evidence({ nonce: NONCE, eventLog: [log] })));
    const genuine = infoOf(buildEventLog(events));
    const found = await verifyAzure(genuine, { nonce: NONCE });
    expectVerified(found);
    expect(found.claims.tpm?.eventLog).toMatchObject({ secureBoot: true, notCovered: [] });
    expect(evidenceSha256(genuine)).not.toBe(evidenceSha256({ ...genuine, eventLog: null }));
    const other = infoOf(buildEventLog(grubBoot({ commandLine: '/vmlinuz single', secureBoot: false })));
    expectFailed(await verifyAzure(other, { nonce: NONCE }), 'eventlog_replay');
  });

  it.each([0, 1, 4097])('HCL-02 with runtime claims of %i bytes is malformed', async (length) => {
    const RunTimeData = Buffer.alloc(length, 0x20).toString('base64');
    await expectMalformed(judge({ evidence: { RunTimeData } }), 'hcl_format', '/evidence/hclReport');
  });

  it('HCL-13 with the quote of another machine, or its runtime claims, is denied', async () => {
    const other = await createVirtualMachine({ pki: PKI, vtpm: OTHER_TPM });
    const foreign = OTHER_TPM.quote({ extraData: NONCE });
    const tpmInfo = {
      PcrQuote: Buffer.from(foreign.message).toString('base64'),
      PcrSignature: Buffer.from(foreign.signature).toString('base64'),
    };
    expectFailed(await judge({ tpmInfo }), 'tpm_signature');
    const RunTimeData = Buffer.from(other.runtimeClaims({ nonce: NONCE })).toString('base64');
    expectFailed(await judge({ evidence: { RunTimeData } }), 'hcl_binding');
  });

  it('says of a report that does not hold that nothing of the vTPM was reached', async () => {
    const report = Buffer.from(flipBit(Buffer.from(snpProof().SnpReport, 'base64url'), 0x90));
    const found = await judge({ evidence: { Proof: { ...snpProof(), SnpReport: report.toString('base64url') } } });
    expect(found.checks.filter(({ result }) => result === 'skipped').map(({ id }) => id)).toEqual(
      expect.arrayContaining(['hcl_ak_mismatch', 'tpm_signature', 'nonce_mismatch']),
    );
    expect(found.claims).toEqual({});
  });

  it('HCL-14 with an AK certificate is judged with it; no chain comes, so that it is not trusted by itself', async () => {
    const akRoots = { azure: AK_PKI.pins, configured: new Set<string>(), paravisorsSince: null };
    const ak = AK_PKI.certificate({ key: vtpm.publicJwk });
    expectFailed(await judge({ native: { ak } }, { akRoots }), 'ak_cert_untrusted');
    const other = AK_PKI.certificate({ key: OTHER_TPM.publicJwk });
    expectFailed(await judge({ native: { ak: other } }, { akRoots }), 'hcl_ak_mismatch', 'ak_cert_untrusted');
    expectVerified(await judge({ tpmInfo: { AikCert: '' } }));
  });

  it('with an AK certificate is relied on where the operator holds its issuers', async () => {
    const akRoots = { azure: AK_PKI.pins, configured: new Set<string>(), paravisorsSince: null };
    const ak = AK_PKI.certificate({ key: vtpm.publicJwk });
    const akIssuers = parsePemCertificates(ak.chain ?? '', 'cert_format').map((der) => ({
      value: hashed(der),
      origin: 'store' as const,
    }));
    expectVerified(await judge({ native: { ak } }, { akRoots, endorsements: { snp: null, akIssuers } }));
  });
});

function snpProof(): { SnpReport: string; VcekCertChain: string } {
  const { IsolationInfo } = attestationInfo(WHOLE, { proof: 'object' });
  const { Evidence } = IsolationInfo as { Evidence: { Proof: { SnpReport: string; VcekCertChain: string } } };
  return Evidence.Proof;
}

describe('attestationInfo of a machine on TDX', () => {
  const native = TDX_VM.evidence({ nonce: NONCE });
  const readTdx = (options: AttestationInfoOptions = {}): AzTdxVtpmEvidence => {
    const evidence = azureGuestEvidence(native, {
      akPublic: vtpm.akPublic(),
      certifiedKey: vtpm.certify(EPHEMERAL),
      ...options,
    });
    const found = readVerifyRequest(Buffer.from(JSON.stringify({ evidence }))).evidence;
    if (found.type !== 'az-tdx-vtpm') throw new Error('another type');
    return { ...found, collateral: native.collateral };
  };

  it('is verified without the TDREPORT, by the quote that was made of it', async () => {
    const found = await verifyAzureTdx(readTdx(), { nonce: NONCE });
    expectVerified(found);
    expect(found.required).not.toContain('tdx_report_mismatch');
    const whole = await verifyAzureTdx(native, { nonce: NONCE });
    const { certifiedKey, ...tpm } = found.claims.tpm ?? {};
    expect({ ...found.claims, tpm }).toEqual(whole.claims);
    expect(certifiedKey?.jkt).toBe(thumbprint(EPHEMERAL));
    if (found.submission?.tee !== 'tdx') throw new Error('nothing to submit');
    const { quote, runtimeData } = found.submission;
    expect(Buffer.from(native.tdQuote).equals(quote)).toBe(true);
    expect(Buffer.from(TDX_VM.runtimeClaims({ nonce: NONCE })).equals(runtimeData ?? new Uint8Array())).toBe(true);
  });

  it('is denied with the runtime claims or the quote of another machine', async () => {
    const RunTimeData = Buffer.from('{"keys":[]}').toString('base64');
    expectFailed(await verifyAzureTdx(readTdx({ evidence: { RunTimeData } }), { nonce: NONCE }), 'hcl_binding');
    const quote = TDX_VM.tdQuote({ nonce: OTHER_NONCE });
    const Proof = Buffer.from(quote).toString('base64');
    expectFailed(await verifyAzureTdx(readTdx({ evidence: { Proof } }), { nonce: NONCE }), 'hcl_binding');
    const altered = Buffer.from(flipBit(TDX_VM.tdQuote({ nonce: NONCE }), 200)).toString('base64');
    expect(failed(await verifyAzureTdx(readTdx({ evidence: { Proof: altered } }), { nonce: NONCE }))).toContain(
      'tdx_signature',
    );
  });

  it('has an identity of its own, which s and n - s share, and so on SEV-SNP', () => {
    const sha256 = evidenceSha256(readTdx());
    expect(sha256).not.toBe(evidenceSha256(native));
    expect(evidenceSha256(readTdx({ evidence: { RunTimeData: 'AAAA' } }))).not.toBe(sha256);
    const onSnp = evidenceOf();
    expect(evidenceSha256(onSnp)).not.toBe(evidenceSha256(WHOLE));
    const { SnpReport } = snpProof();
    const other = Buffer.from(withOtherSnpSignature(Buffer.from(SnpReport, 'base64url'))).toString('base64url');
    expect(evidenceSha256(evidenceOf({ evidence: { Proof: { ...snpProof(), SnpReport: other } } }))).toBe(
      evidenceSha256(onSnp),
    );
  });
});

describe('a certified key', () => {
  const BOUND = { jwk: EPHEMERAL };
  const x = (jwk: JsonObject) => boundValue(NONCE, jwk);

  it.each<[string, JsonObject]>([
    ['RSA', EPHEMERAL],
    ['P-256', EC],
    ['P-384', EC384],
  ])('is bound with the nonce alone in the quote: %s', async (_, jwk) => {
    const found = await judge({ key: jwk }, { jwk });
    expectVerified(found);
    expect(found.bound).toEqual(['tpm.extraData', 'hcl.userData']);
    expect(found.claims.tpm?.certifiedKey?.jkt).toBe(thumbprint(jwk));
  });

  it('is bound by X as any other key is, and is then held to X in user-data too', async () => {
    const native = { quote: { extraData: x(EPHEMERAL) }, claims: { userData: x(EPHEMERAL) } };
    expectVerified(await judge({ native }, BOUND));
    expectFailed(await judge({ native: { quote: native.quote } }, BOUND), 'nonce_mismatch');
  });

  it('FRS-05 is not bound beside another nonce, or beside none', async () => {
    expectFailed(await judge({ native: { nonce: OTHER_NONCE } }, BOUND), 'nonce_mismatch');
    expectFailed(await judge({ native: { quote: { extraData: new Uint8Array() } } }, BOUND), 'nonce_mismatch');
  });

  it('FRS-05 does not bind another key: that needs X', async () => {
    for (const jwk of [OTHER_EPHEMERAL, JWK]) expectFailed(await judge({}, { jwk }), 'nonce_mismatch');
    const native = { quote: { extraData: x(JWK) }, claims: { userData: x(JWK) } };
    expectVerified(await judge({ native }, { jwk: JWK }));
  });

  it('FRS-05 of another machine is not bound to this one', async () => {
    const certifiedKey = OTHER_TPM.certify(EPHEMERAL, { authPolicy: vtpm.pcrPolicy(WHOLE_SHA256_BANK) });
    expectFailed(await judge({ certifiedKey }, BOUND), 'tpm_signature', 'nonce_mismatch');
  });

  it('with the nonce, or X, in its certification is of this request; with another value it is of another', async () => {
    for (const extraData of [NONCE, x(EPHEMERAL)]) {
      expectVerified(await judge({ certify: { info: { extraData } } }, BOUND));
    }
    const found = await judge({ certify: { info: { extraData: OTHER_NONCE } } }, BOUND);
    expect(new Set(failed(found))).toEqual(new Set(['nonce_mismatch']));
    expect(found.claims.tpm).not.toHaveProperty('certifiedKey');
    const unbound = await judge({ certify: { info: { extraData: OTHER_NONCE } } });
    expectFailed(unbound, 'nonce_mismatch');
    expect(unbound.checks.filter(({ id, result }) => id === 'nonce_mismatch' && result === 'fail')).toMatchObject([
      { about: '/evidence/certifiedKey/info' },
    ]);
  });

  it('is claimed where no nonce was sent, and its certification is not asked for one', async () => {
    const found = await judge({ certify: { info: { extraData: OTHER_NONCE } } }, { nonce: null });
    expectVerified(found);
    expect(found.claims.tpm?.certifiedKey?.jkt).toBe(thumbprint(EPHEMERAL));
  });

  const without = (name: string) => EPHEMERAL_ATTRIBUTES.filter((attribute) => attribute !== name);

  const OUTSIDE = 'its private key may be outside of the vTPM';
  const OTHER_USE = 'it is not a key for decryption alone';
  const POLICY = 'its policy is not TPM2_PolicyPCR over the quoted PCRs alone';

  it.each<[string, CertifyOptions, string]>([
    ['that can leave the TPM', { attributes: without('fixedTpm') }, OUTSIDE],
    ['that can leave its parent', { attributes: without('fixedParent') }, OUTSIDE],
    ['that was made elsewhere', { attributes: without('sensitiveDataOrigin') }, OUTSIDE],
    ['that does not decrypt', { attributes: without('decrypt') }, OTHER_USE],
    ['that signs too', { attributes: [...EPHEMERAL_ATTRIBUTES, 'sign'] }, OTHER_USE],
    [
      'that is used without its policy',
      { attributes: [...EPHEMERAL_ATTRIBUTES, 'userWithAuth'] },
      'it can be used without its policy',
    ],
    ['with another exponent', { exponent: 3 }, 'it is weak'],
    ['without a policy', { authPolicy: new Uint8Array() }, POLICY],
    ['with the policy of other PCRs', { selections: [{ bank: 'sha256', indices: [16] }] }, POLICY],
    ['with the policy of other PCR values', { authPolicy: OTHER_POLICY }, POLICY],
  ])('%s is certified, and bound by X alone', async (_, certify, obstacle) => {
    const found = await judge({ certify });
    expectVerified(found);
    expect(found.claims.tpm).not.toHaveProperty('certifiedKey');
    expect(found.checks.filter(({ about }) => about === '/evidence/certifiedKey/publicArea')).toMatchObject([
      {
        id: 'tpm_signature',
        detail: expect.stringContaining(`bound only where the quote holds X, because ${obstacle}`),
      },
    ]);
    expectFailed(await judge({ certify }, BOUND), 'nonce_mismatch');
    const native = { quote: { extraData: x(EPHEMERAL) }, claims: { userData: x(EPHEMERAL) } };
    expectVerified(await judge({ certify, native }, BOUND));
  });

  it('is judged by the selection of the quote that came with it', async () => {
    const selections = [{ bank: 'sha256', indices: [0, 1, 2, 3, 4, 5, 6, 7] }] as const;
    expectVerified(await judge({ native: { quote: { selections } }, certify: { selections } }, BOUND));
    expectFailed(await judge({ native: { quote: { selections } } }, BOUND), 'nonce_mismatch');
  });
});
