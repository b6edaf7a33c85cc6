import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.js';
import {
  appraised,
  appraisedTd,
  azClaims,
  azTdxClaims,
  check,
  failed,
  hclClaims,
  ID_KEY_DIGEST,
  MRTD,
  only,
  results,
  snpClaims,
  tdxClaims,
} from './fixture.js';

const UNKNOWN = hclClaims({ paravisor: { known: false, by: null } });

function judge(members: JsonObject, hcl = hclClaims()) {
  return appraised(members, { claims: azClaims({ hcl }) });
}

describe('paravisor', () => {
  it('HCL-15 denies a guest that nothing says is a paravisor of Azure', () => {
    const appraisal = judge({}, UNKNOWN);
    expect(failed(appraisal)).toEqual(['hcl_paravisor']);
    expect(appraisal.outcome).toBe('deny');
  });

  it('names what was found of it, and where an operator would list it', () => {
    const found = only(judge({}, UNKNOWN), 'hcl_paravisor');
    expect(found).toMatchObject({
      result: 'fail',
      expected: { setting: 'azure.paravisors.idKeyDigests' },
      actual: { idKeyDigest: ID_KEY_DIGEST, guestSvn: 7 },
    });
    expect(found.detail).toBe(
      `nothing shows that this is an Azure paravisor: azure.paravisors.idKeyDigests does not list ID_KEY_DIGEST ${ID_KEY_DIGEST} (GUEST_SVN 7)`,
    );
    expect(only(judge({ paravisor: 'any' }, UNKNOWN), 'hcl_paravisor_unknown')).toMatchObject({
      expected: found.expected,
      actual: found.actual,
      detail: found.detail,
    });
  });

  it.each([
    [9, 'GUEST_SVN 9 is below 10'],
    [0x10009, 'GUEST_SVN 65545, of which the low 16 bits count: 9 is below 10'],
  ])('HCL-16 denies GUEST_SVN %i below the floor, and shows floor and value', (guestSvn, said) => {
    const given = {
      claims: azClaims({ snp: snpClaims({ guestSvn }), hcl: UNKNOWN }),
      paravisorMinGuestSvn: 10,
    };
    const appraisal = appraised({}, given);
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['hcl_paravisor']]);
    expect(only(appraisal, 'hcl_paravisor')).toMatchObject({
      expected: { setting: 'azure.paravisors.idKeyDigests', minGuestSvn: 10 },
      actual: { idKeyDigest: ID_KEY_DIGEST, guestSvn },
      detail: `nothing shows that this is an Azure paravisor: ${said}, the floor of ID_KEY_DIGEST ${ID_KEY_DIGEST} in azure.paravisors.idKeyDigests`,
    });
    expect(only(appraised({ paravisor: 'any' }, given), 'hcl_paravisor_unknown').result).toBe('warn');
  });

  it('HCL-15 passes a known one, and says by what it is known', () => {
    const appraisal = judge({ paravisor: 'known' });
    expect(only(appraisal, 'hcl_paravisor')).toMatchObject({
      result: 'pass',
      expected: true,
      actual: true,
      detail: 'the paravisor is known by idKeyDigest',
    });
    expect(appraisal.outcome).toBe('allow');
  });

  it('HCL-15 allows an unknown one with a warning under any', () => {
    const appraisal = judge({ paravisor: 'any' }, UNKNOWN);
    expect(only(appraisal, 'hcl_paravisor_unknown')).toMatchObject({ result: 'warn', policy: 'least' });
    expect(results(appraisal, 'hcl_paravisor')).toEqual([]);
    expect(appraisal.outcome).toBe('allow');
  });

  it('gives no warning under any where it is known', () => {
    expect(results(judge({ paravisor: 'any' }), 'hcl_paravisor_unknown')).toEqual(['pass']);
  });

  it('is judged on bare evidence too, where its runtime data are those of a paravisor', () => {
    const bare = (hcl = UNKNOWN) => appraised({}, { type: 'snp', claims: { snp: snpClaims(), hcl } });
    expect(failed(bare())).toEqual(['hcl_paravisor']);
    expect(only(bare(), 'hcl_paravisor').about).toBe('/evidence/runtimeData');
    expect(failed(bare(hclClaims()))).toEqual([]);
  });

  it('is not looked for in bare evidence without runtime claims', () => {
    const appraisal = appraised({}, { type: 'snp' });
    expect(results(appraisal, 'hcl_paravisor')).toEqual([]);
    expect(appraisal.outcome).toBe('allow');
  });

  it.each([
    ['known', 'hcl_paravisor'],
    ['any', 'hcl_paravisor_unknown'],
  ] as const)('is skipped under %s where the claims were not verified', (paravisor, id) => {
    const findings = [check('hcl_binding', 'fail')];
    const appraisal = appraised({ paravisor }, { claims: { snp: snpClaims() }, findings });
    expect(only(appraisal, id)).toMatchObject({
      result: 'skipped',
      group: 'needs verified hcl claims, and there are none',
    });
    expect(appraisal.outcome).toBe('deny');
  });
});

describe('paravisor of a TD', () => {
  const az = (members: JsonObject, hcl = UNKNOWN) =>
    appraisedTd(members, { type: 'az-tdx-vtpm', claims: azTdxClaims({ hcl }) });

  it('HCL-15 denies one that nothing knows: Microsoft publishes no MRTD', () => {
    const appraisal = az({});
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['hcl_paravisor']]);
    expect(only(appraisal, 'hcl_paravisor')).toMatchObject({
      about: '/evidence/hclReport',
      expected: { setting: 'azure.paravisors.mrtds' },
      actual: { mrtd: MRTD },
      detail: `nothing shows that this is an Azure paravisor: azure.paravisors.mrtds does not list MRTD ${MRTD}`,
    });
  });

  it.each(['mrtd', 'maa', 'akCertificate'] as const)('HCL-15 passes one that is known by %s, and says so', (by) => {
    const appraisal = az({}, hclClaims({ reportType: 'tdx', paravisor: { known: true, by } }));
    expect([appraisal.outcome, only(appraisal, 'hcl_paravisor').detail]).toEqual([
      'allow',
      `the paravisor is known by ${by}`,
    ]);
  });

  it('HCL-15 allows an unknown one with a warning under any', () => {
    const appraisal = az({ paravisor: 'any' });
    expect([appraisal.outcome, results(appraisal, 'hcl_paravisor_unknown')]).toEqual(['allow', ['warn']]);
  });

  it('is judged of bare evidence that carries its claims, and of no other', () => {
    const bare = appraisedTd({}, { claims: { tdx: tdxClaims(), hcl: UNKNOWN } });
    expect(failed(bare)).toEqual(['hcl_paravisor']);
    expect(only(bare, 'hcl_paravisor').about).toBe('/evidence/runtimeData');
    expect([appraisedTd({}).outcome, results(appraisedTd({}), 'hcl_paravisor')]).toEqual(['allow', []]);
  });

  it('TDX-23 is skipped where its report and the quote disagree', () => {
    const findings = [check('tdx_report_mismatch', 'fail')];
    const appraisal = appraisedTd({}, { type: 'az-tdx-vtpm', claims: { tdx: tdxClaims() }, findings });
    expect([failed(appraisal), results(appraisal, 'hcl_paravisor')]).toEqual([['tdx_report_mismatch'], ['skipped']]);
  });
});
