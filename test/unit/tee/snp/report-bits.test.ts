import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../src/core/errors.js';
import { createSnpGuest, flipBit } from '../../../lab/index.js';
import { expectMalformed, expectVerified, failed, NONCE, PKI, verifySnp } from '../fixture.js';

const guest = createSnpGuest({ pki: PKI });
const genuine = guest.evidence({ nonce: NONCE });

const PARSE_CODES = ['snp_format', 'snp_reserved', 'snp_policy'];
/** KEY_INFO bit 2: the report then says that a VLEK signed it, and the VCEK is not used on it at all. */
const SIGNER_BIT = { offset: 0x48, bit: 2 };

function codeOfChangedBit(offset: number, bit: number): string {
  return offset === SIGNER_BIT.offset && bit === SIGNER_BIT.bit ? 'snp_key_kind' : 'snp_signature';
}

function isParseCodeAlone(outcome: readonly string[]): boolean {
  return outcome.length === 1 && PARSE_CODES.includes(outcome[0] ?? '');
}

async function outcomeOf(report: Uint8Array): Promise<readonly string[]> {
  try {
    return failed(await verifySnp({ ...genuine, report }));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return [error.code];
  }
}

describe('bits of a report', () => {
  it('verifies with none changed', async () => {
    expectVerified(await verifySnp(genuine, { nonce: NONCE }));
  });

  it('SNP-02 rejects each bit changed in the signed part', { timeout: 120_000 }, async () => {
    let parsed = 0;
    for (let offset = 0; offset < 0x2a0; offset++) {
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, bit) => outcomeOf(flipBit(genuine.report, offset, bit))),
      );
      for (const [bit, outcome] of outcomes.entries()) {
        const place = `bit ${bit} of 0x${offset.toString(16)}`;
        if (isParseCodeAlone(outcome)) continue;
        parsed++;
        expect(outcome, place).toContain(codeOfChangedBit(offset, bit));
      }
    }
    expect(parsed).toBeGreaterThan(2000);
  });

  it('SNP-03 rejects each bit changed beside R and S', async () => {
    const places = [...range(0x2d0, 0x2e8), ...range(0x318, 0x4a0)];
    expect(places).toHaveLength(416);
    for (const offset of places) {
      for (let bit = 0; bit < 8; bit++) {
        expect(await outcomeOf(flipBit(genuine.report, offset, bit))).toEqual(['snp_reserved']);
      }
    }
  });

  it('SNP-03 names the report in the request', async () => {
    const report = flipBit(genuine.report, 0x49f);
    await expectMalformed(verifySnp({ ...genuine, report }), 'snp_reserved', '/evidence/report');
  });

  it('rejects each bit changed in R and S', async () => {
    for (const offset of [0x2a0, 0x2b8, 0x2cf, 0x2e8, 0x300, 0x317]) {
      for (let bit = 0; bit < 8; bit++) {
        expect(await outcomeOf(flipBit(genuine.report, offset, bit))).toEqual(['snp_signature']);
      }
    }
  });
});

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
