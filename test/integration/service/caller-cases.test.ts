import { createHash, randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import { LabCallerIssuer } from '../../lab/caller-issuer.js';
import { createVirtualMachine, TlsAuthority } from '../../lab/index.js';
import type { TlsIdentity } from '../../lab/tls-authority.js';
import { base64Url, LabService, lenientPolicy, NONCE, PKI, WITHOUT_ENDORSEMENTS } from './lab-service.js';

/** Every call that needs a role, by every kind of caller, with everything that can be wrong with who asks. */

const ENTRA_TENANT = '5f1c0c2a-7c65-4a0e-8f2b-5d3b7a1e9c04';
const APPS = { all: 1, read: 2, rest: 3, blue: 4, stranger: 5, ended: 6 } as const;
/**
 * `all` has every role, `read` policy:read alone, `rest` every other, `blue` every role in another tenant. `ended` is the same as
 * `all` with an API key that has expired; `stranger` is nobody.
 */
type Who = keyof typeof APPS;
const CONFIGURED: readonly Who[] = ['all', 'read', 'rest', 'blue', 'ended'];
const KINDS = ['key', 'entra', 'generic', 'kubernetes', 'mtls'] as const;
type Kind = (typeof KINDS)[number];

const AUDIENCE = 'api://veritee';
const GATE = 'https://gate.example';
const appId = (who: Who) => `5a1c8f5e-0d3c-4c41-9c1b-7f6f2d6a9b1${APPS[who]}`;
const keyOf = (who: Who) => `key-of-${who}`.padEnd(43, 'k');
const uriOf = (who: Who) => `spiffe://example.org/${who}`;

let lab: LabService;
let tls: TlsAuthority;
let clients: TlsAuthority;
let issuer: LabCallerIssuer;
let service: RunningService;
let agents: Agent[];
/** A decision of the tenant red, and its receipt. */
let recorded: { readonly decisionId: string; readonly receipt: string };
/** SHA-256 of the VCEK of a machine that no other tenant asks about. */
let vcekOfRed: string;

const path = (name: string) => join(lab.root, name);

beforeAll(async () => {
  tls = new TlsAuthority('servers');
  clients = new TlsAuthority('clients');
  lab = await LabService.create(tls);
  issuer = await LabCallerIssuer.start({ tls });
  agents = [];
  const { cert, key } = tls.issueForLoopback();
  for (const [name, text] of Object.entries({ cert, key, ca: tls.pem, clients: clients.pem, secret: 's' })) {
    await writeFile(path(name), text);
  }
  await lab.writePolicy(lenientPolicy('payments'));
  await lab.writePolicy(lenientPolicy('other'));
  await lab.writePolicy(lenientPolicy('keys', { freshness: 'strict', nonce: 'challenge', binding: 'required' }));
  service = await start('cases');
  const { status, body } = await ask(service, 'key', 'all', CALLS['POST /verify'] as Called);
  expect([status, body.decision]).toEqual([200, 'allow']);
  recorded = body;
  vcekOfRed = await askedByRedAlone();
});

afterAll(async () => {
  await Promise.all([...agents.map((agent) => agent.destroy()), lab.close(), issuer.close()]);
});

/** Has another machine judged for the tenant red. @returns SHA-256 of its VCEK, in hex */
async function askedByRedAlone(): Promise<string> {
  const vm = await createVirtualMachine({ pki: PKI, chipId: new Uint8Array(64).fill(7) });
  const { product, chipId, tcb, vek } = vm.platform;
  lab.kds.serveVcek(product, chipId, tcb, vek.der);
  const evidence = vm.wireEvidence({ endorsements: WITHOUT_ENDORSEMENTS, nonce: NONCE });
  const body = () => JSON.stringify({ evidence, nonce: base64Url(NONCE), policy: 'payments' });
  const answer = await ask(service, 'key', 'all', { ...(CALLS['POST /verify'] as Called), body });
  expect([answer.status, answer.body.decision]).toEqual([200, 'allow']);
  return createHash('sha256').update(vek.der).digest('hex');
}

function start(data: string): Promise<RunningService> {
  return lab.start(
    {
      listen: {
        port: 0,
        tls: { cert: path('cert'), key: path('key'), clientCa: path('clients') },
        trustedProxies: ['127.0.0.1'],
      },
      decisions: { keepEvidence: 'full' },
      receipts: { issuer: 'https://veritee.example' },
      tenants: lab.tenants('red', 'blue'),
      keys: { disk: { local: path('secret'), policy: 'keys', anyMachine: true, tenant: 'red' } },
      callers: Object.fromEntries(
        KINDS.flatMap((kind) => CONFIGURED.map((who) => [`${kind}-${who}`, caller(kind, who)])),
      ),
    },
    {},
    data,
  );
}

function caller(kind: Kind, who: Who): object {
  const all = ['verify', 'release', 'audit:read', 'metrics', 'policy:read'];
  const roles = { all, read: ['policy:read'], rest: all.slice(0, 4), blue: all, ended: all, stranger: [] }[who];
  const own = who === 'blue' ? { tenant: 'blue' } : { tenant: 'red', keys: ['disk'] };
  return { ...wayOf(kind, who), roles, policies: ['payments'], audience: [GATE], ...own };
}

function wayOf(kind: Kind, who: Who): object {
  const keys = { issuer: issuer.issuer, keys: issuer.keysUrl, ca: path('ca') };
  switch (kind) {
    case 'key':
      return {
        apiKeySha256: createHash('sha256').update(keyOf(who)).digest('hex'),
        expires: who === 'ended' ? '2020-01-01' : '2099-01-01',
      };
    case 'entra': {
      const oidc = { profile: 'entra', ...keys, audience: AUDIENCE, tenantId: ENTRA_TENANT, clientIds: [appId(who)] };
      return { oidc };
    }
    case 'generic':
      return { oidc: { profile: 'generic', ...keys, audience: AUDIENCE, claims: { repository: `org/${who}` } } };
    case 'kubernetes':
      return { kubernetes: { ...keys, audience: AUDIENCE, serviceAccounts: [`gates/${who}`] } };
    case 'mtls':
      return { mtls: { uri: uriOf(who) } };
  }
}

function claimsOf(kind: Kind, who: Who): JsonObject {
  if (kind === 'entra') return { aud: AUDIENCE, ver: '2.0', tid: ENTRA_TENANT, azp: appId(who), idtyp: 'app' };
  if (kind === 'generic') return { aud: AUDIENCE, sub: 's', repository: `org/${who}` };
  return {
    aud: [AUDIENCE],
    sub: `system:serviceaccount:gates:${who}`,
    'kubernetes.io': {
      namespace: 'gates',
      serviceaccount: { name: who, uid: '1' },
      pod: { name: `${who}-0`, uid: '2' },
    },
  };
}

interface Credential {
  readonly headers: Readonly<Record<string, string>>;
  readonly identity: TlsIdentity;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Every connection has a certificate of a client: of nobody, where that is not how the caller is recognised. */
function credentialOf(kind: Kind, who: Who, claims: JsonObject = {}): Credential {
  const uris = kind === 'mtls' ? [uriOf(who)] : [];
  const identity = clients.issueForClient({ uris });
  if (kind === 'mtls') return { identity, headers: {} };
  if (kind === 'key') return { identity, headers: { 'x-api-key': keyOf(who) } };
  return { identity, headers: bearer(issuer.issue({ ...claimsOf(kind, who), ...claims })) };
}

function expired(kind: Kind): Credential {
  if (kind === 'key') return credentialOf(kind, 'ended');
  if (kind !== 'mtls') return credentialOf(kind, 'all', { iat: 1, nbf: 1, exp: 2 });
  const notAfter = new Date(Date.now() - 1000);
  return { headers: {}, identity: clients.issueForClient({ uris: [uriOf('all')], notAfter }) };
}

interface Called {
  readonly method: 'GET' | 'POST';
  readonly path: () => string;
  readonly body?: () => string;
  /** The answer to a caller of another tenant. */
  readonly byBlue: string;
  /** The answer to a caller that asks for a policy, or a key, that it may not have; absent if none is named. */
  readonly notAllowed?: { readonly path?: () => string; readonly body?: () => string; readonly answer: string };
}

const verifyBody = (policy: string) => lab.verifyBody({ members: { policy, audience: GATE } });
const FORBIDDEN = '403 forbidden';

/** `METHOD path` as openapi.yaml has them. */
const CALLS: Readonly<Record<string, Called>> = {
  'POST /verify': {
    method: 'POST',
    path: () => '/verify',
    body: () => verifyBody('payments'),
    byBlue: '200',
    notAllowed: { body: () => verifyBody('other'), answer: FORBIDDEN },
  },
  'POST /challenges': {
    method: 'POST',
    path: () => '/challenges',
    body: () => '{}',
    byBlue: '200',
    notAllowed: { body: () => '{"policy":"other"}', answer: FORBIDDEN },
  },
  'POST /inspect': {
    method: 'POST',
    path: () => '/inspect',
    body: () => verifyBody('payments'),
    byBlue: '200',
  },
  'POST /policies:lint': {
    method: 'POST',
    path: () => '/policies:lint',
    body: () => JSON.stringify({ text: lenientPolicy('tried') }),
    byBlue: '200',
  },
  'POST /policies:evaluate': {
    method: 'POST',
    path: () => '/policies:evaluate',
    body: () => JSON.stringify({ text: lenientPolicy('tried'), claims: {} }),
    byBlue: '200',
  },
  'GET /policies': { method: 'GET', path: () => '/policies', byBlue: '200' },
  'GET /policies/{id}': {
    method: 'GET',
    path: () => '/policies/payments',
    byBlue: '200',
    notAllowed: { path: () => '/policies/other', answer: FORBIDDEN },
  },
  'GET /endorsements/{sha256}': {
    method: 'GET',
    path: () => `/endorsements/${vcekOfRed}`,
    byBlue: '404 not_found',
  },
  'GET /decisions': { method: 'GET', path: () => '/decisions', byBlue: '200' },
  'GET /decisions/{id}': {
    method: 'GET',
    path: () => `/decisions/${recorded.decisionId}`,
    byBlue: '404 not_found',
  },
  'POST /decisions/{id}:replay': {
    method: 'POST',
    path: () => `/decisions/${recorded.decisionId}:replay`,
    body: () => '{"at":"then"}',
    byBlue: '404 not_found',
  },
  'POST /keys/{keyId}/release': {
    method: 'POST',
    path: () => '/keys/disk/release?dryRun=true',
    body: () => lab.verifyBody({}),
    byBlue: FORBIDDEN,
    notAllowed: { path: () => '/keys/none/release', answer: FORBIDDEN },
  },
  'GET /metrics': { method: 'GET', path: () => '/metrics', byBlue: '200' },
};

interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the service answers
  readonly body: any;
}

/** Asks from an address of its own: failures are counted by address. */
async function send(to: RunningService, { headers, identity }: Credential, called: Called): Promise<Answered> {
  const dispatcher = new Agent({ connect: { ca: tls.pem, ...identity } });
  agents.push(dispatcher);
  const address = `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;
  const answer = await request(to.url + called.path(), {
    dispatcher,
    method: called.method,
    headers: {
      ...headers,
      'x-forwarded-for': address,
      ...(called.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: called.body?.() ?? null,
  });
  const text = await answer.body.text();
  const isJson = String(answer.headers['content-type']).includes('json');
  return { status: answer.statusCode, body: isJson ? JSON.parse(text) : text };
}

const ask = (to: RunningService, kind: Kind, who: Who, called: Called) => send(to, credentialOf(kind, who), called);

function notConnected(error: unknown): string {
  const { code = '' } = error as { readonly code?: string };
  return /^UND_ERR_SOCKET$|^ECONNRESET$|^EPIPE$|CERTIFICATE_EXPIRED$/.test(code) ? 'no connection' : String(error);
}

/** Status, and code of a problem. */
function outcome({ status, body }: Answered): string {
  return status === 200 ? '200' : `${status} ${body.code}`;
}

const UNAUTHORIZED = '401 unauthorized';

describe.each(KINDS)('a caller by %s', (kind) => {
  const nobody = () => clients.issueForClient({});

  it.each(Object.entries(CALLS))('%s is answered by every rule', async (name, called) => {
    const good = credentialOf(kind, 'all');
    const found: Record<string, string> = {};
    const note = async (what: string, credential: Credential, changes: Partial<Called> = {}) => {
      found[what] = await send(service, credential, { ...called, ...changes }).then(outcome, notConnected);
    };
    await note('right', good);
    await note('no credential', { headers: {}, identity: nobody() });
    const withoutRole = name.startsWith('GET /policies') ? 'rest' : 'read';
    await note('wrong role', credentialOf(kind, withoutRole));
    await note('other tenant', credentialOf(kind, 'blue'));
    await note('other application', credentialOf(kind, 'stranger'));
    await note('own receipt', { headers: bearer(recorded.receipt), identity: good.identity });
    await note('expired', expired(kind));
    const { notAllowed } = called;
    if (notAllowed !== undefined) await note('not allowed', good, notAllowed);
    // A release that is asked for by the right caller is judged: this one brings no bound key.
    const isRelease = name === 'POST /keys/{keyId}/release';
    expect(found).toEqual({
      right: isRelease ? '400 schema' : '200',
      'no credential': UNAUTHORIZED,
      'wrong role': FORBIDDEN,
      'other tenant': called.byBlue,
      'other application': UNAUTHORIZED,
      'own receipt': UNAUTHORIZED,
      // An expired certificate opens no connection.
      expired: kind === 'mtls' ? 'no connection' : UNAUTHORIZED,
      ...(notAllowed === undefined ? {} : { 'not allowed': notAllowed.answer }),
    });
  });
});

describe('with the keys of the issuer out of reach', () => {
  it.each(Object.entries(CALLS))('%s is 503 for callers by token, and as ever for others', async (_name, called) => {
    await issuer.connect('refused');
    const cut = await start(`cut-${randomInt(2 ** 40)}`);
    const answers: Record<string, string> = {};
    for (const kind of KINDS) answers[kind] = outcome(await ask(cut, kind, 'read', called));
    await cut.close();
    await issuer.heal();
    const others = _name.startsWith('GET /policies') ? '200' : FORBIDDEN;
    const OUT_OF_REACH = '503 caller_keys_unavailable';
    expect(answers).toEqual({
      key: others,
      entra: OUT_OF_REACH,
      generic: OUT_OF_REACH,
      kubernetes: OUT_OF_REACH,
      mtls: others,
    });
  });
});

it('has every call of the contract that needs a role', async () => {
  const { body } = await send(
    service,
    { headers: {}, identity: clients.issueForClient({}) },
    {
      method: 'GET',
      path: () => '/openapi.json',
      byBlue: '',
    },
  );
  const calls = Object.entries(body.paths as Record<string, Record<string, { security?: readonly object[] }>>).flatMap(
    ([url, methods]) =>
      Object.entries(methods)
        .filter(([method, { security }]) => ['get', 'post'].includes(method) && security?.length !== 0)
        .map(([method]) => `${method.toUpperCase()} ${url}`),
  );
  expect(Object.keys(CALLS).sort()).toEqual(calls.sort());
});
