import { describe, expect, it } from 'vitest';
import { hex } from '../../../../../src/core/bytes.js';
import { UnfitError } from '../../../../../src/core/errors.js';
import { carriedChains, carriedChainsOf } from '../../../../../src/tee/snp/amd/chain.js';
import { lineName } from '../../../../../src/tee/snp/amd/issuers.js';
import { AMD_ROOT_PINS, CARRIED_CERTIFICATES } from '../../../../../src/tee/snp/amd/roots.js';
import { createAmdPki } from '../../../../lab/index.js';

describe('pinned roots', () => {
  it('SNP-25 are the keys of AMD, one for each line', () => {
    expect([...AMD_ROOT_PINS].map(([product, pins]) => [product, [...pins]])).toEqual([
      ['Milan', ['9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9']],
      ['Genoa', ['429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831']],
      ['Turin', ['4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08']],
    ]);
  });
});

describe('carried chains', () => {
  it('are those of all product lines, of Genoa with the re-issued ASK', () => {
    const serials = carriedChains(AMD_ROOT_PINS).map((chain) => [
      lineName(chain),
      hex(chain.intermediate.serial).padStart(6, '0'),
      hex(chain.ark.serial).padStart(6, '0'),
    ]);
    expect(serials).toEqual([
      ['milan-vcek', '010001', '010000'],
      ['milan-vlek', '010101', '010000'],
      ['genoa-vcek', '020002', '020000'],
      ['genoa-vlek', '020101', '020000'],
      ['turin-vcek', '030001', '030000'],
      ['turin-vlek', '030101', '030000'],
    ]);
  });

  it('are left out where other roots are pinned', () => {
    expect(carriedChains(createAmdPki().pins())).toEqual([]);
    const milan = new Map([...AMD_ROOT_PINS].filter(([product]) => product === 'Milan'));
    expect(carriedChains(milan).map(lineName)).toEqual(['milan-vcek', 'milan-vlek']);
  });

  it('SNP-25 are refused if they are not of the pinned root of their line', () => {
    const [milan, genoa] = [CARRIED_CERTIFICATES.get('Milan'), CARRIED_CERTIFICATES.get('Genoa')];
    if (milan === undefined || genoa === undefined) throw new Error('no Milan, or no Genoa');
    expect(() => carriedChainsOf('Genoa', milan, AMD_ROOT_PINS)).toThrow(/another product line/);
    expect(() => carriedChainsOf('Genoa', { ...genoa, asvk: milan.asvk }, AMD_ROOT_PINS)).toThrow(UnfitError);
    expect(carriedChainsOf('Genoa', genoa, AMD_ROOT_PINS)).toHaveLength(2);
  });
});
