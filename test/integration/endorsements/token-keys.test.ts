import { rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/core/errors.js';
import { maaKeyPlace } from '../../../src/endorsements/token-keys/token-issuer.js';
import { crlDistributionPointAt, pemOf } from '../../lab/pki.js';
import { derOf } from '../../unit/small-pki.js';
import { base64Of, certificateOf, jwkOf, keySetOf, listOf, TOKEN_KEYS } from '../../unit/token-jwk.js';
import { COOLDOWN_MS, DAY_MS, KeySetLab, NOW, PATIENT, REFRESH_MS } from './key-set-lab.js';

let lab: KeySetLab;

beforeEach(async () => {
  lab = await KeySetLab.start();
});

afterEach(async () => {
  await lab.close();
});

const isNumber = (answer: unknown): answer is string => typeof answer === 'string';

describe('token keys: fetching', () => {
  it('fetches nothing before it is needed, then once', async () => {
    const opened = lab.open();
    await opened.ready;
    expect(lab.server.count()).toBe(0);
    expect(await lab.told(opened, 'a')).toEqual(['network', 'a']);
    expect(await lab.told(opened, 'a')).toEqual(['cache', 'a']);
    expect(lab.server.requests).toEqual(['/certs']);
  });

  it('tells how old a fetched set is, and until when it is used', async () => {
    const opened = lab.open();
    await opened.ready;
    expect(opened.fetched()).toEqual([]);
    await lab.told(opened, 'a');
    const expires = new Date(NOW.getTime() + DAY_MS);
    expect(opened.fetched()).toEqual([{ kind: 'token-keys', source: lab.issuer, fetchedAt: NOW, expires }]);
  });

  it.each([
    'application/json',
    'application/jwk-set+json',
    'Application/JWK+JSON; charset=utf-8',
    'text/plain',
    'application/octet-stream',
    '',
  ])('takes a set that is said to be %j', async (contentType) => {
    lab.server.serve('/certs', keySetOf(jwkOf(TOKEN_KEYS.a, 'a')), contentType);
    expect(await lab.told(lab.open(), 'a')).toEqual(['network', 'a']);
  });

  it.each(['text/html', 'application/xml', 'application/pkix-cert', 'image/png', 'application/jsonx'])(
    'takes no set that is said to be %j',
    async (contentType) => {
      lab.server.serve('/certs', keySetOf(jwkOf(TOKEN_KEYS.a, 'a')), contentType);
      expect(await lab.told(lab.open(), 'a')).toBe('jwks_invalid');
    },
  );

  it('TOK-12 takes a set of 256 KiB and none of a byte more', async () => {
    const text = Buffer.from(keySetOf(jwkOf(TOKEN_KEYS.a, 'a'))).toString();
    lab.server.serve('/certs', Buffer.from(text.padEnd(256 * 1024)));
    expect(await lab.told(lab.open(), 'a')).toEqual(['network', 'a']);
    lab.server.serve('/certs', Buffer.from(text.padEnd(256 * 1024 + 1)));
    expect(await lab.told(lab.open(), 'a')).toBe('jwks_invalid');
  });

  it('TOK-12 uses what is good of a set with weak keys', async () => {
    const { a, weak } = TOKEN_KEYS;
    lab.server.serve('/certs', keySetOf(jwkOf(weak, 'weak'), jwkOf(a, 'enc', { use: 'enc' }), jwkOf(a, 'good')));
    expect(await lab.told(lab.open(), 'weak')).toEqual(['network', 'good']);
  });

  it('asks for keys by discovery where they are not found', async () => {
    lab.server.serve('/certs', null);
    lab.server.serve('/moved', keySetOf(jwkOf(TOKEN_KEYS.a, 'a')));
    const document = { issuer: lab.issuer, jwks_uri: `${lab.issuer}/moved` };
    lab.server.serve('/.well-known/openid-configuration', Buffer.from(JSON.stringify(document)));
    expect(await lab.told(lab.open({ keys: maaKeyPlace(lab.issuer) }), 'a')).toEqual(['network', 'a']);
    expect(await lab.told(lab.open(), 'a')).toBe('jwks_unavailable');
  });

  it('TOK-02 asks nobody of another origin, whatever discovery says', async () => {
    const other = await KeySetLab.start();
    try {
      lab.server.serve('/certs', null);
      const document = { issuer: lab.issuer, jwks_uri: `${other.issuer}/certs` };
      lab.server.serve('/.well-known/openid-configuration', Buffer.from(JSON.stringify(document)));
      expect(await lab.told(lab.open({ keys: maaKeyPlace(lab.issuer) }), 'a')).toBe('jwks_invalid');
      expect(other.server.count()).toBe(0);
    } finally {
      await other.close();
    }
  });

  it('knows no issuer that is not configured, in any spelling', async () => {
    const opened = lab.open();
    for (const issuer of [`${lab.issuer}/`, lab.issuer.toUpperCase(), 'https://elsewhere.example', '__proto__']) {
      expect(await lab.find(opened, 'a', { issuer })).toMatchObject({ code: 'jwks_unavailable', retryable: false });
    }
    const request = { kind: 'token-keys', type: 'ita-token', issuer: lab.issuer, kid: 'a' } as const;
    const context = { at: lab.clock.now(), historical: false, signal: new AbortController().signal };
    expect(await opened.source.find(request, context)).toMatchObject({ code: 'jwks_unavailable', retryable: false });
    expect(lab.server.count()).toBe(0);
  });
});

describe('token keys: rotation', () => {
  it('TOK-13 finds a new key after the cooldown, and no more the one that was removed', async () => {
    const opened = lab.open();
    await lab.find(opened, 'a');
    lab.publish('b');
    expect(await lab.told(opened, 'b')).toEqual(['cache', 'a']);
    expect(await lab.told(opened, 'a')).toEqual(['cache', 'a']);
    lab.clock.advance(COOLDOWN_MS);
    expect(await lab.told(opened, 'b')).toEqual(['network', 'b']);
    expect(await lab.told(opened, 'a')).toEqual(['cache', 'b']);
  });

  it('TOK-24 renews a set of ten minutes before it is used', async () => {
    const opened = lab.open();
    await lab.find(opened, 'a');
    lab.publish('b');
    lab.clock.advance(REFRESH_MS);
    expect(await lab.told(opened, 'a')).toEqual(['network', 'b']);
    expect(lab.server.count()).toBe(2);
  });

  it('TOK-24 uses an older set where the issuer does not answer in a second', async () => {
    const opened = lab.open({}, { pauses: { waitMs: 20, attemptTimeoutMs: 60_000 } });
    await lab.find(opened, 'a');
    lab.publish('b');
    lab.server.fail(/certs/, 'half_open');
    lab.clock.advance(REFRESH_MS);
    expect(await lab.told(opened, 'a')).toEqual(['cache', 'a']);
    expect(lab.server.count()).toBe(2);
    await lab.server.heal();
  });

  it('TOK-12 keeps the set where the new one is invalid', async () => {
    const opened = lab.open();
    await lab.find(opened, 'a');
    lab.server.serve('/certs', Buffer.from('{"keys":[]}'));
    lab.clock.advance(REFRESH_MS);
    expect(await lab.told(opened, 'a')).toEqual(['cache', 'a']);
    await expect.poll(() => lab.log.of(/not fetched/), PATIENT).toMatchObject([{ code: 'jwks_invalid' }]);
    expect(await lab.told(opened, 'a')).toEqual(['cache', 'a']);
    expect(await lab.told(opened, 'b')).toBe('jwks_invalid');
  });

  it('TOK-11 makes one request a cooldown of 10 000 unknown kids, while the issuer is up and while it is down', async () => {
    const opened = lab.open();
    await lab.find(opened, 'a');
    const flood = async () => {
      const asked = Array.from({ length: 10_000 }, (_, index) => lab.told(opened, `unknown-${index}`));
      return new Set((await Promise.all(asked)).map((answer) => (isNumber(answer) ? answer : 'set')));
    };
    lab.clock.advance(COOLDOWN_MS);
    expect([...(await flood())]).toEqual(['set']);
    expect(lab.server.count()).toBe(2);
    lab.server.fail(/certs/, { status: 503 });
    expect([...(await flood())]).toEqual(['set']);
    expect(lab.server.count()).toBe(2);
    lab.clock.advance(COOLDOWN_MS);
    expect([...(await flood())]).toEqual(['jwks_unavailable']);
    expect([...(await flood())]).toEqual(['jwks_unavailable']);
    expect(lab.server.count()).toBe(3);
    expect(await lab.told(opened, 'a')).toEqual(['cache', 'a']);
  });

  it('TOK-10 lists both keys of one kid, for the verifier to refuse', async () => {
    lab.server.serve('/certs', keySetOf(jwkOf(TOKEN_KEYS.a, 'same'), jwkOf(TOKEN_KEYS.b, 'same')));
    const found = await lab.find(lab.open(), 'same');
    expect('value' in found && found.value.keys.get('same')).toHaveLength(2);
  });
});

describe('token keys: historical requests', () => {
  it('use what is held, and renew nothing', async () => {
    const opened = lab.open();
    await lab.find(opened, 'a');
    lab.clock.advance(REFRESH_MS);
    expect(await lab.told(opened, 'a', { historical: true })).toEqual(['cache', 'a']);
    await lab.find(opened, 'a', { historical: true });
    expect(lab.server.count()).toBe(1);
  });

  it('fetch what is not held, and leave nothing of it to other requests', async () => {
    const opened = lab.open();
    expect(await lab.told(opened, 'a', { historical: true })).toEqual(['network', 'a']);
    expect(await lab.told(opened, 'a')).toEqual(['network', 'a']);
    lab.publish('a', 'b');
    lab.clock.advance(COOLDOWN_MS);
    expect(await lab.told(opened, 'b', { historical: true })).toEqual(['network', 'a', 'b']);
    expect(await lab.told(opened, 'a')).toEqual(['cache', 'a']);
    expect(await lab.told(opened, 'b')).toEqual(['network', 'a', 'b']);
  });

  it('TOK-11 make one request a cooldown, too', async () => {
    const opened = lab.open();
    lab.server.fail(/certs/, { status: 500 });
    for (let index = 0; index < 100; index += 1) await lab.find(opened, `unknown-${index}`, { historical: true });
    expect(lab.server.count()).toBe(1);
  });
});

describe('token keys: files', () => {
  const setWith = (...kids: readonly string[]) => keySetOf(...kids.map((kid) => jwkOf(TOKEN_KEYS.a, kid)));

  it('serves the keys of a file, however old, and asks nobody', async () => {
    const file = await lab.write('keys.json', setWith('a'));
    const opened = lab.open({ keys: { file } });
    expect(await lab.told(opened, 'a')).toEqual(['store', 'a']);
    lab.clock.advance(2 * DAY_MS);
    expect(await lab.told(opened, 'b')).toEqual(['store', 'a']);
    expect(await lab.told(opened, 'a', { historical: true })).toEqual(['store', 'a']);
    expect(lab.server.count()).toBe(0);
  });

  it('reads the file again when told, and keeps what it had where that is of no use', async () => {
    const file = await lab.write('keys.json', setWith('a'));
    const opened = lab.open({ keys: { file } });
    await opened.ready;
    await lab.write('keys.json', setWith('b'));
    expect(await lab.told(opened, 'b')).toEqual(['store', 'a']);
    await opened.reload();
    expect(await lab.told(opened, 'b')).toEqual(['store', 'b']);
    for (const [index, spoilt] of ['spoilt', '{}', keySetOf({ kty: 'oct' })].entries()) {
      await lab.write('keys.json', spoilt);
      const name = `maa.issuers: keys of ${lab.issuer}`;
      expect(await opened.reload()).toEqual([{ name, isTaken: false }]);
      expect(await lab.told(opened, 'b')).toEqual(['store', 'b']);
      expect(lab.log.of(/^file of a token issuer not reloaded: the previous content stays in force$/)).toHaveLength(
        index + 1,
      );
    }
  });

  it.each<[string, (file: string) => Promise<unknown>]>([
    ['is gone', (file) => rm(file)],
    ['lists no key', (file) => writeFile(file, '{"keys":[]}')],
  ])('withdraws all keys where the file %s when it is read again', async (_what, withdraw) => {
    const file = await lab.write('keys.json', setWith('a'));
    const opened = lab.open({ keys: { file } });
    await opened.ready;
    await withdraw(file);
    const name = `maa.issuers: keys of ${lab.issuer}`;
    expect(await opened.reload()).toEqual([{ name, isTaken: true }]);
    expect(await lab.told(opened, 'a')).toEqual(['store']);
    expect(lab.log.of(/^key file is gone or lists no key: no token can be verified with it any more$/)).toEqual([
      { file: name },
    ]);
    await lab.write('keys.json', setWith('b'));
    await opened.reload();
    expect(await lab.told(opened, 'b')).toEqual(['store', 'b']);
  });

  it.each([
    ['not there', async () => 'no-such-file', /^maa\.issuers: keys of .+: no-such-file: there is no such file$/],
    ['a folder', async () => '/', /is not a file/],
    ['no key set', () => lab.write('keys.json', '[]'), /not a key set/],
    ['without a key', () => lab.write('keys.json', '{"keys":[]}'), /key set has no key that can be used/],
    ['too large', () => lab.write('keys.json', ' '.repeat(1024 * 1024 + 1)), /is over/],
  ])('does not start with a key file that is %s', async (_what, make, why) => {
    const opened = lab.open({ keys: { file: await make() } });
    await expect(opened.ready).rejects.toThrow(ConfigurationError);
    await expect(opened.ready).rejects.toThrow(why);
  });

  it('says everything that is wrong with the files at once', async () => {
    const opened = lab.open({ keys: { file: 'no-keys' }, roots: 'no-roots' });
    const problems = [`roots of ${lab.issuer}: no-roots`, `keys of ${lab.issuer}: no-keys`];
    await expect(opened.ready).rejects.toMatchObject({
      problems: problems.map((place) => `maa.issuers: ${place}: there is no such file`),
    });
  });

  it('refuses a place that is none, before anything is opened', () => {
    expect(() => lab.open({ keys: { url: 'http://issuer.example/certs' } })).toThrow(ConfigurationError);
  });
});

describe('token keys: CRLs', () => {
  const pemOfCrl = (der: Uint8Array) => pemOf(der).replaceAll('CERTIFICATE', 'X509 CRL');
  const ROOT = pemOf(derOf('root'));

  function publishCertified(): void {
    const extensions = [crlDistributionPointAt(`${lab.issuer}/ca.crl`)];
    const x5c = [base64Of(certificateOf(TOKEN_KEYS.a, { extensions }))];
    lab.server.serve('/certs', keySetOf(jwkOf(TOKEN_KEYS.a, 'a', { x5c })));
  }

  async function crlsOf(opened: ReturnType<KeySetLab['open']>): Promise<readonly string[]> {
    const found = await lab.find(opened, 'a');
    if ('code' in found) throw new Error(found.code);
    return found.value.crls.map((der) => Buffer.from(der).toString('hex'));
  }

  const hexOf = (der: Uint8Array) => Buffer.from(der).toString('hex');

  it('come from the file of roots and from the origin of the keys', async () => {
    const [own, served] = [listOf(1), listOf(2)];
    publishCertified();
    lab.server.serve('/ca.crl', served, 'application/pkix-crl');
    const opened = lab.open({ roots: await lab.write('roots.pem', ROOT + pemOfCrl(own)) });
    expect(await crlsOf(opened)).toEqual([own, served].map(hexOf));
    expect(lab.server.requests).toEqual(['/certs', '/ca.crl']);
  });

  it('do not hide that the keys could not be renewed', async () => {
    const opened = lab.open({ roots: await lab.write('roots.pem', ROOT) });
    await lab.find(opened, 'a');
    lab.server.serve('/certs', null);
    lab.clock.advance(REFRESH_MS);
    expect(await lab.find(opened, 'a')).toMatchObject({ origin: 'cache', value: { unrenewedSince: NOW } });
  });

  it('are not fetched where there are no roots to judge them by', async () => {
    publishCertified();
    expect(await crlsOf(lab.open())).toEqual([]);
    expect(lab.server.requests).toEqual(['/certs']);
  });

  it('are asked for again after a cooldown where one is missing', async () => {
    publishCertified();
    const opened = lab.open({ roots: await lab.write('roots.pem', ROOT) });
    expect(await crlsOf(opened)).toEqual([]);
    const served = listOf(1);
    lab.server.serve('/ca.crl', served, 'application/pkix-crl');
    lab.clock.advance(COOLDOWN_MS);
    await expect.poll(() => crlsOf(opened), PATIENT).toEqual([hexOf(served)]);
  });

  it('of the file are read again when told', async () => {
    const opened = lab.open({ roots: await lab.write('roots.pem', ROOT) });
    expect(await crlsOf(opened)).toEqual([]);
    const own = listOf(1);
    await lab.write('roots.pem', ROOT + pemOfCrl(own));
    await opened.reload();
    expect(await crlsOf(opened)).toEqual([hexOf(own)]);
    await rm(await lab.write('roots.pem', ''));
    expect(await opened.reload()).toEqual([{ name: `maa.issuers: roots of ${lab.issuer}`, isTaken: false }]);
    expect(await crlsOf(opened)).toEqual([hexOf(own)]);
  });

  it.each([
    ['no certificate', () => pemOfCrl(listOf(1)), /has no certificate/],
    ['no PEM', () => 'roots', /this is not PEM/],
    ['a certificate that is none', () => ROOT.replace(/\nMII/, '\nAAA'), /cut short|sequence|tag/],
    ['a list that is none', () => ROOT + pemOfCrl(derOf('root')), /./],
  ])('do not start with a file of roots that has %s', async (_what, text, why) => {
    const opened = lab.open({ roots: await lab.write('roots.pem', text()) });
    await expect(opened.ready).rejects.toThrow(ConfigurationError);
    await expect(opened.ready).rejects.toThrow(why);
  });
});

describe('token keys: closing', () => {
  it('ends what is being fetched, and leaves no connection', async () => {
    const opened = lab.open();
    lab.server.fail(/certs/, 'half_open');
    const waiting = lab.told(opened, 'a');
    await expect.poll(() => lab.server.count(), PATIENT).toBe(1);
    await opened.close();
    expect(await waiting).toBe('jwks_unavailable');
    await expect.poll(() => lab.server.openConnections, PATIENT).toBe(0);
  });
});
