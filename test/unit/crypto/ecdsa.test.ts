import { sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CURVES } from '../../../src/crypto/curve.js';
import { lowS, rawEcdsa, verifyEcdsa, verifyP256 } from '../../../src/crypto/ecdsa.js';
import { publicKeyOf } from '../../../src/crypto/key-cache.js';
import { readEcdsaSignature } from '../../../src/formats/ecdsa-signature.js';
import { newEcKey } from '../../lab/lab-keys.js';
import { haveVectors } from '../../vectors.js';
import { certificate } from '../small-pki.js';
import { bytes, disagreements, keyOf, wycheproof } from './wycheproof.js';

const DATA = Buffer.from('data');
const NAMES = { 'P-256': 'prime256v1', 'P-384': 'secp384r1' } as const;
const HASHES = { 'P-256': 'sha256', 'P-384': 'sha384' } as const;
const CASES = ['P-256', 'P-384'] as const;

function signed(curve: 'P-256' | 'P-384') {
  const key = newEcKey(NAMES[curve]);
  const options = { key: key.privateKey, dsaEncoding: 'ieee-p1363' } as const;
  const signature = new Uint8Array(sign(HASHES[curve], DATA, options));
  return { key: publicKeyOf(certificate('leaf', { spki: key.spki })), signature };
}

const numberOctets = (value: bigint, octets: number) =>
  Buffer.from(value.toString(16).padStart(2 * octets, '0'), 'hex');
const raw = (curve: 'P-256' | 'P-384', r: bigint, s: bigint) =>
  new Uint8Array(Buffer.concat([r, s].map((value) => numberOctets(value, CURVES[curve].octets))));
const integer = (value: Uint8Array) => BigInt(`0x${Buffer.from(value).toString('hex')}`);

describe.each(CASES)('verifyEcdsa on %s', (curve) => {
  const { key, signature } = signed(curve);
  const { n, octets } = CURVES[curve];
  const r = integer(signature.subarray(0, octets));
  const s = integer(signature.subarray(octets));
  const verify = (value: Uint8Array, data: Uint8Array = DATA) => verifyEcdsa(curve, HASHES[curve], data, value, key);

  it('verifies a signature, and that with n - s', async () => {
    expect(await verify(signature)).toBe(true);
    expect(await verify(raw(curve, r, n - s))).toBe(true);
  });

  it('does not verify one over other data, or under another key', async () => {
    expect(await verify(signature, Buffer.from('datb'))).toBe(false);
    expect(await verifyEcdsa(curve, HASHES[curve], DATA, signature, signed(curve).key)).toBe(false);
  });

  it.each([
    ['r of 0', 0n, s],
    ['s of 0', r, 0n],
    ['both 0', 0n, 0n],
    ['r of n', n, s],
    ['s of n', r, n],
    ['r of n + 1', n + 1n, s],
    ['s of n + 1', r, n + 1n],
    ['r of all ones', 2n ** BigInt(8 * octets) - 1n, s],
    ['s of all ones', r, 2n ** BigInt(8 * octets) - 1n],
    ['r and s exchanged', s, r],
  ])('SNP-04 does not verify %s', async (_what, left, right) => {
    expect(await verify(raw(curve, left, right))).toBe(false);
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['a byte less', signature.subarray(1)],
    ['a byte more', Buffer.concat([signature, Buffer.from([0])])],
    ['half of it', signature.subarray(octets)],
  ])('does not verify %s', async (_what, value) => {
    expect(await verify(value)).toBe(false);
  });

  it('does not verify under a key on another curve', async () => {
    const other = signed(curve === 'P-256' ? 'P-384' : 'P-256');
    expect(await verifyEcdsa(curve, HASHES[curve], DATA, signature, other.key)).toBe(false);
  });

  it('does not verify a signature on another curve, by a key on it', async () => {
    const other = curve === 'P-256' ? 'P-384' : 'P-256';
    const { key: itsKey, signature: itsSignature } = signed(other);
    expect(await verifyEcdsa(other, HASHES[other], DATA, itsSignature, itsKey)).toBe(true);
    expect(await verifyEcdsa(curve, HASHES[other], DATA, itsSignature, itsKey)).toBe(false);
  });

  it('SNP-05 gives the same low form for s and n - s', () => {
    const low = lowS(curve, raw(curve, r, s));
    expect(low).toEqual(lowS(curve, raw(curve, r, n - s)));
    expect(lowS(curve, low)).toBe(low);
    expect(integer(low.subarray(0, octets))).toBe(r);
    expect([s, n - s]).toContain(integer(low.subarray(octets)));
    expect(2n * integer(low.subarray(octets)) < n).toBe(true);
  });

  it('writes two numbers as r and s, each as long as the field', () => {
    const full = new Uint8Array(octets).fill(7);
    expect(rawEcdsa({ r: full, s: full }, curve)).toEqual(new Uint8Array(2 * octets).fill(7));
    expect(rawEcdsa({ r: Uint8Array.of(1), s: Uint8Array.of(2, 3) }, curve)).toEqual(raw(curve, 1n, 0x203n));
    expect(rawEcdsa({ r: new Uint8Array(), s: new Uint8Array() }, curve)).toEqual(raw(curve, 0n, 0n));
  });

  it('writes no number that is longer than the field', () => {
    const [full, long] = [new Uint8Array(octets), new Uint8Array(octets + 1)];
    expect(rawEcdsa({ r: long, s: full }, curve)).toBeNull();
    expect(rawEcdsa({ r: full, s: long }, curve)).toBeNull();
  });

  it.each([0n, n, n + 1n])('leaves an s of %s as it is', (value) => {
    expect(lowS(curve, raw(curve, 1n, value))).toEqual(raw(curve, 1n, value));
  });

  it('leaves an s of half the order as it is', () => {
    const half = raw(curve, 1n, n / 2n);
    expect(lowS(curve, half)).toBe(half);
  });

  it.each([0, 1, octets, 2 * octets - 1, 2 * octets + 1])(
    'leaves %i bytes, which are no signature, as they are',
    (length) => {
      const value = new Uint8Array(length).fill(0xfe);
      expect(lowS(curve, value)).toBe(value);
    },
  );
});

describe('constants', () => {
  // The order of a curve has the size of its field (Hasse), and is a prime: Fermat's test to base 2
  it.each(CASES)('%s has an order that is a prime near that of the field', (curve) => {
    const { n, p, octets } = CURVES[curve];
    const distance = p + 1n - n;
    expect(distance * distance <= 4n * p).toBe(true);
    expect(n.toString(16)).toHaveLength(2 * octets);
    let power = 1n;
    for (const bit of (n - 1n).toString(2)) power = (power * power * (bit === '1' ? 2n : 1n)) % n;
    expect(power).toBe(1n);
  });
});

describe('readEcdsaSignature', () => {
  it('reads numbers of any length up to that of the field', () => {
    expect(readEcdsaSignature(bytes('3006020101020102'), 4)).toEqual(bytes('0000000100000002'));
    expect(readEcdsaSignature(bytes('300a02040102030402020080'), 4)).toEqual(bytes('0102030400000080'));
  });

  it.each([
    ['nothing', ''],
    ['no number', '3000'],
    ['one number', '3003020101'],
    ['three numbers', '3009020101020101020101'],
    ['a negative number', '30060201010201ff'],
    ['a number that is too large', '300b0205010203040502020080'],
    ['a byte after it', '300602010102010100'],
    ['a set', '3106020101020101'],
  ])('has null for %s', (_what, hex) => {
    expect(readEcdsaSignature(bytes(hex), 4)).toBeNull();
  });
});

describe.skipIf(!haveVectors)('wycheproof', () => {
  it('verifies P-384 with SHA-384 in IEEE P1363 form as it should', async () => {
    const groups = wycheproof('ecdsa_secp384r1_sha384_p1363_test.json');
    const { wrong, count } = await disagreements(groups, ({ msg, sig }, group) =>
      verifyEcdsa('P-384', 'sha384', bytes(msg), bytes(sig), keyOf(group)),
    );
    expect(wrong).toEqual([]);
    expect(count).toEqual({ valid: 193, invalid: 87, acceptable: 0 });
  });

  it('verifies P-256 with SHA-256 in IEEE P1363 form as it should', async () => {
    const groups = wycheproof('ecdsa_secp256r1_sha256_p1363_test.json');
    const { wrong, count } = await disagreements(groups, ({ msg, sig }, group) =>
      verifyEcdsa('P-256', 'sha256', bytes(msg), bytes(sig), keyOf(group)),
    );
    expect(wrong).toEqual([]);
    expect(count).toEqual({ valid: 173, invalid: 89, acceptable: 0 });
  });

  it('verifies P-256 with SHA-256 in DER form as it should', async () => {
    const groups = wycheproof('ecdsa_secp256r1_sha256_test.json');
    const { wrong, count } = await disagreements(groups, ({ msg, sig }, group) => {
      const rawRS = readEcdsaSignature(bytes(sig), 32);
      return rawRS !== null && verifyP256('sha256', bytes(msg), rawRS, keyOf(group));
    });
    expect(wrong).toEqual([]);
    expect(count).toEqual({ valid: 174, invalid: 310, acceptable: 0 });
  });
});
