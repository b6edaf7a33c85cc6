import { describe, expect, it } from 'vitest';
import { appraise } from '../../../../src/policy/appraise/appraise.js';
import {
  appraised,
  appraisedTd,
  azClaims,
  azTdxClaims,
  check,
  failed,
  hclClaims,
  only,
  policy,
  results,
  situation,
  snpClaims,
  tdxClaims,
} from '../fixture.js';

describe('appraise', () => {
  it('allows genuine, fresh evidence under a policy that asks for little, and says what matched', () => {
    const appraisal = appraised({});
    expect(appraisal.outcome).toBe('allow');
    expect(appraisal.matched).toEqual([
      'policy_evidence_type',
      'snp_tcb_floor_missing',
      'hcl_paravisor',
      'nonce_missing',
      'nonce_stale',
    ]);
    expect(appraisal.unmatched).toEqual([]);
    expect(only(appraisal, 'policy_evidence_type')).toMatchObject({
      expected: ['snp', 'az-snp-vtpm'],
      actual: 'az-snp-vtpm',
    });
  });

  it('DEC-05 names the policy that was evaluated, with its digest', () => {
    const evaluated = policy({ version: 3 });
    expect(appraise(evaluated, situation()).policy).toBe(evaluated);
  });

  it('DEC-12 denies a type that the policy does not accept, and judges nothing else of it', () => {
    const appraisal = appraised({ accepts: ['snp'], secureBoot: 'required', binding: 'required', allowDebug: true });
    expect(failed(appraisal)).toEqual(['policy_evidence_type']);
    expect(only(appraisal, 'policy_evidence_type')).toMatchObject({
      expected: ['snp'],
      actual: 'az-snp-vtpm',
      about: '/evidence/type',
    });
    expect(appraisal.own).toHaveLength(1);
    expect([appraisal.matched, appraisal.unmatched]).toEqual([[], ['policy_evidence_type']]);
  });

  it('HCL-14 denies evidence of a vTPM alone under a policy that wants hardware', () => {
    const tpm = { ...policy({ accepts: ['tpm'], minimums: 'any', routes: { hardware: 'off' } }) };
    const wantsHardware = { ...tpm, routes: { ...tpm.routes, hardware: 'required' as const } };
    expect(failed(appraise(wantsHardware, situation({ type: 'tpm' })))).toEqual(['policy_evidence_type']);
    const appraisal = appraise(policy(), situation({ type: 'tpm' }));
    expect(failed(appraisal)).toEqual(['policy_evidence_type']);
    expect(only(appraisal, 'policy_evidence_type').detail).toBe(
      'the policy does not accept this type of evidence; TPM only: nothing here vouches for hardware',
    );
  });

  it('allows evidence of a vTPM alone under a policy for it, and only with its claims', () => {
    const members = { accepts: ['tpm'], minimums: 'any', routes: { hardware: 'off' } };
    const appraisal = appraise(policy(members), situation({ type: 'tpm' }));
    expect(appraisal.outcome).toBe('allow');
    expect(only(appraisal, 'policy_evidence_type').detail).toBe(
      'the policy accepts this type of evidence; TPM only: nothing here vouches for hardware',
    );
    expect(appraise(policy(members), situation({ type: 'tpm', claims: {} })).outcome).toBe('indeterminate');
  });

  it('does not change base checks of the verification that no policy speaks about', () => {
    const input = situation({ findings: [check('snp_platform_tio_enabled', 'warn')] });
    expect(appraise(policy(), input).base.slice(0, input.verification.checks.length)).toEqual(
      input.verification.checks,
    );
  });

  it('says of each own check whose it is', () => {
    expect(new Set(appraised({ id: 'mine' }).own.map((own) => own.policy))).toEqual(new Set(['mine']));
  });

  it('is indeterminate where the verifier owes the outcome of a check', () => {
    const appraisal = appraised({}, { required: ['snp_signature', 'tpm_pcr_digest'] });
    expect(only(appraisal, 'internal_error')).toMatchObject({
      result: 'unavailable',
      retryable: false,
      policy: 'least',
      detail: 'without an outcome: tpm_pcr_digest',
    });
    expect(appraisal.outcome).toBe('indeterminate');
  });

  it('is indeterminate where claims are missing although nothing failed', () => {
    const appraisal = appraised({}, { claims: {} });
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['indeterminate', []]);
    expect(only(appraisal, 'internal_error').detail).toMatch(/^skipped although nothing failed: /);
  });

  it('skips all that rests on claims after a failed signature, and does not repeat the reason', () => {
    const appraisal = appraised(
      { minimums: { snp: { Milan: { snp: 1 } } } },
      { claims: {}, findings: [check('snp_signature', 'fail')] },
    );
    expect(failed(appraisal)).toEqual(['snp_signature']);
    expect(results(appraisal, 'snp_tcb_low')).toEqual(['skipped']);
    expect(appraisal.unmatched).toEqual(['snp_tcb_low', 'hcl_paravisor']);
    expect(appraisal.outcome).toBe('deny');
  });

  it('is indeterminate where the key certificate is out of reach', () => {
    const given = {
      claims: {},
      findings: [check('vcek_unavailable', 'unavailable'), check('snp_signature', 'skipped')],
    };
    expect(appraised({}, given).outcome).toBe('indeterminate');
  });

  it('counts a check as unmatched that passed once and failed once', () => {
    const launch = { ...azClaims().snp?.tcb.launch, snp: 0 };
    const snp = azClaims().snp;
    if (snp === undefined) throw new Error('the fixture has no snp claims');
    const low = { ...snp, tcb: { ...snp.tcb, launch: { ...snp.tcb.launch, ...launch } } };
    const appraisal = appraised({ minimums: { snp: { Milan: { snp: 24 } } } }, { claims: azClaims({ snp: low }) });
    expect(results(appraisal, 'snp_tcb_low')).toEqual(['pass', 'fail']);
    expect([appraisal.matched.includes('snp_tcb_low'), appraisal.unmatched]).toEqual([false, ['snp_tcb_low']]);
  });

  it('HCL-12 does not look at the time that the guest says it is', () => {
    const hcl = hclClaims({ vmConfiguration: { secureBoot: true, currentTime: 0 } });
    expect(appraised({ secureBoot: 'required' }, { claims: azClaims({ hcl }) }).outcome).toBe('allow');
  });

  it.each([
    ['console-enabled', { consoleEnabled: true }],
    ['tpm-enabled', { tpmEnabled: false }],
    ['tpm-persisted', { tpmPersisted: false }],
  ])('HCL-11 has no opinion of its own on %s', (_member, member) => {
    const hcl = hclClaims({ vmConfiguration: { secureBoot: true, ...member } });
    expect(appraised({ secureBoot: 'required' }, { claims: azClaims({ hcl }) }).outcome).toBe('allow');
  });
});

describe('appraise, of a TD', () => {
  const BY_STATUS = { minimums: { tdx: { acceptedStatuses: ['UpToDate'], earliestTcbDate: '2024-03-13' } } };
  const OWN = ['tdx_tcb_status', 'tdx_tcb_date', 'nonce_missing', 'tdx_attributes', 'tdx_service_td'];

  it('allows genuine, fresh evidence, and says what matched', () => {
    const appraisal = appraisedTd(BY_STATUS);
    expect([appraisal.outcome, appraisal.matched, appraisal.unmatched]).toEqual([
      'allow',
      ['policy_evidence_type', ...OWN],
      [],
    ]);
  });

  it('allows one behind a paravisor, and says what matched', () => {
    const appraisal = appraisedTd(BY_STATUS, { type: 'az-tdx-vtpm' });
    expect([appraisal.outcome, new Set(appraisal.matched)]).toEqual([
      'allow',
      new Set(['policy_evidence_type', 'hcl_paravisor', 'nonce_stale', ...OWN]),
    ]);
  });

  it.each(['tdx', 'az-tdx-vtpm'] as const)('DEC-12 denies %s under a policy that does not accept it', (type) => {
    const appraisal = appraised({}, { type });
    expect([failed(appraisal), appraisal.own]).toMatchObject([['policy_evidence_type'], [{ actual: type }]]);
    const [other] = ['tdx', 'az-tdx-vtpm'].filter((name) => name !== type);
    expect(failed(appraisedTd({ accepts: [other ?? ''] }, { type }))).toEqual(['policy_evidence_type']);
  });

  it.each(['tdx', 'az-tdx-vtpm'] as const)(
    'is indeterminate where %s has no claims although nothing failed',
    (type) => {
      const snp = { snp: snpClaims(), hcl: hclClaims() };
      for (const claims of [{}, snp]) {
        const appraisal = appraisedTd(BY_STATUS, { type, claims });
        expect([appraisal.outcome, failed(appraisal)]).toEqual(['indeterminate', []]);
        expect(only(appraisal, 'internal_error').detail).toMatch(/^skipped although nothing failed: .*tdx_tcb_status/);
      }
    },
  );

  it.each(['tdx', 'az-tdx-vtpm'] as const)('is indeterminate where the collateral of %s is out of reach', (type) => {
    const findings = [check('collateral_unavailable', 'unavailable', { retryable: true })];
    const appraisal = appraisedTd(BY_STATUS, { type, claims: {}, findings });
    expect([appraisal.outcome, failed(appraisal), results(appraisal, 'internal_error')]).toEqual([
      'indeterminate',
      [],
      [],
    ]);
  });

  it('does not judge a TD as SEV-SNP, nor the other way round', () => {
    const both = { accepts: ['snp', 'tdx'], minimums: { snp: { Milan: { snp: 255 } }, tdx: 'any' } };
    expect(appraised(both, { type: 'tdx', claims: { tdx: tdxClaims(), snp: snpClaims() } }).outcome).toBe('allow');
    const least = { accepts: ['snp', 'tdx'], minimums: { snp: 'any', tdx: { acceptedStatuses: ['OutOfDate'] } } };
    expect(appraised(least, { type: 'snp', claims: { tdx: tdxClaims(), snp: snpClaims() } }).outcome).toBe('allow');
    expect(failed(appraised(least, { type: 'tdx' }))).toEqual(['tdx_tcb_status']);
  });

  it.each([
    ['tpm-persisted', { tpmPersisted: false }],
    ['console-enabled', { consoleEnabled: true }],
  ])('HCL-11 has no opinion of its own on %s', (_member, member) => {
    const hcl = hclClaims({ vmConfiguration: { secureBoot: true, ...member } });
    const given = { type: 'az-tdx-vtpm' as const, claims: azTdxClaims({ hcl }) };
    expect(appraisedTd({ secureBoot: 'required' }, given).outcome).toBe('allow');
  });
});
