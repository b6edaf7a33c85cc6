import { describe, expect, it } from 'vitest';
import type { CheckResult } from '../../../src/core/checks/row.js';
import type { CheckId } from '../../../src/core/codes.js';
import { chainOfTrust, type Link, type LinkName, linkOf } from '../../../src/inspector/chain-of-trust.js';
import { CHECK_IDS } from '../../../src/tee/catalogue.js';

const ALLOWED = { decision: 'allow', nonceBy: 'caller' } as const;
const check = (id: string, result: CheckResult, about = '/evidence/hclReport') => ({ id, result, about });
const stateOf = (links: readonly Link[], name: string) => links.find((link) => link.name === name)?.state;
const namesOf = (type: string, checks: Parameters<typeof chainOfTrust>[1] = []) =>
  chainOfTrust(type, checks, ALLOWED).map(({ name }) => name);

/** The checks of each link. */
const CHECKS: { readonly [name in LinkName]: readonly CheckId[] } = {
  service: ['internal_error', 'deadline', 'clock', 'receipt_unavailable', 'audit_unavailable'],
  root: ['cert_untrusted', 'snp_product_configured'],
  certificates: [
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
    'crl_stale',
    'crl_unavailable',
    'crl_rollback',
    'crl_unconfirmed',
    'vcek_unavailable',
  ],
  report: [
    'snp_key_kind',
    'snp_product',
    'snp_product_refused',
    'snp_chip_id',
    'snp_tcb_cert',
    'snp_signature',
    'snp_debug',
    'snp_migration_agent',
    'snp_vmpl',
    'snp_tcb_order',
    'snp_tcb_low',
    'snp_provisional',
    'snp_mitigation',
    'snp_id_key',
    'snp_measurement',
    'snp_host_data',
    'snp_report_data',
    'snp_platform_smt_enabled',
    'snp_platform_tsme_enabled',
    'snp_platform_ecc_enabled',
    'snp_platform_rapl_disabled',
    'snp_platform_ciphertext_hiding_dram_enabled',
    'snp_platform_alias_check_complete',
    'snp_platform_iommu_write_safe',
    'snp_platform_tio_enabled',
    'snp_platform_unknown',
    'snp_product_advisory',
    'snp_tcb_floor_missing',
    'launch_endorsement_ignored',
    'tdx_signature',
    'tdx_qe_vendor',
    'tdx_qe_binding',
    'tdx_qe_report_signature',
    'tdx_qe_identity',
    'tdx_qe_debug',
    'tdx_qe_svn',
    'tdx_qe_attributes',
    'tdx_report_mismatch',
    'tdx_tcb_info',
    'tdx_tcb_level_unsupported',
    'tdx_tcb_status',
    'tdx_tcb_date',
    'tdx_module',
    'tdx_debug',
    'tdx_attributes',
    'tdx_xfam',
    'tdx_seam_attributes',
    'tdx_platform_id',
    'tdx_service_td',
    'tdx_measurement',
    'tdx_report_data',
    'collateral_not_yet',
    'collateral_unavailable',
    'collateral_stale',
    'collateral_rollback',
    'collateral_unconfirmed',
    'hardware_missing',
  ],
  claimsHash: ['hcl_binding', 'hcl_duplicate', 'hcl_claims', 'hcl_paravisor', 'hcl_paravisor_unknown', 'hcl_reference'],
  attestationKey: ['hcl_ak_missing', 'hcl_ak_weak', 'hcl_ak_mismatch', 'ak_cert_untrusted'],
  quote: ['tpm_signature', 'tpm_weak_signature', 'tpm_magic', 'tpm_not_quote', 'tpm_reset'],
  pcrs: ['tpm_weak_bank', 'tpm_pcr_selection', 'tpm_pcr_digest', 'tpm_pcr_not_quoted', 'tpm_pcr'],
  eventLog: [
    'eventlog_replay',
    'eventlog_order',
    'eventlog_unverified',
    'eventlog_missing',
    'secure_boot',
    'secure_boot_unknown',
  ],
  token: [
    'token_alg',
    'token_key',
    'token_signature',
    'token_time',
    'token_lifetime',
    'token_issuer',
    'token_issuer_policy',
    'token_audience',
    'token_claim_type',
    'token_debug',
    'token_debug_unknown',
    'token_compliance',
    'maa_tcb_status',
    'ita_tcb_status',
    'ita_policy',
    'ita_debug',
    'disagreement',
    'route_missing',
    'route_unavailable',
    'jwks_unavailable',
    'jwks_invalid',
    'jwks_stale',
  ],
  fresh: [
    'nonce_mismatch',
    'nonce_used',
    'nonce_expired',
    'nonce_scope',
    'nonce_missing',
    'nonce_stale',
    'nonce_store',
    'binding_missing',
  ],
  policy: [
    'no_policy',
    'policy_evidence_type',
    'rule_not_met',
    'reference_not_applicable',
    'claim_missing',
    'claim_type',
  ],
  release: [
    'release_token_stale',
    'release_other_vm',
    'release_key_unbound',
    'release_refused',
    'release_warning',
    'release_unavailable',
  ],
};

/** The links of each type of evidence, from what is trusted from the beginning. */
const LINKS: { readonly [type: string]: readonly LinkName[] } = {
  snp: ['root', 'certificates', 'report', 'fresh'],
  tdx: ['root', 'certificates', 'report', 'eventLog', 'fresh'],
  'az-snp-vtpm': [
    'root',
    'certificates',
    'report',
    'claimsHash',
    'attestationKey',
    'quote',
    'pcrs',
    'eventLog',
    'fresh',
  ],
  'az-tdx-vtpm': [
    'root',
    'certificates',
    'report',
    'claimsHash',
    'attestationKey',
    'quote',
    'pcrs',
    'eventLog',
    'fresh',
  ],
  tpm: ['root', 'certificates', 'attestationKey', 'quote', 'pcrs', 'eventLog', 'fresh'],
  'maa-token': ['token', 'fresh'],
  'ita-token': ['token', 'fresh'],
};

/** Of a token, its own certificates, what it says of the hardware, and of Secure Boot. */
const OF_TOKEN: readonly LinkName[] = ['root', 'certificates', 'report', 'eventLog', 'token'];

describe('the chain of trust', () => {
  it.each(Object.entries(CHECKS))('has these checks in the link %s and no other', (name, ids) => {
    expect(CHECK_IDS.filter((id) => linkOf(check(id, 'pass', '/evidence/report')) === name).toSorted()).toEqual(
      ids.toSorted(),
    );
  });

  it.each(['/evidence/token', '/attestationResults/0/token'])('gives what is about %s to the token', (about) => {
    for (const [name, ids] of Object.entries(CHECKS)) {
      const expected = OF_TOKEN.includes(name as LinkName) ? 'token' : name;
      expect(ids.map((id) => [id, linkOf(check(id, 'pass', about))])).toEqual(ids.map((id) => [id, expected]));
    }
  });

  it.each([
    ['/evidence/hclReport', 'claimsHash'],
    ['/evidence/eventLog', 'eventLog'],
    ['/evidence/tpmQuote', 'eventLog'],
    ['/evidence/report', 'eventLog'],
  ])('has Secure Boot of %s in the link %s', (about, name) => {
    for (const id of ['secure_boot', 'secure_boot_unknown', 'eventlog_missing'])
      expect([id, linkOf(check(id, 'pass', about))]).toEqual([id, name]);
  });

  it('takes a check that it does not know for one of the service, so that it is shown', () => {
    expect(linkOf(check('of_tomorrow', 'fail'))).toBe('service');
  });

  it.each(Object.entries(LINKS))(
    'has the links of %s in the order in which each rests on those before',
    (type, links) => {
      expect(namesOf(type)).toEqual(links);
    },
  );

  it('has all links of evidence for a type that it does not know', () => {
    expect(namesOf('of-tomorrow')).toEqual([
      'root',
      'certificates',
      'report',
      'claimsHash',
      'attestationKey',
      'quote',
      'pcrs',
      'eventLog',
      'fresh',
    ]);
  });

  it('has every link in its place where all have a check', () => {
    const checks = Object.values(CHECKS).map(([id = '']) => check(id, 'pass', '/evidence/eventLog'));
    expect(namesOf('snp', checks.toReversed())).toEqual([
      'root',
      'certificates',
      'report',
      'claimsHash',
      'attestationKey',
      'quote',
      'pcrs',
      'eventLog',
      'token',
      'fresh',
      'policy',
      'release',
      'service',
    ]);
  });

  it('adds what only some requests have where a check of it is in the answer', () => {
    expect(namesOf('snp', [check('policy_evidence_type', 'pass'), check('release_refused', 'fail')])).toEqual([
      'root',
      'certificates',
      'report',
      'fresh',
      'policy',
      'release',
    ]);
  });

  it('gives the certificates of a token to the token', () => {
    const own = check('cert_signature', 'fail', '/attestationResults/0/token');
    const links = chainOfTrust('az-snp-vtpm', [own, check('cert_signature', 'pass')], ALLOWED);
    expect([stateOf(links, 'token'), stateOf(links, 'certificates')]).toEqual(['failed', 'verified']);
    expect(linkOf(check('cert_untrusted', 'pass', '/evidence/token'))).toBe('token');
    expect(linkOf(check('secure_boot', 'pass', '/evidence/token'))).toBe('token');
  });

  it('says nothing of an event log that was not there: the runtime claims said that Secure Boot is on', () => {
    const links = chainOfTrust('az-snp-vtpm', [check('secure_boot', 'pass')], ALLOWED);
    expect([stateOf(links, 'eventLog'), stateOf(links, 'claimsHash')]).toEqual(['not_reached', 'verified']);
    const withLog = chainOfTrust('az-snp-vtpm', [check('secure_boot', 'pass', '/evidence/eventLog')], ALLOWED);
    expect(stateOf(withLog, 'eventLog')).toBe('verified');
  });

  it.each([
    ['allow', 'pass', 'verified'],
    ['deny', 'pass', 'not_reached'],
    ['indeterminate', 'pass', 'not_reached'],
    ['withdrawn', 'pass', 'not_reached'],
    ['deny', 'fail', 'failed'],
    ['allow', 'warn', 'open'],
  ] as const)('counts the policy of a decision %s whose own checks %s as %s', (decision, result, state) => {
    const context = { ...ALLOWED, decision };
    const links = chainOfTrust(
      'snp',
      [check('policy_evidence_type', result), check('release_refused', result)],
      context,
    );
    expect([stateOf(links, 'policy'), stateOf(links, 'release')]).toEqual([state, state]);
  });

  it.each([
    ['pass', 'open'],
    ['fail', 'failed'],
  ] as const)('has reservations about a nonce that came with the body: %s is %s', (result, state) => {
    const context = { ...ALLOWED, nonceBy: 'body' } as const;
    const links = chainOfTrust('snp', [check('nonce_mismatch', result), check('snp_signature', 'pass')], context);
    expect([stateOf(links, 'fresh'), stateOf(links, 'report')]).toEqual([state, 'verified']);
  });

  it('has reservations about a nonce of which the log does not say who chose it', () => {
    const context = { ...ALLOWED, nonceBy: 'unknown' } as const;
    expect(stateOf(chainOfTrust('snp', [check('nonce_mismatch', 'pass')], context), 'fresh')).toBe('open');
  });

  it.each<[readonly CheckResult[], string]>([
    [['pass', 'pass'], 'verified'],
    [['pass', 'not_configured'], 'verified'],
    [['pass', 'fail', 'unavailable'], 'failed'],
    [['pass', 'unavailable'], 'open'],
    [['pass', 'warn'], 'open'],
    [['pass', 'skipped'], 'not_reached'],
    [['skipped'], 'not_reached'],
    [['not_configured'], 'not_reached'],
    [[], 'not_reached'],
  ])('says of a link with the results %j that it is %s', (results, state) => {
    const links = chainOfTrust(
      'snp',
      results.map((result) => check('snp_signature', result)),
      ALLOWED,
    );
    expect(stateOf(links, 'report')).toBe(state);
  });
});
