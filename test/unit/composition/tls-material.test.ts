import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTlsMaterial } from '../../../src/composition/reloaded-access.js';
import { TlsAuthority } from '../../lab/tls-authority.js';

const authority = new TlsAuthority();
const server = authority.issueForLoopback();

let folder: string;
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-tls-'));
  const files = { cert: server.cert, key: server.key, ca: authority.pem, other: authority.issueForLoopback().key };
  const trusted = server.cert.replaceAll(' CERTIFICATE', ' TRUSTED CERTIFICATE');
  for (const [name, text] of Object.entries({ ...files, trusted, text: 'no PEM' })) await writeFile(path(name), text);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('TLS material', () => {
  it('is none where none is configured', async () => {
    expect(await readTlsMaterial({ cert: null, key: null, clientCa: null })).toBeNull();
  });

  it('is what the files hold, with the authority of clients where one is configured', async () => {
    const tls = { cert: path('cert'), key: path('key') };
    expect(await readTlsMaterial({ ...tls, clientCa: null })).toEqual({ ...server, clientCa: null });
    expect(await readTlsMaterial({ ...tls, clientCa: path('ca') })).toEqual({ ...server, clientCa: authority.pem });
  });

  it.each([
    ['a certificate that is not there', 'none', 'key', 'ca', /^listen\.tls\.cert: .+: there is no such file$/],
    ['a key that is not there', 'cert', 'none', 'ca', /^listen\.tls\.key: .+: there is no such file$/],
    ['an authority that is not there', 'cert', 'key', 'none', /^listen\.tls\.clientCa: .+: there is no such file$/],
    ['a certificate that is none', 'text', 'key', 'ca', /^listen\.tls: not a PEM certificate and its private key$/],
    [
      'the key of another certificate',
      'cert',
      'other',
      'ca',
      /^listen\.tls: not a PEM certificate and its private key$/,
    ],
    [
      'a certificate under another label',
      'trusted',
      'key',
      'ca',
      /^listen\.tls\.cert: .+: has no block that begins with -----BEGIN CERTIFICATE-----$/,
    ],
    ['an authority that is none', 'cert', 'key', 'text', /^listen\.tls\.clientCa: not PEM certificates$/],
  ])('is refused with %s', async (_title, cert, key, clientCa, problem) => {
    const read = readTlsMaterial({ cert: path(cert), key: path(key), clientCa: path(clientCa) });
    await expect(read).rejects.toMatchObject({
      name: 'ConfigurationError',
      problems: [expect.stringMatching(problem)],
    });
  });
});
