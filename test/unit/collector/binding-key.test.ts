import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { bindingKey } from '../../../src/collector/binding-key.js';
import { jwkThumbprint } from '../../lab/index.js';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-key-'));
  file = join(folder, 'key');
  return () => rm(folder, { recursive: true });
});

const pem = (key: KeyObject) => String(key.export({ type: 'pkcs8', format: 'pem' }));
const keep = (content: string, mode = 0o600) => writeFile(file, content, { mode });

describe('a key that is not there', () => {
  it('is made on P-256, for its owner alone, and is the same the next time', async () => {
    const made = await bindingKey(file);
    expect(made.jwk).toMatchObject({ kty: 'EC', crv: 'P-256' });
    expect(Object.keys(made.jwk)).toEqual(['kty', 'crv', 'x', 'y']);
    expect(made.jkt).toBe(Buffer.from(jwkThumbprint(made.jwk)).toString('base64url'));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const content = await readFile(file, 'utf8');
    expect(content).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(await bindingKey(file)).toEqual(made);
    expect(await readFile(file, 'utf8')).toBe(content);
  });

  it('is not made in a folder that is not there', async () => {
    const path = join(folder, 'none', 'key');
    await expect(bindingKey(path)).rejects.toMatchObject({
      code: 'key_file',
      message: `${path}: cannot be written (ENOENT)`,
    });
  });
});

describe('a key that is there', () => {
  it.each<[string, () => string, object]>([
    ['P-384 in PEM', () => pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey), { crv: 'P-384' }],
    ['Ed25519 in PEM', () => pem(generateKeyPairSync('ed25519').privateKey), { kty: 'OKP', crv: 'Ed25519' }],
    ['X25519 in PEM', () => pem(generateKeyPairSync('x25519').privateKey), { kty: 'OKP', crv: 'X25519' }],
    [
      'RSA in PEM',
      () => pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
      { kty: 'RSA', e: 'AQAB' },
    ],
    [
      'P-256 as a JWK',
      () =>
        JSON.stringify({
          ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
          kid: 'x',
        }),
      { crv: 'P-256' },
    ],
  ])('is taken: %s; of it, only the public half is given', async (_title, content, expected) => {
    await keep(content());
    const { jwk } = await bindingKey(file);
    expect(jwk).toMatchObject(expected);
    for (const member of ['d', 'p', 'q', 'k', 'kid']) expect(jwk).not.toHaveProperty(member);
  });

  it.each<[string, () => string]>([
    ['secp256k1', () => pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey)],
    ['RSA of 1024 bits', () => pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)],
  ])('is refused where no request can name it: %s', async (_title, content) => {
    await keep(content());
    await expect(bindingKey(file)).rejects.toMatchObject({
      code: 'key_file',
      message: expect.stringContaining('of a kind'),
    });
  });

  it.each([
    ['text', 'hello'],
    ['an empty file', ''],
    ['JSON that is no key', '{"kty":"EC"}'],
    ['JSON that is none', '{'],
    ['a public key', String(generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }))],
  ])('is refused, and stays as it is: %s', async (_title, content) => {
    await keep(content);
    const message = `${file}: is no private key in PEM or JWK`;
    await expect(bindingKey(file)).rejects.toMatchObject({ code: 'key_file', message });
    expect(await readFile(file, 'utf8')).toBe(content);
  });

  it.each([0o640, 0o604, 0o620, 0o644])('is refused where others may read or write it: %o', async (mode) => {
    await keep(pem(generateKeyPairSync('ed25519').privateKey));
    await chmod(file, mode);
    const message = `${file}: others than its owner may read or write it`;
    await expect(bindingKey(file)).rejects.toMatchObject({ code: 'key_file', message });
  });

  it('is refused where it is a symbolic link, a folder, or too large', async () => {
    await symlink(join(folder, 'elsewhere'), file);
    await expect(bindingKey(file)).rejects.toMatchObject({ message: `${file}: is a symbolic link` });
    await expect(bindingKey(folder)).rejects.toMatchObject({ message: `${folder}: is not a regular file` });
    await rm(file);
    await keep('x'.repeat(16 * 1024 + 1));
    await expect(bindingKey(file)).rejects.toMatchObject({ message: `${file}: has more than 16384 bytes` });
    await expect(bindingKey(join(file, 'below'))).rejects.toMatchObject({ code: 'key_file' });
  });
});
