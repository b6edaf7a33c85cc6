import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  ManagedIdentityCredential,
  WorkloadIdentityCredential,
} from '@azure/identity';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { LabEntra } from '../../lab/entra.js';
import { clientCertificate } from '../../lab/entra-assertion.js';
import { LabManagedIdentity } from '../../lab/managed-identity.js';
import { call } from './call.js';

const RESOURCE = 'https://attest.azure.net';
const SCOPE = `${RESOURCE}/.default`;
const CLIENT = { clientId: 'b7f1e8f0-6a2e-4d53-9c0f-0c5a3e1d7a10', secret: 'a secret of the lab' };
const TOKEN_PATH = /\/oauth2\/v2\.0\/token/;

let entra: LabEntra;
let folder: string;
const certificate = clientCertificate('app');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-lab-'));
  entra = await LabEntra.start({
    clients: [
      { ...CLIENT, certificates: [certificate.certificatePem], federatedSubject: 'system:serviceaccount:lab:app' },
    ],
  });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await entra.heal();
});
afterAll(async () => {
  await entra.close();
  await rm(folder, { recursive: true });
});

/** Settings under which the client library contacts the lab alone. */
const options = () => ({
  authorityHost: entra.origin,
  disableInstanceDiscovery: true,
  tlsOptions: { ca: entra.authorityPem },
  retryOptions: { maxRetries: 0 },
});

const tokenPath = () => `/${entra.tenantId}/oauth2/v2.0/token`;
const form = (fields: Record<string, string>) => ({
  body: new URLSearchParams({
    grant_type: 'client_credentials',
    scope: SCOPE,
    client_id: CLIENT.clientId,
    ...fields,
  }).toString(),
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

describe('LabEntra and the client library of Azure', () => {
  it('gives a token for a client secret', async () => {
    const { token, expiresOnTimestamp } = await new ClientSecretCredential(
      entra.tenantId,
      CLIENT.clientId,
      CLIENT.secret,
      options(),
    ).getToken(SCOPE);
    expect(entra.bearers.accepts(token, RESOURCE)).toBe(true);
    expect(entra.bearers.accepts(token, 'https://vault.azure.net')).toBe(false);
    expect(expiresOnTimestamp).toBeGreaterThan(Date.now());
    expect(entra.grants.at(-1)).toEqual({ clientId: CLIENT.clientId, by: 'secret', scope: SCOPE });
  });

  it('gives a token for an assertion that is signed with the certificate', async () => {
    const path = join(folder, 'client.pem');
    await writeFile(path, certificate.pem);
    const credential = new ClientCertificateCredential(entra.tenantId, CLIENT.clientId, path, options());
    const { token } = await credential.getToken(SCOPE);
    expect(entra.bearers.accepts(token, RESOURCE)).toBe(true);
    expect(entra.grants.at(-1)?.by).toBe('certificate');
  });

  it('gives a token for the token of a workload', async () => {
    const tokenFilePath = join(folder, 'projected');
    await writeFile(tokenFilePath, entra.federatedToken(CLIENT.clientId));
    const { tenantId } = entra;
    const credential = new WorkloadIdentityCredential({
      ...options(),
      tenantId,
      clientId: CLIENT.clientId,
      tokenFilePath,
    });
    const { token } = await credential.getToken(SCOPE);
    expect(entra.bearers.accepts(token, RESOURCE)).toBe(true);
    expect(entra.grants.at(-1)?.by).toBe('federated');
  });

  it('refuses a wrong secret in the words of Entra', async () => {
    const credential = new ClientSecretCredential(entra.tenantId, CLIENT.clientId, 'wrong', options());
    await expect(credential.getToken(SCOPE)).rejects.toThrow(/AADSTS7000215/);
  });

  it('refuses an assertion that is none', async () => {
    const assertion = async () => `${entra.federatedToken(CLIENT.clientId).slice(0, -4)}AAAA`;
    const credential = new ClientAssertionCredential(entra.tenantId, CLIENT.clientId, assertion, options());
    await expect(credential.getToken(SCOPE)).rejects.toThrow(/AADSTS700027/);
  });

  it('fails as it is told', async () => {
    entra.fail(TOKEN_PATH, { status: 500 });
    const credential = new ClientSecretCredential(entra.tenantId, CLIENT.clientId, CLIENT.secret, options());
    await expect(credential.getToken(SCOPE)).rejects.toThrow();
    await entra.heal();
    expect(entra.bearers.accepts((await credential.getToken(SCOPE)).token, RESOURCE)).toBe(true);
  });
});

describe('LabEntra', () => {
  it.each([
    ['an application that is not registered', { client_id: 'nobody' }, 400, 'unauthorized_client'],
    ['a scope of one permission', { scope: RESOURCE }, 400, 'invalid_scope'],
    ['another grant', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
    ['no credential', {}, 401, 'invalid_client'],
  ])('refuses %s', async (_name, fields, status, error) => {
    const answer = await call(entra, tokenPath(), form(fields));
    expect([answer.status, answer.body['error']]).toEqual([status, error]);
  });

  it('knows one tenant', async () => {
    const path = '/v2.0/.well-known/openid-configuration';
    expect((await call(entra, `/${entra.tenantId}${path}`)).body['token_endpoint']).toBe(entra.origin + tokenPath());
    expect((await call(entra, `/elsewhere${path}`)).body['error']).toBe('invalid_tenant');
    expect((await call(entra, '/common/discovery/instance')).body).toHaveProperty('tenant_discovery_endpoint');
  });

  it('gives tokens that end', async () => {
    let now = new Date('2026-01-15T12:00:00Z');
    const own = await LabEntra.start({ clients: [CLIENT], clock: () => now, lifetimeSeconds: 60 });
    const { body } = await call(own, tokenPath(), form({ client_secret: CLIENT.secret }));
    const token = String(body['access_token']);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 60 });
    expect(own.bearers.accepts(token, RESOURCE)).toBe(true);
    now = new Date('2026-01-15T12:01:00Z');
    expect(own.bearers.accepts(token, RESOURCE)).toBe(false);
    await own.close();
  });

  it('can make all of its tokens worthless', async () => {
    const token = entra.bearers.issue({ resource: `${RESOURCE}/`, clientId: 'app', lifetimeSeconds: 60 });
    expect(entra.bearers.accepts(token, RESOURCE)).toBe(true);
    entra.bearers.revokeAll();
    expect(entra.bearers.accepts(token, RESOURCE)).toBe(false);
  });
});

describe('LabManagedIdentity', () => {
  const ASSIGNED = 'c0a1d2e3-1111-4222-8333-444455556666';
  const PATH = `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${RESOURCE}`;
  const METADATA = { headers: { Metadata: 'true' } };
  let identity: LabManagedIdentity;

  beforeAll(async () => {
    identity = await LabManagedIdentity.start({ userAssigned: [ASSIGNED] });
  });
  afterAll(() => identity.close());

  it.each([
    ['the VM itself', undefined],
    ['an assigned identity', ASSIGNED],
  ])('gives the client library of Azure a token of %s', async (_name, clientId) => {
    vi.stubEnv('AZURE_POD_IDENTITY_AUTHORITY_HOST', identity.origin);
    const credential = new ManagedIdentityCredential(clientId === undefined ? {} : { clientId });
    const { token } = await credential.getToken(SCOPE);
    expect(identity.bearers.accepts(token, RESOURCE)).toBe(true);
    expect(identity.received.at(-1)?.headers['metadata']).toBe('true');
  });

  it('answers with numbers as texts', async () => {
    const { body } = await call(identity, PATH, METADATA);
    expect(body).toMatchObject({ token_type: 'Bearer', resource: RESOURCE, expires_in: '86399' });
    expect(Number(body['expires_on'])).toBeGreaterThan(Date.now() / 1000);
  });

  it.each([
    ['a request without the header', PATH, {}, /metadata header/],
    ['a forwarded request', PATH, { headers: { Metadata: 'true', 'X-Forwarded-For': '1.2.3.4' } }, /Forwarded/],
    ['a request without a resource', '/metadata/identity/oauth2/token?api-version=2018-02-01', METADATA, /resource/],
    ['a request without a version', `/metadata/identity/oauth2/token?resource=${RESOURCE}`, METADATA, /api-version/],
    ['an identity that is not assigned', `${PATH}&client_id=nobody`, METADATA, /Identity not found/],
  ])('refuses %s', async (_name, path, request, description) => {
    const { status, body } = await call(identity, path, request);
    expect(status).toBe(400);
    expect(body).toEqual({ error: 'invalid_request', error_description: expect.stringMatching(description) });
  });
});
