import { describe, expect, it } from 'vitest';
import { appraise } from '../../../src/policy/appraise.js';
import { BUILT_IN_POLICIES } from '../../../src/policy/built-in-policies.js';
import { azClaims, failed, lowered, situation, snpClaims, TCB } from './fixture.js';

describe('azure-cvm-baseline', () => {
  const [baseline] = BUILT_IN_POLICIES;
  if (baseline === undefined) throw new Error('there is no built-in policy');

  it('says literally what the contract says', () => {
    expect(baseline).toMatchObject({
      id: 'azure-cvm-baseline',
      version: 1,
      description: 'Genuine Azure confidential VM, not debuggable, fresh, current firmware',
      accepts: ['az-snp-vtpm', 'az-tdx-vtpm'],
      secureBoot: 'required',
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
    expect(baseline.sha256).toBe('b295319ff86a2a34e505082ab14394ebac61092b24d3469d44de6d20af63d1f5');
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
});
