import { describe, expect, it } from 'vitest';
import { SNP_PLATFORM_BITS, type SnpClaims } from '../../../src/core/claims.js';
import type { CheckId } from '../../../src/core/codes.js';
import type { JsonObject } from '../../../src/core/json.js';
import { appraised, azClaims, check, failed, lowered, only, results, snpClaims, TCB } from './fixture.js';

function judge(snp: JsonObject, claims: Partial<SnpClaims> = {}) {
  return appraised({ require: { snp } }, { claims: azClaims({ snp: snpClaims(claims) }) });
}

const PROVISIONAL: Partial<SnpClaims> = {
  tcb: { current: TCB, committed: lowered('microcode'), reported: lowered('microcode'), launch: TCB },
};

describe('committed firmware', () => {
  it('SNP-18 allows provisional firmware by default, with a note', () => {
    const appraisal = judge({}, PROVISIONAL);
    expect(only(appraisal, 'snp_provisional').result).toBe('not_configured');
    expect(appraisal.outcome).toBe('allow');
    expect([...appraisal.matched, ...appraisal.unmatched]).not.toContain('snp_provisional');
  });

  it('SNP-18 denies it where the policy asks', () => {
    const appraisal = judge({ committedEqualsCurrent: true }, PROVISIONAL);
    expect(failed(appraisal)).toEqual(['snp_provisional']);
    expect(only(appraisal, 'snp_provisional')).toMatchObject({
      expected: { microcode: 219 },
      actual: { microcode: 218 },
    });
  });

  it('SNP-18 looks at the firmware version too', () => {
    const firmware = { current: '1.55.30', committed: '1.55.29' };
    expect(failed(judge({ committedEqualsCurrent: true }, { firmware }))).toEqual(['snp_provisional']);
  });

  it('SNP-18 passes committed firmware, and notes nothing where nobody asks', () => {
    expect(results(judge({ committedEqualsCurrent: true }), 'snp_provisional')).toEqual(['pass']);
    expect(results(judge({ committedEqualsCurrent: false }), 'snp_provisional')).toEqual([]);
  });
});

describe('platform info', () => {
  const CODES: { readonly [bit in (typeof SNP_PLATFORM_BITS)[number]]: CheckId } = {
    smtEnabled: 'snp_platform_smt_enabled',
    tsmeEnabled: 'snp_platform_tsme_enabled',
    eccEnabled: 'snp_platform_ecc_enabled',
    raplDisabled: 'snp_platform_rapl_disabled',
    ciphertextHidingDramEnabled: 'snp_platform_ciphertext_hiding_dram_enabled',
    aliasCheckComplete: 'snp_platform_alias_check_complete',
    iommuWriteSafe: 'snp_platform_iommu_write_safe',
    tioEnabled: 'snp_platform_tio_enabled',
  };

  it.each(SNP_PLATFORM_BITS)(
    'SNP-20 denies %s unlike what the policy asks, either way, and passes it as asked',
    (bit) => {
      for (const asked of [true, false]) {
        const with_ = (value: boolean) => ({ platformInfo: { ...snpClaims().platformInfo, [bit]: value } });
        const unlike = judge({ platformInfo: { [bit]: asked } }, with_(!asked));
        expect(failed(unlike)).toEqual([CODES[bit]]);
        expect(only(unlike, CODES[bit])).toMatchObject({ expected: asked, actual: !asked });
        expect(results(judge({ platformInfo: { [bit]: asked } }, with_(asked)), CODES[bit])).toEqual(['pass']);
      }
    },
  );

  it('SNP-20 judges only the bits that are asked about', () => {
    const appraisal = judge({ platformInfo: { aliasCheckComplete: true } });
    expect(results(appraisal, 'snp_platform_smt_enabled')).toEqual([]);
    expect(appraisal.outcome).toBe('allow');
  });

  it('SNP-20 reports an unknown bit under every policy', () => {
    const platformInfo = { ...snpClaims().platformInfo, unknownBits: [6, 9] };
    const appraisal = judge({}, { platformInfo });
    expect(only(appraisal, 'snp_platform_unknown')).toMatchObject({ result: 'warn', actual: [6, 9], policy: null });
    expect(appraisal.outcome).toBe('allow');
    expect(results(judge({}), 'snp_platform_unknown')).toEqual([]);
  });
});

describe('mitigation vectors', () => {
  const vectors = (current: string, launch: string) => ({ version: 5, mitigation: { current, launch } });

  it('SNP-21 passes where every required bit is in both', () => {
    const appraisal = judge({ mitigations: [0, 63] }, vectors('0x8000000000000001', '0x8000000000000003'));
    expect([appraisal.outcome, results(appraisal, 'snp_mitigation')]).toEqual(['allow', ['pass']]);
  });

  it.each([
    ['current', '0x2', '0x3'],
    ['launch', '0x3', '0x2'],
    ['both', '0x0', '0x0'],
  ])('SNP-21 denies a bit that is missing in %s', (_which, current, launch) => {
    const appraisal = judge({ mitigations: [1, 0] }, vectors(current, launch));
    expect(failed(appraisal)).toEqual(['snp_mitigation']);
  });

  it('SNP-21 names the bits that are missing', () => {
    const { detail } = only(judge({ mitigations: [0, 2, 3] }, vectors('0x1', '0x5')), 'snp_mitigation');
    expect(detail).toBe('not set in both mitigation vectors: 2, 3');
  });

  it.each([2, 3])('SNP-21 denies a version %i report, which has none', (version) => {
    expect(failed(judge({ mitigations: [0] }, { version }))).toEqual(['snp_mitigation']);
  });

  it('does not look at them where nobody asks', () => {
    expect(results(judge({}, vectors('0x0', '0x0')), 'snp_mitigation')).toEqual([]);
  });
});

describe('guest SVN', () => {
  it('SNP-24 denies one below the least', () => {
    expect(failed(judge({ minGuestSvn: 8 }, { guestSvn: 7 }))).toEqual(['snp_measurement']);
  });

  it('SNP-24 passes the least and more', () => {
    for (const guestSvn of [8, 65_547]) expect(judge({ minGuestSvn: 8 }, { guestSvn }).outcome).toBe('allow');
  });
});

describe('requirements without claims', () => {
  it('are skipped, each by its id, and never make an allow', () => {
    const asked = {
      committedEqualsCurrent: true,
      platformInfo: { smtEnabled: true },
      mitigations: [0],
      minGuestSvn: 1,
    };
    const given = { claims: {}, findings: [check('snp_signature', 'fail')] };
    const appraisal = appraised({ require: { snp: asked } }, given);
    for (const id of ['snp_provisional', 'snp_platform_smt_enabled', 'snp_mitigation', 'snp_measurement'] as const) {
      expect(only(appraisal, id)).toMatchObject({
        result: 'skipped',
        group: 'needs verified snp claims, and there are none',
      });
    }
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['snp_signature']]);
  });
});

describe('the version of the guest', () => {
  it.each([
    [9, 10, 'allow'],
    [10, 9, 'deny'],
    [9, 100, 'allow'],
    [100, 9, 'deny'],
  ] as const)('DEC-03 is compared as a number: at least %i, found %i: %s', (minGuestSvn, guestSvn, outcome) => {
    expect(judge({ minGuestSvn }, { guestSvn }).outcome).toBe(outcome);
  });
});

describe('machines', () => {
  const CHIP = '22'.repeat(64);
  const VCEK: Partial<SnpClaims> = { signingKey: 'vcek', chipId: CHIP };
  const VLEK: Partial<SnpClaims> = { signingKey: 'vlek', chipId: CHIP, cspId: 'Azure' };
  const chips = { machines: { chipId: [CHIP.toUpperCase(), '33'.repeat(64)] } };
  const providers = { machines: { cspId: ['Azure', 'Other'] } };
  /** The policy's own check: the verifier has one of the same name, about the key. */
  const own = (appraisal: ReturnType<typeof judge>) => only({ checks: appraisal.own }, 'snp_chip_id');

  it.each([
    ['a listed chip under its VCEK', chips, VCEK],
    ['a listed provider under its VLEK', providers, VLEK],
    ['either, each under its key: VCEK', { machines: { ...chips.machines, ...providers.machines } }, VCEK],
    ['either, each under its key: VLEK', { machines: { ...chips.machines, ...providers.machines } }, VLEK],
  ])('SNP-30 twin: allow %s', (_what, asked, claims) => {
    const appraisal = judge(asked, claims);
    expect([appraisal.outcome, own(appraisal).result]).toEqual(['allow', 'pass']);
  });

  it.each<[string, JsonObject, Partial<SnpClaims>]>([
    ['another chip', { machines: { chipId: ['33'.repeat(64)] } }, VCEK],
    ['a listed chip under a VLEK', chips, VLEK],
    ['another provider', { machines: { cspId: ['Other'] } }, VLEK],
    ['a listed provider in other letters', { machines: { cspId: ['azure'] } }, VLEK],
    ['a VCEK where only providers are listed', providers, VCEK],
    ['a VCEK although a listed provider is claimed', providers, { ...VCEK, cspId: 'Azure' }],
    ['a VLEK without provider', providers, { signingKey: 'vlek', chipId: CHIP }],
  ])('SNP-30 deny %s', (_what, asked, claims) => {
    const appraisal = judge(asked, claims);
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['snp_chip_id']]);
    expect(own(appraisal).about).toBe('/evidence/hclReport');
  });

  it('SNP-30 twin: without a list any machine is allowed', () => {
    for (const claims of [VCEK, VLEK]) expect(judge({}, claims).outcome).toBe('allow');
  });

  it('SNP-30 take the 8 bytes of a Turin for the 64 of its report', () => {
    const eight = '5a'.repeat(8);
    const claims: Partial<SnpClaims> = { ...VCEK, product: 'Turin', part: 'Turin', chipId: eight.padEnd(128, '0') };
    for (const chipId of [eight.toUpperCase(), eight.padEnd(128, '0')]) {
      expect(judge({ machines: { chipId: [chipId] } }, claims).outcome).toBe('allow');
    }
    const longer = `${eight}01`.padEnd(128, '0');
    expect(failed(judge({ machines: { chipId: [eight] } }, { ...claims, chipId: longer }))).toEqual(['snp_chip_id']);
  });

  it('SNP-30 are skipped where the report was not verified', () => {
    const given = { claims: {}, findings: [check('snp_signature', 'fail')] };
    const appraisal = appraised({ require: { snp: chips } }, given);
    expect([failed(appraisal), results(appraisal, 'snp_chip_id')]).toEqual([['snp_signature'], ['skipped']]);
    expect(results(appraised({ require: { snp: {} } }, given), 'snp_chip_id')).toEqual([]);
  });

  it('SNP-30 show what is listed and what was found', () => {
    expect(own(judge({ machines: { chipId: ['33'.repeat(64)] } }, VCEK))).toMatchObject({
      expected: ['33'.repeat(64)],
      actual: CHIP,
      detail: 'the policy does not list the chipId that the VCEK certifies',
    });
    expect(own(judge(chips, VLEK)).detail).toBe('a VLEK signed the report, and the policy lists no cspId');
  });
});
