import { describe, expect, it } from 'vitest';
import type { Claims, HclClaims } from '../../../../../src/core/claims.js';
import { markVerified } from '../../../../../src/tee/shared/evidence/mark-verified.js';
import {
  type ParavisorFloors,
  paravisorByIdKey,
  paravisorByMaa,
} from '../../../../../src/tee/shared/paravisor/paravisor-claims.js';
import { AZURE_ID_KEY_DIGEST, SnpGuest, SnpPlatform } from '../../../../lab/index.js';
import { PKI, verifySnp } from '../../fixture.js';

const guest = new SnpGuest(new SnpPlatform({ pki: PKI }));
const FLOORS: ParavisorFloors = new Map([[AZURE_ID_KEY_DIGEST, 10]]);

async function knownAt(vmpl: number, floors = FLOORS, guestSvn = 10) {
  const { claims } = await verifySnp(guest.evidence({ report: { fields: { vmpl, guestSvn } } }));
  if (claims.snp === undefined) throw new Error('the report did not verify');
  return paravisorByIdKey(claims.snp as Parameters<typeof paravisorByIdKey>[0], floors);
}

describe('a paravisor by its id key', () => {
  it('HCL-15 is known at VMPL 0, under an id key that is', async () => {
    expect(await knownAt(0)).toEqual({ known: true, by: 'idKeyDigest' });
    expect(await knownAt(0, new Map())).toEqual({ known: false, by: null });
  });

  it.each([10, 12, 0xffff, 0x1000a, 0xffff_000b])(
    'HCL-16 twin: is known at GUEST_SVN %i, at or above its floor',
    async (svn) => {
      expect(await knownAt(0, FLOORS, svn)).toEqual({ known: true, by: 'idKeyDigest' });
    },
  );

  it.each([0, 9, 0x10009, 0xffff_0000])(
    'HCL-16 is not known at GUEST_SVN %i: the low 16 bits are below',
    async (svn) => {
      expect(await knownAt(0, FLOORS, svn)).toEqual({ known: false, by: null });
    },
  );

  it.each([1, 2, 3, 0xffffffff])(
    'SNP-10 is not known in a report of VMPL %i, which it did not ask for',
    async (vmpl) => {
      expect(await knownAt(vmpl)).toEqual({ known: false, by: null });
    },
  );
});

describe('a paravisor by a token', () => {
  const withheld = { secureBoot: true };
  const claimsBy = (by: HclClaims['paravisor']['by'], vmConfiguration?: HclClaims['vmConfiguration']): Claims => ({
    hcl: {
      reportType: 'tdx',
      paravisor: { known: by !== null, by },
      akThumbprint: 'x',
      userData: null,
      ...(vmConfiguration === undefined ? {} : { vmConfiguration }),
    },
  });
  const byMaa = (claims: Claims, kept?: typeof withheld) => paravisorByMaa(markVerified(claims), kept);

  it('HCL-15 is known, and what was a claim stays one', () => {
    expect(byMaa(claimsBy(null, withheld))).toEqual(claimsBy('maa', withheld));
    expect(byMaa({})).toEqual({});
  });

  it('HCL-15 is known by hardware as before, where that knew it', () => {
    for (const by of ['mrtd', 'idKeyDigest'] as const) {
      expect(byMaa(claimsBy(by, withheld))).toEqual(claimsBy(by, withheld));
    }
  });

  it('HCL-15 is known with its configuration, where a certificate vouched for its key alone', () => {
    expect(byMaa(claimsBy('akCertificate'), withheld)).toEqual(claimsBy('maa', withheld));
    expect(byMaa(claimsBy('akCertificate'))).toEqual(claimsBy('maa'));
  });
});
