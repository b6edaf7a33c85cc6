// @peculiar/x509 needs it.
import 'reflect-metadata';
import { createHash, X509Certificate } from 'node:crypto';
import { X509Crl } from '@peculiar/x509';
import { decodeProtectedHeader, importJWK, type JWK, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.js';
import { createIntelPki } from '../../lab/intel-pki.js';
import { TdxPlatform } from '../../lab/tdx-platform.js';
import { LabTrustAuthority, type TrustAuthorityTokenOptions } from '../../lab/trust-authority.js';
import { call, download } from './call.js';

const ATTEST = '/appraisal/v2/attest';
const POLICY = '1a2b3c4d-0000-4000-8000-0123456789ab';
const USER_DATA = Buffer.from('held by the attester');

let authority: LabTrustAuthority;

beforeAll(async () => {
  authority = await LabTrustAuthority.start();
});
afterEach(async () => {
  authority.alter(null);
  await authority.heal();
});
afterAll(() => authority.close());

const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');
const apiKey = () => ({ 'x-api-key': authority.apiKey });

async function publishedKeys(): Promise<readonly JWK[]> {
  const { body } = await call(authority, '/certs');
  return body['keys'] as unknown as readonly JWK[];
}

/** Verifies a token as a relying party does: with the key that the key set has under its kid, and its algorithm. */
async function verified(token: string): Promise<JsonObject> {
  const { kid } = decodeProtectedHeader(token);
  const jwk = (await publishedKeys()).find((key) => key.kid === kid) ?? {};
  const { payload } = await jwtVerify(token, await importJWK(jwk), {
    algorithms: [String(jwk.alg)],
    issuer: authority.issuer,
    typ: 'JWT',
  });
  return payload as JsonObject;
}

const platform = new TdxPlatform({ pki: createIntelPki() });

/** A quote with this report data, hex; zeros if left out. */
function quoteWith(reportData = ''): string {
  const bytes = Buffer.alloc(64);
  bytes.set(Buffer.from(reportData, 'hex'));
  return base64(platform.quote({ fields: { reportData: bytes } }));
}

function attestBody(tdx: JsonObject = {}, more: JsonObject = {}): JsonObject {
  return { tdx: { quote: quoteWith(), ...tdx }, ...more };
}

async function attest(body: JsonObject, path = ATTEST): Promise<JsonObject> {
  const answer = await call(authority, path, { body, headers: apiKey() });
  expect(answer.body).not.toHaveProperty('error');
  return verified(String(answer.body['token']));
}

/** Runtime claims of a paravisor, and a quote that is about them. */
function runtimeClaims(userData: string) {
  const text = JSON.stringify({ keys: [], 'user-data': userData });
  const hash = createHash('sha256').update(text).digest('hex');
  return { text, hash, members: { runtime_data: base64(text), quote: quoteWith(hash) } };
}

const sha512 = (...parts: readonly Uint8Array[]) => createHash('sha512').update(Buffer.concat(parts)).digest('hex');

describe('key set of the lab Trust Authority', () => {
  it('publishes a key of 3072 bits for each algorithm, with a chain up to the root', async () => {
    const keys = await publishedKeys();
    expect(keys.map(({ alg }) => alg)).toEqual(['PS384', 'RS256']);
    for (const { x5c = [], n = '', kid } of keys) {
      expect(Buffer.from(n, 'base64url')).toHaveLength(384);
      expect(kid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      const [leaf, ca, root] = x5c.map((der) => new X509Certificate(Buffer.from(der, 'base64')));
      expect(root?.raw.equals(new X509Certificate(authority.pki.rootPem()).raw)).toBe(true);
      if (leaf === undefined || ca === undefined || root === undefined) throw new Error('the chain is short');
      expect([leaf.verify(ca.publicKey), ca.verify(root.publicKey), root.verify(root.publicKey)]).toEqual([
        true,
        true,
        true,
      ]);
      expect(leaf.publicKey.export({ format: 'jwk' })['n']).toBe(n);
    }
  });

  it('serves CRLs where the certificates say they are', async () => {
    const own = await LabTrustAuthority.start();
    own.revoke('RS256');
    own.revoke('signing-ca');
    const lists = { leaf: own.pki.tokenCertificate('RS256'), ca: own.pki.signingCaCertificate() };
    for (const [name, der] of Object.entries(lists)) {
      const [uri = ''] = /https:\/\/localhost:\d+\/crl\/[\w-]+\.crl/.exec(Buffer.from(der).toString('latin1')) ?? [];
      expect(uri.startsWith(own.origin)).toBe(true);
      const list = new X509Crl(Uint8Array.from(await download(own, uri.slice(own.origin.length))));
      expect([name, ...list.entries.map(({ serialNumber }) => serialNumber)]).toEqual([
        name,
        name === 'leaf' ? '04' : '02',
      ]);
    }
    await own.close();
  });
});

describe('tokens of the lab Trust Authority', () => {
  it.each<[string, TrustAuthorityTokenOptions, string]>([
    ['nested', {}, 'PS384'],
    ['flat', { version: 1 }, 'PS384'],
    ['signed with RS256', { algorithm: 'RS256' }, 'RS256'],
  ])('are verified with the key set: %s', async (_name, options, algorithm) => {
    const token = authority.issue({ ...options, tdx: { attester_tcb_status: 'OutOfDate' } });
    expect(decodeProtectedHeader(token)).toMatchObject({
      alg: algorithm,
      typ: 'JWT',
      jku: `${authority.origin}/certs`,
    });
    const claims = await verified(token);
    const tdx = options.version === 1 ? claims : claims['tdx'];
    expect(tdx).toMatchObject({ attester_type: 'TDX', attester_tcb_status: 'OutOfDate', tdx_is_debuggable: false });
    expect(claims).toMatchObject({ ver: options.version === 1 ? '1.0.0' : '2.0.0', policy_ids_matched: null });
  });

  it('can be offered under the algorithm of another key', async () => {
    const token = authority.issue({ signer: 'PS384', algorithm: 'RS256' });
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'RS256', kid: authority.pki.kid('PS384') });
    await expect(verified(token)).rejects.toThrow(/alg/);
  });
});

describe('calls of the lab Trust Authority', () => {
  it('answers attest with a token that holds what was sent', async () => {
    const nonce = (await call(authority, '/appraisal/v2/nonce', { headers: apiKey() })).body;
    const [val, iat] = [nonce['val'], nonce['iat']].map((text) => Buffer.from(String(text), 'base64')) as [
      Buffer,
      Buffer,
    ];
    const body = attestBody(
      { quote: quoteWith(sha512(val, iat, USER_DATA)), user_data: base64(USER_DATA), verifier_nonce: nonce },
      { policy_ids: [POLICY], token_signing_alg: 'RS256' },
    );
    const claims = await attest(body);
    expect(claims).toMatchObject({
      verifier_nonce: nonce,
      policy_ids_matched: [{ id: POLICY, version: 'v1' }],
      policy_ids_unmatched: null,
      tdx: { attester_held_data: base64(USER_DATA), tdx_report_data: sha512(val, iat, USER_DATA) },
    });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(300);
  });

  it('answers attest/azure with the runtime claims', async () => {
    const runtime = runtimeClaims(sha512(USER_DATA).toUpperCase());
    const body = attestBody({ ...runtime.members, user_data: base64(USER_DATA) });
    const { tdx } = await attest(body, `${ATTEST}/azure`);
    expect(tdx).toMatchObject({
      attester_runtime_data: JSON.parse(runtime.text),
      tdx_report_data: runtime.hash.padEnd(128, '0'),
    });
  });

  it('shows what the quote says, whatever is in it where nothing came that it has to hold', async () => {
    const { tdx } = await attest(attestBody({ quote: quoteWith('ab'.repeat(64)) }));
    expect(tdx).toMatchObject({
      attester_type: 'TDX',
      dbgstat: 'disabled',
      tdx_report_data: 'ab'.repeat(64),
      tdx_mrtd: 'd1'.repeat(48),
      tdx_mrseam: '5e'.repeat(48),
      tdx_rtmr3: 'a3'.repeat(48),
      tdx_xfam: 'e700000000000000',
      tdx_td_attributes: '0000001000000000',
      tdx_td_attributes_septve_disable: true,
      tdx_is_migratable: false,
    });
    const runtime = runtimeClaims('ab'.repeat(64));
    expect(await attest(attestBody(runtime.members), `${ATTEST}/azure`)).toHaveProperty('tdx');
    const debug = platform.quote({ version: 5, fields: { tdAttributes: (1n << 29n) | 1n } });
    expect((await attest(attestBody({ quote: base64(debug) })))['tdx']).toMatchObject({
      dbgstat: 'enabled',
      tdx_is_debuggable: true,
      tdx_td_attributes_migratable: true,
    });
  });

  it('issues a token whatever the policies say, unless they must match', async () => {
    authority.alter({ policies: { unmatched: [POLICY] } });
    expect(await attest(attestBody({}, { policy_ids: [POLICY] }))).toMatchObject({
      policy_ids_matched: null,
      policy_ids_unmatched: [{ id: POLICY, version: 'v1' }],
    });
    const body = attestBody({}, { policy_ids: [POLICY], policy_must_match: true });
    expect((await call(authority, ATTEST, { body, headers: apiKey() })).status).toBe(400);
  });

  it.each<[string, JsonObject, string?]>([
    ['user data that the quote does not hold', attestBody({ user_data: base64(USER_DATA) })],
    ['runtime data that the quote does not hold', attestBody({ runtime_data: base64('{}') })],
    ['runtime claims that the quote does not hold', attestBody({ runtime_data: base64('{}') }), `${ATTEST}/azure`],
    ['text in the place of a quote', attestBody({ quote: base64('any quote') })],
    ['no quote', { tdx: {} }],
    ['no TD', {}],
    ['a quote that is not base64', attestBody({ quote: 'a-_b' })],
    ['a nonce of somebody else', attestBody({ verifier_nonce: { val: '', iat: '', signature: '' } })],
    ['an unknown algorithm', attestBody({}, { token_signing_alg: 'HS256' })],
    ['a policy that is no UUID', attestBody({}, { policy_ids: ['mine'] })],
  ])('refuses %s', async (_name, body, path = ATTEST) => {
    const { status, body: answer } = await call(authority, path, { body, headers: apiKey() });
    expect([status, Object.keys(answer)]).toEqual([400, ['error']]);
  });

  it('refuses runtime claims that hold other user data', async () => {
    const { members } = runtimeClaims(sha512(Buffer.from('other')));
    const body = attestBody({ ...members, user_data: base64(USER_DATA) });
    expect((await call(authority, `${ATTEST}/azure`, { body, headers: apiKey() })).status).toBe(400);
  });

  it('refuses callers without the API key', async () => {
    expect((await call(authority, ATTEST, { body: attestBody() })).status).toBe(401);
    expect((await call(authority, '/appraisal/v2/nonce', { headers: { 'x-api-key': 'other' } })).status).toBe(401);
    expect((await call(authority, '/appraisal/v3/nonce', { headers: apiKey() })).status).toBe(404);
  });

  it('fails as it is told', async () => {
    authority.fail(/certs/, { status: 429, retryAfter: '7', body: { error: 'slow down' } });
    const { status, headers, body } = await call(authority, '/certs');
    expect([status, headers['retry-after'], body]).toEqual([429, '7', { error: 'slow down' }]);
    await authority.heal();
    expect((await call(authority, '/certs')).status).toBe(200);
  });
});
