import { describe, expect, it } from 'vitest';
import { fromHex, hex } from '../../../src/core/bytes.js';
import * as inNode from '../../../src/crypto/digest.js';
import * as inBrowsers from '../../../src/inspector/browser-digest.js';

/** The build takes one in place of the other. */
const same: typeof inNode = inBrowsers;

/** FIPS 180-4, of "abc". */
const OF_ABC = {
  sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  sha384: 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  sha512:
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
} as const;
const NAMES = Object.keys(OF_ABC) as readonly (keyof typeof OF_ABC)[];

const abc = [fromHex('61'), new Uint8Array(), fromHex('6263')];
const long = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256);

describe.each([
  ['of Node', inNode],
  ['of browsers', same],
])('digests %s', (_whose, digests) => {
  it.each(NAMES)('are those of FIPS 180-4: %s', (name) => {
    expect(hex(digests.digest(name, abc))).toBe(OF_ABC[name]);
    expect(hex(digests.digest(name, [long.subarray(1)]))).toBe(hex(inNode.digest(name, [long.subarray(1)])));
  });

  it('have names of their own', () => {
    expect(hex(digests.sha256(...abc))).toBe(OF_ABC.sha256);
    expect(hex(digests.sha384(...abc))).toBe(OF_ABC.sha384);
    expect(hex(digests.sha512(...abc))).toBe(OF_ABC.sha512);
  });

  it('are of texts in UTF-8, and of certificates beside their bytes', () => {
    expect(digests.textDigest('abc')).toBe(OF_ABC.sha256);
    expect(digests.textDigest('\u20ac')).toBe(hex(inNode.sha256(fromHex('e282ac'))));
    expect(digests.hashed(long)).toEqual({ der: long, sha256: hex(inNode.sha256(long)) });
  });
});
