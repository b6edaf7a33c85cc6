import { describe, expect, it } from 'vitest';
import type { Check } from '../../../../src/core/check.js';
import type { CheckId } from '../../../../src/core/codes.js';
import {
  appraised,
  appraisedTd,
  azClaims,
  azTdxClaims,
  check,
  failed,
  only,
  results,
  type Situation,
  situation,
  snpClaims,
  tdAttributes,
  tdxClaims,
} from '../fixture.js';

describe('debug', () => {
  const DEBUG = {
    findings: [check('snp_debug', 'fail', { expected: false, actual: true, detail: 'the host may debug' })],
  };

  it('SNP-07 is denied by default', () => {
    const appraisal = appraised({}, DEBUG);
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['snp_debug']]);
    expect(only(appraisal, 'snp_debug').policy).toBeNull();
  });

  it('SNP-07 is a warning in the decision of a policy that names it', () => {
    const appraisal = appraised({ allowDebug: true }, DEBUG);
    expect(only(appraisal, 'snp_debug')).toMatchObject({
      result: 'warn',
      policy: 'least',
      actual: true,
      detail: 'the host may debug; the policy allows debug',
    });
    expect(appraisal.outcome).toBe('allow');
  });

  describe.each([
    ['tdx', (tdx = tdxClaims()) => ({ tdx })],
    ['az-tdx-vtpm', (tdx = tdxClaims()) => azTdxClaims({ tdx })],
  ] as const)('of %s', (type, claimsOf) => {
    const given = {
      type,
      claims: claimsOf(tdxClaims({ tdAttributes: tdAttributes({ debug: true }) })),
      findings: [check('tdx_debug', 'fail', { expected: false, actual: true, detail: 'the host may debug' })],
    };

    it('TDX-15 is denied by default', () => {
      const appraisal = appraisedTd({}, given);
      expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tdx_debug']]);
      expect(appraisedTd({}, { type, claims: claimsOf() }).outcome).toBe('allow');
    });

    it('TDX-15 is a warning in the decision of a policy that names it', () => {
      const appraisal = appraisedTd({ allowDebug: true }, given);
      expect(only(appraisal, 'tdx_debug')).toMatchObject({
        result: 'warn',
        policy: 'least',
        detail: 'the host may debug; the policy allows debug',
      });
      expect(appraisal.outcome).toBe('allow');
    });

    it.each<CheckId>(['tdx_attributes', 'tdx_xfam', 'tdx_seam_attributes', 'tdx_qe_debug', 'tdx_tcb_status'])(
      'TDX-15 leaves %s denied under allowDebug',
      (id) => {
        expect(failed(appraisedTd({ allowDebug: true }, { type, findings: [check(id, 'fail')] }))).toEqual([id]);
      },
    );
  });

  it('leaves a guest that is not debuggable as it is', () => {
    expect(only(appraised({ allowDebug: true }), 'snp_debug')).toMatchObject({ result: 'pass', policy: null });
  });

  it('SNP-07 that is not known stays open under allowDebug, which tolerates what is known', () => {
    const findings = [check('snp_debug', 'unavailable')];
    const appraisal = appraised({ allowDebug: true }, { findings });
    expect(appraisal.outcome).toBe('indeterminate');
    expect(only(appraisal, 'snp_debug')).toMatchObject({ result: 'unavailable', policy: null });
  });

  it('relaxes debug alone', () => {
    const findings = [check('snp_migration_agent', 'fail'), check('snp_vmpl', 'fail')];
    expect(failed(appraised({ allowDebug: true }, { findings }))).toEqual(['snp_migration_agent', 'snp_vmpl']);
  });

  it('SNP-50 leaves a report that the host requested denied under the weakest policy: snp_vmpl', () => {
    const weakest = { allowDebug: true, freshness: 'none', revocation: 'best-effort' };
    const given: Situation = { type: 'snp', findings: [check('snp_vmpl', 'fail')], claims: { snp: snpClaims() } };
    expect(failed(appraised({ ...weakest, accepts: ['snp'] }, given))).toEqual(['snp_vmpl']);
  });
});

describe('revocation', () => {
  const BEST_EFFORT_FOR_BOTH = { accepts: ['snp', 'tdx'], minimums: 'any', revocation: 'best-effort' };

  const missing = (id: CheckId) => ({ findings: [check(id, 'unavailable', { retryable: true })], required: [id] });

  it('CRT-10 is indeterminate without a CRL by default', () => {
    const appraisal = appraised({}, missing('crl_unavailable'));
    expect(appraisal.outcome).toBe('indeterminate');
    expect(only(appraisal, 'crl_unavailable')).toMatchObject({ result: 'unavailable', retryable: true, policy: null });
  });

  it.each<CheckId>(['crl_unavailable', 'crl_stale'])(
    'CRT-10 takes %s for a warning that names the policy, under best-effort',
    (id) => {
      const appraisal = appraised({ revocation: 'best-effort' }, missing(id));
      expect(only(appraisal, id)).toMatchObject({
        result: 'warn',
        policy: 'least',
        detail: 'as it is; the policy sets revocation to best-effort',
      });
      expect(only(appraisal, id)).not.toHaveProperty('retryable');
      expect(appraisal.outcome).toBe('allow');
    },
  );

  it('CRT-10 leaves a CRL that is at hand as it is, and a verdict on one that is not a matter of reach', () => {
    const judge = (result: 'pass' | 'fail') =>
      only(appraised({ revocation: 'best-effort' }, { findings: [check('crl_stale', result)] }), 'crl_stale');
    expect(judge('pass')).toMatchObject({ result: 'pass', policy: null });
    expect(judge('fail')).toMatchObject({ result: 'fail', policy: null });
  });

  it('CRT-10 never tolerates a revoked key', () => {
    const appraisal = appraised({ revocation: 'best-effort' }, { findings: [check('cert_revoked', 'fail')] });
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['cert_revoked']]);
  });

  it.each<CheckId>(['crl_rollback', 'vcek_unavailable'])(
    'CRT-10 does not take %s for a warning under best-effort',
    (id) => {
      expect(appraised({ revocation: 'best-effort' }, missing(id)).outcome).toBe('indeterminate');
    },
  );

  it.each<CheckId>(['collateral_stale', 'collateral_unavailable', 'collateral_rollback'])(
    'TDX-10 does not take %s for a warning under best-effort, which speaks of the lists of AMD',
    (id) => {
      const appraisal = appraisedTd(BEST_EFFORT_FOR_BOTH, missing(id));
      expect([appraisal.outcome, only(appraisal, id).result]).toEqual(['indeterminate', 'unavailable']);
      expect(appraisedTd(BEST_EFFORT_FOR_BOTH).outcome).toBe('allow');
    },
  );

  it('TDX-10 denies collateral_not_yet under best-effort', () => {
    const findings = [check('collateral_not_yet', 'fail')];
    expect(failed(appraisedTd(BEST_EFFORT_FOR_BOTH, { findings }))).toEqual(['collateral_not_yet']);
  });

  it.each(['/evidence/token', '/attestationResults/0/token'])(
    'CRT-10 does not wave through lists of a key of %s',
    (about) => {
      const finding = check('crl_unavailable', 'unavailable', { about });
      expect(appraised({ revocation: 'best-effort' }, { findings: [finding] }).outcome).toBe('indeterminate');
    },
  );

  it.each<CheckId>(['crl_invalid', 'crl_issuer'])('CRT-10 denies %s also under best-effort', (id) => {
    expect(failed(appraised({ revocation: 'best-effort' }, { findings: [check(id, 'fail')] }))).toEqual([id]);
  });
});

describe('product advisory', () => {
  it.each(['Milan', 'Milan-X'] as const)('SNP-22 is in every decision about the Milan line: %s', (part) => {
    const appraisal = appraised({}, { claims: azClaims({ snp: snpClaims({ part }) }) });
    expect(only(appraisal, 'snp_product_advisory')).toMatchObject({ result: 'warn', policy: null, actual: 'Milan' });
    expect(only(appraisal, 'snp_product_advisory').detail).toContain('arXiv 2605.12990');
    expect(appraisal.outcome).toBe('allow');
  });

  it.each(['Genoa', 'Turin'] as const)('SNP-22 is not in decisions about %s', (product) => {
    const appraisal = appraised({}, { claims: azClaims({ snp: snpClaims({ product, part: product }) }) });
    expect(results(appraisal, 'snp_product_advisory')).toEqual([]);
  });

  it.each(['tdx', 'az-tdx-vtpm'] as const)('is not in decisions about %s, nor is any other warning', (type) => {
    expect(appraisedTd({}, { type }).base).toEqual(situation({ type }).verification.checks);
  });

  it('TOK-30 is in decisions about a token that stands alone and was required to name no refused product', () => {
    const members = { accepts: ['maa-token'], minimums: 'any', routes: { hardware: 'off' } };
    const about = (...findings: readonly Check[]) => appraised(members, { type: 'maa-token', claims: {}, findings });
    const { base } = about(check('snp_product_refused', 'pass'));
    expect(base.filter(({ id }) => id === 'snp_product_advisory')).toMatchObject([
      { result: 'warn', policy: null, actual: null, detail: expect.stringContaining('does not name the product line') },
    ]);
    for (const findings of [[], [check('snp_product_refused', 'fail')]]) {
      expect(results(about(...findings), 'snp_product_advisory')).toEqual([]);
    }
  });

  it('is not made of claims that were not verified', () => {
    const given = { claims: {}, findings: [check('snp_signature', 'fail')] };
    expect(appraised({}, given).base).toEqual(situation(given).verification.checks);
  });

  it('does not depend on whether the policy accepts the evidence', () => {
    expect(results(appraised({ accepts: ['snp'] }), 'snp_product_advisory')).toEqual(['warn']);
  });
});
