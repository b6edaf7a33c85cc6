import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bindingKey } from '../../../src/collector/binding-key.js';
import { jwkThumbprint } from '../../lab/index.js';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-key-'));
  file = join(folder, 'key');
  return () => rm(folder, { recursive: true });
});

afterEach(() => vi.restoreAllMocks());

const pem = (key: KeyObject) => String(key.export({ type: 'pkcs8', format: 'pem' }));
const keep = (content: string, mode = 0o600) => writeFile(file, content, { mode });

/** A JWK that is read as an RSA key; making a real one of this size takes long. */
function rsaOf(bits: number): string {
  const number = (length: number) => Buffer.alloc(length / 8, 0xff).toString('base64url');
  const half = number(bits / 2);
  const [p, q, dp, dq, qi] = [half, half, half, half, half];
  return JSON.stringify({ kty: 'RSA', n: number(bits), e: 'AQAB', d: number(bits), p, q, dp, dq, qi });
}

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

  it('is one key, however many make it at once: whoever has one has that of the file', async () => {
    const made = await Promise.allSettled(Array.from({ length: 4 }, () => bindingKey(file)));
    const { jkt } = await bindingKey(file);
    const others = made.filter((each) => each.status === 'fulfilled' && each.value.jkt !== jkt);
    expect([others, made.some(({ status }) => status === 'fulfilled')]).toEqual([[], true]);
  });

  it('is not made in a folder that is not there', async () => {
    const path = join(folder, 'none', 'key');
    await expect(bindingKey(path)).rejects.toMatchObject({
      code: 'key_file',
      message: `${path}: cannot be written: there is no such folder`,
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
    [
      'a public JWK',
      JSON.stringify(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })),
    ],
    ['a symmetric JWK', '{"kty":"oct","k":"AAAA"}'],
  ])('is refused, and stays as it is: %s', async (_title, content) => {
    await keep(content);
    const message = `${file}: is no private key in PEM or JWK`;
    await expect(bindingKey(file)).rejects.toMatchObject({ code: 'key_file', message });
    expect(await readFile(file, 'utf8')).toBe(content);
  });

  it.each([0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o644])(
    'is refused where others have a right to it: %o',
    async (mode) => {
      await keep(pem(generateKeyPairSync('ed25519').privateKey));
      await chmod(file, mode);
      const message = `${file}: others than its owner may read or write it`;
      await expect(bindingKey(file)).rejects.toMatchObject({ code: 'key_file', message });
    },
  );

  it('is refused where it belongs to another user', async () => {
    await keep(pem(generateKeyPairSync('ed25519').privateKey));
    const { uid } = await stat(file);
    vi.spyOn(process, 'getuid').mockReturnValue(uid + 1);
    const message = `${file}: belongs to another user`;
    await expect(bindingKey(file)).rejects.toMatchObject({ code: 'key_file', message });
  });

  it('may be an RSA key of 8192 bits, and no larger one', async () => {
    await keep(rsaOf(8192));
    expect((await bindingKey(file)).jwk).toMatchObject({ kty: 'RSA' });
    await keep(rsaOf(8200));
    const message = `${file}: is of a kind that no request can name`;
    await expect(bindingKey(file)).rejects.toMatchObject({ code: 'key_file', message });
  });

  it('is refused where it is a symbolic link, a folder, or too large', async () => {
    await symlink(join(folder, 'elsewhere'), file);
    await expect(bindingKey(file)).rejects.toMatchObject({ message: `${file}: is a symbolic link` });
    await expect(bindingKey(folder)).rejects.toMatchObject({ message: `${folder}: is not a regular file` });
    await rm(file);
    await keep('x'.repeat(16 * 1024 + 1));
    await expect(bindingKey(file)).rejects.toMatchObject({ message: `${file}: has more than 16384 bytes` });
    const below = join(file, 'below');
    await expect(bindingKey(below)).rejects.toMatchObject({
      code: 'key_file',
      message: `${below}: there is no such file`,
    });
  });
});
