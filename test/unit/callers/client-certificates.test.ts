import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ApiKeyCallers } from '../../../src/callers/api-keys.js';
import { type CertificateCaller, CertificateCallers } from '../../../src/callers/client-certificates.js';
import { ConfiguredCallers } from '../../../src/callers/configured-callers.js';
import type { RequestHeaders } from '../../../src/core/caller-directory.js';
import type { Caller } from '../../../src/core/request.js';
import { FakeClock, NOW } from '../../integration/http/fake-service.js';
import { type ClientCertificate, TlsAuthority } from '../../lab/tls-authority.js';
import { FakeLog } from '../judge/fakes.js';
import { callerOf } from './caller-of.js';

const authority = new TlsAuthority();
const clock = new FakeClock();
const HOUR_MS = 60 * 60_000;
const CURRENT = { notBefore: new Date(NOW.getTime() - HOUR_MS), notAfter: new Date(NOW.getTime() + HOUR_MS) };
const URI = 'spiffe://example.org/gate';

const certificate = (says: ClientCertificate) =>
  new X509Certificate(authority.issueForClient({ ...CURRENT, ...says }).cert);
const der = (says: ClientCertificate) => certificate(says).raw;

const entry = (principal: string, mark: CertificateCaller['mark'], value: string): CertificateCaller => ({
  caller: callerOf(principal),
  mark,
  value,
});

const found = (callers: readonly CertificateCaller[], bytes: Uint8Array) =>
  new CertificateCallers(callers, clock).find(bytes).map(({ principal }) => principal);

describe('a client certificate', () => {
  const MESH = entry('mesh', 'uri', URI);
  const HOST = entry('host', 'dns', 'gate.example.org');

  it('CLK-10 is refused where it had ended by the highest time that held, and is a matter of the clock else', () => {
    const [before, after] = [CURRENT.notBefore.getTime() - 1, CURRENT.notAfter.getTime() + 1];
    const doubt = { detail: 'the clock was set back', retryAfterSeconds: 7 };
    const ask = (highest: number, inDoubt = true) => {
      const held = { highest: () => new Date(highest), doubt: () => (inDoubt ? doubt : null) };
      return () => new CertificateCallers([MESH], held).find(der({ uris: [URI] })).map(({ principal }) => principal);
    };
    expect(ask(after)).toThrow(expect.objectContaining({ code: 'unauthorized' }));
    for (const highest of [before, NOW.getTime(), CURRENT.notAfter.getTime()]) {
      expect(ask(highest)).toThrow(expect.objectContaining({ code: 'clock', retryAfterSeconds: 7 }));
    }
    expect(ask(before, false)).toThrow(expect.objectContaining({ code: 'unauthorized' }));
    expect(ask(NOW.getTime(), false)()).toEqual(['mesh']);
  });

  it('is of the caller whose URI is the only one in it', () => {
    expect(found([MESH, HOST], der({ uris: [URI], dnsNames: ['other.example'] }))).toEqual(['mesh']);
  });

  it.each<[string, ClientCertificate]>([
    ['beside another URI', { uris: [URI, 'spiffe://example.org/other'] }],
    ['twice', { uris: [URI, URI] }],
    ['in another case', { uris: [URI.toUpperCase()] }],
    ['with a longer path', { uris: [`${URI}/more`] }],
    ['as a pattern', { uris: ['spiffe://example.org/*'] }],
    ['as a DNS name', { dnsNames: [URI] }],
    ['as the common name', { name: URI }],
    ['with NUL behind it', { uris: [`${URI}\0`] }],
    ['nowhere', {}],
  ])('is of nobody with the URI %s', (_title, says) => {
    expect(found([MESH], der(says))).toEqual([]);
  });

  it('is of the caller whose DNS name is among its own, in either case', () => {
    expect(found([MESH, HOST], der({ dnsNames: ['a.example', 'Gate.Example.ORG'] }))).toEqual(['host']);
  });

  it.each<[string, ClientCertificate]>([
    ['covered by a wildcard', { dnsNames: ['*.example.org'] }],
    ['with a final dot', { dnsNames: ['gate.example.org.'] }],
    ['with NUL behind it', { dnsNames: ['gate.example.org\0.attacker.example'] }],
    ['as a URI', { uris: ['gate.example.org'] }],
    ['as the common name', { name: 'gate.example.org' }],
    ['in the text of another name', { dnsNames: ['a, DNS:gate.example.org'] }],
  ])('is of nobody with the DNS name %s', (_title, says) => {
    expect(found([HOST], der(says))).toEqual([]);
  });

  it('is of the caller whose digest of its key it has, whatever its names', () => {
    const shown = certificate({ name: 'anything' });
    const spki = shown.publicKey.export({ type: 'spki', format: 'der' });
    const digest = createHash('sha256').update(spki).digest('hex');
    expect(found([entry('pinned', 'spkiSha256', digest)], shown.raw)).toEqual(['pinned']);
    expect(found([entry('pinned', 'spkiSha256', digest)], der({ name: 'anything' }))).toEqual([]);
  });

  it.each<[string, ClientCertificate, boolean]>([
    ['that has ended', { notAfter: new Date(NOW.getTime() - 1000) }, false],
    ['that has not begun', { notBefore: new Date(NOW.getTime() + 1000) }, false],
    ['that ends now', { notAfter: NOW }, true],
    ['that begins now', { notBefore: NOW }, true],
  ])('%s counts: %s', (_title, dates, counts) => {
    const ask = () => found([MESH], der({ uris: [URI], ...dates }));
    if (counts) expect(ask()).toEqual(['mesh']);
    else expect(ask).toThrow('the client certificate of this connection is not valid now');
  });

  it('that cannot be read is of nobody', () => {
    expect(() => found([MESH], Buffer.from('none'))).toThrow(/^the client certificate cannot be read: /);
  });

  it('is the caller’s with the serial number zero, and nobody’s with one of over 20 octets', () => {
    expect(found([MESH], der({ uris: [URI], serial: 0 }))).toEqual(['mesh']);
    expect(() => found([MESH], der({ uris: [URI], serial: Buffer.alloc(21, 1) }))).toThrow(
      'the client certificate cannot be read: serial number is over 20 octets',
    );
  });
});

describe('a client certificate beside other credentials', () => {
  const KEY = 'k'.repeat(43);
  const own = callerOf('own');
  const apiKeySha256 = createHash('sha256').update(KEY).digest('hex');
  const keyOf = (caller: Caller) =>
    new ApiKeyCallers([{ caller, keys: [{ apiKeySha256, expires: CURRENT.notAfter }] }], clock, new FakeLog());
  const mesh = entry('mesh', 'uri', URI);

  const identify = (headers: RequestHeaders, shown: Uint8Array | null, ofKey = own) =>
    new ConfiguredCallers({
      apiKeys: keyOf(ofKey),
      tokens: null,
      certificates: new CertificateCallers([mesh], clock),
    }).identify({ headers, clientCertificate: () => shown });

  const refused = (detail: string) => expect.objectContaining({ code: 'unauthorized', message: detail });
  const OF_MESH = der({ uris: [URI] });
  const OF_NOBODY = der({});

  it('is enough by itself', async () => {
    expect((await identify({}, OF_MESH)).principal).toBe('mesh');
  });

  it('of nobody leaves the caller of the API key', async () => {
    expect((await identify({ 'x-api-key': KEY }, OF_NOBODY)).principal).toBe('own');
  });

  it('of nobody is nobody without another credential, and so is none', async () => {
    for (const shown of [OF_NOBODY, null]) {
      await expect(identify({}, shown)).rejects.toEqual(refused(expect.stringMatching(/^no API key was sent/)));
    }
  });

  it('of another caller than the API key is nobody', async () => {
    await expect(identify({ 'x-api-key': KEY }, OF_MESH)).rejects.toEqual(
      refused('the credentials are of more than one caller'),
    );
    expect(await identify({ 'x-api-key': KEY }, OF_MESH, mesh.caller)).toBe(mesh.caller);
  });

  it.each<[string, RequestHeaders]>([
    ['an unknown key', { 'x-api-key': 'x'.repeat(43) }],
    ['an empty key', { 'x-api-key': '' }],
    ['a key in two places', { 'x-api-key': KEY, authorization: `Bearer ${KEY}` }],
    ['another scheme', { authorization: 'Basic eA==' }],
  ])('does not make up for %s', async (_title, headers) => {
    await expect(identify(headers, OF_MESH)).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('that has ended refuses a valid key too: the connection would not be opened now', async () => {
    const ended = der({ notAfter: new Date(NOW.getTime() - 1000) });
    await expect(identify({ 'x-api-key': KEY }, ended)).rejects.toEqual(
      refused('the client certificate of this connection is not valid now'),
    );
  });
});
