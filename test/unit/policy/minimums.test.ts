import { describe, expect, it } from 'vitest';
import type { SnpClaims, SnpTcb, SnpTcbComponent } from '../../../src/core/claims.js';
import type { JsonObject } from '../../../src/core/json.js';
import { appraise } from '../../../src/policy/appraise/appraise.js';
import {
  appraised,
  azClaims,
  check,
  failed,
  lowered,
  only,
  policy,
  results,
  situation,
  snpClaims,
  TCB,
} from './fixture.js';

const MILAN: JsonObject = { minimums: { snp: { Milan: { bootloader: 4, tee: 0, snp: 24, microcode: 219 } } } };

function judge(members: JsonObject, snp: Partial<SnpClaims>) {
  return appraised(members, { claims: azClaims({ snp: snpClaims(snp) }) });
}

function withTcb(part: Partial<SnpClaims['tcb']>): Partial<SnpClaims> {
  return { tcb: { current: TCB, committed: TCB, reported: TCB, launch: TCB, ...part } };
}

describe('minimums', () => {
  it('SNP-16 passes a TCB that is exactly at every floor', () => {
    const appraisal = judge(MILAN, {});
    expect(results(appraisal, 'snp_tcb_low')).toEqual(['pass', 'pass']);
    expect(appraisal.outcome).toBe('allow');
  });

  it.each(['bootloader', 'snp', 'microcode'] as const)(
    'SNP-16 fails %s one below its floor, the others above',
    (component) => {
      for (const name of ['reported', 'launch'] as const) {
        const high: SnpTcb = {
          bootloader: 255,
          tee: 255,
          snp: 255,
          microcode: 255,
          [component]: (TCB[component] ?? 0) - 1,
        };
        const appraisal = judge(MILAN, withTcb({ [name]: high }));
        expect(failed(appraisal)).toEqual(['snp_tcb_low']);
        expect(appraisal.outcome).toBe('deny');
      }
    },
  );

  it('SNP-16 fails the TEE component one below its floor', () => {
    const floor: JsonObject = { minimums: { snp: { Milan: { tee: 1 } } } };
    expect(failed(judge(floor, withTcb({ reported: { ...TCB, tee: 0 }, launch: { ...TCB, tee: 1 } })))).toEqual([
      'snp_tcb_low',
    ]);
    expect(failed(judge(floor, withTcb({ reported: { ...TCB, tee: 1 }, launch: { ...TCB, tee: 1 } })))).toEqual([]);
  });

  it('SNP-16 says part, TCB, needed and had of each component that is short', () => {
    const appraisal = judge(MILAN, withTcb({ launch: { ...TCB, snp: 8, microcode: 115 } }));
    const [reported, launch] = appraisal.checks.filter(({ id }) => id === 'snp_tcb_low');
    expect(reported).toMatchObject({ result: 'pass', expected: { part: 'Milan', tcb: 'reported', microcode: 219 } });
    expect(launch).toMatchObject({
      result: 'fail',
      about: '/evidence/hclReport',
      expected: { part: 'Milan', tcb: 'launch', snp: 24, microcode: 219 },
      actual: { part: 'Milan', tcb: 'launch', snp: 8, microcode: 115 },
      detail: 'the launch TCB is below its minimum: snp, microcode',
    });
  });

  it('DEC-03 compares numbers, not texts: 100 is more than 24, and 9 is less than 10', () => {
    const judge = (least: number, snp: number) => {
      const tcb = { ...TCB, snp };
      const claims = azClaims({
        snp: snpClaims({ tcb: { current: tcb, committed: tcb, reported: tcb, launch: tcb } }),
      });
      return appraised({ minimums: { snp: { Milan: { snp: least } } } }, { claims }).outcome;
    };
    expect([judge(24, 100), judge(10, 9), judge(9, 10)]).toEqual(['allow', 'deny', 'allow']);
  });

  it('DEC-03 compares components, not one integer: a high microcode hides no low SNP', () => {
    const tcb = { ...TCB, snp: 23, microcode: 255 };
    expect(failed(judge(MILAN, withTcb({ reported: tcb, launch: tcb })))).toEqual(['snp_tcb_low', 'snp_tcb_low']);
  });

  it('compares only the components that are listed', () => {
    const tcb = { ...TCB, bootloader: 0, snp: 0 };
    expect(failed(judge({ minimums: { snp: { Milan: { microcode: 219 } } } }, withTcb({ reported: tcb })))).toEqual([]);
  });

  it('does not compare CURRENT and COMMITTED, which say what will be and what can be gone back to', () => {
    expect(failed(judge(MILAN, withTcb({ committed: lowered('snp') })))).toEqual([]);
  });

  it('SNP-17 fails a part that the policy does not list, also of a listed line', () => {
    const milanX = judge(MILAN, { part: 'Milan-X' });
    expect(failed(milanX)).toEqual(['snp_product']);
    expect(only(milanX, 'snp_product')).toMatchObject({ expected: ['Milan'], actual: 'Milan-X' });
    expect(results(milanX, 'snp_tcb_low')).toEqual(['skipped']);
    expect(failed(judge(MILAN, { part: 'Milan' }))).toEqual([]);
  });

  it('SNP-17 compares Milan-X with its own microcode number, never with that of Milan', () => {
    const both: JsonObject = { minimums: { snp: { Milan: { microcode: 219 }, 'Milan-X': { microcode: 68 } } } };
    const tcb = { ...TCB, microcode: 68 };
    expect(failed(judge(both, { part: 'Milan-X', ...withTcb({ reported: tcb, launch: tcb }) }))).toEqual([]);
    expect(failed(judge(both, { part: 'Milan', ...withTcb({ reported: tcb, launch: tcb }) }))).toEqual([
      'snp_tcb_low',
      'snp_tcb_low',
    ]);
  });

  it('SNP-17 fails an unknown part of a known line', () => {
    const appraisal = judge(MILAN, { part: 'unknown' });
    expect(failed(appraisal)).toEqual(['snp_product']);
    expect(only(appraisal, 'snp_product').detail).toBe('the part is not known');
  });

  it('fails every part where a policy has no minimums at all, which the grammar refuses', () => {
    const without = { ...policy(), minimums: { snp: null, tdx: null } };
    const appraisal = appraise(without, situation());
    expect(failed(appraisal)).toEqual(['snp_product']);
    expect(only(appraisal, 'snp_product')).toMatchObject({
      expected: [],
      actual: 'Milan',
      detail: 'the policy lists no minimum for this part',
    });
    expect(results(appraisal, 'snp_tcb_low')).toEqual(['skipped']);
  });

  it('is skipped where the report was not verified', () => {
    const findings = [check('snp_signature', 'fail')];
    const appraisal = appraised(MILAN, { claims: {}, findings });
    expect(failed(appraisal)).toEqual(['snp_signature']);
    expect(results(appraisal, 'snp_tcb_low')).toEqual(['skipped']);
  });

  it('SNP-17 fails a floor for FMC on a TCB that has none', () => {
    const turin: JsonObject = { minimums: { snp: { Turin: { fmc: 0 } } } };
    const asTurin = (tcb: SnpTcb) =>
      judge(turin, { product: 'Turin', part: 'Turin', ...withTcb({ reported: tcb, launch: tcb }) });
    expect(failed(asTurin(TCB))).toEqual(['snp_tcb_low', 'snp_tcb_low']);
    expect(failed(asTurin({ ...TCB, fmc: 0 }))).toEqual([]);
  });

  it('warns where the minimum is any, whatever the part', () => {
    for (const part of ['Milan', 'unknown'] as const) {
      const appraisal = judge({ minimums: { snp: 'any' } }, { part });
      expect(results(appraisal, 'snp_tcb_floor_missing')).toEqual(['warn']);
      expect(appraisal.outcome).toBe('allow');
    }
  });

  it('gives no warning where there is a minimum', () => {
    expect(results(judge(MILAN, {}), 'snp_tcb_floor_missing')).toEqual([]);
  });

  it.each<SnpTcbComponent>(['bootloader', 'snp', 'microcode'])('passes %s above its floor', (component) => {
    const tcb = { ...TCB, [component]: (TCB[component] ?? 0) + 1 };
    expect(failed(judge(MILAN, withTcb({ reported: tcb, launch: tcb })))).toEqual([]);
  });
});
