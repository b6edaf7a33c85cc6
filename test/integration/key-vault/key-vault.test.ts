import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnfitError } from '../../../src/core/errors.js';
import { DEFAULT_BREAKER } from '../../../src/outside/origin-breaker.js';
import type { LabFault } from '../../lab/lab-fault.js';
import { namedRsaKey } from '../../lab/lab-keys.js';
import { CLIENT_ID, keyId, NEVER, SECRET, VaultLab } from './vault-lab.js';

const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const rsa = namedRsaKey('vault', 2048).privateKey;

/** The time of an attempt is over, as the one or the other timer says. */
const LATE = { fault: expect.stringMatching(/^(timeout|network)$/) };
const SIGN = /\/sign\?/;
const MESSAGE = Buffer.from('what is signed');
const DIGEST = createHash('sha256').update(MESSAGE).digest();

let lab: VaultLab;

beforeEach(async () => {
  lab = await VaultLab.start();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await lab.close();
});

const pem = (key: KeyObject) =>
  (key.type === 'public' ? key : createPublicKey(key)).export({ type: 'spki', format: 'pem' });
const isSignature = (signature: Uint8Array, key: KeyObject) =>
  verify('sha256', MESSAGE, { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' }, signature);

/** A key of the vault that has signed once, as it is at a start. */
async function signing(options: Parameters<VaultLab['open']>[1] = {}, privateKey = p256()) {
  const url = lab.vault.add('receipts', { privateKey });
  const opened = await lab.open(url, options);
  const key = await opened.read(url);
  const sign = (signal = NEVER) => key.sign('ES256', DIGEST, signal);
  await sign();
  lab.vault.received.length = 0;
  lab.vault.requests.length = 0;
  return { ...opened, url, key, privateKey, sign };
}

describe('a key of a vault', () => {
  it.each([
    ['P-256', p256(), 'ES256'],
    ['RSA', rsa, 'RS256'],
  ] as const)('of type %s is read, and signs a digest there', async (_type, privateKey, alg) => {
    const url = lab.vault.add('receipts', { privateKey });
    const { read } = await lab.open(url);
    const key = await read(url);
    expect(pem(key.publicKey)).toEqual(pem(privateKey));
    const signature = await key.sign(alg, DIGEST, NEVER);
    expect(isSignature(signature, privateKey)).toBe(true);
    expect(signature.length).toBe(alg === 'ES256' ? 64 : 256);
    const { body = '' } = lab.vault.received.at(-1) ?? {};
    expect(JSON.parse(body)).toEqual({ alg, value: DIGEST.toString('base64url') });
  });

  it('of a Managed HSM is one like any other, with a token for Managed HSMs', async () => {
    const hsm = await VaultLab.start({ managedHsm: true });
    try {
      const privateKey = p256();
      const url = hsm.vault.add('receipts', { privateKey });
      expect(url).toMatch(/^https:\/\/lab\.managedhsm\.azure\.net\/keys\/receipts\/[0-9a-f]{32}$/);
      const { read } = await hsm.open(url);
      const key = await read(url);
      expect(isSignature(await key.sign('ES256', DIGEST, NEVER), privateKey)).toBe(true);
      expect(hsm.entra.grants.map(({ scope }) => scope)).toEqual(['https://managedhsm.azure.net/.default']);
    } finally {
      await hsm.close();
    }
  });

  it('gets one access token, for vaults alone, and sends it where it was challenged', async () => {
    const url = lab.vault.add('receipts', { privateKey: p256() });
    const { read } = await lab.open(url);
    await (await read(url)).sign('ES256', DIGEST, NEVER);
    const scope = 'https://vault.azure.net/.default';
    expect(lab.entra.grants).toEqual([{ clientId: CLIENT_ID, by: 'secret', scope }]);
    const path = new URL(url).pathname;
    const asked = [`GET ${path}`, `POST ${path}/sign`];
    expect(lab.asked).toEqual({ authorised: asked, anonymous: asked });
    const version = (target: string) => new URL(target, url).searchParams.get('api-version');
    expect(new Set(lab.vault.requests.map(version))).toEqual(new Set(['7.4']));
  });

  it('whose coordinates lack a leading zero is read', async () => {
    let privateKey = p256();
    const x = () => Buffer.from(privateKey.export({ format: 'jwk' }).x ?? '', 'base64url');
    while (x()[0] !== 0) privateKey = p256();
    const url = lab.vault.add('receipts', { privateKey, members: { x: x().subarray(1).toString('base64url') } });
    const { read } = await lab.open(url);
    expect(pem((await read(url)).publicKey)).toEqual(pem(privateKey));
  });

  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
  const k256 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
  it.each([
    ['P-384', { privateKey: p384 }, 'a key of type EC on P-384; keys of vaults sign receipts with P-256 or RSA'],
    ['secp256k1', { privateKey: k256, members: { crv: 'P-256K' } }, 'a key of type EC on P-256K;'],
    ['bytes', { privateKey: null }, 'a key of type oct;'],
    ['no name', { privateKey: null, members: { kty: 'x y' } }, 'a key of type unknown;'],
    ['no type', { privateKey: null, members: { kty: null } }, 'a key of type unknown;'],
    [
      'EC without coordinates',
      { privateKey: null, members: { kty: 'EC', crv: 'P-256' } },
      'a key of type EC on P-256;',
    ],
    ['RSA without modulus', { privateKey: null, members: { kty: 'RSA', e: 'AQAB' } }, 'a key of type RSA;'],
    ['P-256 off the curve', { privateKey: p256(), members: { x: 'AAAA' } }, 'a key that cannot be read'],
  ] as const)('of %s is none that signs receipts', async (_kind, held, message) => {
    const url = lab.vault.add('receipts', held);
    const { read } = await lab.open(url);
    const reading = read(url);
    await expect(reading).rejects.toThrow(UnfitError);
    await expect(reading).rejects.toThrow(message);
  });

  it.each([
    ['is disabled', { enabled: false }],
    ['may not sign: its operations lack sign', { operations: ['verify'] }],
    ['may not be used before 2099-01-01T00:00:00.000Z', { notBefore: new Date('2099-01-01') }],
    ['expired at 2020-01-01T00:00:00.000Z', { expires: new Date('2020-01-01') }],
    [null, { notBefore: new Date('2020-01-01'), expires: new Date('2099-01-01') }],
  ])('%s, as its vault describes it', async (why, described) => {
    const url = lab.vault.add('receipts', { privateKey: p256(), ...described });
    const { read } = await lab.open(url);
    const key = await read(url);
    expect(key.whyUnused).toBe(why);
    const signed = key.sign('ES256', DIGEST, NEVER);
    if (why === null) await signed;
    else await expect(signed).rejects.toMatchObject({ fault: 'not_allowed', message: `the key ${why}` });
    expect(lab.vault.count(SIGN) > 0).toBe(why === null);
  });

  it('that expires while the service runs signs nothing from then on', async () => {
    const expires = new Date(Math.ceil(lab.clock.now().getTime() / 1000) * 1000 + 60_000);
    const url = lab.vault.add('receipts', { privateKey: p256(), expires });
    const { read } = await lab.open(url);
    const key = await read(url);
    await key.sign('ES256', DIGEST, NEVER);
    lab.clock.advance(61_000);
    await expect(key.sign('ES256', DIGEST, NEVER)).rejects.toThrow(`the key expired at ${expires.toISOString()}`);
  });

  it('of a vault that was not opened is a mistake of the service', async () => {
    const { vaults } = await lab.open(lab.vault.add('receipts', { privateKey: p256() }));
    const other = keyId(`https://other.vault.azure.net/keys/k/${'0'.repeat(32)}`);
    await expect(vaults.read(other, NEVER)).rejects.toThrow('a key of a vault that was not opened');
  });
});

describe('what a vault answers', () => {
  it.each([
    ['of another vault', `https://other.vault.azure.net/keys/receipts/${'0'.repeat(32)}`],
    ['of another name', `https://lab.vault.azure.net/keys/others/${'0'.repeat(32)}`],
    ['of another version', `https://lab.vault.azure.net/keys/receipts/${'1'.repeat(32)}`],
  ])('is refused where it is about a key %s', async (_what, kid) => {
    const url = lab.vault.add('receipts', { privateKey: p256(), members: { kid } }, '0'.repeat(32));
    const { read } = await lab.open(url);
    await expect(read(url)).rejects.toMatchObject({ fault: 'content_type', message: 'answered with another key' });
  });

  it('is about the same key where its name is written in other letters', async () => {
    const kid = `https://lab.vault.azure.net/keys/Receipts/${'0'.repeat(32)}`;
    const url = lab.vault.add('receipts', { privateKey: p256(), members: { kid } }, '0'.repeat(32));
    const { read } = await lab.open(url);
    expect((await read(url)).whyUnused).toBeNull();
  });

  it.each<[string, LabFault, object]>([
    ['a status 500', { status: 500 }, { fault: 'status', status: 500 }],
    ['a status 429', { status: 429 }, { fault: 'status', status: 429 }],
    ['a status 400', { status: 400, body: {} }, { fault: 'status', status: 400 }],
    ['a redirect', 'redirect', { fault: 'redirect' }],
    ['no JSON', 'content_type', { fault: 'status', status: 401 }],
    ['bytes', 'garbage', { fault: 'content_type' }],
    ['too much', 'oversize', { fault: 'too_large' }],
    ['a 403 without words', { status: 403 }, { fault: 'status', status: 403 }],
    ['a 401 without a challenge', { status: 401, body: { error: { code: 'Unauthorized' } } }, { status: 401 }],
    ['nothing', 'half_open', LATE],
  ])('is no key where it is %s, and is asked for once', async (_what, fault, expected) => {
    const url = lab.vault.add('receipts', { privateKey: p256() });
    const { read, outages } = await lab.open(url, { tuning: { readTimeoutMs: 500 } });
    lab.vault.fail(/./, fault);
    await expect(read(url)).rejects.toMatchObject(expected);
    expect(lab.vault.count()).toBe(1);
    expect(outages.states.find(({ host }) => host.startsWith('lab.vault'))).toMatchObject({ isReachable: false });
  });

  it.each([{}, [], { key: {} }, { key: { kid: 7 } }, { key: { kid: 'x' } }])(
    'is no key where it is %j',
    async (body) => {
      const url = lab.vault.add('receipts', { privateKey: p256() });
      const { read } = await lab.open(url);
      lab.vault.fail(/./, { status: 200, body });
      const message = 'answered with something that cannot be used';
      await expect(read(url)).rejects.toMatchObject({ fault: 'content_type', message });
    },
  );

  it.each([
    ['get', 'ForbiddenByRbac', 403],
    ['none', 'KeyNotFound', 404],
  ] as const)('is told by its code and nothing else: %s', async (what, code, status) => {
    const url = lab.vault.add('receipts', { privateKey: p256() });
    if (what === 'get') lab.vault.denied.add('get');
    const { read, log } = await lab.open(url);
    const error = await read(what === 'get' ? url : url.replace(/.$/, (last) => (last === '0' ? '1' : '0'))).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ fault: 'status', status, ...(status === 403 ? { cause: code } : {}) });
    expect(JSON.stringify([log.entries, error, String(error)])).not.toContain('sesame');
  });
});

describe('an access token', () => {
  it.each([
    ['a stranger', 'https://evil.example'],
    ['the whole domain', 'https://azure.net'],
    ['another service', 'https://management.azure.com'],
  ])('is not obtained where the challenge wants one for %s', async (_whom, resource) => {
    lab.vault.challengedResource = resource;
    const url = lab.vault.add('receipts', { privateKey: p256() });
    const { read } = await lab.open(url);
    await expect(read(url)).rejects.toMatchObject({ name: 'FetchError' });
    expect(lab.asked.authorised).toEqual([]);
    expect(new Set(lab.entra.grants.map(({ scope }) => scope))).toEqual(new Set(['https://vault.azure.net/.default']));
  });

  it('that is refused is replaced by a fresh one, once', async () => {
    const { sign } = await signing();
    lab.bearers.revokeAll();
    await sign();
    expect(lab.entra.grants).toHaveLength(2);
    expect(lab.vault.count(SIGN)).toBe(2);
  });

  it('that is refused again is the end of it', async () => {
    const { sign } = await signing();
    lab.bearers.revokeAll();
    lab.entra.bearers.issue = () => 'worthless';
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(sign()).rejects.toMatchObject({ fault: 'status', status: 401 });
    }
    // The second time there is none to be had yet, so the vault is not asked.
    expect(lab.vault.count(SIGN)).toBe(2);
  });

  it('is used while Entra is out of reach; after its end the vault is not blamed', async () => {
    const { sign, outages, log } = await signing({ tuning: { health: { ...DEFAULT_BREAKER, openMs: 600_000 } } });
    lab.entra.fail(/./, { status: 503 });
    lab.clock.advance(1_800_000);
    await sign();
    lab.clock.advance(1_800_000);
    for (let attempt = 0; attempt < 6; attempt++) await expect(sign()).rejects.toMatchObject({ name: 'FetchError' });
    // The token has not ended after all.
    lab.clock.advance(-1_800_000);
    await sign();
    expect(lab.vault.count(SIGN)).toBe(2);
    expect(outages.states).toMatchObject([{ isReachable: false }, { isReachable: true, failures: 0 }]);
    expect(log.of(/did not sign/)).toEqual([]);
  });

  it('and the secret behind it are in no log', async () => {
    const { sign, log } = await signing();
    lab.vault.fail(SIGN, { status: 403, body: { error: { code: 'Forbidden', message: 'sesame' } } });
    await expect(sign()).rejects.toMatchObject({ status: 403, cause: 'Forbidden' });
    const said = JSON.stringify(log.entries);
    expect(said).toContain('a key of a vault did not sign');
    for (const secret of ['lab.', SECRET, 'sesame']) expect(said.replaceAll('lab.vault', '')).not.toContain(secret);
  });
});

describe('a signature', () => {
  it('is asked for by many at a time, with one token and few connections', async () => {
    const { sign, privateKey } = await signing();
    const signatures = await Promise.all(Array.from({ length: 40 }, () => sign(new AbortController().signal)));
    expect(signatures.every((signature) => isSignature(signature, privateKey))).toBe(true);
    expect([lab.vault.count(SIGN), lab.entra.grants.length]).toEqual([40, 1]);
    expect(lab.vault.openConnections).toBeLessThanOrEqual(8);
  });

  it('uses connections again', async () => {
    const { sign } = await signing();
    const before = lab.vault.connectionsMade;
    for (let again = 0; again < 20; again++) await sign();
    expect(lab.vault.connectionsMade - before).toBeLessThanOrEqual(2);
  });

  it('goes to the vault and not through a proxy of the environment', async () => {
    for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'ALL_PROXY'])
      vi.stubEnv(name, 'http://127.0.0.1:9');
    const { sign } = await signing();
    await sign();
    expect(lab.vault.count(SIGN)).toBe(1);
  });

  it.each<[string, LabFault, object]>([
    ['a status 500', { status: 500 }, { fault: 'status', status: 500 }],
    ['a status 503', { status: 503 }, { fault: 'status', status: 503 }],
    ['a redirect', 'redirect', { fault: 'redirect' }],
    ['no JSON', 'content_type', { fault: 'content_type' }],
    ['bytes', 'garbage', { fault: 'content_type' }],
    ['too much', 'oversize', { fault: 'too_large' }],
    ['nothing', 'half_open', LATE],
    ['one byte a second', 'drip', LATE],
  ])('REC-05 is not there where the answer is %s, and is asked for once', async (_what, fault, expected) => {
    const { sign, outages } = await signing({ deadlineMs: 1_500 });
    lab.vault.fail(SIGN, fault);
    await expect(sign()).rejects.toMatchObject(expected);
    expect(lab.vault.count(SIGN)).toBe(1);
    expect(outages.states[1]).toMatchObject({ isReachable: false, failures: 1 });
    await lab.vault.heal();
    await sign();
    expect(outages.states[1]).toMatchObject({ isReachable: true, failures: 1 });
  });

  it.each(['refused', 'tls'] as const)('REC-05 is not there where the connection is %s', async (state) => {
    const { sign } = await signing();
    await lab.vault.connect(state);
    await expect(sign()).rejects.toMatchObject({ fault: 'network' });
  });

  it.each([
    ['KeyDisabled', { enabled: false }],
    ['KeyOperationForbidden', { operations: ['verify'] }],
  ])('REC-05 is not there where the vault says %s, and the log says so once', async (code, change) => {
    const { sign, url, log } = await signing();
    lab.vault.change(url, change);
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(sign()).rejects.toMatchObject({ status: 403, cause: code });
    }
    expect(log.entries.filter(({ level, message }) => level === 'warn' && /did not sign/.test(message))).toEqual([
      {
        level: 'warn',
        message: 'a key of a vault did not sign',
        fields: { where: url, fault: 'status', status: 403, reason: code },
      },
    ]);
  });

  it('REC-05 is not asked for any more where the vault has failed five times, until it is back', async () => {
    const { sign } = await signing();
    lab.vault.fail(SIGN, { status: 500 });
    for (let attempt = 0; attempt < 5; attempt++) await expect(sign()).rejects.toMatchObject({ status: 500 });
    await expect(sign()).rejects.toMatchObject({ fault: 'open' });
    expect(lab.vault.count(SIGN)).toBe(5);
    await lab.vault.heal();
    await expect
      .poll(
        () =>
          sign().then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true);
  });

  it.each([
    [undefined, 1_000],
    ['7', 7_000],
  ])('REC-05 is not asked for while the vault wants a pause: Retry-After %s', async (retryAfter, pauseMs) => {
    const { sign } = await signing();
    lab.vault.fail(SIGN, { status: 429, ...(retryAfter === undefined ? {} : { retryAfter }) });
    await expect(sign()).rejects.toMatchObject({ status: 429 });
    await lab.vault.heal();
    lab.clock.advance(pauseMs - 1);
    await expect(sign()).rejects.toMatchObject({ fault: 'waiting' });
    lab.clock.advance(1);
    await sign();
    expect(lab.vault.count(SIGN)).toBe(2);
  });

  it('REL-08 has its turn before those of a caller that asks for many', async () => {
    const { key } = await signing({ tuning: { turns: { concurrent: 1, queued: 2 } } });
    lab.vault.fail(SIGN, 'half_open', 1);
    const left = new AbortController();
    const done: string[] = [];
    const sign = async (principal: string, name: string, signal = NEVER) => {
      await key.sign('ES256', DIGEST, signal, principal);
      done.push(name);
    };
    const first = sign('many', 'first', left.signal);
    await expect.poll(() => lab.vault.count(SIGN), { timeout: 20_000 }).toBe(1);
    const second = sign('many', 'second');
    const third = sign('many', 'third');
    const other = sign('few', 'other');
    await expect(third).rejects.toMatchObject({ fault: 'busy' });
    left.abort();
    await expect(first).rejects.toMatchObject({ fault: 'aborted' });
    await Promise.all([second, other]);
    expect(done).toEqual(['other', 'second']);
  });

  it('ends with the request that waits for it, also while it waits for its turn', async () => {
    const { sign } = await signing({ tuning: { turns: { concurrent: 1, queued: 1 } } });
    lab.vault.fail(SIGN, 'half_open');
    const left = new AbortController();
    const first = sign(left.signal);
    const second = sign(left.signal);
    await expect(sign()).rejects.toMatchObject({ fault: 'busy', message: 'too many signatures at a time' });
    left.abort();
    await expect(first).rejects.toMatchObject({ fault: 'aborted' });
    await expect(second).rejects.toMatchObject({ fault: 'no_time' });
    await expect(sign(left.signal)).rejects.toMatchObject({ fault: 'no_time' });
  });
});

describe('opening', () => {
  it('contacts nobody, and says which origins may be', async () => {
    const { outages } = await lab.open(lab.vault.add('receipts', { privateKey: p256() }));
    expect([lab.vault.requests, lab.entra.requests]).toEqual([[], []]);
    expect(outages.states.map(({ host }) => host)).toEqual([
      new URL(lab.entra.origin).host,
      `lab.vault.azure.net:${lab.vault.port}`,
    ]);
  });

  it('asks a real vault at the port of https', async () => {
    const url = lab.vault.add('receipts', { privateKey: p256() });
    const { outages } = await lab.open(url, { port: undefined });
    expect(outages.states[1]).toMatchObject({ host: 'lab.vault.azure.net' });
  });

  it('of two keys makes one vault, and one credential for each cloud', async () => {
    const others = [
      'https://a.vault.azure.net/keys/k',
      'https://a.vault.azure.net/keys/l',
      'https://b.vault.azure.cn/keys/k',
    ];
    const { outages } = await lab.open(lab.vault.add('receipts', { privateKey: p256() }), {
      keys: others.map((url) => keyId(`${url}/${'0'.repeat(32)}`)),
      port: undefined,
    });
    expect(outages.states.map(({ host }) => host)).toEqual([
      new URL(lab.entra.origin).host,
      'a.vault.azure.net',
      'b.vault.azure.cn',
    ]);
  });
});
