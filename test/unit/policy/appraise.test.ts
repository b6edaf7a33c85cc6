import { describe, expect, it } from 'vitest';
import { appraise } from '../../../src/policy/appraise.js';
import { appraised, azClaims, check, failed, hclClaims, only, policy, results, situation } from './fixture.js';

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
    const tpm = policy({ accepts: ['tpm'], minimums: 'any' });
    const appraisal = appraise(tpm, situation({ type: 'tpm', claims: {} }));
    expect(failed(appraisal)).toEqual(['policy_evidence_type']);
    expect(failed(appraise(policy(), situation({ type: 'tpm', claims: {} })))).toEqual(['policy_evidence_type']);
  });

  it.each([
    ['tdx', { accepts: ['tdx'], minimums: 'any' }],
    ['az-tdx-vtpm', { accepts: ['az-tdx-vtpm'], minimums: 'any' }],
    ['tpm', { accepts: ['tpm'], minimums: 'any', routes: { hardware: 'off' } }],
  ] as const)('is indeterminate for %s, which it cannot appraise', (type, members) => {
    const appraisal = appraise(policy(members), situation({ type, claims: azClaims() }));
    expect(appraisal.outcome).toBe('indeterminate');
    expect(only(appraisal, 'internal_error')).toMatchObject({ result: 'unavailable', retryable: false });
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
