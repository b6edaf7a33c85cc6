import { describe, expect, it } from 'vitest';
import { lineOfPointer, readPolicyLines } from '../../../src/inspector/policy-lines.js';
import { memberBehind } from '../../../src/inspector/policy-members.js';
import { parsePolicy, parsePolicyValue } from '../../../src/policy/policy-document.js';

/** Every member that a check can come from. */
const FULL = `apiVersion: veritee/v1
id: full
version: 1
accepts: [az-snp-vtpm, az-tdx-vtpm, tdx]
minimums:
  snp:
    Milan: { snp: 24, microcode: 219 }
    Genoa:
      snp: 20
  tdx:
    acceptedStatuses: [UpToDate]
    earliestTcbDate: 2024-03-13
    maxCollateralAgeDays: 30
paravisor: any
routes: { maa: required, ita: optional }
freshness: strict
nonce: challenge
revocation: best-effort
binding: required
secureBoot: required
allowDebug: true
require:
  snp:
    committedEqualsCurrent: true
    platformInfo: { smtEnabled: false }
    mitigations: [1]
    minGuestSvn: 3
    machines: { chipId: ['${'ab'.repeat(64)}'] }
  tdx:
    septVeDisable: true
    xfamMask: '${'0'.repeat(16)}'
    mrServiceTd: ['${'00'.repeat(48)}']
    machines: { ppid: ['${'ab'.repeat(16)}'] }
  tpm: { trackResets: true, quotedPcrs: [0, 7], runtimePcrs: [10] }
  maa: { complianceStatus: [azure-compliant-cvm], attestationType: [azurevm, tdxvm], issuers: ['https://a.example'], tcbStatus: [UpToDate] }
  ita: { policyIds: ['5a3d0fa0-2a6b-4a3c-b5e9-0f0f0f0f0f0f'], issuers: ['https://b.example'] }
referenceValues:
  - tpm: { pcrs: { sha256: { '7': ['${'00'.repeat(32)}'] } } }
rules:
  - { id: first, cel: 'snp.vmpl == 0' }
  - id: second
    cel: >-
      snp.guestSvn >= 3
waivers:
  - check: snp_product_advisory
    reason: known
    approver: somebody
    expires: 2030-01-01
`;

const value = parsePolicyValue(FULL);
const check = (id: string, members: object = {}) => ({
  id,
  about: '/evidence',
  expected: null,
  waived: false,
  ...members,
});

describe('the member of a policy behind a check', () => {
  it('is sought in a policy that loads', () => {
    expect(() => parsePolicy(FULL)).not.toThrow();
  });

  it.each([
    ['policy_evidence_type', '/accepts'],
    ['snp_product', '/minimums/snp'],
    ['snp_tcb_floor_missing', '/minimums/snp'],
    ['tdx_tcb_status', '/minimums/tdx/acceptedStatuses'],
    ['tdx_tcb_date', '/minimums/tdx/earliestTcbDate'],
    ['collateral_stale', '/minimums/tdx/maxCollateralAgeDays'],
    ['hcl_paravisor', '/paravisor'],
    ['hcl_paravisor_unknown', '/paravisor'],
    ['route_missing', '/routes/maa'],
    ['route_unavailable', '/routes/maa'],
    ['disagreement', '/routes/maa'],
    ['nonce_missing', '/nonce'],
    ['nonce_mismatch', '/freshness'],
    ['nonce_stale', '/freshness'],
    ['cert_revoked', '/revocation'],
    ['crl_stale', '/revocation'],
    ['crl_unavailable', '/revocation'],
    ['crl_unconfirmed', '/revocation'],
    ['binding_missing', '/binding'],
    ['secure_boot', '/secureBoot'],
    ['secure_boot_unknown', '/secureBoot'],
    ['snp_debug', '/allowDebug'],
    ['tdx_debug', '/allowDebug'],
    ['token_debug', '/allowDebug'],
    ['token_debug_unknown', '/allowDebug'],
    ['ita_debug', '/allowDebug'],
    ['snp_provisional', '/require/snp/committedEqualsCurrent'],
    ['snp_platform_smt_enabled', '/require/snp/platformInfo'],
    ['snp_mitigation', '/require/snp/mitigations'],
    ['snp_chip_id', '/require/snp/machines'],
    ['tdx_attributes', '/require/tdx/septVeDisable'],
    ['tdx_xfam', '/require/tdx/xfamMask'],
    ['tdx_service_td', '/require/tdx/mrServiceTd'],
    ['tdx_platform_id', '/require/tdx/machines'],
    ['tpm_reset', '/require/tpm/trackResets'],
    ['tpm_pcr_not_quoted', '/require/tpm/quotedPcrs'],
    ['eventlog_replay', '/require/tpm/runtimePcrs'],
    ['token_issuer', '/require/maa/issuers'],
    ['token_compliance', '/require/maa/complianceStatus'],
    ['token_claim_type', '/require/maa/attestationType'],
    ['maa_tcb_status', '/require/maa/tcbStatus'],
    ['ita_tcb_status', '/minimums/tdx/acceptedStatuses'],
    ['ita_policy', '/require/ita/policyIds'],
    ['reference_not_applicable', '/referenceValues'],
    ['tpm_pcr', '/referenceValues'],
    ['claim_missing', '/rules'],
    ['claim_type', '/rules'],
  ])('of %s is %s', (id, pointer) => {
    expect(memberBehind(check(id), value)).toBe(pointer);
  });

  it('is the minimum of the part, the rule that is named, the waiver, and the route of the token', () => {
    expect(memberBehind(check('snp_tcb_low', { expected: { part: 'Genoa' } }), value)).toBe('/minimums/snp/Genoa');
    expect(memberBehind(check('snp_tcb_low', { expected: { part: 'Turin' } }), value)).toBe('/minimums/snp');
    expect(memberBehind(check('rule_not_met', { expected: 'second' }), value)).toBe('/rules/1');
    expect(memberBehind(check('snp_product_advisory', { waived: true }), value)).toBe('/waivers/0');
    expect(memberBehind(check('token_issuer', { about: '/evidence/itaToken' }), value)).toBe('/require/ita/issuers');
  });

  it('is none of checks that hold under every policy, and where the policy says nothing', () => {
    expect(memberBehind(check('snp_signature'), value)).toBeNull();
    expect(memberBehind(check('binding_missing'), parsePolicyValue('id: small'))).toBeNull();
    expect(memberBehind(check('snp_debug', { waived: true }), value)).toBeNull();
  });
});

describe('lines of a policy', () => {
  const decided = (id: string, result: string, members: object = {}) => ({
    ...check(id),
    result,
    policy: 'full',
    ...members,
  });
  const marked = (checks: readonly ReturnType<typeof decided>[]) =>
    readPolicyLines('full', FULL, checks)
      .lines.filter(({ state }) => state !== null)
      .map(({ text, state, checks: ids }) => [text.trim(), state, ...ids]);

  it('that decided are marked by what came of it', () => {
    expect(
      marked([
        decided('policy_evidence_type', 'pass'),
        decided('binding_missing', 'fail'),
        decided('hcl_paravisor_unknown', 'warn'),
        decided('route_unavailable', 'unavailable'),
        decided('secure_boot', 'skipped'),
      ]),
    ).toEqual([
      ['accepts: [az-snp-vtpm, az-tdx-vtpm, tdx]', 'pass', 'policy_evidence_type'],
      ['paravisor: any', 'warn', 'hcl_paravisor_unknown'],
      ['routes: { maa: required, ita: optional }', 'fail', 'route_unavailable'],
      ['binding: required', 'fail', 'binding_missing'],
    ]);
  });

  it('are those of the whole member, and its first names the checks', () => {
    expect(marked([decided('snp_tcb_low', 'fail', { expected: { part: 'Genoa' } })])).toEqual([
      ['Genoa:', 'fail', 'snp_tcb_low'],
      ['snp: 20', 'fail'],
    ]);
    expect(marked([decided('rule_not_met', 'fail', { expected: 'second' })])).toEqual([
      ['- id: second', 'fail', 'rule_not_met'],
      ['cel: >-', 'fail'],
      ['snp.guestSvn >= 3', 'fail'],
    ]);
  });

  it('show the worst of what they decided', () => {
    expect(
      marked([decided('tpm_pcr_not_quoted', 'pass'), decided('tpm_reset', 'fail'), decided('tpm_reset', 'pass')]),
    ).toEqual([
      ['tpm: { trackResets: true, quotedPcrs: [0, 7], runtimePcrs: [10] }', 'fail', 'tpm_pcr_not_quoted', 'tpm_reset'],
    ]);
  });

  it('are of this policy, and of what verifiers found wrong', () => {
    expect(marked([decided('binding_missing', 'fail', { policy: 'other' })])).toEqual([]);
    expect(marked([decided('snp_debug', 'warn', { policy: null })])).toEqual([
      ['allowDebug: true', 'warn', 'snp_debug'],
    ]);
    expect(marked([decided('snp_debug', 'pass', { policy: null })])).toEqual([]);
  });

  it('are missing where the policy decides by default, which is said', () => {
    const { byDefault, lines } = readPolicyLines('small', 'id: small\n', [
      decided('binding_missing', 'fail', { policy: 'small' }),
      decided('snp_signature', 'fail', { policy: null }),
    ]);
    expect(byDefault).toEqual(['binding_missing']);
    expect(lines).toEqual([{ number: 1, text: 'id: small', state: null, checks: [] }]);
  });

  it('of a text that is no policy are shown as they are', () => {
    expect(readPolicyLines('full', '{ [', [decided('binding_missing', 'fail')]).lines.map(({ text }) => text)).toEqual([
      '{ [',
    ]);
  });

  it('are found for the place of a problem', () => {
    expect(lineOfPointer(FULL, '/minimums/snp/Genoa/snp')).toBe(9);
    expect(lineOfPointer('{ [', '/minimums')).toBeNull();
  });
});
