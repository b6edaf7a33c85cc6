import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/core/errors.js';
import type { TdxCollateral } from '../../src/core/evidence.js';
import { parsePemCertificates } from '../../src/formats/pem.js';
import { DcapTdQuoteVerifier } from '../../src/tee/tdx/td-quote-verifier.js';
import { flipBit } from '../lab/byte-patch.js';
import { pemOf } from '../lab/pki.js';
import { collateralOf, quoteFileOf } from '../real-tdx-evidence.js';
import { haveVectors, readVector, vector } from '../vectors.js';

const ABOUT = { quote: '/evidence/quote', collateral: '/evidence/collateral' };
const verifier = new DcapTdQuoteVerifier({});
/** All bits take a minute: without the variable every seventh, which meets each position in a byte. */
const STRIDE = process.env['VERITEE_EVERY_BIT'] === '1' ? 1 : 7;
const AT = new Date('2025-07-01T12:00:00Z');

/** Whether every check that a quote must have passed; a malformed one is refused. */
async function holds(quote: Uint8Array, collateral: TdxCollateral): Promise<boolean> {
  const endorsements = { snp: null, tdx: { value: collateral, origin: 'evidence' } } as const;
  try {
    const found = verifier.open(quote, null, ABOUT).verify({ at: AT, endorsements });
    return found.claims !== null && found.checks.every(({ result }) => result === 'pass');
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** A member of collateral as bytes, after its PEM or hex was decoded. */
interface Part {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly replace: (bytes: Uint8Array) => TdxCollateral;
}

function partsOf(collateral: TdxCollateral): readonly Part[] {
  const texts = (['tcbInfo', 'qeIdentity'] as const).map((name) => ({
    name,
    bytes: Uint8Array.from(Buffer.from(collateral[name], 'utf8')),
    replace: (bytes: Uint8Array) => ({ ...collateral, [name]: Buffer.from(bytes).toString('latin1') }),
  }));
  const binary = (['tcbInfoSignature', 'qeIdentitySignature', 'pckCrl', 'rootCaCrl'] as const).map((name) => ({
    name,
    bytes: collateral[name],
    replace: (bytes: Uint8Array) => ({ ...collateral, [name]: bytes }),
  }));
  const chains = (['tcbInfoIssuerChain', 'qeIdentityIssuerChain', 'pckCrlIssuerChain'] as const).flatMap((name) => {
    const ders = parsePemCertificates(collateral[name], 'cert_chain');
    return ders.map((bytes, index) => ({
      name: `${name} ${index}`,
      bytes,
      replace: (changed: Uint8Array) => ({
        ...collateral,
        [name]: pemOf(...ders.map((der, position) => (position === index ? changed : der))),
      }),
    }));
  });
  return [...texts, ...binary, ...chains];
}

describe.skipIf(!haveVectors)('a real quote and its collateral with any bit flipped', () => {
  const quote = () => readVector(quoteFileOf(vector('tdx-v4-b0c06f')));
  const collateral = () => collateralOf(readVector('collateral/collateral-b0c06f-2025-06.json'));

  it('hold as they are', async () => {
    expect(await holds(quote(), collateral())).toBe(true);
  });

  it('bits of the quote', { timeout: 300_000 }, async () => {
    const [bytes, genuine] = [quote(), collateral()];
    const held: number[] = [];
    for (let bit = 0; bit < bytes.byteLength * 8; bit += STRIDE) {
      if (await holds(flipBit(bytes, bit >> 3, bit & 7), genuine)) held.push(bit);
    }
    expect(held).toEqual([]);
  });

  it.each(haveVectors ? partsOf(collateral()) : [])('bits of $name', { timeout: 300_000 }, async (part) => {
    const bytes = quote();
    expect(await holds(bytes, part.replace(part.bytes))).toBe(true);
    const held: number[] = [];
    for (let bit = 0; bit < part.bytes.byteLength * 8; bit += STRIDE) {
      if (await holds(bytes, part.replace(flipBit(part.bytes, bit >> 3, bit & 7)))) held.push(bit);
    }
    expect(held).toEqual([]);
  });
});
