import { describe, expect, it } from 'vitest';
import { readChain } from '../../../../../src/tee/snp/amd/chain.js';
import { isVcekOf, readVek } from '../../../../../src/tee/snp/amd/vek.js';
import { createSnpGuest } from '../../../../lab/index.js';
import { FOREIGN_PKI, PKI } from '../../fixture.js';

const MILAN = { product: 'Milan', signingKey: 'vcek' } as const;
const PEM = PKI.chainPem('Milan');

describe('a chain of AMD', () => {
  it('is of its line', () => {
    expect(readChain(PEM, MILAN, PKI.pins())).toMatchObject(MILAN);
  });

  it.each([
    ['one certificate', PEM.slice(PEM.lastIndexOf('-----BEGIN')), 'chain is not two certificates'],
    ['three certificates', `${PEM}${PEM.slice(PEM.lastIndexOf('-----BEGIN'))}`, 'chain is not two certificates'],
    ['a chain of another line', PKI.chainPem('Genoa'), 'chain is for another product line'],
    ['a chain for VLEKs', PKI.chainPem('Milan', 'vlek'), 'chain is for another product line'],
    ['a chain below a root that is not pinned', FOREIGN_PKI.chainPem('Milan'), 'root is not pinned'],
  ])('is refused as %s', (_, pem, problem) => {
    expect(() => readChain(pem, MILAN, PKI.pins())).toThrow(problem);
  });
});

describe('a VCEK', () => {
  const { platform } = createSnpGuest({ pki: PKI, part: 'Turin' });
  const vek = readVek(platform.vek.der, PKI.pins());
  const tcb = {};

  it('is of the chip whose id it certifies, and of no other', () => {
    const chipId = platform.chipId.slice(0, 8);
    expect(isVcekOf(vek, { product: 'Turin', chipId, tcb: tcb as never })).toBe(true);
    expect(isVcekOf(vek, { product: 'Turin', chipId: platform.chipId, tcb: tcb as never })).toBe(false);
    chipId[7] = 0;
    expect(isVcekOf(vek, { product: 'Turin', chipId, tcb: tcb as never })).toBe(false);
  });

  it('is of no line that has no pins', () => {
    expect(() => readVek(platform.vek.der, PKI.pins(['Milan', 'Genoa']))).toThrow(/not a VCEK or VLEK of AMD/);
  });
});
