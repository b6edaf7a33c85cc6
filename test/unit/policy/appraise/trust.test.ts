import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Check, CheckResult } from '../../../../src/core/check.js';
import type { Claims } from '../../../../src/core/claims.js';
import type { CheckId } from '../../../../src/core/codes.js';
import type { Outcome, TrustTier } from '../../../../src/core/decision.js';
import type { JsonValue } from '../../../../src/core/json.js';
import { TDX_STATUSES } from '../../../../src/core/tdx-status.js';
import { decide } from '../../../../src/policy/appraise/decide.js';
import { appraiseTrust, tierOf, tierOfAll } from '../../../../src/policy/appraise/trust.js';
import {
  appraised,
  appraisedTd,
  azClaims,
  azTdxClaims,
  check,
  eventLogClaims,
  hclClaims,
  MEASUREMENT,
  MR_OWNER,
  MR_SEAM,
  MRTD,
  PCR_7,
  RTMRS,
  type Situation,
  situation,
  snpClaims,
  tdAttributes,
  tdxClaims,
  tdxTcb,
  tokenClaims,
  tpmClaims,
  VARIABLE,
} from '../fixture.js';

/** Trust of what one policy made of a situation, floors included, so that nothing but the test's own is a finding. */
function trustOf(members: Parameters<typeof appraised>[0], given: Situation = {}) {
  const appraisal = appraised({ minimums: { snp: { Milan: { snp: 24 } } }, ...members }, given);
  const { claims } = situation(given).verification;
  return appraiseTrust(appraisal.checks, claims, decide([appraisal]).decision);
}

/** As `trustOf`, of a TD under a policy that accepts every status. */
function trustOfTd(members: Parameters<typeof appraised>[0] = {}, given: Situation = {}) {
  const ofTd: Situation = { type: 'tdx', ...given };
  const appraisal = appraisedTd({ minimums: { tdx: { acceptedStatuses: [...TDX_STATUSES] } }, ...members }, ofTd);
  return appraiseTrust(appraisal.checks, situation(ofTd).verification.claims, decide([appraisal]).decision);
}

function withStatus(status: string, given: Situation = {}): Situation {
  return { claims: { tdx: tdxClaims({ tcb: tdxTcb({ status }) }) }, ...given };
}

const TIERS = ['none', 'affirming', 'warning', 'contraindicated'] as const satisfies readonly TrustTier[];
const ALL_FAILED = {
  'instance-identity': 99,
  configuration: 99,
  executables: 99,
  'file-system': 99,
  hardware: 99,
  'runtime-opaque': 99,
  'storage-opaque': 99,
  'sourced-data': 99,
};

describe('trust tiers', () => {
  it.each<[number, TrustTier]>([
    [0, 'none'],
    [1, 'none'],
    [-1, 'none'],
    [2, 'affirming'],
    [31, 'affirming'],
    [-2, 'affirming'],
    [-32, 'affirming'],
    [32, 'warning'],
    [95, 'warning'],
    [-33, 'warning'],
    [-96, 'warning'],
    [96, 'contraindicated'],
    [127, 'contraindicated'],
    [-97, 'contraindicated'],
    [-128, 'contraindicated'],
    [128, 'none'],
    [-129, 'none'],
    [Number.NaN, 'none'],
    [95.5, 'none'],
  ])('of %d is %s', (value, tier) => {
    expect(tierOf(value)).toBe(tier);
  });

  it('of several is affirming only where each is', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...TIERS)), (tiers) => {
        const together = tierOfAll(tiers);
        expect(together === 'affirming').toBe(tiers.length > 0 && tiers.every((tier) => tier === 'affirming'));
        expect(together === 'contraindicated').toBe(tiers.includes('contraindicated'));
        // A warning hides nothing that is not known.
        if (tiers.includes('none')) expect(together).not.toBe('warning');
      }),
    );
  });
});

describe('trust of an allow', () => {
  it('is affirming for hardware and vTPM where all is as it should be', () => {
    const given = { claims: azClaims() };
    expect(trustOf({ secureBoot: 'required' }, given)).toEqual({
      status: 'affirming',
      submods: {
        hardware: { status: 'affirming', vector: { hardware: 2, 'runtime-opaque': 2 } },
        vtpm: { status: 'affirming', vector: { 'instance-identity': 2, configuration: 3 } },
      },
    });
  });

  it('has executables 3 where measurement and PCR are among the reference values', () => {
    const set = { snp: { measurement: [MEASUREMENT] }, tpm: { pcrs: { sha256: { '7': [PCR_7] } } } };
    const { submods } = trustOf({ referenceValues: [set] });
    expect([submods['hardware']?.vector['executables'], submods['vtpm']?.vector['executables']]).toEqual([3, 3]);
  });

  it('does not take the guest SVN, or a base check, for a reference value', () => {
    const { submods } = trustOf(
      { require: { snp: { minGuestSvn: 1 } } },
      { findings: [check('tpm_pcr', 'pass', { expected: ['x'] })] },
    );
    expect(submods['hardware']?.vector).not.toHaveProperty('executables');
    expect(submods['vtpm']?.vector).not.toHaveProperty('executables');
  });

  it('has one submodule for bare evidence, with the identity in it', () => {
    expect(trustOf({}, { type: 'snp' })).toEqual({
      status: 'affirming',
      submods: {
        hardware: { status: 'affirming', vector: { 'instance-identity': 2, hardware: 2, 'runtime-opaque': 2 } },
      },
    });
  });

  it('is a warning where the TCB is low and waived', () => {
    const waivers = [
      {
        check: 'snp_tcb_low',
        value: { part: 'Milan', floor: { snp: 24 } },
        reason: 'r',
        approver: 'a',
        expires: '2030-01-01',
      },
    ];
    const trust = trustOf({ minimums: { snp: { Milan: { snp: 25 } } }, waivers });
    expect([trust.status, trust.submods['hardware']?.vector['hardware']]).toEqual(['warning', 32]);
  });

  it('is a warning where no minimum was compared', () => {
    expect(trustOf({ minimums: { snp: 'any' } })).toMatchObject({
      status: 'warning',
      submods: { hardware: { vector: { hardware: 32 } } },
    });
  });

  it('is contraindicated for a guest that can be debugged, allowed or not', () => {
    const given = { findings: [check('snp_debug', 'fail')] };
    for (const allowDebug of [true, false]) {
      expect(trustOf({ allowDebug }, given)).toMatchObject({
        status: 'contraindicated',
        submods: {
          hardware: { status: 'contraindicated', vector: { 'runtime-opaque': 96, configuration: 96, hardware: 2 } },
        },
      });
    }
  });

  it('is none where nothing says whose paravisor it is', () => {
    const claims = azClaims({ hcl: hclClaims({ paravisor: { known: false, by: null } }) });
    expect(trustOf({ paravisor: 'any' }, { claims })).toMatchObject({
      status: 'none',
      submods: { hardware: { status: 'affirming' }, vtpm: { status: 'none', vector: { 'instance-identity': 0 } } },
    });
  });

  it('is none where only a certificate vouches for the AK', () => {
    const claims = azClaims({ hcl: hclClaims({ paravisor: { known: true, by: 'akCertificate' } }) });
    expect(trustOf({}, { claims }).submods['vtpm']).toMatchObject({
      status: 'none',
      vector: { 'instance-identity': 0 },
    });
  });

  it('claims no identity without a nonce', () => {
    const given = {
      nonce: { origin: 'none' as const },
      bound: [],
      findings: [check('nonce_mismatch', 'not_configured')],
      required: [],
    };
    expect(trustOf({ freshness: 'none' }, given).submods['vtpm']?.vector).toEqual({ configuration: 3 });
  });

  it('says nothing of secure boot where the runtime claims have no configuration', () => {
    const { vmConfiguration: _, ...hcl } = hclClaims();
    expect(trustOf({}, { claims: azClaims({ hcl }) }).submods['vtpm']?.vector).toEqual({ 'instance-identity': 2 });
  });

  it('is a warning with secure boot off in the event log alone', () => {
    const { vmConfiguration: _, ...hcl } = hclClaims();
    const claims = azClaims({ hcl, tpm: tpmClaims({ eventLog: eventLogClaims({ secureBoot: false }) }) });
    expect(trustOf({}, { claims }).submods['vtpm']?.vector['configuration']).toBe(32);
  });

  it('is a warning with secure boot off, where the policy does not mind', () => {
    const claims = azClaims({ hcl: hclClaims({ vmConfiguration: { secureBoot: false } }) });
    expect(trustOf({}, { claims })).toMatchObject({
      status: 'warning',
      submods: { vtpm: { vector: { configuration: 32 } } },
    });
  });
});

describe('trust of a deny', () => {
  it.each<CheckId>([
    'cert_untrusted',
    'cert_signature',
    'cert_algorithm',
    'cert_not_ca',
    'cert_path',
    'cert_role',
    'cert_extension',
    'cert_validity',
    'cert_revoked',
    'crl_invalid',
    'crl_issuer',
    'snp_signature',
    'snp_chip_id',
    'snp_tcb_cert',
    'snp_key_kind',
  ])('has 99 in every claim of every submodule after %s', (id) => {
    const findings = [check(id, 'fail'), check('tpm_signature', 'skipped'), check('crl_unavailable', 'unavailable')];
    expect(trustOf({}, { claims: {}, findings })).toEqual({
      status: 'contraindicated',
      submods: {
        hardware: { status: 'contraindicated', vector: ALL_FAILED },
        vtpm: { status: 'contraindicated', vector: ALL_FAILED },
      },
    });
  });

  it.each<[CheckId, 'fail' | 'unavailable', string]>([
    ['cert_validity', 'fail', '/evidence/akCertificate'],
    ['cert_validity', 'fail', '/attestationResults/0/token'],
    ['cert_revoked', 'fail', '/attestationResults/0/token'],
    ['crl_unavailable', 'unavailable', '/attestationResults/0/token'],
  ])('leaves the hardware genuine after %s, %s, of %s', (id, result, about) => {
    const { submods } = trustOf({}, { findings: [check(id, result, { about })] });
    expect(submods['hardware']).toMatchObject({ status: 'affirming', vector: { hardware: 2, 'runtime-opaque': 2 } });
    expect(submods['vtpm']?.vector['executables']).not.toBe(99);
    const identity = about === '/evidence/akCertificate' ? 97 : 2;
    expect(submods['vtpm']?.vector['instance-identity']).toBe(identity);
  });

  it.each<CheckId>([
    'hcl_binding',
    'hcl_duplicate',
    'hcl_claims',
    'hcl_ak_missing',
    'hcl_ak_weak',
    'tpm_weak_signature',
    'tpm_signature',
    'tpm_magic',
    'tpm_not_quote',
    'tpm_weak_bank',
    'tpm_pcr_selection',
    'tpm_pcr_digest',
  ])('has 99 in every claim of the vTPM after %s, and genuine hardware', (id) => {
    const trust = trustOf({}, { claims: { snp: snpClaims() }, findings: [check(id, 'fail')] });
    expect(trust.submods).toMatchObject({
      hardware: { status: 'affirming', vector: { hardware: 2, 'runtime-opaque': 2 } },
      vtpm: { status: 'contraindicated', vector: ALL_FAILED },
    });
    expect(trust.status).toBe('contraindicated');
  });

  it.each<[CheckId, string, string, number]>([
    ['snp_product', 'hardware', 'hardware', 97],
    ['snp_product_refused', 'hardware', 'hardware', 96],
    ['snp_tcb_order', 'hardware', 'hardware', 96],
    ['snp_tcb_low', 'hardware', 'hardware', 32],
    ['snp_provisional', 'hardware', 'hardware', 32],
    ['snp_mitigation', 'hardware', 'hardware', 32],
    ['snp_migration_agent', 'hardware', 'runtime-opaque', 96],
    ['snp_vmpl', 'hardware', 'instance-identity', 97],
    ['snp_measurement', 'hardware', 'executables', 33],
    ['snp_id_key', 'hardware', 'executables', 33],
    ['snp_host_data', 'hardware', 'configuration', 32],
    ['snp_tcb_floor_missing', 'hardware', 'hardware', 32],
    ['snp_platform_smt_enabled', 'hardware', 'configuration', 32],
    ['snp_platform_tsme_enabled', 'hardware', 'configuration', 32],
    ['snp_platform_ecc_enabled', 'hardware', 'configuration', 32],
    ['snp_platform_rapl_disabled', 'hardware', 'configuration', 32],
    ['snp_platform_ciphertext_hiding_dram_enabled', 'hardware', 'configuration', 32],
    ['snp_platform_alias_check_complete', 'hardware', 'configuration', 32],
    ['snp_platform_tio_enabled', 'hardware', 'configuration', 32],
    ['snp_report_data', 'vtpm', 'instance-identity', 97],
    ['ak_cert_untrusted', 'vtpm', 'instance-identity', 97],
    ['nonce_mismatch', 'vtpm', 'instance-identity', 97],
    ['nonce_used', 'vtpm', 'instance-identity', 97],
    ['nonce_expired', 'vtpm', 'instance-identity', 97],
    ['nonce_scope', 'vtpm', 'instance-identity', 97],
    ['hcl_paravisor', 'vtpm', 'instance-identity', 97],
    ['hcl_ak_mismatch', 'vtpm', 'instance-identity', 97],
    ['hcl_reference', 'vtpm', 'instance-identity', 97],
    ['tpm_pcr', 'vtpm', 'executables', 33],
    ['tpm_pcr_not_quoted', 'vtpm', 'executables', 33],
    ['secure_boot', 'vtpm', 'configuration', 96],
    ['secure_boot_unknown', 'vtpm', 'configuration', 36],
  ])('%s: %s has %s %i', (id, submod, claim, value) => {
    const trust = appraiseTrust(
      [check('snp_signature'), check('tpm_signature'), check(id, 'fail')],
      azClaims(),
      'deny',
    );
    expect(trust.submods[submod]?.vector[claim]).toBe(value);
    expect(trust.submods[submod]?.status).toBe(tierOf(value));
    expect(trust.status).toBe(value >= 96 ? 'contraindicated' : 'none');
  });

  it('is none where only the policy was not met, however good hardware and vTPM are', () => {
    const trust = trustOf({ binding: 'required' });
    expect([trust.status, trust.submods['hardware']?.status]).toEqual(['none', 'affirming']);
  });

  it('has no hardware that is genuine where the report gave no claims', () => {
    const findings = [check('snp_product', 'fail')];
    expect(trustOf({}, { type: 'snp', claims: {}, findings }).submods['hardware']).toMatchObject({
      vector: { hardware: 97 },
    });
  });
});

describe('trust of a TD', () => {
  it('is affirming where all is as it should be, with the identity beside the hardware in bare evidence', () => {
    expect(trustOfTd()).toEqual({
      status: 'affirming',
      submods: {
        hardware: { status: 'affirming', vector: { 'instance-identity': 2, hardware: 2, 'runtime-opaque': 2 } },
      },
    });
  });

  it('has a submodule for the vTPM behind a paravisor', () => {
    expect(trustOfTd({ secureBoot: 'required' }, { type: 'az-tdx-vtpm' })).toEqual({
      status: 'affirming',
      submods: {
        hardware: { status: 'affirming', vector: { hardware: 2, 'runtime-opaque': 2 } },
        vtpm: { status: 'affirming', vector: { 'instance-identity': 2, configuration: 3 } },
      },
    });
  });

  const VALUES: readonly (readonly [status: string, value: number])[] = [
    ['UpToDate', 2],
    ['SWHardeningNeeded', 32],
    ['ConfigurationNeeded', 32],
    ['ConfigurationAndSWHardeningNeeded', 32],
    ['OutOfDate', 96],
    ['OutOfDateConfigurationNeeded', 96],
    ['TDRelaunchAdvised', 96],
    ['TDRelaunchAdvisedConfigurationNeeded', 96],
  ];

  it.each(VALUES)(
    'TDX-12 of status %s has hardware %i, accepted, under no minimum, waived or denied',
    (status, value) => {
      const only = (acceptedStatuses: readonly string[]) => ({ minimums: { tdx: { acceptedStatuses } } });
      const other = only([status === 'UpToDate' ? 'OutOfDate' : 'UpToDate']);
      const terms = { reason: 'r', approver: 'a', expires: '2030-01-01' };
      const waivers = [{ check: 'tdx_tcb_status', value: status, ...terms }];
      for (const members of [only([status]), { minimums: { tdx: 'any' } }, { ...other, waivers }]) {
        const trust = trustOfTd(members, withStatus(status));
        expect([trust.status, trust.submods['hardware']?.vector['hardware']]).toEqual([tierOf(value), value]);
      }
      const denied = trustOfTd(other, withStatus(status));
      expect(denied.submods['hardware']?.vector['hardware']).toBe(value);
      expect(denied.status).toBe(value === 96 ? 'contraindicated' : 'none');
    },
  );

  it.each(['Revoked', 'Fine', 'UpToDate', 'SWHardeningNeeded'])(
    'TDX-12 has hardware 96 where the verifier refused the word %s',
    (status) => {
      const findings = [check('tdx_tcb_status', 'fail', { actual: status })];
      for (const minimums of [{ tdx: 'any' }, { tdx: { acceptedStatuses: [...TDX_STATUSES] } }]) {
        const trust = trustOfTd({ minimums }, withStatus(status, { findings }));
        expect([trust.status, trust.submods['hardware']?.vector['hardware']]).toEqual(['contraindicated', 96]);
      }
    },
  );

  it('has executables 3 where MRTD is among the reference values, and 33 where it is not', () => {
    const pin = (mrtd: string) => trustOfTd({ referenceValues: [{ tdx: { mrtd: [mrtd] } }] }).submods['hardware'];
    expect(pin(MRTD)).toMatchObject({ status: 'affirming', vector: { executables: 3 } });
    expect(pin('99'.repeat(48))).toMatchObject({ status: 'warning', vector: { executables: 33 } });
  });

  it.each([{ mrSeam: [MR_SEAM] }, { mrOwner: [MR_OWNER] }, { rtmr3: [RTMRS[3]] }])(
    'does not take %j alone for the measurement of the launch',
    (tdx) => {
      const trust = trustOfTd({ accepts: ['tdx'], referenceValues: [{ tdx }] });
      expect(trust.status).toBe('affirming');
      expect(trust.submods['hardware']?.vector).not.toHaveProperty('executables');
    },
  );

  it.each([
    ['on, in firmware that is known', true, { referenceValues: [{ tdx: { mrtd: [MRTD] } }] }, 3],
    ['on, as firmware that nobody knows says', true, {}, undefined],
    [
      'on, with other registers known than MRTD',
      true,
      { referenceValues: [{ tdx: { rtmr3: [RTMRS[3]] } }] },
      undefined,
    ],
    ['off', false, {}, 32],
    ['not known', null, { referenceValues: [{ tdx: { mrtd: [MRTD] } }] }, undefined],
  ])('has the configuration that the event log shows: Secure Boot %s', (_, secureBoot, members, value) => {
    const claims = { tdx: tdxClaims({ eventLog: eventLogClaims({ secureBoot }) }) };
    const { submods } = trustOfTd({ accepts: ['tdx'], ...members }, { claims });
    expect(submods['hardware']?.vector['configuration']).toBe(value);
  });

  it('is contraindicated for a TD that can be debugged, allowed or not', () => {
    const claims = { tdx: tdxClaims({ tdAttributes: tdAttributes({ debug: true }) }) };
    for (const allowDebug of [true, false]) {
      expect(trustOfTd({ allowDebug }, { claims, findings: [check('tdx_debug', 'fail')] })).toMatchObject({
        status: 'contraindicated',
        submods: { hardware: { vector: { 'runtime-opaque': 96, configuration: 96, hardware: 2 } } },
      });
    }
  });

  it.each<[CheckId, string, number]>([
    ['tdx_attributes', 'configuration', 96],
    ['tdx_service_td', 'runtime-opaque', 96],
    ['tdx_xfam', 'configuration', 32],
    ['tdx_tcb_level_unsupported', 'hardware', 97],
    ['tdx_tcb_date', 'hardware', 32],
    ['tdx_module', 'hardware', 97],
    ['tdx_seam_attributes', 'hardware', 97],
    ['tdx_measurement', 'executables', 33],
    ['tdx_report_data', 'instance-identity', 97],
    ['nonce_mismatch', 'instance-identity', 97],
  ])('%s has %s %i', (id, claim, value) => {
    const trust = appraiseTrust([check('tdx_signature'), check(id, 'fail')], { tdx: tdxClaims() }, 'deny');
    expect(trust.submods['hardware']?.vector[claim]).toBe(value);
    expect(trust.submods['hardware']?.status).toBe(tierOf(value));
  });

  it.each<CheckId>([
    'cert_untrusted',
    'cert_revoked',
    'crl_issuer',
    'tdx_signature',
    'tdx_qe_vendor',
    'tdx_qe_binding',
    'tdx_qe_report_signature',
    'tdx_qe_identity',
    'tdx_qe_debug',
    'tdx_qe_svn',
    'tdx_qe_attributes',
    'tdx_tcb_info',
    'collateral_not_yet',
  ])('has 99 in every claim of every submodule after %s', (id) => {
    const failing = { claims: {}, findings: [check(id, 'fail')] };
    const all = { status: 'contraindicated', vector: ALL_FAILED };
    expect(trustOfTd({}, failing)).toEqual({ status: 'contraindicated', submods: { hardware: all } });
    expect(trustOfTd({}, { type: 'az-tdx-vtpm', ...failing }).submods).toEqual({ hardware: all, vtpm: all });
  });

  it.each<CheckId>(['tdx_report_mismatch', 'hcl_binding', 'tpm_signature'])(
    'has 99 in every claim of the vTPM after %s, and genuine hardware',
    (id) => {
      const given: Situation = {
        type: 'az-tdx-vtpm',
        claims: { tdx: tdxClaims() },
        findings: [check(id, 'fail')],
      };
      expect(trustOfTd({}, given).submods).toMatchObject({
        hardware: { status: 'affirming', vector: { hardware: 2, 'runtime-opaque': 2 } },
        vtpm: { status: 'contraindicated', vector: ALL_FAILED },
      });
    },
  );

  it.each<CheckId>(['collateral_unavailable', 'collateral_stale', 'collateral_rollback'])(
    'is none and contraindicates nothing, for %s',
    (id) => {
      const findings = [check(id, 'unavailable')];
      expect(trustOfTd({}, { type: 'az-tdx-vtpm', claims: {}, findings })).toEqual({
        status: 'none',
        submods: {
          hardware: { status: 'none', vector: { hardware: 0 } },
          vtpm: { status: 'none', vector: { 'instance-identity': 0 } },
        },
      });
    },
  );

  it('is none where only a certificate vouches for the AK', () => {
    const hcl = hclClaims({ paravisor: { known: true, by: 'akCertificate' } });
    expect(trustOfTd({}, { type: 'az-tdx-vtpm', claims: azTdxClaims({ hcl }) })).toMatchObject({
      status: 'none',
      submods: { hardware: { status: 'affirming' }, vtpm: { vector: { 'instance-identity': 0 } } },
    });
  });
});

describe('trust of what could not be judged', () => {
  it.each<CheckId>(['vcek_unavailable', 'crl_unavailable', 'crl_stale', 'crl_rollback', 'deadline', 'clock'])(
    'is none and contraindicates nothing, for %s',
    (id) => {
      expect(trustOf({}, { findings: [check(id, 'unavailable')] })).toEqual({
        status: 'none',
        submods: {
          hardware: { status: 'none', vector: { hardware: 0 } },
          vtpm: { status: 'none', vector: { 'instance-identity': 0 } },
        },
      });
    },
  );

  it('has -1 where the verifier is at fault', () => {
    expect(trustOf({}, { findings: [check('internal_error', 'unavailable')] })).toMatchObject({
      status: 'none',
      submods: { hardware: { status: 'none', vector: { hardware: -1 } } },
    });
  });

  it('is affirming under best effort, which makes a missing CRL a warning of the policy', () => {
    const given = { findings: [check('crl_unavailable', 'unavailable')] };
    expect(trustOf({ revocation: 'best-effort' }, given).status).toBe('affirming');
  });

  it('knows no identity where the store of challenges is out of reach', () => {
    const trust = trustOf({}, { findings: [check('nonce_store', 'unavailable')] });
    expect(trust).toMatchObject({ status: 'none', submods: { vtpm: { vector: { 'instance-identity': 0 } } } });
  });

  it('says so of nothing at all', () => {
    expect(appraiseTrust([], {}, 'deny')).toEqual({
      status: 'none',
      submods: { hardware: { status: 'none', vector: { hardware: 0 } } },
    });
  });
});

describe('trust, whatever was found', () => {
  const anyId = fc.constantFrom<CheckId>(
    'snp_signature',
    'tpm_signature',
    'snp_debug',
    'snp_tcb_low',
    'hcl_paravisor_unknown',
    'nonce_mismatch',
    'crl_unavailable',
    'secure_boot',
    'tdx_tcb_status',
    'tdx_measurement',
    'collateral_unavailable',
    'internal_error',
  );
  const anyResult = fc.constantFrom('pass', 'fail', 'warn', 'skipped', 'unavailable', 'not_configured') as fc.Arbitrary<
    Check['result']
  >;
  const anyChecks = fc.array(
    fc.tuple(anyId, anyResult).map(([id, result]) => check(id, result)),
    { maxLength: 10 },
  );
  const anyClaims = fc.constantFrom<Claims>({}, { snp: snpClaims() }, azClaims(), { tdx: tdxClaims() }, azTdxClaims());

  it('has no submodule better than its worst claim, and is not better than its worst submodule', () => {
    fc.assert(
      fc.property(
        anyChecks,
        anyClaims,
        fc.constantFrom<Outcome>('allow', 'deny', 'indeterminate'),
        (checks, claims, outcome) => {
          const trust = appraiseTrust(checks, claims, outcome);
          for (const { status, vector } of Object.values(trust.submods)) {
            expect(status).toBe(tierOfAll(Object.values(vector).map(tierOf)));
          }
          if (trust.status === 'affirming') {
            expect(Object.values(trust.submods).map(({ status }) => status)).not.toContain('none');
            expect(outcome).toBe('allow');
          }
          if (outcome === 'indeterminate') expect(trust.status).toBe('none');
          if (outcome === 'deny') expect(['none', 'contraindicated']).toContain(trust.status);
        },
      ),
    );
  });
});

describe('trust in other verifiers', () => {
  const trust = (
    claims: Claims,
    checks: readonly Check[],
    routes: Parameters<typeof appraiseTrust>[3] = { hardware: false, routes: ['maa'] },
    decision: Outcome = 'allow',
  ) => appraiseTrust(checks, claims, decision, routes);

  /** A check about a token that the request brings. */
  const ofToken = (id: CheckId, result?: CheckResult, members: Partial<Check> = {}) =>
    check(id, result, { about: '/attestationResults/0/token', ...members });

  it('has a submodule for each, and none for hardware that nobody showed', () => {
    const found = trust({ maa: tokenClaims() }, []);
    expect(found).toEqual({
      status: 'affirming',
      submods: { maa: { status: 'affirming', vector: { configuration: 3, hardware: 2, 'runtime-opaque': 2 } } },
    });
  });

  it('stands beside that in the hardware, and is no better than its worst', () => {
    const claims = azClaims({ maa: tokenClaims({ secureBoot: false }) });
    const both = trust(claims, [check('nonce_mismatch')], { hardware: true, routes: ['maa'] });
    expect(Object.keys(both.submods).sort()).toEqual(['hardware', 'maa']);
    expect([both.status, both.submods['maa']?.status]).toEqual(['warning', 'warning']);
  });

  it('says nothing of secure boot where the token does not', () => {
    const found = trust({ ita: tokenClaims({ secureBoot: null }) }, [], { hardware: false, routes: ['ita'] });
    expect(found.submods['ita']?.vector).toEqual({ hardware: 2, 'runtime-opaque': 2 });
  });

  it.each<[CheckId, string, number]>([
    ['token_claim_type', 'hardware', 97],
    ['token_debug', 'runtime-opaque', 96],
    ['token_debug_unknown', 'runtime-opaque', 96],
    ['token_compliance', 'configuration', 96],
    ['ita_debug', 'runtime-opaque', 96],
    ['ita_policy', 'configuration', 96],
    ['disagreement', 'hardware', 96],
    ['nonce_mismatch', 'instance-identity', 97],
  ])('is contraindicated after %s', (id, claim, value) => {
    const found = trust({ maa: tokenClaims() }, [ofToken(id, 'fail')], undefined, 'deny');
    expect([found.status, found.submods['maa']?.vector[claim]]).toEqual(['contraindicated', value]);
  });

  it.each<[string, number]>([
    ['UpToDate', 2],
    ['SWHardeningNeeded', 32],
    ['ConfigurationNeeded', 32],
    ['ConfigurationAndSWHardeningNeeded', 32],
    ['OutOfDate', 96],
    ['OutOfDateConfigurationNeeded', 96],
    ['TDRelaunchAdvised', 96],
    ['TDRelaunchAdvisedConfigurationNeeded', 96],
    ['Revoked', 96],
    ['Splendid', 96],
  ])('TOK-23 is no better than the TCB status %s that it states, whatever a policy makes of it', (tcbStatus, value) => {
    for (const route of ['maa', 'ita'] as const) {
      for (const checks of [[], [ofToken(`${route}_tcb_status`, 'warn', { policy: 'least' })]]) {
        const found = trust({ [route]: tokenClaims({ tcbStatus }) }, checks, { hardware: false, routes: [route] });
        expect(found.submods[route]?.vector['hardware']).toBe(value);
      }
    }
  });

  it.each(['maa', 'ita'] as const)('TOK-23 is contraindicated where the status is missing, for %s', (route) => {
    const checks = [ofToken(`${route}_tcb_status`, 'fail')];
    const found = trust({ [route]: tokenClaims() }, checks, { hardware: false, routes: [route] }, 'deny');
    expect([found.status, found.submods[route]?.vector['hardware']]).toEqual(['contraindicated', 96]);
  });

  it('TOK-22 does not recognise an issuer whose word the policy does not take', () => {
    const found = trust(
      { maa: tokenClaims() },
      [ofToken('token_issuer', 'fail', { policy: 'least' })],
      undefined,
      'deny',
    );
    expect([found.status, found.submods['maa']?.vector['instance-identity']]).toEqual(['contraindicated', 97]);
  });

  it('TOK-17 is a warning where whoever owns the instance can issue any claim', () => {
    const found = trust({ maa: tokenClaims() }, [ofToken('token_issuer_policy', 'warn')]);
    expect([found.status, found.submods['maa']?.vector['hardware']]).toEqual(['warning', 32]);
  });

  it.each<CheckId>([
    'token_alg',
    'token_issuer',
    'token_key',
    'token_signature',
    'token_time',
    'token_lifetime',
    'token_audience',
  ])('is none of a token that fails %s: its cryptography failed', (id) => {
    const found = trust({}, [ofToken(id, 'fail')], undefined, 'deny');
    expect(found.submods['maa']).toEqual({ status: 'contraindicated', vector: ALL_FAILED });
  });

  it('is none of a token whose keys are out of reach', () => {
    const found = trust({}, [ofToken('jwks_unavailable', 'unavailable')], undefined, 'indeterminate');
    expect(found).toEqual({ status: 'none', submods: { maa: { status: 'none', vector: { hardware: 0 } } } });
  });

  describe('of which there are two', () => {
    const BOTH = { hardware: true, routes: ['maa', 'ita'] as const };
    const claims = azTdxClaims({
      maa: tokenClaims({ tcbStatus: 'UpToDate' }),
      ita: tokenClaims({ tcbStatus: 'UpToDate' }, 'TDX'),
    });
    const tiers = (found: Check, parts: Parameters<typeof appraiseTrust>[3] = BOTH) => {
      const { submods } = trust(claims, [check('tpm_signature'), found], parts);
      return { maa: submods['maa']?.status, ita: submods['ita']?.status };
    };

    it.each<[CheckId, CheckResult, TrustTier]>([
      ['token_issuer_policy', 'warn', 'warning'],
      ['token_issuer', 'fail', 'contraindicated'],
      ['disagreement', 'fail', 'contraindicated'],
      ['maa_tcb_status', 'fail', 'contraindicated'],
    ])('rest each on findings of its own, %s', (id, result, tier) => {
      expect(tiers(ofToken(id, result, { route: 'maa' }))).toEqual({ maa: tier, ita: 'affirming' });
    });

    it('that were fetched share a place, and are told apart', () => {
      const found = check('ita_policy', 'fail', { about: '/attestationResults', route: 'ita' });
      expect(tiers(found)).toEqual({ maa: 'affirming', ita: 'contraindicated' });
    });

    it('both answer for a finding that leaves open whose it is', () => {
      const found = check('disagreement', 'fail', { about: '/attestationResults' });
      expect(tiers(found)).toEqual({ maa: 'contraindicated', ita: 'contraindicated' });
    });

    it('answer for nothing that was found in the hardware', () => {
      const found = check('secure_boot', 'fail', { about: '/evidence/hclReport', policy: 'least' });
      expect(tiers(found)).toEqual({ maa: 'affirming', ita: 'affirming' });
    });

    it('are told apart where one is the evidence', () => {
      const found = check('secure_boot_unknown', 'fail', { about: '/evidence/token', policy: 'least' });
      const parts = { hardware: false, routes: ['maa', 'ita'], evidence: 'maa' } as const;
      expect(tiers(found, parts)).toEqual({ maa: 'warning', ita: 'affirming' });
    });

    it('have a signature each: one that fails says nothing of the other', () => {
      const { submods } = trust({}, [ofToken('token_signature', 'fail', { route: 'ita' })], BOTH, 'deny');
      expect(submods['ita']).toEqual({ status: 'contraindicated', vector: ALL_FAILED });
      expect(submods['maa']).toEqual({ status: 'none', vector: { hardware: 0 } });
    });

    it('are not read where there is none: only a refusal counts', () => {
      const found = ofToken('token_claim_type', 'fail', { route: 'ita' });
      const { submods } = trust({ maa: tokenClaims() }, [found], BOTH, 'deny');
      expect(submods['ita']).toEqual({ status: 'none', vector: { hardware: 0 } });
    });

    it('are contraindicated alone by a refusal of their own', () => {
      const refusal = check('disagreement', 'fail', { about: '/evidence', route: 'ita' });
      const { submods } = trust({ maa: tokenClaims() }, [refusal], BOTH, 'deny');
      expect([submods['maa']?.status, submods['ita']]).toEqual([
        'affirming',
        { status: 'contraindicated', vector: { hardware: 96 } },
      ]);
    });
  });
});

describe('a machine that the policy does not list', () => {
  it.each(['snp_chip_id', 'tdx_platform_id'] as const)('SNP-30 is genuine, and not the one expected: %s', (id) => {
    const claims = { snp: snpClaims() };
    const found = [check('snp_signature'), check(id, 'fail', { policy: 'least' })];
    const { hardware } = appraiseTrust(found, claims, 'deny').submods;
    expect(hardware?.vector).toMatchObject({ 'instance-identity': 97, hardware: 2 });
  });

  it('SNP-13 is no proof at all where the key is of another chip', () => {
    const { hardware } = appraiseTrust([check('snp_chip_id', 'fail')], {}, 'deny').submods;
    expect(hardware?.vector).toMatchObject({ 'instance-identity': 99, hardware: 99 });
  });
});

describe('a vTPM by itself', () => {
  const ALONE = { hardware: false, vtpmOnly: true, routes: [] } as const;
  const FRESH = [check('ak_cert_untrusted'), check('tpm_signature'), check('nonce_mismatch')];
  const AK = '/evidence/akCertificate';
  /** Lists are taken from the claims themselves, as checks do. */
  const eventLog = eventLogClaims();
  const { applications, files, commandLines } = eventLog;
  const BOOTED = { tpm: tpmClaims({ eventLog }) };
  const matching = (actual: JsonValue) => check('tpm_pcr', 'pass', { policy: 'least', expected: [actual], actual });
  const vtpmOf = (checks: readonly Check[], claims: Claims = {}) => {
    const { submods } = appraiseTrust(checks, claims, 'deny', ALONE);
    expect(Object.keys(submods)).toEqual(['vtpm']);
    return submods['vtpm'];
  };

  it('has one appraisal, which says nothing of hardware', () => {
    const { status, submods } = appraiseTrust(FRESH, {}, 'allow', ALONE);
    // A certificate alone vouches for the key: nothing says which machine it is.
    expect(status).toBe('none');
    expect(submods).toEqual({ vtpm: { status: 'none', vector: { 'instance-identity': 0 } } });
  });

  it.each([
    ['a PCR', PCR_7],
    ['applications', applications],
    ['files', files],
  ])('is the software that reference values of %s say', (_, actual) => {
    expect(vtpmOf([...FRESH, matching(actual)], BOOTED)?.vector).toMatchObject({ executables: 3 });
  });

  it.each([
    ['dbx', VARIABLE],
    ['command lines', commandLines],
  ])('is not known by reference values of %s, which start nothing', (_, actual) => {
    expect(vtpmOf([...FRESH, matching(actual)], BOOTED)?.vector).not.toHaveProperty('executables');
  });

  it('is not known by a value that is nowhere in the claims', () => {
    const matched = check('tpm_pcr', 'pass', { policy: 'least', expected: [PCR_7] });
    expect(vtpmOf([...FRESH, matched])?.vector).not.toHaveProperty('executables');
  });

  it.each([
    [true, 3],
    [false, 32],
    [null, undefined],
  ])('has the configuration that the event log shows: Secure Boot %s', (secureBoot, value) => {
    const claims = { tpm: tpmClaims({ eventLog: eventLogClaims({ secureBoot }) }) };
    expect(vtpmOf(FRESH, claims)?.vector['configuration']).toBe(value);
  });

  it('is contraindicated where its certificate cannot be relied on, or its quote is not signed', () => {
    for (const found of [check('ak_cert_untrusted', 'fail'), check('cert_validity', 'fail', { about: AK })]) {
      expect(vtpmOf([found])).toEqual({ status: 'contraindicated', vector: { 'instance-identity': 97 } });
    }
    for (const id of ['tpm_signature', 'tpm_magic', 'tpm_pcr_digest'] as const) {
      expect(vtpmOf([check(id, 'fail')])?.vector).toEqual(ALL_FAILED);
    }
  });

  it('is unknown where the verifier failed', () => {
    const found = check('internal_error', 'unavailable');
    expect(vtpmOf([found])).toEqual({ status: 'none', vector: { 'instance-identity': -1 } });
  });
});
