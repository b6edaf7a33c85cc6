import { describe, expect, it } from 'vitest';
import { BUILT_IN_POLICY_IDS } from '../../../../src/core/remedies/words.js';
import { appraise } from '../../../../src/policy/appraise/appraise.js';
import { BUILT_IN_POLICIES } from '../../../../src/policy/document/built-in-policies.js';
import {
  azClaims,
  azTdxClaims,
  failed,
  hclClaims,
  lowered,
  results,
  type Situation,
  situation,
  snpClaims,
  TCB,
  tdAttributes,
  tdxClaims,
  tdxTcb,
  tokenClaims,
} from '../fixture.js';

describe('built-in policies', () => {
  it('are those that remedies say to copy', () => {
    expect(BUILT_IN_POLICIES.map(({ id }) => id)).toEqual(BUILT_IN_POLICY_IDS);
  });
});

describe('azure-cvm-baseline', () => {
  const [baseline] = BUILT_IN_POLICIES;
  if (baseline === undefined) throw new Error('there is no built-in policy');

  it('says literally what the contract says', () => {
    expect(baseline).toMatchObject({
      id: 'azure-cvm-baseline',
      version: 2,
      description:
        "Genuine Azure confidential VM, not debuggable, fresh, current firmware; for TDX an MRTD of the operator's or a pinned Azure Attestation token makes the paravisor known",
      accepts: ['az-snp-vtpm', 'az-tdx-vtpm'],
      secureBoot: 'required',
      require: { tpm: { quotedPcrs: [0, 1, 2, 3, 4, 5, 6, 7] } },
      minimums: {
        snp: {
          Milan: { snp: 24, microcode: 219 },
          'Milan-X': { snp: 24, microcode: 68 },
          Genoa: { snp: 23, microcode: 84 },
          'Genoa-X': { snp: 23, microcode: 79 },
          'Bergamo-Siena': { snp: 23, microcode: 25 },
          Turin: { microcode: 71 },
          'Turin-Dense': { microcode: 71 },
        },
        tdx: { acceptedStatuses: ['UpToDate'], earliestTcbDate: '2024-03-13' },
      },
      paravisor: 'known',
      freshness: 'required',
      revocation: 'required',
      allowDebug: false,
      waivers: [],
    });
  });

  it('DEC-05 has a digest that changes only with its text', () => {
    expect(baseline.sha256).toBe('c34f66171ea6f915f79993e791acd450f2380976163f13a2cdd297e1cdf154e5');
  });

  it('allows a genuine VM at exactly the minimums', () => {
    const appraisal = appraise(baseline, situation());
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['allow', []]);
  });

  it.each([
    ['Milan', 24, 219],
    ['Milan-X', 24, 68],
    ['Genoa', 23, 84],
    ['Genoa-X', 23, 79],
    ['Bergamo-Siena', 23, 25],
  ] as const)('SNP-19 holds the fix of AMD-SB-3019 for %s: SNP %i, microcode %i', (part, snp, microcode) => {
    const judge = (tcb: typeof TCB) => {
      const claims = snpClaims({ part, tcb: { current: tcb, committed: tcb, reported: tcb, launch: tcb } });
      return failed(appraise(baseline, situation({ claims: azClaims({ snp: claims }) })));
    };
    expect(judge({ ...TCB, snp, microcode })).toEqual([]);
    expect(judge({ ...TCB, snp: snp - 1, microcode })).toEqual(['snp_tcb_low', 'snp_tcb_low']);
    expect(judge({ ...TCB, snp, microcode: microcode - 1 })).toEqual(['snp_tcb_low', 'snp_tcb_low']);
  });

  it.each(['Turin', 'Turin-Dense'] as const)('SNP-19 holds the fix of AMD-SB-3019 for %s: microcode 71', (part) => {
    const judge = (microcode: number) => {
      const tcb = { ...TCB, fmc: 0, snp: 0, microcode };
      const claims = snpClaims({
        product: 'Turin',
        part,
        tcb: { current: tcb, committed: tcb, reported: tcb, launch: tcb },
      });
      return failed(appraise(baseline, situation({ claims: azClaims({ snp: claims }) })));
    };
    expect(judge(71)).toEqual([]);
    expect(judge(70)).toEqual(['snp_tcb_low', 'snp_tcb_low']);
  });

  it('SNP-19 looks at the TCB of the launch too', () => {
    const tcb = { current: TCB, committed: TCB, reported: TCB, launch: lowered('microcode') };
    const appraisal = appraise(baseline, situation({ claims: azClaims({ snp: snpClaims({ tcb }) }) }));
    expect(failed(appraisal)).toEqual(['snp_tcb_low']);
  });

  describe('of a TD', () => {
    const az = (claims = azTdxClaims(), given: Situation = {}) =>
      appraise(baseline, situation({ type: 'az-tdx-vtpm', claims, ...given }));
    const withTcb = (tcb: Parameters<typeof tdxTcb>[0]) => azTdxClaims({ tdx: tdxClaims({ tcb: tdxTcb(tcb) }) });

    it('TDX-12 allows one that is up to date, of exactly the earliest date', () => {
      expect([az().outcome, failed(az())]).toEqual(['allow', []]);
    });

    it.each(['SWHardeningNeeded', 'ConfigurationNeeded', 'OutOfDate', 'TDRelaunchAdvised', 'Revoked', 'Fine'])(
      'TDX-12 denies status %s',
      (status) => {
        expect(failed(az(withTcb({ status })))).toEqual(['tdx_tcb_status']);
      },
    );

    it('denies one second before the earliest date', () => {
      expect(failed(az(withTcb({ date: '2024-03-12T23:59:59Z' })))).toEqual(['tdx_tcb_date']);
    });

    it('TDX-15 takes SEPT_VE_DISABLE clear and zero RTMRs, which are right on Azure', () => {
      const zero = '00'.repeat(48);
      const tdx = tdxClaims({
        tdAttributes: tdAttributes({ septVeDisable: false }),
        rtmr: [zero, zero, zero, zero],
      });
      expect(az(azTdxClaims({ tdx })).outcome).toBe('allow');
    });

    it('TDX-15 denies one that can be migrated', () => {
      const tdx = tdxClaims({ tdAttributes: tdAttributes({ migratable: true }) });
      expect(failed(az(azTdxClaims({ tdx })))).toEqual(['tdx_attributes']);
    });

    it('HCL-15 denies a paravisor that nothing knows, and one whose AK certificate says nothing of Secure Boot', () => {
      const unknown = hclClaims({ paravisor: { known: false, by: null } });
      expect(failed(az(azTdxClaims({ hcl: unknown })))).toEqual(['hcl_paravisor']);
      const { vmConfiguration: _, ...certified } = hclClaims({ paravisor: { known: true, by: 'akCertificate' } });
      expect(failed(az(azTdxClaims({ hcl: certified })))).toEqual(['secure_boot_unknown']);
    });

    it('denies a bare one, whose type it does not accept', () => {
      expect(failed(appraise(baseline, situation({ type: 'tdx' })))).toEqual(['policy_evidence_type']);
    });
  });
});

describe('azure-maa-baseline', () => {
  const [, baseline] = BUILT_IN_POLICIES;
  if (baseline === undefined) throw new Error('there is no second built-in policy');

  const judge = (given: Situation = {}) =>
    appraise(
      baseline,
      situation({
        type: 'maa-token',
        claims: { maa: tokenClaims() },
        bound: ['maa.userData'],
        results: new Map([['maa', { state: 'verified' }]]),
        ...given,
      }),
    );

  it('says literally what the contract says', () => {
    expect(baseline).toMatchObject({
      id: 'azure-maa-baseline',
      version: 1,
      description: 'What Azure Attestation calls a compliant confidential VM',
      accepts: ['maa-token'],
      routes: { hardware: 'off', maa: 'required', ita: 'off' },
      require: {
        snp: null,
        tdx: null,
        tpm: null,
        maa: { complianceStatus: ['azure-compliant-cvm'], attestationType: null },
      },
      freshness: 'required',
      nonce: 'any',
      binding: 'optional',
      secureBoot: 'any',
      allowDebug: false,
      waivers: [],
    });
    expect(BUILT_IN_POLICIES).toHaveLength(2);
  });

  it('DEC-05 has a digest that changes only with its text', () => {
    expect(baseline.sha256).toBe('72df07b6c5ecaa326548a8f1254631ac306984fdcba7e093b34d7968ca65d7d7');
  });

  it('allows a compliant VM', () => {
    expect([judge().outcome, failed(judge())]).toEqual(['allow', []]);
  });

  it.each<[string, Situation, string]>([
    ['of another status', { claims: { maa: tokenClaims({ complianceStatus: null }) } }, 'token_compliance'],
    ['without a nonce', { nonce: { origin: 'none' } }, 'nonce_missing'],
    ['that is of another type', { type: 'ita-token' }, 'policy_evidence_type'],
    ['that is hardware', { type: 'az-snp-vtpm', claims: azClaims() }, 'policy_evidence_type'],
  ])('denies evidence %s', (_, given, code) => {
    expect(failed(judge(given))).toEqual([code]);
  });

  it('is open where the keys of the issuer are out of reach', () => {
    const findings = [{ ...situation().verification.checks[0], id: 'jwks_unavailable', result: 'unavailable' }];
    const open = judge({
      claims: {},
      findings: findings as Situation['findings'] & {},
      results: new Map([['maa', { state: 'refused' }]]),
    });
    expect([open.outcome, results(open, 'token_compliance')]).toEqual(['indeterminate', ['skipped']]);
  });
});
