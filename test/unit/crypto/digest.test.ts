import { expect, it } from 'vitest';
import { hex } from '../../../src/core/bytes.js';
import { digest, hashed, sha256, sha384, sha512, textDigest } from '../../../src/crypto/digest.js';

const abc = Buffer.from('abc');
// FIPS 180-4, the examples of its secure hash standard page
const SHA256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const SHA384 = 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7';
const SHA512 =
  'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f';

it('computes SHA-256, SHA-384 and SHA-512 over parts one after the other', () => {
  expect(hex(sha256(abc))).toBe(SHA256);
  expect(hex(sha384(abc))).toBe(SHA384);
  expect(hex(sha256(abc.subarray(0, 1), new Uint8Array(), abc.subarray(1)))).toBe(SHA256);
  expect(hex(sha512(abc.subarray(0, 2), abc.subarray(2)))).toBe(SHA512);
  expect(hex(digest('sha384', [abc.subarray(0, 2), abc.subarray(2)]))).toBe(SHA384);
});

it('writes hex of a view, in lower case', () => {
  expect(hex(Uint8Array.from([0, 0xab, 0x0c, 0]).subarray(1, 3))).toBe('ab0c');
});

it('computes SHA-256 of a text in UTF-8, and beside a DER object', () => {
  expect(textDigest('abc')).toBe(SHA256);
  expect(textDigest('é')).toBe(hex(sha256(Uint8Array.of(0xc3, 0xa9))));
  expect(hashed(abc)).toEqual({ der: abc, sha256: SHA256 });
});
