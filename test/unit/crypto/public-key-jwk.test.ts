import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { publicJwkOf } from '../../../src/crypto/public-key-jwk.js';

const spkiOf = (key: KeyObject) => key.export({ format: 'der', type: 'spki' });
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).publicKey;
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).publicKey;

describe('the JWK of a public key', () => {
  it.each([
    ['P-256', ec('P-256')],
    ['P-384', ec('P-384')],
    ['P-521', ec('P-521')],
    ['RSA of 2048 bits', rsa(2048)],
  ])('is that of %s', (_name, key) => {
    expect(publicJwkOf(spkiOf(key))).toEqual(key.export({ format: 'jwk' }));
  });

  it.each([
    ['RSA of 1024 bits', rsa(1024)],
    ['secp256k1', ec('secp256k1')],
    ['Ed25519', generateKeyPairSync('ed25519').publicKey],
    ['RSASSA-PSS', generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey],
  ])('is none of %s', (_name, key) => {
    expect(publicJwkOf(spkiOf(key))).toBeNull();
  });

  it('is none of other bytes, nor of a key that is cut or has bytes behind it', () => {
    const spki = spkiOf(ec('P-256'));
    for (const bytes of [
      new Uint8Array(),
      new Uint8Array(64),
      spki.subarray(0, -1),
      Buffer.concat([spki, Buffer.alloc(1)]),
    ]) {
      expect(publicJwkOf(bytes)).toBeNull();
    }
  });
});
