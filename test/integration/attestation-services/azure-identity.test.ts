import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AzureIdentity } from '../../../src/core/azure-identity.js';
import { ConfigurationError } from '../../../src/core/errors.js';
import { BearerTokens } from '../../lab/bearer-tokens.js';
import { LabManagedIdentity } from '../../lab/managed-identity.js';
import { AzureLab, attest, CLIENT_ID, type Opened, PATIENT, SECRET } from './azure-lab.js';

const TOKEN_PATH = /\/oauth2\/v2\.0\/token/;
const HALF_LIFE_MS = 1_800_000;
const SCOPE = 'https://attest.azure.net/.default';

/** Of all emulators here: the library keeps tokens of managed identities for the life of a process. */
const bearers = new BearerTokens();

let lab: AzureLab;

beforeEach(async () => {
  lab = await AzureLab.start(bearers);
});

afterEach(async () => {
  await lab.close();
});

const withSecret = async (): Promise<Opened> => lab.open({ identity: await lab.secretIdentity() });
const bearersSent = () => lab.maa.received.map(({ headers }) => headers.authorization);

describe('an access token by the Azure library', () => {
  it.each([
    ['secret', () => lab.secretIdentity()],
    ['certificate', () => lab.certificateIdentity()],
    ['federated', () => lab.workloadIdentity()],
  ] as const)('for a %s arrives at Azure Attestation', async (by, identity) => {
    expect(await attest(await lab.open({ identity: await identity() }))).toHaveProperty('token');
    expect(lab.entra.grants).toEqual([{ clientId: CLIENT_ID, by, scope: SCOPE }]);
    expect(bearersSent()).toEqual([expect.stringMatching(/^Bearer lab\./)]);
  });

  it('for a workload comes of what the cluster puts into the environment', async () => {
    const { tokenFile } = { tokenFile: null, ...(await lab.workloadIdentity()) };
    const identity = {
      kind: 'workload-identity',
      tenantId: null,
      clientId: null,
      tokenFile: null,
      authority: null,
    } as const;
    const environment = {
      AZURE_TENANT_ID: lab.entra.tenantId,
      AZURE_CLIENT_ID: CLIENT_ID,
      AZURE_FEDERATED_TOKEN_FILE: tokenFile ?? '',
      AZURE_AUTHORITY_HOST: `${lab.entra.origin}/`,
    };
    expect(await attest(await lab.open({ identity, environment }))).toHaveProperty('token');
  });

  it('that the environment says too little for refuses to start', async () => {
    const identity = {
      kind: 'workload-identity',
      tenantId: null,
      clientId: null,
      tokenFile: null,
      authority: null,
    } as const;
    await expect(lab.open({ identity })).rejects.toThrow(ConfigurationError);
    await expect(lab.open({ identity, environment: { AZURE_TENANT_ID: 't' } })).rejects.toThrow(
      /^AZURE_CLIENT_ID: is missing/,
    );
  });

  it('is asked for once, and used for every request of half of its life', async () => {
    const opened = await withSecret();
    await Promise.all([attest(opened), attest(opened), attest(opened)]);
    lab.clock.advance(HALF_LIFE_MS - 60_000);
    await attest(opened);
    expect(lab.entra.grants).toHaveLength(1);
    expect(new Set(bearersSent()).size).toBe(1);
  });

  it('is renewed from half of its life on, in the background, with what the file holds then', async () => {
    const opened = await withSecret();
    await attest(opened);
    lab.entra.register({ clientId: CLIENT_ID, secret: 'rotated-secret-43' });
    await lab.secretIdentity('rotated-secret-43');
    lab.clock.advance(HALF_LIFE_MS);
    expect(await attest(opened)).toHaveProperty('token');
    await expect.poll(() => lab.entra.grants.length, PATIENT).toBe(2);
    const tokensUsed = async () => {
      await attest(opened);
      return new Set(bearersSent()).size;
    };
    await expect.poll(tokensUsed, PATIENT).toBe(2);
  });

  it('goes on being used while Entra is out of reach, until it ends', async () => {
    const opened = await withSecret();
    await attest(opened);
    lab.entra.fail(/./, { status: 503 });
    lab.clock.advance(HALF_LIFE_MS);
    expect(await attest(opened)).toHaveProperty('token');
    await expect.poll(() => opened.log.of(/no access token/).length, PATIENT).toBe(1);
    lab.clock.advance(HALF_LIFE_MS);
    expect(await attest(opened)).toMatchObject({ code: 'route_unavailable', retryable: true });
    await lab.entra.heal();
    lab.clock.advance(10_000);
    await expect.poll(() => attest(opened), PATIENT).toHaveProperty('token');
  });
});

describe('an access token that is refused', () => {
  it('is replaced by a fresh one, once', async () => {
    const opened = await withSecret();
    await attest(opened);
    bearers.revokeAll();
    expect(await attest(opened)).toHaveProperty('token');
    expect(lab.maa.count()).toBe(3);
    expect(new Set(bearersSent()).size).toBe(2);
  });

  it('and again is the answer: two calls, and no more for a while', async () => {
    const opened = await withSecret();
    lab.maa.fail(/attest/, { status: 401, body: { error: { code: 'Unauthorized' } } });
    expect(await attest(opened)).toMatchObject({ code: 'route_unavailable', retryable: false });
    expect([lab.maa.count(), lab.entra.grants.length]).toEqual([2, 2]);
    await attest(opened);
    expect([lab.maa.count(), lab.entra.grants.length]).toEqual([3, 2]);
  });

  it('by an instance that wants one where none is configured is the answer', async () => {
    expect(await attest(await lab.open())).toMatchObject({ code: 'route_unavailable', retryable: false });
    expect(lab.maa.count()).toBe(1);
  });
});

describe('Entra', () => {
  it('that names a token endpoint elsewhere gets no secret there', async () => {
    const elsewhere = `${lab.other.origin}/token`;
    lab.entra.fail(/openid-configuration/, {
      status: 200,
      body: {
        issuer: `${lab.entra.origin}/${lab.entra.tenantId}/v2.0`,
        authorization_endpoint: elsewhere,
        token_endpoint: elsewhere,
        jwks_uri: elsewhere,
      },
    });
    expect(await attest(await withSecret())).toMatchObject({ code: 'route_unavailable' });
    expect(lab.other.requests).toEqual([]);
  });

  it('LOG-01 that says no leaves the evidence here, and no secret in log and answer', async () => {
    const opened = await lab.open({ identity: await lab.secretIdentity('not-the-secret-of-the-lab') });
    const result = await attest(opened);
    expect(result).toEqual({
      code: 'route_unavailable',
      detail: 'access token for Azure Attestation: answered with status 401',
      retryable: false,
    });
    expect(opened.log.entries).toEqual([
      expect.objectContaining({ fields: expect.objectContaining({ status: 401, reason: 'invalid_client' }) }),
    ]);
    expect(lab.maa.requests).toEqual([]);
    expect(JSON.stringify([result, opened.log.entries])).not.toMatch(/not-the-secret|AADSTS/);
  });

  it.each([
    ['a secret', async () => ({ ...(await lab.secretIdentity()), secretFile: '/nowhere/secret' }) as AzureIdentity],
    [
      'a certificate',
      async () => ({ ...(await lab.certificateIdentity()), certificateFile: '/nowhere' }) as AzureIdentity,
    ],
    ['a cluster token', async () => ({ ...(await lab.workloadIdentity()), tokenFile: '/nowhere' }) as AzureIdentity],
    ['a secret that is empty', () => lab.secretIdentity('\n')],
  ])('is not asked for a token without the file of %s', async (_what, identity) => {
    const opened = await lab.open({ identity: await identity() });
    expect(await attest(opened)).toMatchObject({ code: 'route_unavailable', retryable: false });
    expect(lab.entra.count(TOKEN_PATH)).toBe(0);
    expect(lab.maa.requests).toEqual([]);
  });

  it.each([
    ['has ended', { access_token: 'x', token_type: 'Bearer', expires_in: -5 }],
    ['no header can carry', { access_token: 'x\r\ny: z', token_type: 'Bearer', expires_in: 3599 }],
    ['is none', { token_type: 'Bearer', expires_in: 3599 }],
  ])('that gives a token that %s gave none', async (_what, body) => {
    lab.entra.fail(TOKEN_PATH, { status: 200, body });
    expect(await attest(await withSecret())).toMatchObject({ code: 'route_unavailable' });
    expect(lab.maa.requests).toEqual([]);
  });

  it('is asked on behalf of all, and the answer is kept when nobody waits any more', async () => {
    lab.entra.fail(TOKEN_PATH, 'drip');
    const opened = await withSecret();
    const deadline = new AbortController();
    const outcome = attest(opened, deadline.signal);
    await expect.poll(() => lab.entra.count(TOKEN_PATH), PATIENT).toBe(1);
    deadline.abort();
    expect(await outcome).toMatchObject({ code: 'route_unavailable', retryable: true });
    await lab.entra.heal();
    await expect.poll(() => attest(opened), PATIENT).toHaveProperty('token');
  });

  it('LOG-01 gets no secret into log, answer or errors, whatever goes wrong', async () => {
    for (const fault of ['garbage', 'content_type', 'redirect', { status: 500 }, { status: 401 }] as const) {
      const opened = await withSecret();
      lab.entra.fail(/./, fault);
      const result = await attest(opened);
      expect(JSON.stringify([result, opened.log.entries])).not.toContain(SECRET);
      expect(opened.log.entries).not.toEqual([]);
    }
  });
});

describe('a managed identity', () => {
  const idOf = (number: number) => `c0ffee00-0000-4000-8000-00000000000${number}`;
  const METADATA = /^\/metadata\/identity\/oauth2\/token/;
  const before = process.env['AZURE_POD_IDENTITY_AUTHORITY_HOST'];
  // The library keeps the address for the life of a process: one emulator for all tests, and an identity each.
  let machine: LabManagedIdentity;

  beforeAll(async () => {
    machine = await LabManagedIdentity.start({ bearers, userAssigned: [1, 2, 3, 4, 5, 6, 7].map(idOf) });
    process.env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] = machine.origin;
  });

  afterAll(async () => {
    if (before === undefined) delete process.env['AZURE_POD_IDENTITY_AUTHORITY_HOST'];
    else process.env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] = before;
    await machine.close();
  });

  const open = (clientId: string | null) => lab.open({ identity: { kind: 'managed-identity', clientId } });
  const bearerOf = (id: string) => `Bearer lab.${Buffer.from(id).toString('base64url')}.`;

  it('of the machine gets a token that arrives at Azure Attestation', async () => {
    expect(await attest(await open(null))).toHaveProperty('token');
    expect(machine.requests.at(-1)).toContain('resource=https%3A%2F%2Fattest.azure.net');
    expect(machine.requests.at(-1)).not.toContain('client_id');
    expect(bearersSent()[0]).toMatch(/^Bearer lab\./);
  });

  it('that was assigned gets one in its own name', async () => {
    expect(await attest(await open(idOf(1)))).toHaveProperty('token');
    expect(machine.requests.at(-1)).toContain(`client_id=${idOf(1)}`);
    expect(bearersSent()[0]).toContain(bearerOf(idOf(1)));
  });

  it('that the machine does not have gets none', async () => {
    expect(await attest(await open(CLIENT_ID))).toMatchObject({ code: 'route_unavailable', retryable: false });
    expect(lab.maa.requests).toEqual([]);
  });

  it.each([
    [2, { status: 404 }, false],
    [3, { status: 429, retryAfter: '20' }, true],
    [4, { status: 500 }, true],
    [5, 'garbage', true],
    [6, 'redirect', true],
    [7, 'half_open', true],
  ] as const)(
    'is unavailable while its endpoint is out of order, and comes back (%i: %j)',
    async (id, fault, retryable) => {
      const opened = await open(idOf(id));
      machine.fail(METADATA, fault);
      expect(await attest(opened)).toMatchObject({ code: 'route_unavailable', retryable });
      expect(lab.maa.requests).toEqual([]);
      await machine.heal();
      lab.clock.advance(20_000);
      expect(await attest(opened)).toHaveProperty('token');
      expect(bearersSent().at(-1)).toContain(bearerOf(idOf(id)));
    },
  );
});
