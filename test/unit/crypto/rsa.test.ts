import { constants, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { rsaPublicKey } from '../../../src/crypto/key-cache.js';
import { verifyRsaPkcs1, verifyRsaPss } from '../../../src/crypto/rsa.js';
import { namedRsaKey, newEcKey } from '../../lab/lab-keys.js';
import { haveVectors } from '../../vectors.js';
import { bytes, disagreements, keyOf, wycheproof } from './wycheproof.js';

const DATA = Buffer.from('data');
const lab = namedRsaKey('small-rsa', 2048);
const key = createPublicKey(lab.privateKey);
const other = createPublicKey(namedRsaKey('small-other', 2048).privateKey);
const pss = (hash: string, saltLength: number) =>
  sign(hash, DATA, { key: lab.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });

describe('verifyRsaPkcs1', () => {
  const signature = sign('sha256', DATA, lab.privateKey);
  const verify = (value: Uint8Array, under: KeyObject = key) => verifyRsaPkcs1('sha256', DATA, value, under);

  it('verifies a signature', () => {
    expect(verify(signature)).toBe(true);
  });

  it('verifies nothing else', () => {
    expect(verifyRsaPkcs1('sha256', Buffer.from('datb'), signature, key)).toBe(false);
    expect(verifyRsaPkcs1('sha384', DATA, signature, key)).toBe(false);
    expect(verify(signature, other)).toBe(false);
    expect(verify(pss('sha256', 32))).toBe(false);
    expect(verify(signature, createPublicKey(newEcKey('prime256v1').privateKey))).toBe(false);
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['a byte less', signature.subarray(0, -1)],
    ['a zero byte before it', Buffer.concat([Buffer.from([0]), signature])],
    ['a zero byte after it', Buffer.concat([signature, Buffer.from([0])])],
    ['all ones', Buffer.alloc(256, 0xff)],
    ['zero', Buffer.alloc(256)],
  ])('TPM-08 does not verify %s', (_what, value) => {
    expect(verify(value)).toBe(false);
  });
});

describe('verifyRsaPss', () => {
  it('verifies a signature with exactly the salt length', () => {
    expect(verifyRsaPss('sha384', 48, DATA, pss('sha384', 48), key)).toBe(true);
    expect(verifyRsaPss('sha256', 0, DATA, pss('sha256', 0), key)).toBe(true);
  });

  it.each([0, 20, 32, 47, 49])('does not verify one with salt length %i in place of 48', (saltLength) => {
    expect(verifyRsaPss('sha384', 48, DATA, pss('sha384', saltLength), key)).toBe(false);
  });

  it('does not verify one with another hash, of another scheme, under another key, or of another length', () => {
    expect(verifyRsaPss('sha384', 48, DATA, pss('sha256', 48), key)).toBe(false);
    expect(verifyRsaPss('sha384', 48, DATA, sign('sha384', DATA, lab.privateKey), key)).toBe(false);
    expect(verifyRsaPss('sha384', 48, DATA, pss('sha384', 48), other)).toBe(false);
    expect(verifyRsaPss('sha384', 48, DATA, pss('sha384', 48).subarray(1), key)).toBe(false);
    expect(verifyRsaPss('sha384', 48, DATA, Buffer.concat([pss('sha384', 48), Buffer.from([0])]), key)).toBe(false);
  });
});

describe.skipIf(!haveVectors)('wycheproof', () => {
  it('verifies PKCS#1 v1.5 with SHA-256 as it should', async () => {
    const groups = wycheproof('rsa_signature_2048_sha256_test.json');
    const { wrong, count } = await disagreements(groups, ({ msg, sig }, group) =>
      verifyRsaPkcs1('sha256', bytes(msg), bytes(sig), keyOf(group)),
    );
    expect(wrong).toEqual([]);
    expect(count).toEqual({ valid: 9, invalid: 249, acceptable: 1 });
  });

  it('verifies PSS with SHA-384 and salt 48 as it should, the key given as two numbers', async () => {
    const groups = wycheproof('rsa_pss_4096_sha384_mgf1_48_test.json');
    const { wrong, count } = await disagreements(groups, ({ msg, sig }, group) => {
      const { n = '', e = '' } = keyOf(group).export({ format: 'jwk' });
      const numbers = { n: Buffer.from(n, 'base64url'), e: Buffer.from(e, 'base64url') };
      return verifyRsaPss('sha384', 48, bytes(msg), bytes(sig), rsaPublicKey(numbers));
    });
    expect(wrong).toEqual([]);
    expect(count).toEqual({ valid: 95, invalid: 46, acceptable: 0 });
  });
});
