import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ecPublicKey, keptKey, publicKeyOf, rsaPublicKey, spkiDigest } from '../../../src/crypto/key-cache.js';
import { oid } from '../../lab/der-writer.js';
import { type LabKey, namedRsaKey, newEcKey } from '../../lab/lab-keys.js';
import { ecSpki } from '../../lab/pki.js';
import { certificate, KEYS, pinOf } from '../small-pki.js';

const certified = (key: LabKey) => certificate('leaf', { spki: key.spki });

describe('publicKeyOf', () => {
  it.each([
    ['RSA', namedRsaKey('small-rsa', 2048)],
    ['P-256', newEcKey('prime256v1')],
    ['P-384', newEcKey('secp384r1')],
  ])('imports an %s key', (_what, key) => {
    expect(publicKeyOf(certified(key)).equals(createPublicKey(key.privateKey))).toBe(true);
  });

  it('imports a key once, whatever certificate it comes in', () => {
    const key = newEcKey('secp384r1');
    const again = certificate('leaf', { spki: key.spki, serial: 99 });
    expect(publicKeyOf(again)).toBe(publicKeyOf(certified(key)));
    expect(publicKeyOf(certified(newEcKey('secp384r1')))).not.toBe(publicKeyOf(again));
  });

  it('throws for keys that a path check refuses', () => {
    const offCurve = ecSpki(oid('1.3.132.0.34'), Buffer.alloc(97, 4));
    expect(() => publicKeyOf(certificate('leaf', { spki: offCurve }))).toThrow();
    expect(() => publicKeyOf(certified(newEcKey('secp224r1')))).toThrow('kind that is not supported');
  });
});

describe('rsaPublicKey', () => {
  it('imports modulus and exponent once', () => {
    const { publicKey } = certified(namedRsaKey('small-rsa', 2048));
    if (publicKey.kind !== 'rsa') throw new Error('not an rsa key');
    const numbers = { n: publicKey.modulus, e: publicKey.exponent };
    expect(rsaPublicKey(numbers).equals(createPublicKey(namedRsaKey('small-rsa', 2048).privateKey))).toBe(true);
    expect(rsaPublicKey({ ...numbers })).toBe(rsaPublicKey(numbers));
  });

  it('tells keys apart whose numbers have the same digits in another place', () => {
    const n = Buffer.from(`c1${'00'.repeat(126)}0101`, 'hex');
    const one = rsaPublicKey({ n, e: Buffer.from('03', 'hex') });
    const other = rsaPublicKey({ n: n.subarray(0, -1), e: Buffer.from('0103', 'hex') });
    expect(one.equals(other)).toBe(false);
  });
});

describe('ecPublicKey', () => {
  it.each(['prime256v1', 'secp384r1'] as const)('imports a point on %s once', (curve) => {
    const { privateKey, spki } = newEcKey(curve);
    const { publicKey } = certified({ privateKey, spki });
    if (publicKey.kind !== 'ec') throw new Error('not an ec key');
    expect(ecPublicKey(publicKey).equals(createPublicKey(privateKey))).toBe(true);
    expect(ecPublicKey({ ...publicKey })).toBe(ecPublicKey(publicKey));
  });

  it('throws for a point that is not on the curve', () => {
    const [x, y] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    expect(() => ecPublicKey({ kind: 'ec', curve: 'P-256', x, y })).toThrow();
  });
});

describe('keptKey', () => {
  it('imports the key of a certificate once', () => {
    const key = newEcKey('secp384r1');
    const take = keptKey(certified(key));
    expect(take().equals(createPublicKey(key.privateKey))).toBe(true);
    expect(take()).toBe(take());
  });
});

describe('spkiDigest', () => {
  it('is the SHA-256 of the key info', () => {
    expect(spkiDigest(certified(KEYS.leaf))).toBe(pinOf(KEYS.leaf));
  });
});

describe('keys that are kept', () => {
  it('REQ-20 stay within a bound in bytes, the keys of 8192 bits included', () => {
    const large = (number: number) => {
      const n = Buffer.alloc(1024, 0xa5);
      n.writeUInt32BE(number, 4);
      return rsaPublicKey({ n, e: Buffer.from('010001', 'hex') });
    };
    const imported = Array.from({ length: 500 }, (_, number) => large(number));
    // from the newest on: the first that is another object was driven out, and so were all before it
    const kept = 499 - imported.findLastIndex((key, number) => large(number) !== key);
    // 4 MiB, at 12 KB each
    expect(kept).toBeGreaterThan(300);
    expect(kept).toBeLessThanOrEqual(341);
  });
});
