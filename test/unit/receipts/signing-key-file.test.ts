import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, compactVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { UnusableKeyError } from '../../../src/receipts/signing-key.js';
import { parsePublishedKey, parseSigningKey } from '../../../src/receipts/signing-key-file.js';
import { ed25519, p256, rsa } from './keys.js';

const KINDS: readonly (readonly [string, KeyObject, string])[] = [
  ['P-256', p256(), 'ES256'],
  ['Ed25519', ed25519(), 'EdDSA'],
  ['RSA', rsa(), 'RS256'],
];

const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const jwk = (key: KeyObject) => JSON.stringify(key.export({ format: 'jwk' }));
const publicPem = (key: KeyObject) => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();

const TIME = { signal: new AbortController().signal };

describe('parseSigningKey', () => {
  it.each(KINDS)('signs with the algorithm of a key of the kind %s, from PEM and JWK', async (_kind, key, alg) => {
    const thumbprint = await calculateJwkThumbprint(createPublicKey(key).export({ format: 'jwk' }) as object);
    for (const text of [pem(key), jwk(key)]) {
      const read = parseSigningKey(text);
      expect([read.alg, read.kid]).toEqual([alg, thumbprint]);
      expect(read.jwk).toMatchObject({ alg, kid: thumbprint, use: 'sig' });
      const token = await read.sign({ typ: 'eat+jwt' }, Buffer.from('payload'), TIME);
      const verified = await compactVerify(token, createPublicKey(key));
      expect(verified.protectedHeader).toEqual({ alg, kid: thumbprint, typ: 'eat+jwt' });
      expect(Buffer.from(verified.payload).toString()).toBe('payload');
    }
  });

  it.each(KINDS)('publishes nothing private of a key of the kind %s', (_kind, key) => {
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) {
      expect(parseSigningKey(jwk(key)).jwk).not.toHaveProperty(member);
    }
  });

  it('reads the older PEM forms', () => {
    const ec = p256().export({ type: 'sec1', format: 'pem' }).toString();
    const pkcs1 = rsa().export({ type: 'pkcs1', format: 'pem' }).toString();
    expect([parseSigningKey(ec).alg, parseSigningKey(pkcs1).alg]).toEqual(['ES256', 'RS256']);
  });

  const encrypted = p256()
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
    .toString();
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;

  it.each([
    ['a shorter RSA key', pem(rsa(1024)), 'an RSA key of 1024 bits; receipts need 2048 or more'],
    ['another curve', pem(p384), 'a key of type ec on secp384r1; receipts are signed with P-256, Ed25519 or RSA'],
    [
      'X25519',
      pem(generateKeyPairSync('x25519').privateKey),
      'a key of type x25519; receipts are signed with P-256, Ed25519 or RSA',
    ],
    ['an encrypted key', encrypted, 'an encrypted private key; only keys without passphrase are read'],
    ['a public key', publicPem(p256()), 'a public key; signing needs the private one'],
    ['a public JWK', jwk(createPublicKey(p256())), 'a JWK without the member d, which is no private key'],
    [
      'a symmetric JWK',
      JSON.stringify({ kty: 'oct', k: 'AAAA' }),
      'a JWK without the member d, which is no private key',
    ],
    ['a JWK that is none', JSON.stringify({ kty: 'EC', crv: 'P-256', d: 'AAAA' }), 'a key that cannot be read'],
    [
      'halves of two keys',
      JSON.stringify({ ...p256().export({ format: 'jwk' }), d: p256().export({ format: 'jwk' }).d }),
      'a private key with the public half of another one',
    ],
    ['broken JSON', '{"kty":', 'a key that cannot be read'],
    ['something else', 'hello', 'neither a private key in PEM nor a JWK'],
    ['a broken PEM', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'a key that cannot be read'],
    ['nothing', '', 'an empty file'],
    ['empty lines', '\n \n', 'an empty file'],
    ['both halves of a key', pem(p256()) + publicPem(p256()), 'more than one key; a file has one'],
    ['both halves, the public one first', publicPem(p256()) + pem(p256()), 'more than one key; a file has one'],
    ['two private keys', pem(p256()) + pem(p256()), 'more than one key; a file has one'],
  ])('refuses %s', (_title, text, message) => {
    const read = () => parseSigningKey(text);
    expect(read).toThrow(UnusableKeyError);
    expect(read).toThrow(message);
  });
});

describe('parsePublishedKey', () => {
  it.each(KINDS)('reads the public half of a key of the kind %s, private or public', (_kind, key) => {
    const { jwk: listed, kid } = parseSigningKey(pem(key));
    for (const text of [pem(key), jwk(key), publicPem(key), jwk(createPublicKey(key))]) {
      expect(parsePublishedKey(text)).toEqual({ jwk: listed, kid });
    }
  });

  it.each([
    ['nothing', '', 'an empty file'],
    ['two public keys', publicPem(p256()) + publicPem(p256()), 'more than one key; a file has one'],
    ['a shorter RSA key', publicPem(rsa(1024)), 'an RSA key of 1024 bits; receipts need 2048 or more'],
    ['something else', 'hello', 'neither a private key in PEM nor a JWK'],
    [
      'a public JWK that is none',
      JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }),
      'a key that cannot be read',
    ],
  ])('refuses %s', (_title, text, message) => {
    const read = () => parsePublishedKey(text);
    expect(read).toThrow(UnusableKeyError);
    expect(read).toThrow(message);
  });
});
