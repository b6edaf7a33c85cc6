import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crlOf, readTlsMaterial } from '../../../src/app/tls-material.js';
import { TlsAuthority } from '../../lab/tls-authority.js';

const authority = new TlsAuthority('servers');
const other = new TlsAuthority('other');
const server = authority.issueForLoopback();

let folder: string;
const path = (name: string) => join(folder, name);
const IDENTITY = () => ({ cert: path('cert'), key: path('key') });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-tls-'));
  const files = { cert: server.cert, key: server.key, ca: authority.pem, other: authority.issueForLoopback().key };
  const trusted = server.cert.replaceAll(' CERTIFICATE', ' TRUSTED CERTIFICATE');
  const cut = server.cert.replace(/(?<=-\n)[^-]{64}/, '');
  const locked = createPrivateKey(server.key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' })
    .toString();
  for (const [name, text] of Object.entries({ ...files, trusted, cut, locked, text: 'no PEM' }))
    await writeFile(path(name), text);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('TLS material', () => {
  it('is none where none is configured', async () => {
    expect(await readTlsMaterial({ cert: null, key: null, clientCa: null, clientCrl: null })).toBeNull();
  });

  it('is what the files hold, with the authority of clients where one is configured', async () => {
    const tls = { ...IDENTITY(), clientCrl: null };
    expect(await readTlsMaterial({ ...tls, clientCa: null })).toEqual({ ...server, clientCa: null, clientCrl: [] });
    expect(await readTlsMaterial({ ...tls, clientCa: path('ca') })).toEqual({
      ...server,
      clientCa: authority.pem,
      clientCrl: [],
    });
  });

  it.each([
    ['a certificate that is not there', 'none', 'key', 'ca', /^listen\.tls\.cert: .+: there is no such file$/],
    ['a key that is not there', 'cert', 'none', 'ca', /^listen\.tls\.key: .+: there is no such file$/],
    ['an authority that is not there', 'cert', 'key', 'none', /^listen\.tls\.clientCa: .+: there is no such file$/],
    [
      'a certificate that is none',
      'text',
      'key',
      'ca',
      /^listen\.tls\.cert: .+text: has no block that begins with -----BEGIN CERTIFICATE-----$/,
    ],
    [
      'a key in the place of the certificate',
      'key',
      'key',
      'ca',
      /^listen\.tls\.cert: .+key: has no block that begins with -----BEGIN CERTIFICATE-----, and has a private key$/,
    ],
    [
      'a certificate that is cut off',
      'cut',
      'key',
      'ca',
      /^listen\.tls\.cert: .+cut: its first certificate cannot be read$/,
    ],
    ['a key that is none', 'cert', 'cert', 'ca', /^listen\.tls\.key: .+cert: has no private key in PEM$/],
    [
      'a key with a passphrase',
      'cert',
      'locked',
      'ca',
      /^listen\.tls\.key: .+locked: has a passphrase, which nobody could enter: write the key without one, as openssl pkey does$/,
    ],
    [
      'the key of another certificate',
      'cert',
      'other',
      'ca',
      /^listen\.tls\.key: .+other: is not the private key of the first certificate of .+cert$/,
    ],
    [
      'a certificate under another label',
      'trusted',
      'key',
      'ca',
      /^listen\.tls\.cert: .+: has no block that begins with -----BEGIN CERTIFICATE-----$/,
    ],
    ['an authority that is none', 'cert', 'key', 'text', /^listen\.tls\.clientCa: .+text: not PEM certificates$/],
  ])('is refused with %s', async (_title, cert, key, clientCa, problem) => {
    const read = readTlsMaterial({ cert: path(cert), key: path(key), clientCa: path(clientCa), clientCrl: null });
    await expect(read).rejects.toMatchObject({
      name: 'ConfigurationError',
      problems: [expect.stringMatching(problem)],
    });
  });

  it('has the CRLs of a file, which may be several', async () => {
    await writeFile(path('crls'), `${authority.crl([1])}\n${other.crl([2])}`);
    await writeFile(path('cas'), `${authority.pem}\n${other.pem}`);
    const read = await readTlsMaterial({ ...IDENTITY(), clientCa: path('cas'), clientCrl: path('crls') });
    expect(read?.clientCrl.map((pem) => crlOf(pem).issuer.commonName)).toEqual(['servers', 'other']);
  });

  it.each<[string, () => string, RegExp]>([
    ['no CRL', () => 'no PEM', /^listen\.tls\.clientCrl: .+crl: not PEM CRLs$/],
    ['a certificate', () => authority.pem, /^listen\.tls\.clientCrl: .+crl: not PEM CRLs$/],
    [
      'a certificate beside a CRL',
      () => authority.crl([]) + authority.pem,
      /^listen\.tls\.clientCrl: .+crl: not PEM CRLs$/,
    ],
    [
      'bytes that are no CRL',
      () => authority.pem.replaceAll('CERTIFICATE', 'X509 CRL'),
      /^listen\.tls\.clientCrl: .+crl: not PEM CRLs$/,
    ],
    ['the CRL of another CA', () => other.crl([]), /^listen\.tls\.clientCrl: .+: has no CRL of CN=servers$/],
  ])('is refused with %s for client certificates', async (_title, text, problem) => {
    await writeFile(path('crl'), text());
    const read = readTlsMaterial({ ...IDENTITY(), clientCa: path('ca'), clientCrl: path('crl') });
    await expect(read).rejects.toMatchObject({ problems: [expect.stringMatching(problem)] });
  });

  it('has the CRL of a CA whose serial number is zero', async () => {
    const zero = new TlsAuthority('zero', 0);
    await writeFile(path('zero'), zero.pem);
    await writeFile(path('crl'), zero.crl([]));
    const read = await readTlsMaterial({ ...IDENTITY(), clientCa: path('zero'), clientCrl: path('crl') });
    expect(read?.clientCrl).toHaveLength(1);
  });

  it('is refused with a CA that cannot be read for its CRL, and taken with the same without CRLs', async () => {
    const long = new TlsAuthority('long', Buffer.alloc(21, 1));
    await writeFile(path('long'), long.pem);
    await writeFile(path('crl'), long.crl([]));
    const tls = { ...IDENTITY(), clientCa: path('long') };
    const problem = `listen.tls.clientCa: ${path('long')}: the certificate of CN=long cannot be read, which clientCrl needs: serial number is over 20 octets`;
    await expect(readTlsMaterial({ ...tls, clientCrl: path('crl') })).rejects.toMatchObject({
      name: 'ConfigurationError',
      problems: [problem],
    });
    expect(await readTlsMaterial({ ...tls, clientCrl: null })).toMatchObject({ clientCa: long.pem });
  });

  it('is refused where the file of CRLs is not there', async () => {
    const read = readTlsMaterial({ ...IDENTITY(), clientCa: path('ca'), clientCrl: path('none') });
    const problem = /^listen\.tls\.clientCrl: .+: there is no such file$/;
    await expect(read).rejects.toMatchObject({ problems: [expect.stringMatching(problem)] });
  });
});
