import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { weaknessOf } from '../../../src/formats/rsa-strength.js';
import { namedRsaKey } from '../../lab/lab-keys.js';

const E = Uint8Array.of(1, 0, 1);

/** An odd number of 2048 bits that is the same power of 65537 modulo every small prime, as factors of weak keys are. */
function patterned(skipped: bigint | null): Uint8Array {
  const primes = Array.from({ length: 166 }, (_, index) => BigInt(index + 2)).filter((number) =>
    Array.from({ length: 12 }, (_, index) => BigInt(index + 2)).every((d) => d >= number || number % d !== 0n),
  );
  const product = primes.reduce((all, prime) => all * prime, 1n);
  let number = 65_537n ** 23n % product;
  number += product * ((1n << 2047n) / product + 1n);
  // one step leaves all but one of the residues as they are
  if (skipped !== null) number += product / skipped;
  return Buffer.from(number.toString(16), 'hex');
}

describe('weaknessOf', () => {
  it('finds none in a key as it should be', () => {
    const { n = '' } = createPublicKey(namedRsaKey('small-rsa', 2048).privateKey).export({ format: 'jwk' });
    expect(weaknessOf({ n: Buffer.from(n, 'base64url'), e: E }, null)).toBeNull();
  });

  it('TOK-12 finds a modulus whose factors can be found', () => {
    expect(weaknessOf({ n: patterned(null), e: E }, null)).toContain('factored');
    // modulo 11, the powers of 65537 are 1 and 10
    expect(weaknessOf({ n: patterned(11n), e: E }, null)).toBeNull();
  });
});
