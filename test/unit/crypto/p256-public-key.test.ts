import { sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifyP256 } from '../../../src/crypto/ecdsa.js';
import { p256PublicKey } from '../../../src/crypto/key-cache.js';
import { newEcKey } from '../../lab/lab-keys.js';

describe('a P-256 key given by its point', () => {
  it('verifies what its private key has signed', () => {
    const { privateKey, spki } = newEcKey('prime256v1');
    const data = Buffer.from('signed');
    const signature = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const key = p256PublicKey(spki.slice(-64));
    expect(key !== null && verifyP256('sha256', data, signature, key)).toBe(true);
    expect(key !== null && verifyP256('sha256', Buffer.from('other'), signature, key)).toBe(false);
  });

  it('is none where the point is not on the curve, or a coordinate is no element of its field', () => {
    expect(p256PublicKey(new Uint8Array(64))).toBeNull();
    expect(p256PublicKey(new Uint8Array(64).fill(0xff))).toBeNull();
    expect(p256PublicKey(newEcKey('prime256v1').spki.slice(-64).reverse())).toBeNull();
  });
});
