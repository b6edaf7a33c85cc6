import { hex } from '../core/bytes.js';
import type { RsaPublicKey } from '../core/rsa-public-key.js';
import { modulusBits } from './public-key.js';

/** A larger modulus makes verification slow, and no issuer signs tokens with one. */
const MAXIMUM_BITS = 8192;
const MINIMUM_BITS = 2048;
/** Trust Authority's keys for PS384 are of 3072 bits or more. */
const MINIMUM_PS384_BITS = 3072;
/** FIPS 186-5, A.1.1: over 2^16. With a small exponent and lax padding checks, an attacker can forge signatures. */
const MINIMUM_EXPONENT = 65_537;
const MAXIMUM_EXPONENT = 0x1_0000_0000;

/**
 * Returns why an RSA key is too weak, or too large, to verify tokens; null if it is suitable.
 * @param alg `alg` of its JWK; null if it has none
 */
export function weaknessOf({ n, e }: RsaPublicKey, alg: string | null): string | null {
  const bits = modulusBits(n);
  const minimum = alg === 'PS384' ? MINIMUM_PS384_BITS : MINIMUM_BITS;
  if (bits < minimum) return `modulus of ${bits} bits, expected ${minimum} or more`;
  if (bits > MAXIMUM_BITS) return `modulus of ${bits} bits, expected ${MAXIMUM_BITS} at most`;
  if (((n.at(-1) ?? 0) & 1) === 0) return 'modulus is even';
  const exponent = e.byteLength > 5 ? Number.POSITIVE_INFINITY : e.reduce((sum, octet) => sum * 256 + octet, 0);
  if (exponent < MINIMUM_EXPONENT || exponent > MAXIMUM_EXPONENT) return 'exponent is too small or too large';
  if (exponent % 2 === 0) return 'exponent is even';
  return isFactorable(n) ? 'modulus can be factored (ROCA)' : null;
}

/**
 * The odd primes up to 167, each with the powers of 65537 modulo it. The modulus of a key of Infineon's
 * library of 2012 to 2017 is such a power modulo each prime (CVE-2017-15361).
 */
const POWERS: readonly (readonly [prime: bigint, powers: ReadonlySet<bigint>])[] = Array.from(
  { length: 165 },
  (_, index) => BigInt(index + 3),
)
  .filter(isPrime)
  .map((prime) => [prime, powersOf65537(prime)]);

/** Whether the modulus may be factorable. One in more than 2^27 sound moduli looks alike, and is rejected too. */
function isFactorable(n: Uint8Array): boolean {
  const modulus = BigInt(`0x${hex(n)}`);
  return POWERS.every(([prime, powers]) => powers.has(modulus % prime));
}

function isPrime(number: bigint): boolean {
  for (let divisor = 2n; divisor * divisor <= number; divisor++) if (number % divisor === 0n) return false;
  return true;
}

function powersOf65537(prime: bigint): ReadonlySet<bigint> {
  const powers = new Set<bigint>();
  for (let power = 1n; !powers.has(power); power = (power * 65_537n) % prime) powers.add(power);
  return powers;
}
