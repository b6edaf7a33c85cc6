import { describe, expect, it } from 'vitest';
import { certificateRoles, chainsPinned, issuerName, lineOfIssuer } from '../../../../../src/tee/snp/amd/issuers.js';
import { AMD_ROOT_PINS } from '../../../../../src/tee/snp/amd/roots.js';

describe('certificates of a path', () => {
  it('are called as AMD calls them, by the kind of key', () => {
    expect(certificateRoles('vcek')).toEqual(['VCEK', 'ASK', 'ARK']);
    expect(certificateRoles('vlek')).toEqual(['VLEK', 'ASVK', 'ARK']);
  });
});

describe('chains of pinned lines', () => {
  it('are two for each line that has pins, and none for another', () => {
    expect(chainsPinned(new Map([['Genoa', new Set()]]))).toEqual([
      { product: 'Genoa', signingKey: 'vcek' },
      { product: 'Genoa', signingKey: 'vlek' },
    ]);
  });
});

describe('issuer of a VEK', () => {
  it.each(['Milan', 'Genoa', 'Turin'] as const)('names the line %s and the kind of key', (product) => {
    expect(issuerName(product, 'vcek')).toBe(`SEV-${product}`);
    expect(issuerName(product, 'vlek')).toBe(`SEV-VLEK-${product}`);
    expect(lineOfIssuer(`SEV-${product}`, AMD_ROOT_PINS)).toEqual({ product, signingKey: 'vcek' });
    expect(lineOfIssuer(`SEV-VLEK-${product}`, AMD_ROOT_PINS)).toEqual({ product, signingKey: 'vlek' });
  });

  it.each([null, '', 'SEV-', 'SEV-Milan ', 'SEV-VCEK-Milan', 'ARK-Milan', 'SEV-milan', 'SEV-Venice'])(
    'names no line: %j',
    (name) => {
      expect(lineOfIssuer(name, AMD_ROOT_PINS)).toBeNull();
    },
  );
});
