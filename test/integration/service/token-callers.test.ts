import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import { LabCallerIssuer } from '../../lab/caller-issuer.js';
import { TlsAuthority } from '../../lab/index.js';
import { call, LabService, MovableClock, post } from './lab-service.js';

/** Callers with tokens: a service, issuers on loopback, and what becomes of both. */

const TENANT = '5f1c0c2a-7c65-4a0e-8f2b-5d3b7a1e9c04';
const APP = '5a1c8f5e-0d3c-4c41-9c1b-7f6f2d6a9b10';
const HOUR_MS = 3_600_000;

let lab: LabService;
let tls: TlsAuthority;
let issuer: LabCallerIssuer;
let cluster: LabCallerIssuer;
let started = 0;

const path = (name: string) => join(lab.root, name);

beforeAll(async () => {
  tls = new TlsAuthority();
  lab = await LabService.create(tls);
  issuer = await LabCallerIssuer.start({ tls });
  cluster = await LabCallerIssuer.start({ tls, authorization: 'Bearer token-of-the-service' });
  writeFileSync(path('ca.pem'), tls.pem);
  writeFileSync(path('token'), 'token-of-the-service\n');
});

afterEach(async () => {
  await lab.stop();
  issuer.keyNames = ['caller-1'];
  issuer.keyMembers = {};
  issuer.discovered = {};
  await issuer.heal();
});

afterAll(async () => {
  await Promise.all([lab.close(), issuer.close(), cluster.close()]);
});

const ROLES = { roles: ['verify', 'metrics'] };

function configured(): Readonly<Record<string, object>> {
  const oidc = { issuer: issuer.issuer, keys: 'discovery', ca: path('ca.pem'), audience: ['api://veritee'] };
  return {
    app: { ...ROLES, oidc: { ...oidc, profile: 'entra', tenantId: TENANT, clientIds: [APP], appRoles: ['verify'] } },
    git: { ...ROLES, oidc: { ...oidc, profile: 'generic', claims: { repository: 'org/app' } } },
    pods: {
      ...ROLES,
      kubernetes: {
        issuer: cluster.issuer,
        keys: cluster.keysUrl,
        ca: path('ca.pem'),
        tokenFile: path('token'),
        audience: 'veritee',
        serviceAccounts: ['gates/release'],
      },
    },
  };
}

const ENTRA: JsonObject = { aud: 'api://veritee', ver: '2.0', tid: TENANT, azp: APP, idtyp: 'app', roles: ['verify'] };
const GIT: JsonObject = { aud: 'api://veritee', sub: 'repo:org/app:ref:refs/heads/main', repository: 'org/app' };
const POD: JsonObject = {
  aud: ['veritee'],
  sub: 'system:serviceaccount:gates:release',
  'kubernetes.io': {
    namespace: 'gates',
    serviceaccount: { name: 'release', uid: '1' },
    pod: { name: 'release-0', uid: '2' },
  },
};

async function start(callers: object = configured(), world: object = {}, data?: string): Promise<RunningService> {
  started += 1;
  return lab.start({ callers }, world, data ?? `callers-${started}`);
}

/** Status, code and, of who was let in, the principal in the log. */
async function asked(service: RunningService, token: string): Promise<readonly unknown[]> {
  const before = lab.output.length;
  const { status, body } = await post(service.url, '/challenges', '{}', { authorization: `Bearer ${token}` });
  const principal = /"principal":"([^"]*)"/.exec(lab.output.slice(before))?.[1] ?? null;
  return status === 200 ? [200, principal] : [status, body.code];
}

describe('a caller with a token', () => {
  it('is recognised by the tokens of its issuer, whose keys are fetched once', async () => {
    const service = await start();
    const before = issuer.count();
    for (let times = 0; times < 2; times += 1) {
      expect(await asked(service, issuer.issue(ENTRA))).toEqual([200, 'app']);
      expect(await asked(service, issuer.issue(GIT))).toEqual([200, 'git']);
      expect(await asked(service, cluster.issue(POD))).toEqual([200, 'pods']);
    }
    const fetch = [`/${TENANT}/v2.0/.well-known/openid-configuration`, '/tenant/keys'];
    expect(issuer.requests.slice(before).toSorted()).toEqual([...fetch, ...fetch].toSorted());
  });

  it('is recognised by a key with a certificate that cannot be read', async () => {
    issuer.keyMembers = { 'caller-1': { x5c: ['AAAA'] } };
    expect(await asked(await start(), issuer.issue(GIT))).toEqual([200, 'git']);
  });

  it('of Entra is nobody by a key that says it is of another tenant', async () => {
    const service = await start();
    const keyOf = (tenant: string) => ({ 'caller-1': { issuer: `${issuer.origin}/${tenant}/v2.0` } });
    issuer.keyNames = ['caller-0', 'caller-1'];
    issuer.keyMembers = keyOf(APP);
    expect(await asked(service, issuer.issue(ENTRA))).toEqual([401, 'unauthorized']);
    expect(await asked(service, issuer.issue(GIT))).toEqual([200, 'git']);
    await lab.stop();
    issuer.keyMembers = keyOf('{tenantid}');
    expect(await asked(await start(), issuer.issue(ENTRA))).toEqual([200, 'app']);
  });

  it('is nobody with a token that it does not demand', async () => {
    const service = await start();
    const unauthorized = [401, 'unauthorized'];
    for (const token of [
      issuer.issue({ ...ENTRA, azp: TENANT }),
      issuer.issue({ ...GIT, repository: 'org/other' }),
      issuer.issue({ ...GIT, aud: 'api://other' }),
      issuer.issue(GIT, { claims: { exp: 1 } }),
      issuer.issue(POD),
      cluster.issue({ ...POD, sub: 'system:serviceaccount:gates:other' }),
    ]) {
      expect(await asked(service, token)).toEqual(unauthorized);
    }
    expect(lab.output).toContain('a genuine token matches no caller');
  });

  it.each([
    [0, [401, 'unauthorized']],
    [300, [200, 'git']],
  ])('is judged with the leeway of time.tokenLeewaySeconds: %i', async (tokenLeewaySeconds, expected) => {
    const { git } = configured();
    const service = await lab.start(
      { callers: { git }, time: { tokenLeewaySeconds } },
      {},
      `leeway-${tokenLeewaySeconds}`,
    );
    const now = Math.floor(Date.now() / 1000);
    const ended = issuer.issue({ ...GIT, iat: now - 700, nbf: now - 700, exp: now - 100 });
    expect(await asked(service, ended)).toEqual(expected);
  });

  it('is nobody where two callers would be', async () => {
    const { git } = configured();
    const service = await start({ git, twin: git });
    const { body } = await call(service.url, '/metrics', { headers: { authorization: `Bearer ${issuer.issue(GIT)}` } });
    expect([body.code, body.detail]).toEqual(['unauthorized', 'the credentials are of more than one caller']);
  });

  it('is nobody with a token as X-API-Key', async () => {
    const service = await start();
    const { body } = await call(service.url, '/metrics', { headers: { 'x-api-key': issuer.issue(GIT) } });
    expect(body.code).toBe('unauthorized');
  });

  it('is told how to send one', async () => {
    const { body } = await call((await start()).url, '/metrics', {});
    expect(body.detail).toBe(
      'no credential was sent: send a token or an API key as Authorization: Bearer, or an API key as X-API-Key, not as both',
    );
  });

  it('LOG-01 has its token nowhere in the log', async () => {
    const service = await start(configured(), {});
    const tokens = [issuer.issue(GIT), issuer.issue({ ...GIT, repository: 'x' }), `${issuer.issue(GIT)}x`];
    for (const token of tokens) await asked(service, token);
    for (const token of tokens) {
      const parts = token.split('.').filter((part) => part.length > 20);
      for (const part of parts.slice(1)) expect(lab.output).not.toContain(part);
    }
  });
});

describe('keys of an issuer of callers', () => {
  it('that are out of reach are caller_keys_unavailable, and nothing else suffers', async () => {
    const service = await start();
    await issuer.connect('refused');
    const { status, body, headers } = await call(service.url, '/metrics', {
      headers: { authorization: `Bearer ${issuer.issue(GIT)}` },
    });
    expect([status, body.code]).toEqual([503, 'caller_keys_unavailable']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(await asked(service, cluster.issue(POD))).toEqual([200, 'pods']);
    expect((await call(service.url, '/livez', {})).status).toBe(200);
  });

  it('are kept for a start during an outage, readable by the service alone, and for 24 hours', async () => {
    const clock = new MovableClock();
    const first = await start(configured(), { clock }, 'outage');
    expect(await asked(first, issuer.issue(GIT))).toEqual([200, 'git']);
    await lab.stop();
    const folder = path('outage/caller-keys');
    const [file = ''] = readdirSync(folder);
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(join(folder, file), 'utf8')).keySet).toEqual(issuer.keySet);

    await issuer.connect('refused');
    const second = await start(configured(), { clock }, 'outage');
    const claims = () => ({
      ...GIT,
      iat: Math.floor(clock.now().getTime() / 1000),
      nbf: 0,
      exp: Math.floor(clock.now().getTime() / 1000) + 600,
    });
    expect(await asked(second, issuer.issue(claims()))).toEqual([200, 'git']);
    clock.advance(23 * HOUR_MS);
    expect(await asked(second, issuer.issue(claims()))).toEqual([200, 'git']);
    clock.advance(HOUR_MS);
    expect(await asked(second, issuer.issue(claims()))).toEqual([503, 'caller_keys_unavailable']);
  });

  it('that were kept and cannot be used are fetched, and the log says so', async () => {
    const first = await start(configured(), {}, 'spoilt');
    expect(await asked(first, issuer.issue(GIT))).toEqual([200, 'git']);
    await lab.stop();
    const folder = path('spoilt/caller-keys');
    for (const file of readdirSync(folder)) writeFileSync(join(folder, file), '{"fetchedAt":"x"}');
    const second = await start(configured(), {}, 'spoilt');
    expect(lab.output).toContain('kept key set of a token issuer cannot be used');
    expect(await asked(second, issuer.issue(GIT))).toEqual([200, 'git']);
  });

  it('TOK-13 are fetched again for a key that is new', async () => {
    const clock = new MovableClock();
    const service = await start(configured(), { clock });
    expect(await asked(service, issuer.issue(GIT))).toEqual([200, 'git']);
    issuer.keyNames = ['caller-1', 'caller-2'];
    clock.advance(30_000);
    expect(await asked(service, issuer.issue(GIT))).toEqual([200, 'git']);
  });

  it.each([
    ['another issuer', { issuer: 'https://other.example' }],
    ['no issuer', { issuer: null }],
    ['keys of another origin', { jwks_uri: 'https://other.example/keys' }],
  ])('are not taken from a discovery document of %s', async (_, discovered) => {
    issuer.discovered = discovered;
    const service = await start();
    expect(await asked(service, issuer.issue(GIT))).toEqual([503, 'caller_keys_unavailable']);
  });

  it('may be a file, which a reload reads again', async () => {
    writeFileSync(path('keys.json'), JSON.stringify(issuer.keySet));
    const { git } = configured() as { git: { oidc: object } };
    const callers = { git: { ...git, oidc: { ...git.oidc, keys: path('keys.json'), ca: null } } };
    const service = await start(callers);
    expect(await asked(service, issuer.issue(GIT))).toEqual([200, 'git']);
    issuer.keyNames = ['caller-2'];
    expect(await asked(service, issuer.issue(GIT))).toEqual([401, 'unauthorized']);
    writeFileSync(path('keys.json'), JSON.stringify(issuer.keySet));
    await service.reload();
    expect(await asked(service, issuer.issue(GIT))).toEqual([200, 'git']);
    writeFileSync(path('keys.json'), 'x');
    await service.reload();
    expect(lab.output).toContain('callers and TLS material not reloaded');
    expect(await asked(service, issuer.issue(GIT))).toEqual([200, 'git']);
  });

  it('outlive a reload without being fetched again', async () => {
    const { git } = configured();
    const service = await start({ git });
    expect(await asked(service, issuer.issue(GIT))).toEqual([200, 'git']);
    const before = issuer.count();
    await service.reload();
    expect(await asked(service, issuer.issue(GIT))).toEqual([200, 'git']);
    expect(issuer.count()).toBe(before);
  });

  it('shows the cluster the token of its file, as it is at each fetch', async () => {
    const { pods } = configured();
    writeFileSync(path('token'), 'an-old-token');
    const clock = new MovableClock();
    const service = await start({ pods }, { clock });
    expect(await asked(service, cluster.issue(POD))).toEqual([503, 'caller_keys_unavailable']);
    writeFileSync(path('token'), 'token-of-the-service\n');
    clock.advance(30_000);
    const now = Math.floor(clock.now().getTime() / 1000);
    expect(await asked(service, cluster.issue({ ...POD, iat: now, nbf: now, exp: now + 600 }))).toEqual([200, 'pods']);
  });

  it.each([
    ['ca', 'absent.pem', 'callers.pods.kubernetes.ca: '],
    ['tokenFile', 'absent.token', 'callers.pods.kubernetes.tokenFile: '],
    ['keys', 'absent.json', 'callers.pods.kubernetes.keys: '],
  ])('in files that are not there keep the service from starting: %s', async (member, file, message) => {
    const { pods } = configured() as { pods: { kubernetes: object } };
    const callers = { pods: { ...pods, kubernetes: { ...pods.kubernetes, [member]: path(file) } } };
    await expect(start(callers)).rejects.toThrow(`${message}${path(file)}: there is no such file`);
  });
});
