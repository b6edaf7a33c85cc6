import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.js';
import { createAmdPki } from '../../lab/amd-pki.js';
import { BearerTokens } from '../../lab/bearer-tokens.js';
import { createIntelPki } from '../../lab/intel-pki.js';
import { LabMaa } from '../../lab/maa.js';
import { maaKid } from '../../lab/maa-signer.js';
import { reportDataOver } from '../../lab/report-data.js';
import { SnpPlatform } from '../../lab/snp-platform.js';
import { createTdxGuest } from '../../lab/tdx-guest.js';
import { TdxPlatform } from '../../lab/tdx-platform.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { createVirtualMachine, SnpGuest, type VirtualMachine } from '../../lab/virtual-machine.js';
import { haveVectors, readVector } from '../../vectors.js';
import { call } from './call.js';

const ATTEST = '/attest/SevSnpVm?api-version=2025-06-01';
const NONCE = Buffer.from('0011223344556677', 'hex');
const pki = createAmdPki();
const guest = new SnpGuest(new SnpPlatform({ pki }));

let vm: VirtualMachine;
let maa: LabMaa;

beforeAll(async () => {
  vm = await createVirtualMachine({ pki, platform: guest.platform });
  maa = await LabMaa.start({ pki });
});
beforeEach(async () => {
  await maa.heal();
  maa.alter(null);
  maa.publish(null);
});
afterAll(() => maa.close());

const base64Url = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64url');

/** A call that keeps the rules, about the VM's report and runtime claims. */
function attestBody(
  changes: { report?: JsonObject | string; runtimeData?: JsonObject; more?: JsonObject } = {},
): JsonObject {
  const hclReport = vm.hclReport({ nonce: NONCE });
  const report = {
    SnpReport: base64Url(hclReport.subarray(0x20, 0x20 + 0x4a0)),
    VcekCertChain: base64Url(vm.platform.vek.pem + vm.platform.chain),
  };
  const { report: ofReport = {} } = changes;
  return {
    report: base64Url(typeof ofReport === 'string' ? ofReport : JSON.stringify({ ...report, ...ofReport })),
    runtimeData: { data: base64Url(vm.runtimeClaims({ nonce: NONCE })), dataType: 'JSON', ...changes.runtimeData },
    ...changes.more,
  };
}

/** Verifies a token as a relying party does: with the key that the certs endpoint publishes under its kid. */
async function verified(token: string, from: LabMaa = maa): Promise<JsonObject> {
  const { body } = await call(from, '/certs');
  const { kid, jku } = decodeProtectedHeader(token);
  expect(jku).toBe(`${from.issuer}/certs`);
  const keys = body['keys'] as unknown as readonly { kid: string; x5c: readonly string[] }[];
  const [certificate = ''] = keys.find((key) => key.kid === kid)?.x5c ?? [];
  const key = new X509Certificate(Buffer.from(certificate, 'base64')).publicKey;
  const { payload } = await jwtVerify(token, key, { algorithms: ['RS256'], issuer: from.issuer, typ: 'JWT' });
  return payload as JsonObject;
}

describe('key set and discovery of the lab MAA', () => {
  it('publishes kty, kid and a self-signed certificate in the name of the instance', async () => {
    const { body, headers } = await call(maa, '/certs');
    const [key] = body['keys'] as unknown as readonly { kid: string; x5c: readonly string[] }[];
    expect(headers['content-type']).toContain('application/json');
    expect(Object.keys(key ?? {}).sort()).toEqual(['kid', 'kty', 'x5c']);
    const certificate = new X509Certificate(Buffer.from(key?.x5c[0] ?? '', 'base64'));
    expect(certificate.subject).toBe(`CN=${maa.issuer}`);
    expect([certificate.verify(certificate.publicKey), certificate.ca]).toEqual([true, true]);
    const pem = certificate.publicKey.export({ type: 'spki', format: 'pem' });
    expect(key?.kid).toBe(createHash('sha256').update(`${pem}\0`).digest('base64'));
  });

  it('names its own key set', async () => {
    const { body } = await call(maa, '/.well-known/openid-configuration');
    expect(body).toMatchObject({ issuer: maa.issuer, jwks_uri: `${maa.issuer}/certs` });
  });

  it('signs with another key after a rotation, and publishes the old one with overlap only', async () => {
    const rotating = await LabMaa.start({ pki });
    const old = rotating.issue({});
    rotating.rotate({ overlap: true });
    const current = rotating.issue({});
    expect(decodeProtectedHeader(current).kid).not.toBe(decodeProtectedHeader(old).kid);
    await verified(old, rotating);
    await verified(current, rotating);
    rotating.rotate();
    const { keys } = rotating.keySet() as { readonly keys: readonly JsonObject[] };
    expect(keys.map(({ kid }) => kid)).toEqual([rotating.signer.kid]);
    await rotating.close();
  });

  it('serves whatever is published in place of its keys', async () => {
    maa.publish({ keys: [] });
    expect((await call(maa, '/certs')).body).toEqual({ keys: [] });
  });
});

describe('attest/SevSnpVm of the lab MAA', () => {
  it('answers with a token about the report', async () => {
    const { status, body } = await call(maa, ATTEST, { body: attestBody({ more: { nonce: 'abc' } }) });
    expect(status).toBe(200);
    const claims = await verified(String(body['token']));
    expect(claims).toMatchObject({
      nonce: 'abc',
      'x-ms-attestation-type': 'sevsnpvm',
      'x-ms-compliance-status': 'azure-compliant-cvm',
      'x-ms-policy-hash': maa.policyHash,
      'x-ms-sevsnpvm-bootloader-svn': 4,
      'x-ms-sevsnpvm-snpfw-svn': 24,
      'x-ms-sevsnpvm-microcode-svn': 219,
      'x-ms-sevsnpvm-guestsvn': 12,
      'x-ms-sevsnpvm-is-debuggable': false,
      'x-ms-sevsnpvm-launchmeasurement': '5a'.repeat(48),
      'x-ms-sevsnpvm-reportdata': Buffer.from(reportDataOver(vm.runtimeClaims({ nonce: NONCE }))).toString('hex'),
      'x-ms-sevsnpvm-reportid': '1d'.repeat(32),
      'x-ms-sevsnpvm-vmpl': 0,
      'x-ms-ver': '1.0',
    });
    expect(claims['x-ms-runtime']).toEqual(JSON.parse(Buffer.from(vm.runtimeClaims({ nonce: NONCE })).toString()));
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(28_800);
    expect(maa.received.find(({ method }) => method === 'POST')).toMatchObject({ url: ATTEST });
  });

  it('shows no runtime data that it is told is binary', async () => {
    const { body } = await call(maa, ATTEST, { body: attestBody({ runtimeData: { dataType: 'Binary' } }) });
    expect(await verified(String(body['token']))).not.toHaveProperty('x-ms-runtime');
  });

  it('calls no guest compliant whose id key it does not know', async () => {
    const strict = await LabMaa.start({ pki, azureIdKeyDigests: [] });
    const { body } = await call(strict, ATTEST, { body: attestBody() });
    expect(await verified(String(body['token']), strict)).not.toHaveProperty('x-ms-compliance-status');
    await strict.close();
  });

  it('answers with a token that is not signed where a policy is only tried out', async () => {
    const { body } = await call(maa, ATTEST, {
      body: attestBody({ more: { draftPolicyForAttestation: 'version= 1.0;' } }),
    });
    expect(decodeProtectedHeader(String(body['token'])).alg).toBe('none');
  });

  it('alters what it answers with as it is told', async () => {
    maa.alter({ claims: { 'x-ms-sevsnpvm-vmpl': 3 } });
    const { body } = await call(maa, ATTEST, { body: attestBody() });
    expect(await verified(String(body['token']))).toMatchObject({ 'x-ms-sevsnpvm-vmpl': 3 });
  });

  const stranger = new SnpPlatform({ pki: createAmdPki({ keys: 'impostor' }) });
  const flipped = (bytes: Uint8Array, offset: number) => bytes.map((byte, at) => (at === offset ? byte ^ 1 : byte));
  const reportOf = (body: JsonObject, change: (report: Uint8Array) => Uint8Array) => {
    const { SnpReport } = JSON.parse(Buffer.from(String(body['report']), 'base64url').toString());
    return base64Url(change(Buffer.from(SnpReport, 'base64url')));
  };

  it.each<[string, () => JsonObject, RegExp]>([
    ['a report in standard base64', () => ({ ...attestBody(), report: '++//' }), /report is not base64url/],
    ['a report that is not JSON', () => attestBody({ report: 'x' }), /report cannot be read/],
    [
      'a report of another length',
      () => attestBody({ report: { SnpReport: base64Url('short') } }),
      /length of a report/,
    ],
    [
      'a chain without its root',
      () => attestBody({ report: { VcekCertChain: base64Url(vm.platform.vek.pem) } }),
      /does not hold/,
    ],
    [
      'a chain of strangers',
      () => attestBody({ report: { VcekCertChain: base64Url(stranger.vek.pem + stranger.chain) } }),
      /not one of AMD/,
    ],
    [
      'a VCEK of strangers',
      () => attestBody({ report: { VcekCertChain: base64Url(stranger.vek.pem + vm.platform.chain) } }),
      /VcekCertChain does not verify/,
    ],
    [
      'a report that was changed',
      () => attestBody({ report: { SnpReport: reportOf(attestBody(), (report) => flipped(report, 0x90)) } }),
      /signature of SnpReport/,
    ],
    ['other runtime data', () => attestBody({ runtimeData: { data: base64Url('{}') } }), /hash of runtimeData/],
    ['an unknown data type', () => attestBody({ runtimeData: { dataType: 'Text' } }), /dataType/],
    [
      'init time data',
      () => attestBody({ more: { initTimeData: { data: 'e30', dataType: 'JSON' } } }),
      /hash of initTimeData/,
    ],
    ['a nonce that is a number', () => attestBody({ more: { nonce: 7 } }), /nonce is not a string/],
  ])('refuses %s', async (_name, body, message) => {
    const answer = await call(maa, ATTEST, { body: body() });
    expect(answer.status).toBe(400);
    expect(answer.headers['x-ms-error-code']).toBe('InvalidParameter');
    expect(answer.body).toEqual({ error: { code: 'InvalidParameter', message: expect.stringMatching(message) } });
  });

  it.each([
    ['/attest/SevSnpVm', 400, 'MissingApiVersionParameter'],
    ['/attest/SevSnpVm?api-version=2031-01-01', 400, 'UnsupportedApiVersionValue'],
    ['/attest/SgxEnclave?api-version=2025-06-01', 400, 'InvalidOperation'],
    ['/attest/Nothing?api-version=2025-06-01', 404, 'NotFound'],
  ])('refuses a call of %s', async (path, status, code) => {
    const answer = await call(maa, path, { body: attestBody() });
    expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([status, code]);
  });

  it('takes only access tokens for Azure Attestation, where it takes any', async () => {
    const bearers = new BearerTokens();
    const own = await LabMaa.start({ pki, bearers });
    const token = (resource: string) => bearers.issue({ resource, clientId: 'app', lifetimeSeconds: 60 });
    const status = async (headers: Record<string, string>) =>
      (await call(own, ATTEST, { body: attestBody(), headers })).status;
    expect(await status({ authorization: `Bearer ${token('https://attest.azure.net')}` })).toBe(200);
    expect(await status({ authorization: `Bearer ${token('https://vault.azure.net')}` })).toBe(401);
    expect(await status({ authorization: 'Bearer made-up' })).toBe(401);
    expect(await status({})).toBe(401);
    expect(own.received[0]?.headers.authorization).toMatch(/^Bearer lab\./);
    await own.close();
  });
});

describe('attest/TdxVm of the lab MAA', () => {
  const path = '/attest/TdxVm?api-version=2025-06-01';
  const td = createTdxGuest({ platform: new TdxPlatform({ pki: createIntelPki() }) });

  function tdBody(changes: { runtimeData?: JsonObject; more?: JsonObject } = {}): JsonObject {
    const { quote, runtimeData } = td.evidence({ nonce: NONCE, runtimeData: 'nonce' });
    const data = base64Url(runtimeData ?? '');
    return {
      quote: base64Url(quote),
      runtimeData: { data, dataType: 'JSON', ...changes.runtimeData },
      ...changes.more,
    };
  }

  it('answers with a token about the quote', async () => {
    const { status, body } = await call(maa, path, { body: tdBody({ more: { nonce: 'abc' } }) });
    expect(status).toBe(200);
    expect(await verified(String(body['token']))).toMatchObject({
      nonce: 'abc',
      'x-ms-attestation-type': 'tdxvm',
      'x-ms-compliance-status': 'azure-compliant-cvm',
      'x-ms-runtime': { nonce: base64Url(NONCE) },
      attester_tcb_status: 'UpToDate',
      dbgstat: 'disabled',
      tdx_mrtd: 'd1'.repeat(48),
      tdx_mrseam: '5e'.repeat(48),
      tdx_rtmr3: 'a3'.repeat(48),
      tdx_xfam: 'e700000000000000',
      tdx_td_attributes: '0000001000000000',
      tdx_td_attributes_septve_disable: true,
      tdx_tee_tcb_svn: `060108${'00'.repeat(13)}`,
    });
  });

  it('alters what it answers with as it is told', async () => {
    maa.alter({ claims: { tdx_mrtd: 'ab'.repeat(48) } });
    const { body } = await call(maa, path, { body: tdBody({ runtimeData: { dataType: 'Binary' } }) });
    const claims = await verified(String(body['token']));
    expect(claims).toMatchObject({ tdx_mrtd: 'ab'.repeat(48) });
    expect(claims).not.toHaveProperty('x-ms-runtime');
  });

  it.each<[string, JsonObject, RegExp]>([
    ['a quote in standard base64', { quote: '++//' }, /quote is not base64url/],
    ['a TDREPORT', { quote: base64Url(new Uint8Array(1024)) }, /quote cannot be read/],
    ['a quote that is cut', { quote: String(tdBody()['quote']).slice(0, 800) }, /quote cannot be read/],
    ['other runtime data', { runtimeData: { data: base64Url('{}'), dataType: 'JSON' } }, /hash of runtimeData/],
    ['a policy to try out', { draftPolicyForAttestation: 'version= 1.0;' }, /draft policy/],
    ['a nonce that is a number', { nonce: 7 }, /nonce is not a string/],
  ])('refuses %s', async (_name, more, message) => {
    const answer = await call(maa, path, { body: tdBody({ more }) });
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ error: { code: 'InvalidParameter', message: expect.stringMatching(message) } });
  });
});

describe('tokens of the lab MAA without a call', () => {
  it('speaks of an Azure VM with two runtimes and two types', async () => {
    const hclReport = vm.hclReport({ nonce: NONCE });
    const claims = await verified(maa.issueAzureVm({ hclReport, clientPayloadNonce: Buffer.from('1234') }));
    expect(claims).toMatchObject({
      secureboot: true,
      'x-ms-attestation-type': 'azurevm',
      'x-ms-azurevm-vmid': '7DF7B373-B947-4AAA-96E5-C358F2A03D20',
      'x-ms-isolation-tee': {
        'x-ms-attestation-type': 'sevsnpvm',
        'x-ms-compliance-status': 'azure-compliant-cvm',
        'x-ms-runtime': JSON.parse(Buffer.from(vm.runtimeClaims({ nonce: NONCE })).toString()),
        'x-ms-sevsnpvm-vmpl': 0,
      },
      'x-ms-runtime': {
        'client-payload': { nonce: 'MTIzNA==' },
        keys: [{ kid: 'TpmEphemeralEncryptionKey', kty: 'RSA' }],
      },
    });
    expect(JSON.stringify(claims)).not.toContain('"d":');
  });

  it('has no isolation-tee for a VM with Trusted Launch', async () => {
    const claims = await verified(maa.issueAzureVm({ hclReport: null }));
    expect(claims).not.toHaveProperty('x-ms-isolation-tee');
    expect(claims['x-ms-attestation-type']).toBe('azurevm');
  });

  it('speaks of a TD in values of the right types', async () => {
    const claims = await verified(maa.issueTdxVm({ reportData: NONCE, claims: { tdx_seamsvn: 7 } }));
    expect(claims).toMatchObject({
      'x-ms-attestation-type': 'tdxvm',
      dbgstat: 'disabled',
      tdx_td_attributes_debug: false,
      tdx_seamsvn: 7,
      tdx_report_data: '0011223344556677'.padEnd(128, '0'),
    });
  });

  it('says which policy it has, and who signed it', async () => {
    const own = await LabMaa.start({ pki, policy: 'version= 1.0;', policySigner: { kty: 'RSA' } });
    const stored = Buffer.from('version= 1.0;').toString('base64url');
    const hash = createHash('sha256').update(stored).digest('base64url');
    const claims = await verified(own.issue({}), own);
    expect(claims).toMatchObject({ 'x-ms-policy-hash': hash, 'x-ms-policy-signer': { kty: 'RSA' } });
    own.policy = 'version= 1.1;';
    expect(own.policyHash).not.toBe(hash);
    await own.close();
  });

  it('shares its authority and its clock with others', async () => {
    const tls = new TlsAuthority();
    const at = new Date('2026-01-15T12:00:00Z');
    const own = await LabMaa.start({ pki, tls, clock: () => at, keys: 'maa' });
    expect(own.authorityPem).toBe(tls.pem);
    const [, payload = ''] = own.issue({}).split('.');
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({ iat: at.getTime() / 1000 });
    expect(createPublicKey(own.signer.key.privateKey).equals(createPublicKey(maa.signer.key.privateKey))).toBe(true);
    await own.close();
  });
});

describe.skipIf(!haveVectors)('the lab MAA beside the real one', () => {
  /** Names and types of members, and of those one level below. */
  const shapeOf = (claims: object): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(claims).map(([name, value]) => [
        name,
        name === 'x-ms-isolation-tee' ? shapeOf(value) : Array.isArray(value) ? 'array' : typeof value,
      ]),
    );

  it('issues tokens about Azure VMs with the members and types of a real one', () => {
    const real = Buffer.from(readVector('maa-jwt/maa-azurevm-snp-weu-2022.jwt')).toString().trim();
    const own = maa.issueAzureVm({ hclReport: vm.hclReport({ nonce: NONCE }) });
    expect(shapeOf(decodeJwt(own))).toEqual(shapeOf(decodeJwt(real)));
    expect(shapeOf(decodeProtectedHeader(own))).toEqual(shapeOf(decodeProtectedHeader(real)));
  });

  it('names its keys as the real one does', () => {
    const { keys } = JSON.parse(Buffer.from(readVector('maa-jwt/maa-azurevm-snp-weu-2022.jwks.json')).toString());
    const [{ kid, ...jwk }] = keys;
    expect(maaKid(createPublicKey({ key: jwk, format: 'jwk' }))).toBe(kid);
  });
});
