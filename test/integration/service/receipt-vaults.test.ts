import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeProtectedHeader } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunningService, ServiceOptions } from '../../../src/app/service.js';
import { ConfigurationError } from '../../../src/core/errors.js';
import { namedRsaKey, TlsAuthority } from '../../lab/index.js';
import { signatureOverDigest } from '../../lab/key-vault-signing.js';
import { refusedBy } from '../../receipts/relying-party.js';
import { SECRET, VaultLab } from '../key-vault/vault-lab.js';
import { base64Url, call, LabService, lenientPolicy, MovableClock, NONCE, verdictOf } from './lab-service.js';

/** Receipts that are signed in a Key Vault, by the whole service over HTTP. */

const AUDIENCE = 'https://gate.example';
const POLICY = lenientPolicy('lenient');
const SIGN = /\/sign\?/;

let lab: LabService;
let vaults: VaultLab;
let started = 0;

beforeAll(async () => {
  const tls = new TlsAuthority();
  [lab, vaults] = await Promise.all([LabService.create(tls), VaultLab.start({}, tls)]);
  await lab.writePolicy(POLICY);
  await lab.writePolicy(lenientPolicy('strict', { accepts: ['snp'] }));
});

afterEach(async () => {
  vaults.vault.denied.clear();
  vaults.vault.signing = signatureOverDigest;
  await Promise.all([vaults.vault.heal(), vaults.entra.heal()]);
});

afterAll(async () => {
  await lab.close();
  await vaults.close();
});

const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const kidOf = (receipt: string) => decodeProtectedHeader(receipt).kid;
const keySet = async ({ url }: RunningService) => (await call(url, '/.well-known/jwks.json')).body;
const kidsOf = async (service: RunningService) => (await keySet(service)).keys.map(({ kid }: { kid: string }) => kid);

/** A service with these receipt keys, and with the identity of the lab. */
async function start(
  receipts: object,
  world: Partial<ServiceOptions> = {},
  others: object = {},
): Promise<RunningService> {
  const { connect, vault } = vaults;
  started += 1;
  const credential = await vaults.identity();
  const configured = { policies: { directory: lab.policyFolder, default: 'lenient' }, ...others };
  return lab.start(
    { ...configured, receipts: { credential, ...receipts } },
    { connect, vaultPort: vault.port, ...world },
    `vault-${started}`,
  );
}

const ask = (service: RunningService, members: object = {}) =>
  lab.verify(service, { members: { audience: AUDIENCE, ...members } });

/** The message of a failed start for the operator. */
async function problemsOf(receipts: object): Promise<readonly string[]> {
  const error = await start(receipts).catch((thrown: unknown) => thrown);
  if (error instanceof ConfigurationError) return error.problems;
  throw error instanceof Error ? error : new Error('the service started');
}

async function keyFile(name: string, key: KeyObject): Promise<string> {
  const file = join(lab.root, name);
  await writeFile(file, key.export({ type: 'pkcs8', format: 'pem' }));
  return file;
}

describe('a key of a vault', () => {
  it.each([
    ['ES256', p256()],
    ['RS256', namedRsaKey('vault', 2048).privateKey],
  ])('signs, after the start has found that it does, and the key set has it', async (alg, privateKey) => {
    const key = vaults.vault.add('receipts', { privateKey });
    const issuer = 'https://veritee.example';
    const service = await start({ key, issuer });
    const before = vaults.vault.count(SIGN);
    const { body } = await ask(service);
    const policies = body.policies.map(({ id, sha256 }: { id: string; sha256: string }) => ({ id, sha256 }));
    const expected = {
      issuer,
      audience: AUDIENCE,
      nonce: base64Url(NONCE),
      subject: 'default:lenient',
      policies,
      evidenceTypes: ['az-snp-vtpm'],
    };
    expect(body.decision).toBe('allow');
    expect(refusedBy(body.receipt, await keySet(service), expected, Math.floor(Date.now() / 1000))).toBeNull();
    expect(decodeProtectedHeader(body.receipt)).toEqual({ alg, kid: (await kidsOf(service))[0], typ: 'eat+jwt' });
    expect(vaults.vault.count(SIGN) - before).toBe(1);
    const { body: discovery } = await call(service.url, '/.well-known/openid-configuration');
    expect(discovery).toMatchObject({ id_token_signing_alg_values_supported: [alg] });
  });

  it('is asked for nothing where no receipt is wanted', async () => {
    const service = await start({ key: vaults.vault.add('receipts', { privateKey: p256() }) });
    const before = vaults.vault.count();
    const { body } = await lab.verify(service);
    expect([body.decision, body.receipt, vaults.vault.count() - before]).toEqual(['allow', null, 0]);
  });

  it('takes turns with the key of a file, in both directions', async () => {
    const inVault = p256();
    const inFile = p256();
    const key = vaults.vault.add('receipts', { privateKey: inVault });
    const file = await keyFile('turn.pem', inFile);
    const clock = new MovableClock();
    const toFile = await start({ key, next: file }, { clock });
    const [first = '', second = ''] = await kidsOf(toFile);
    expect(kidOf((await ask(toFile)).body.receipt)).toBe(first);
    clock.advance(600_000);
    expect(kidOf((await ask(toFile)).body.receipt)).toBe(second);
    const toVault = await start({ key: file, next: key, previous: [] }, { clock });
    expect(await kidsOf(toVault)).toEqual([second, first]);
    clock.advance(600_000);
    expect(kidOf((await ask(toVault)).body.receipt)).toBe(first);
  });

  it('that is only published is read, and never signs: it may be disabled and the identity may not sign', async () => {
    const previous = vaults.vault.add('old', { privateKey: p256(), enabled: false });
    vaults.vault.denied.add('sign');
    const service = await start({ key: await keyFile('now.pem', p256()), previous: [previous] });
    const [now, old] = await kidsOf(service);
    expect([kidOf((await ask(service)).body.receipt), typeof old]).toEqual([now, 'string']);
  });

  it('is read again at a reload, and stays in force where the vault is out of reach', async () => {
    const key = vaults.vault.add('receipts', { privateKey: p256() });
    const file = await keyFile('next.pem', p256());
    const service = await start({ key, next: file });
    const before = await kidsOf(service);
    await keyFile('next.pem', p256());
    await vaults.vault.connect('refused');
    await service.reload();
    expect(await kidsOf(service)).toEqual(before);
    expect(lab.output).toContain('receipt keys not reloaded: the previous ones stay in force');
    expect(lab.output).toContain(`receipts.key: ${key}: cannot be read: no connection or no complete answer`);
    await vaults.vault.connect('up');
    expect(verdictOf(await ask(service))).toEqual(['allow']);
    await service.reload();
    const [same, other] = await kidsOf(service);
    expect([same === before[0], other === before[1]]).toEqual([true, false]);
  });

  it('that expires soon in its vault is a warning, at the start and at a reload', async () => {
    const expires = new Date(Math.floor(Date.now() / 1000) * 1000 + 86_400_000);
    const key = vaults.vault.add('receipts', { privateKey: p256(), expires });
    const next = vaults.vault.add('next', { privateKey: p256(), expires: new Date('2099-01-01') });
    const output = lab.output.length;
    const service = await start({ key, next });
    const warnings = () => {
      const lines = lab.output.slice(output).trim().split('\n');
      return lines.map((line) => JSON.parse(line)).filter(({ msg }) => /expires soon in its vault/.test(msg));
    };
    expect(warnings()).toMatchObject([{ key: 'receipts.key', vaultKey: key, expires: expires.toISOString() }]);
    await service.reload();
    expect(warnings()).toHaveLength(2);
  });
});

describe('REC-05 a vault that', () => {
  let service: RunningService;
  let key: string;

  beforeAll(async () => {
    key = vaults.vault.add('receipts', { privateKey: p256() });
  });

  /** Each with a breaker of its own. */
  const serve = async (others: object = {}) => {
    service = await start({ key }, {}, others);
    return service;
  };

  const withheld = ['indeterminate', 'receipt_unavailable'];

  it('is down withholds every allow, with receipt_unavailable', async () => {
    await serve();
    await vaults.vault.connect('refused');
    const answer = await ask(service);
    expect(verdictOf(answer)).toEqual(withheld);
    expect(answer.body).toMatchObject({ receipt: null, retryable: true, trust: { status: 'none' } });
    await vaults.vault.connect('up');
    expect(verdictOf(await ask(service))).toEqual(['allow']);
  });

  it('is down leaves a deny a deny, with its reasons and receipt_unavailable', async () => {
    await serve();
    vaults.vault.fail(SIGN, { status: 503 });
    const reasons = ['deny', 'policy_evidence_type', 'receipt_unavailable'];
    expect(verdictOf(await ask(service, { policy: 'strict' }))).toEqual(reasons);
  });

  it.each([
    ['hangs', 'half_open'],
    ['answers a byte a second', 'drip'],
  ] as const)('%s holds no request longer than its time', async (_what, fault) => {
    // Only the test lets time pass, once the vault is asked: no load makes anything else late.
    await serve({ deadlineSeconds: 100 });
    vaults.vault.fail(SIGN, fault);
    const before = vaults.vault.count(SIGN);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      let isAnswered = false;
      const answer = ask(service).finally(() => {
        isAnswered = true;
      });
      while (vaults.vault.count(SIGN) === before) await new Promise(setImmediate);
      expect(isAnswered).toBe(false);
      // The time of the attempt, and none of what is left of the request's: the answer must not wait for that.
      await vi.advanceTimersByTimeAsync(40_001);
      while (!isAnswered) await new Promise(setImmediate);
      expect(verdictOf(await answer)).toEqual(withheld);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    ['throttles', { status: 429, retryAfter: '1' }],
    ['refuses', { status: 403, body: { error: { code: 'Forbidden', message: 'sesame' } } }],
    ['fails', { status: 500 }],
    ['answers something else', { status: 200, body: { kid: 'x', value: 'AAAA' } }],
    ['answers nothing useful', { status: 200, body: {} }],
    ['answers with no text', { status: 200, body: { value: 7 } }],
  ])('%s has no receipt signed, with receipt_unavailable', async (_what, fault) => {
    await serve();
    vaults.vault.fail(SIGN, fault);
    expect(verdictOf(await ask(service))).toEqual(withheld);
  });

  it.each<[string, typeof signatureOverDigest]>([
    ['with another key', (_key, alg, digest) => signatureOverDigest(p256(), alg, digest)],
    ['another digest', (signed, alg) => signatureOverDigest(signed, alg, Buffer.alloc(32))],
  ])('signs %s gives no receipt away', async (_what, wrong) => {
    await serve();
    vaults.vault.signing = wrong;
    expect(verdictOf(await ask(service))).toEqual(withheld);
    expect(lab.output).toContain('"reason":"the signature is not one of the key of receipts"');
  });

  it('has the key disabled has no receipt signed until it is enabled again', async () => {
    await serve();
    vaults.vault.change(key, { enabled: false });
    expect(verdictOf(await ask(service))).toEqual(withheld);
    expect(lab.output).toContain('"reason":"KeyDisabled"');
    vaults.vault.change(key, { enabled: true });
    expect(verdictOf(await ask(service))).toEqual(['allow']);
  });

  it('has failed five times in a row is not asked any more', async () => {
    await serve();
    vaults.vault.fail(SIGN, { status: 500 });
    const before = vaults.vault.count(SIGN);
    for (let request = 0; request < 7; request++) expect(verdictOf(await ask(service))).toEqual(withheld);
    expect(vaults.vault.count(SIGN) - before).toBe(5);
    const { body: metrics } = await call(service.url, '/metrics');
    expect(metrics).toContain(`veritee_origin_reachable{host="lab.vault.azure.net:${vaults.vault.port}"} 0`);
  });

  it('says nothing of token, secret or answer in the log', () => {
    for (const secret of ['Bearer', SECRET, 'sesame', 'lab.NWE']) expect(lab.output).not.toContain(secret);
  });
});

describe('the service does not start where', () => {
  const add = (described: object = {}) => vaults.vault.add('receipts', { privateKey: p256(), ...described });

  it('the identity lacks a permission, which it names', async () => {
    const key = add();
    const needs = (permission: string) =>
      `(ForbiddenByRbac): the identity of receipts.credential needs the permission ${permission}, and the network of the vault has to let the service in`;
    vaults.vault.denied.add('get');
    expect(await problemsOf({ key })).toEqual([
      `receipts.key: ${key}: cannot be read: answered with status 403 ${needs('get')}`,
    ]);
    vaults.vault.denied.clear();
    vaults.vault.denied.add('sign');
    expect(await problemsOf({ key: await keyFile('a.pem', p256()), next: key })).toEqual([
      `receipts.next: ${key}: cannot sign: answered with status 403 ${needs('sign')}`,
    ]);
  });

  it('the vault has no such version, does not know the identity, or is out of reach', async () => {
    const key = add().replace(/[0-9a-f]{32}$/, '0'.repeat(32));
    expect(await problemsOf({ key })).toEqual([
      `receipts.key: ${key}: cannot be read: answered with status 404: the vault has no such version of a key`,
    ]);
    const { issue } = vaults.bearers;
    vaults.bearers.issue = () => 'worthless';
    expect(await problemsOf({ key })).toEqual([
      `receipts.key: ${key}: cannot be read: answered with status 401 (Unauthorized): the vault does not know the identity of receipts.credential; is it of the tenant of the vault?`,
    ]);
    vaults.bearers.issue = issue;
    await vaults.vault.connect('refused');
    expect(await problemsOf({ key, previous: [key] })).toEqual([
      expect.stringMatching(/^receipts\.key: .+: cannot be read: no connection or no complete answer \(.*ECONNREFUSED/),
      expect.stringMatching(/^receipts\.previous\[0\]: .+: cannot be read: no connection/),
    ]);
  });

  it('there is no access token, of which it says why', async () => {
    const key = add();
    const credential = { ...(await vaults.identity()), clientId: '00000000-0000-4000-8000-000000000000' };
    expect(await problemsOf({ key, credential })).toEqual([
      `receipts.key: ${key}: cannot be read: no access token: answered with status 400 (unauthorized_client)`,
    ]);
  });

  it.each([
    [
      'P-384',
      { privateKey: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey },
      'a key of type EC on P-384; keys of vaults sign receipts with P-256 or RSA',
    ],
    [
      'too short',
      { privateKey: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey },
      'an RSA key of 1024 bits; receipts need 2048 or more',
    ],
    ['bytes', { privateKey: null }, 'a key of type oct; keys of vaults sign receipts with P-256 or RSA'],
    ['disabled', { enabled: false }, 'the key is disabled'],
    ['expired', { expires: new Date('2020-01-01') }, 'the key expired at 2020-01-01T00:00:00.000Z'],
    ['not for signatures', { operations: ['verify'] }, 'the key may not sign: its operations lack sign'],
  ])('the key is %s', async (_kind, described, why) => {
    const key = add(described);
    expect(await problemsOf({ key })).toEqual([`receipts.key: ${key}: ${why}`]);
  });

  it('the key that is only published is of another kind', async () => {
    const previous = add({ privateKey: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey });
    expect(await problemsOf({ key: await keyFile('b.pem', p256()), previous: [previous] })).toEqual([
      `receipts.previous[0]: ${previous}: an RSA key of 1024 bits; receipts need 2048 or more`,
    ]);
  });

  it('the vault signs with another key than the one it shows', async () => {
    const key = add();
    vaults.vault.signing = (_key, alg, digest) => signatureOverDigest(p256(), alg, digest);
    expect(await problemsOf({ key })).toEqual([
      `receipts.key: ${key}: the signature is not one of the key of receipts`,
    ]);
  });
});
