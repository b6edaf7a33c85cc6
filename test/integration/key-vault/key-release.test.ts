import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnfitError } from '../../../src/core/errors.js';
import { type ReleaseAsk, ReleaseRefusedError, ReleaseUnavailableError } from '../../../src/core/key-release.js';
import { DEFAULT_BREAKER } from '../../../src/outside/origin-breaker.js';
import type { OpenKeyVaultsOptions } from '../../../src/release/vault/open-key-vaults.js';
import { type ReleaseMaking, unwrapReleasedKey } from '../../lab/key-release.js';
import type { LabFault } from '../../lab/lab-fault.js';
import { azureKey } from '../../lab/runtime-claims-builder.js';
import { VaultAnswerPki } from '../../lab/vault-answer-pki.js';
import {
  COMPLIANT,
  GUEST_JWK,
  GUEST_KEY,
  guestToken,
  keyId,
  NEVER,
  SECRET,
  VaultLab,
  WRAPPING_KID,
} from './vault-lab.js';

const RELEASE = /\/release\?/;
const VERSION = 'e473cd4c66224d16870bbe2eb4c58078';
const SCOPE = 'https://vault.azure.net/.default';

let lab: VaultLab;

beforeEach(async () => {
  lab = await VaultLab.start();
});

afterEach(() => lab.close());

/** A key that may be released, and what opens its vault. */
async function exportable(options: Partial<OpenKeyVaultsOptions> = {}) {
  const { url, material } = lab.vault.addExportable('disk', COMPLIANT, VERSION);
  const opened = await lab.open(url, options);
  const release = (changes: Partial<ReleaseAsk> = {}, signal = NEVER) =>
    opened.vaults.release(lab.ask(url, changes), signal);
  return { ...opened, url, material, release };
}

/** How a release failed. */
async function failureOf(releasing: Promise<unknown>): Promise<ReleaseRefusedError | ReleaseUnavailableError> {
  const error = await releasing.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ReleaseRefusedError || error instanceof ReleaseUnavailableError) return error;
  throw new Error('it did not fail as releases do', { cause: error });
}

const posts = () => lab.vault.count(RELEASE);
const bodies = () => lab.vault.received.map(({ body }) => JSON.parse(body));

describe('a key that a vault releases', () => {
  it('is handed out as the vault signed it, and opens in the guest alone', async () => {
    const { release, material } = await exportable();
    const { value, keyVersion, wrappingKid } = await release();
    expect({ keyVersion, wrappingKid }).toEqual({ keyVersion: VERSION, wrappingKid: WRAPPING_KID });
    expect(Buffer.from(unwrapReleasedKey(value, GUEST_KEY))).toEqual(Buffer.from(material));
  });

  it('takes one POST, with the token byte for byte, our nonce, and how it is to be wrapped', async () => {
    const { release, url } = await exportable();
    const target = guestToken({ note: 'ä / \\ "' });
    await release({ target, nonce: 'bm9uY2U', enc: 'CKM_RSA_AES_KEY_WRAP' });
    const versions = lab.vault.requests.map((path) => new URL(path, url).searchParams.get('api-version'));
    expect(versions).toEqual(['7.4']);
    expect(lab.asked).toEqual({ authorised: [`POST ${new URL(url).pathname}/release`], anonymous: [] });
    expect(bodies()).toEqual([{ target, nonce: 'bm9uY2U', enc: 'CKM_RSA_AES_KEY_WRAP' }]);
    expect(lab.entra.grants.map(({ scope }) => scope)).toEqual([SCOPE]);
  });

  it('is the newest version where none is configured', async () => {
    lab.vault.addExportable('disk', COMPLIANT, '0'.repeat(32));
    const { url, vaults } = await exportable();
    const ask = lab.ask(url.replace(/\/[0-9a-f]{32}$/, ''));
    expect(ask.key.version).toBeNull();
    expect(await vaults.release(ask, NEVER)).toMatchObject({ keyVersion: VERSION });
    expect(lab.asked.authorised).toEqual(['POST /keys/disk/release']);
  });

  it('of a Managed HSM is one like any other', async () => {
    await lab.close();
    lab = await VaultLab.start({ managedHsm: true });
    const { release } = await exportable();
    expect(await release()).toMatchObject({ keyVersion: VERSION });
    expect(lab.entra.grants.map(({ scope }) => scope)).toEqual(['https://managedhsm.azure.net/.default']);
  });

  it('goes to whoever asked, however many ask at a time', async () => {
    const { release } = await exportable();
    const nonces = Array.from({ length: 20 }, (_, index) => `nonce-${index}`);
    const of = (nonce: string) => release({ nonce, target: guestToken({ nonce }) }, new AbortController().signal);
    await Promise.all(nonces.map(of));
    const sent = bodies().map(({ target, nonce }) => {
      const claims = JSON.parse(Buffer.from(target.split('.')[1], 'base64url').toString());
      return claims.nonce === nonce ? nonce : null;
    });
    expect(new Set(sent)).toEqual(new Set(nonces));
    expect(posts()).toBe(20);
  });

  it('says by name which key of the token it is wrapped to', async () => {
    const { release } = await exportable();
    const [other, own] = ['other', WRAPPING_KID].map((kid) => azureKey(kid, ['encrypt'], GUEST_JWK));
    const target = guestToken({ 'x-ms-runtime': { keys: [{ ...other, key_ops: ['sign'] }, other ?? {}, own ?? {}] } });
    expect(await release({ target })).toMatchObject({ wrappingKid: 'other' });
  });

  it('REL-02 needs a root that is configured, or one of those of Node', async () => {
    const { release, url } = await exportable();
    const { key } = lab.ask(url);
    const failure = await failureOf(release({ key: { ...key, roots: null } }));
    expect(failure).toMatchObject({ code: 'release_refused' });
    expect(failure.message).toBe(
      'the answer of the vault does not hold: certificates: chain does not end at a pinned key (certificate 3 of the chain)',
    );
  });

  it('is not asked for where the roots cannot be read', async () => {
    const { release, url } = await exportable();
    const { key } = lab.ask(url);
    await expect(release({ key: { ...key, roots: [new Uint8Array(3)] } })).rejects.toThrow(UnfitError);
    expect(posts()).toBe(0);
  });

  it('REL-02 is signed by certificates that are valid at the verification time', async () => {
    const { release } = await exportable();
    const failure = await failureOf(release({ at: new Date('2020-01-01') }));
    expect(failure.message).toMatch(/^the answer of the vault does not hold: certificates: .* is valid from /);
  });
});

describe('REL-02 nothing is handed out', () => {
  const OTHER = `https://other.vault.azure.net/keys/disk/${VERSION}`;
  const stranger = new VaultAnswerPki('vault.azure.net', undefined, 'strangers-answers');

  it.each<[string, ReleaseMaking, string]>([
    [
      "another key's release",
      { described: { kid: `https://lab.vault.azure.net/keys/other/${VERSION}` } },
      'it is about another key of the vault',
    ],
    [
      "another version's release",
      { described: { kid: `https://lab.vault.azure.net/keys/disk/${'0'.repeat(32)}` } },
      'it is about another version of the key',
    ],
    ["another vault's kid", { described: { kid: OTHER } }, 'it is about a key of another vault'],
    [
      'a JWS by another certificate',
      { chain: stranger.chain(), key: stranger.leaf.privateKey },
      'certificates: chain does not end at a pinned key (certificate 3 of the chain)',
    ],
    ['a JWS by another key', { key: stranger.leaf.privateKey }, 'its signature does not verify'],
    ['an old nonce', { request: { nonce: 'b2xk' } }, 'it does not have the nonce that was sent'],
    ['another enc', { request: { enc: 'CKM_RSA_AES_KEY_WRAP' } }, 'it is not about wrapping by RSA_AES_KEY_WRAP_384'],
  ])('of %s: refused after one POST', async (_what, making, problem) => {
    const { release, log } = await exportable();
    lab.vault.releaseMaking = making;
    const failure = await failureOf(release());
    expect(failure).toMatchObject({ code: 'release_refused' });
    expect(failure.message).toBe(`the answer of the vault does not hold: ${problem}`);
    expect(failure.remedy).toMatch(/^The operator should /);
    expect(posts()).toBe(1);
    expect(log.of(/an invalid response/)).toMatchObject([{ reason: problem }]);
  });

  it.each<[string, (value: string) => string]>([
    ['a wrapped key without a JWS', () => JSON.stringify({ value: '{"schema_version":"1.0","ciphertext":"AA"}' })],
    ['a value that is no text', () => '{"value":{"schema_version":"1.0"}}'],
    ['JSON without a value', (value) => JSON.stringify({ key: value })],
    ['a list', (value) => JSON.stringify([value])],
  ])('of %s: refused after one POST', async (_what, text) => {
    const { release } = await exportable();
    lab.vault.releaseText = text;
    const failure = await failureOf(release());
    expect(failure.code).toBe('release_refused');
    expect(failure.message).toBe('the answer of the vault does not hold: it is not a JWS');
    expect(posts()).toBe(1);
  });

  it.each<[string, LabFault, string]>([
    ['redirects', 'redirect', 'answered with a redirect'],
    ['answers 503 three times', { status: 503 }, 'answered with status 503'],
    ['answers 500', { status: 500, body: {} }, 'answered with status 500'],
    ['answers 408', { status: 408 }, 'answered with status 408'],
    ['answers with HTML', 'content_type', 'answered with another content type'],
    ['answers with bytes', 'garbage', 'answered with something that cannot be used'],
    ['answers with JSON that is no object', { status: 200, body: null }, 'answered with something that cannot be used'],
    ['answers with too much', 'oversize', 'answer is over 65536 bytes'],
  ])('where the vault %s: unavailable after one POST', async (_what, fault, message) => {
    const { release } = await exportable();
    lab.vault.fail(RELEASE, fault, 3);
    const failure = await failureOf(release());
    expect(failure).toMatchObject({ code: 'release_unavailable', retryAfterSeconds: null });
    expect(failure.message).toBe(`the vault did not release the key: ${message}`);
    expect(failure.remedy).toMatch(/^The (operator|caller) should .*\.$/);
    expect(posts()).toBe(1);
  });

  it.each(['half_open', 'drip'] as const)(
    'where the vault is too slow (%s): unavailable after one POST',
    async (fault) => {
      const { release } = await exportable({ deadlineMs: 300 });
      lab.vault.fail(RELEASE, fault);
      const failure = await failureOf(release());
      expect(failure).toMatchObject({ code: 'release_unavailable' });
      expect(failure.message).toMatch(/: (no answer in time|no connection or no complete answer)$/);
      expect(posts()).toBe(1);
    },
  );

  it('where an answer has its value twice: unavailable after one POST', async () => {
    const { release } = await exportable();
    lab.vault.releaseText = (value) => `{"value":"x","value":"${value}"}`;
    expect(await failureOf(release())).toMatchObject({
      code: 'release_unavailable',
      message: 'the vault did not release the key: answered with something that cannot be used',
    });
    expect(posts()).toBe(1);
  });

  it('where nobody listens: unavailable', async () => {
    const { release } = await exportable();
    await lab.vault.connect('refused');
    expect(await failureOf(release())).toMatchObject({ code: 'release_unavailable' });
  });

  it('where the caller leaves: the vault is asked once, and not blamed', async () => {
    const { release, outages } = await exportable();
    lab.vault.fail(RELEASE, 'half_open');
    const leaving = new AbortController();
    const failing = failureOf(release({}, leaving.signal));
    await expect.poll(posts).toBe(1);
    leaving.abort();
    expect(await failing).toMatchObject({
      code: 'release_unavailable',
      message: 'the vault did not release the key: no answer within the time of the request',
    });
    expect(outages.states[0]).toMatchObject({ isReachable: true });
  });
});

describe('REL-02 an access token that the vault does not take', () => {
  it.each<[string, () => void]>([
    ['answers 401 once, without a challenge', () => lab.vault.fail(RELEASE, { status: 401 }, 1)],
    ['no longer knows it', () => lab.bearers.revokeAll()],
  ])('is replaced where the vault %s: two POSTs of one token, which the log says', async (_what, refuse) => {
    const { release, log, material } = await exportable();
    await release();
    lab.vault.received.length = 0;
    lab.vault.requests.length = 0;
    refuse();
    const { value } = await release();
    expect(Buffer.from(unwrapReleasedKey(value, GUEST_KEY))).toEqual(Buffer.from(material));
    expect(lab.entra.grants).toHaveLength(2);
    const [first, second, ...more] = bodies();
    expect(more).toEqual([]);
    expect(first).toEqual(second);
    expect(log.of(/rejected the access token/)).toHaveLength(1);
  });

  it('that is refused again is the end of it: two POSTs, refused', async () => {
    const { release } = await exportable();
    lab.entra.bearers.issue = () => `worthless-${lab.entra.grants.length}`;
    const failure = await failureOf(release());
    expect(failure).toMatchObject({ code: 'release_refused' });
    expect(failure.message).toBe('the vault takes no access token of this service (401 Unauthorized)');
    expect(posts()).toBe(2);
  });

  it('is not sent by a second call of the library, whatever the vault asks for', async () => {
    const { release } = await exportable();
    const insufficient = 'Bearer error="insufficient_claims", claims="e30=", resource="https://evil.example"';
    lab.vault.challenge = insufficient;
    lab.entra.bearers.issue = () => `worthless-${lab.entra.grants.length}`;
    expect(await failureOf(release())).toMatchObject({ code: 'release_refused' });
    expect(posts()).toBe(2);
    expect(new Set(lab.entra.grants.map(({ scope }) => scope))).toEqual(new Set([SCOPE]));
  });

  it('is not there: the vault is not asked', async () => {
    lab.entra.fail(/./, { status: 503 });
    const { release } = await exportable();
    const failure = await failureOf(release());
    expect(failure).toMatchObject({ code: 'release_unavailable' });
    expect(failure.message).toBe('the vault was not asked: no access token: answered with status 503');
    expect(failure.remedy).toMatch(/identity/);
    expect(posts()).toBe(0);
  });
});

describe('REL-02 a vault that says no', () => {
  const denied = () => lab.vault.denied.add('release');
  const words = (status: number, error: object) => () =>
    lab.vault.fail(RELEASE, { status, body: { error: { ...error } } });
  const SAYS = "The user 'appid=sesame-application' does not have keys release permission on key vault 'lab'";

  it.each<[string, () => unknown, Partial<ReleaseAsk>, string, RegExp]>([
    [
      'to an identity without the role',
      denied,
      {},
      'does not let the identity of this service release the key (403 ForbiddenByRbac)',
      /role Key Vault Crypto Service Release User, or release in the access policy/,
    ],
    [
      'to an identity without the permission',
      words(403, { code: 'Forbidden', message: SAYS }),
      {},
      'does not let the identity of this service release the key (403 Forbidden)',
      /Key Vault Crypto Service Release User/,
    ],
    [
      'to an identity that the access policy lacks',
      words(403, { code: 'Forbidden', innererror: { code: 'ForbiddenByPolicy' } }),
      {},
      'does not let the identity of this service release the key (403 ForbiddenByPolicy)',
      /release in the access policy/,
    ],
    [
      'to a token of another issuer',
      () => {},
      { target: guestToken({ iss: 'https://evil.example' }) },
      'cannot verify the token (403 Forbidden)',
      /issuer is an authority of the key's release policy/,
    ],
    [
      'to a token that has expired',
      () => {},
      { target: guestToken({ exp: 1 }) },
      'cannot verify the token (403 Forbidden)',
      /has not expired/,
    ],
    [
      'to a VM that is not compliant',
      () => {},
      { target: guestToken({ 'x-ms-isolation-tee': {} }) },
      'finds that the token does not meet the release policy of the key (403 Forbidden)',
      /policies:evaluate/,
    ],
    [
      'by an empty 403',
      () => lab.vault.fail(RELEASE, { status: 403 }),
      {},
      'refuses to release the key (403)',
      /role .*network .*policy/,
    ],
    [
      'by a 403 in other words',
      words(403, { code: 'Forbidden', message: 'no' }),
      {},
      'refuses to release the key (403 Forbidden)',
      /enabled/,
    ],
    [
      'to a token without a key',
      () => {},
      { target: guestToken({ 'x-ms-runtime': {} }) },
      'takes the call for malformed (400 BadParameter)',
      /RSA_AES_KEY_WRAP_384 exist in the cloud/,
    ],
    [
      'for want of a release policy',
      words(400, { code: 'BadParameter', message: 'Exportable keys must have release policy.' }),
      {},
      'has no release policy for the key (400 BadParameter)',
      /exportable/,
    ],
    [
      'by an empty 400',
      () => lab.vault.fail(RELEASE, { status: 400 }),
      {},
      'takes the call for malformed (400)',
      /token whole/,
    ],
    [
      'by a status of its own',
      () => lab.vault.fail(RELEASE, { status: 409 }),
      {},
      'does not release the key (409)',
      /REST errors/,
    ],
    [
      'by a code that is no text',
      words(403, { code: 'Forbidden', innererror: { code: 7 } }),
      {},
      'refuses to release the key (403)',
      /role/,
    ],
    ['by a code that is a sentence', words(403, { code: 'no <b>' }), {}, 'refuses to release the key (403)', /role/],
  ])('%s', async (_what, arrange, changes, detail, remedy) => {
    const { release, log } = await exportable();
    arrange();
    const failure = await failureOf(release(changes));
    expect(failure).toMatchObject({ code: 'release_refused' });
    expect(failure.message).toBe(`the vault ${detail}`);
    expect(failure.remedy).toMatch(/^The operator should .*\.$/);
    expect(failure.remedy).toMatch(remedy);
    expect(posts()).toBe(1);
    expect(JSON.stringify([log.entries, failure, String(failure), String(failure.cause)])).not.toContain('sesame');
  });

  it.each<[string, string | null, string, RegExp]>([
    ['no such version', VERSION, 'has no such key, or not this version of it (404)', /name and version of the key/],
    ['no such key', null, 'has no such key (404)', /compare the name of the key/],
  ])('since it has %s', async (_what, version, detail, remedy) => {
    const { vaults, url } = await exportable();
    const { key } = lab.ask(url);
    const failure = await failureOf(vaults.release(lab.ask(url, { key: { ...key, name: 'gone', version } }), NEVER));
    expect(failure).toMatchObject({ code: 'release_refused', message: `the vault ${detail}` });
    expect(failure.remedy).toMatch(remedy);
  });

  it('to an identity without the role of a Managed HSM', async () => {
    await lab.close();
    lab = await VaultLab.start({ managedHsm: true });
    denied();
    const { release } = await exportable();
    expect((await failureOf(release())).remedy).toBe(
      'The operator should give the identity the role Managed HSM Crypto Service Release User.',
    );
  });

  it.each<[string, Partial<ReleaseAsk>, boolean]>([
    ['to the token of a caller', { target: guestToken({ iss: 'https://evil.example' }) }, true],
    ['to a VM that is not compliant', { target: guestToken({ 'x-ms-isolation-tee': {} }) }, true],
    ['to the identity of the service', {}, false],
  ])('%s: whether it is out of reach is another question', async (_what, changes, isReachable) => {
    const { release, outages } = await exportable();
    if (!isReachable) denied();
    await failureOf(release(changes));
    expect(outages.states.find(({ host }) => host.startsWith('lab.vault'))).toMatchObject({ isReachable });
  });
});

describe('a vault that is asked too much, or fails', () => {
  it.each([
    ['7', 7],
    [undefined, null],
  ])('REL-02 says 429 with Retry-After %s, and is left alone', async (retryAfter, seconds) => {
    const { release } = await exportable();
    lab.vault.fail(RELEASE, { status: 429, ...(retryAfter === undefined ? {} : { retryAfter }) }, 1);
    const failure = await failureOf(release());
    expect(failure).toMatchObject({ code: 'release_unavailable', retryAfterSeconds: seconds });
    expect(failure.remedy).toMatch(/limit of releases/);
    const next = await failureOf(release());
    expect(next).toMatchObject({ code: 'release_unavailable', retryAfterSeconds: seconds ?? 1 });
    expect(posts()).toBe(1);
    lab.clock.advance(8_000);
    await release();
  });

  it('REL-02 is not asked again after five failures in a row, and signs receipts all the same', async () => {
    const { release, vaults } = await exportable({ tuning: { health: { ...DEFAULT_BREAKER, openMs: 600_000 } } });
    lab.vault.fail(RELEASE, { status: 503 });
    for (let attempt = 0; attempt < 6; attempt++) await failureOf(release());
    expect(posts()).toBe(5);
    expect((await failureOf(release())).message).toMatch(/failed several times in a row$/);
    const receipts = lab.vault.add('receipts', {
      privateKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    });
    const key = await vaults.read(keyId(receipts), NEVER);
    expect(await key.sign('ES256', Buffer.alloc(32), NEVER)).toHaveLength(64);
  });

  it('is told of refusals as often as they come', async () => {
    const { release } = await exportable();
    for (let attempt = 0; attempt < 7; attempt++) await failureOf(release({ target: guestToken({ exp: 1 }) }));
    expect(posts()).toBe(7);
    await release();
  });

  it('has no more at a time than it may', async () => {
    const { release } = await exportable({ deadlineMs: 400, tuning: { turns: { concurrent: 1, queued: 0 } } });
    lab.vault.fail(RELEASE, 'half_open', 1);
    const first = failureOf(release());
    await expect.poll(posts).toBe(1);
    expect(await failureOf(release())).toMatchObject({
      code: 'release_unavailable',
      message: 'the vault did not release the key: too many releases at a time',
    });
    await first;
  });

  it('REL-08 of another caller has its turn before those of one that asks for many', async () => {
    const { release } = await exportable({ tuning: { turns: { concurrent: 1, queued: 2 } } });
    lab.vault.fail(RELEASE, 'half_open', 1);
    const left = new AbortController();
    const first = failureOf(release({ principal: 'many', nonce: 'Zmlyc3Q' }, left.signal));
    await expect.poll(posts, { timeout: 20_000 }).toBe(1);
    const second = release({ principal: 'many', nonce: 'c2Vjb25k' });
    const third = failureOf(release({ principal: 'many', nonce: 'dGhpcmQ' }));
    const other = release({ principal: 'few', nonce: 'b3RoZXI' });
    expect(await third).toMatchObject({
      code: 'release_unavailable',
      message: 'the vault did not release the key: too many releases at a time',
    });
    left.abort();
    await Promise.all([first, second, other]);
    expect(bodies().map(({ nonce }) => nonce)).toEqual(['Zmlyc3Q', 'b3RoZXI', 'c2Vjb25k']);
  });

  it('is one that was opened', async () => {
    const { vaults, url } = await exportable();
    const ask = lab.ask(url);
    const releasing = vaults.release({ ...ask, key: { ...ask.key, host: 'other.vault.azure.net' } }, NEVER);
    await expect(releasing).rejects.toThrow('a key of a vault that was not opened');
  });
});

describe('what is said of a release', () => {
  it.each<[string, () => void]>([
    ['that succeeds', () => {}],
    ['that is refused', () => lab.vault.denied.add('release')],
    [
      'whose answer does not hold',
      () => {
        lab.vault.releaseMaking = { request: { nonce: 'b2xk' } };
      },
    ],
    ['whose answer is not JSON', () => lab.vault.fail(RELEASE, 'garbage')],
    ['that is sent twice', () => lab.vault.fail(RELEASE, { status: 401 }, 1)],
  ])('%s has neither token, nor answer, nor wrapped key, nor secret in it', async (_what, arrange) => {
    const { release, log } = await exportable();
    arrange();
    const target = guestToken();
    const answers: string[] = [];
    lab.vault.releaseText = (value) => {
      answers.push(value);
      return JSON.stringify({ value });
    };
    const outcome = await release({ target }).then(
      () => null,
      (error: unknown) => error,
    );
    const told = outcome instanceof Error ? [String(outcome), outcome, String(outcome.cause), outcome.cause] : [];
    const said = JSON.stringify([log.entries, told]);
    const parts = [target, ...answers].flatMap((token) => token.split('.'));
    for (const part of [...parts, SECRET, 'sesame', 'lab.NWE']) expect(said).not.toContain(part.slice(0, 60));
  });
});
