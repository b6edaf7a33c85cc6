import { describe, expect, it } from 'vitest';
import { collateralPlaceOf, originsOf } from '../../../../src/endorsements/intel/collateral-service.js';

const INTEL = 'https://api.trustedservices.intel.com';

describe('placeOf', () => {
  it("knows where Intel's own service has what", () => {
    const place = collateralPlaceOf(INTEL, 'pcs');
    expect(place.tcbInfo('00806f050000')).toEqual({
      origin: INTEL,
      path: '/tdx/certification/v4/tcb?fmspc=00806f050000',
      headers: {},
    });
    expect(place.qeIdentity.path).toBe('/tdx/certification/v4/qe/identity');
    expect(place.pckCrl('processor').path).toBe('/sgx/certification/v4/pckcrl?ca=processor&encoding=der');
    expect(place.rootCaCrl).toEqual([
      { origin: 'https://certificates.trustedservices.intel.com', path: '/IntelSGXRootCA.der', headers: {} },
    ]);
    expect(originsOf(INTEL)).toEqual([INTEL, 'https://certificates.trustedservices.intel.com']);
  });

  it.each([
    ['https://pccs.example:8081', '', 'v4'],
    ['https://pccs.example:8081/', '', 'v4'],
    ['https://pccs.example:8081/sgx/certification/v4/', '', 'v4'],
    ['https://pccs.example:8081/sgx/certification/v3', '', 'v3'],
    ['https://pccs.example:8081/tdx/certification/v4/', '', 'v4'],
    ['https://pccs.example:8081/mirror', '/mirror', 'v4'],
    ['https://pccs.example:8081/mirror/sgx/certification/v3/', '/mirror', 'v3'],
  ])('reads %s as other clients do', (url, base, version) => {
    const place = collateralPlaceOf(url, 'pcs');
    expect(place.tcbInfo('a').path).toBe(`${base}/tdx/certification/${version}/tcb?fmspc=a`);
    expect(place.rootCaCrl.map((root) => root?.path)).toEqual([
      `${base}/sgx/certification/${version}/rootcacrl`,
      `${base}/IntelSGXRootCA.der`,
    ]);
    expect(originsOf(url)).toEqual(['https://pccs.example:8081']);
  });

  it('asks for the early update of both documents, and for no other where it is not asked to', () => {
    const updates = ['early', 'standard', undefined] as const;
    const asked = updates.map((update) => {
      const { tcbInfo, qeIdentity, evaluationNumbers } = collateralPlaceOf(INTEL, 'pcs', update);
      return [tcbInfo('a'), qeIdentity, evaluationNumbers].map(({ path }) => path.replace('/tdx/certification/v4', ''));
    });
    const standard = ['/tcb?fmspc=a', '/qe/identity', '/tcbevaluationdatanumbers'];
    expect(asked).toEqual([
      ['/tcb?fmspc=a&update=early', '/qe/identity?update=early', '/tcbevaluationdatanumbers'],
      standard,
      standard,
    ]);
  });

  it('asks Azure with the header that its metadata service wants', () => {
    const place = collateralPlaceOf('http://169.254.169.254/metadata/THIM/sgx/certification/v4/', 'thim');
    expect(place.qeIdentity).toEqual({
      origin: 'http://169.254.169.254',
      path: '/metadata/THIM/tdx/certification/v4/qe/identity',
      headers: { metadata: 'true' },
    });
  });
});
