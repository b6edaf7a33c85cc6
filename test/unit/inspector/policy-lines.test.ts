import { describe, expect, it } from 'vitest';
import type { CheckRow } from '../../../src/core/checks/row.js';
import type { JsonValue } from '../../../src/core/json.js';
import { lineOfPointer, readPolicyLines } from '../../../src/inspector/policy-lines.js';
import { membersBehind } from '../../../src/inspector/policy-members.js';
import { parsePolicy, parsePolicyValue } from '../../../src/policy/document/policy-document.js';
import { CHECKS } from '../../../src/tee/catalogue.js';

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

/** Verification time. */
const AT = '2026-01-15T12:00:00Z';
const value = parsePolicyValue(FULL);

/** Pointers of all that the policy has. */
const LINES = pointersIn(value);
function pointersIn(node: JsonValue, pointer = ''): readonly string[] {
  if (node === null || typeof node !== 'object' || Array.isArray(node)) return [pointer];
  return [pointer, ...Object.entries(node).flatMap(([name, member]) => pointersIn(member, `${pointer}/${name}`))];
}

const check = (id: string, members: object = {}) => ({ id, expected: null, waived: false, policy: 'full', ...members });

describe('the members of a policy behind a check', () => {
  it('are sought in a policy that loads', () => {
    expect(() => parsePolicy(FULL)).not.toThrow();
  });

  it('are those that the catalogue of checks names, where the policy has them', () => {
    for (const [id, { members = [] }] of Object.entries<CheckRow>(CHECKS)) {
      const heads = members.map((member) => `/${member.split('[]')[0]?.replaceAll('.', '/')}`);
      const found = membersBehind(check(id), value, AT);
      for (const pointer of found) expect(heads.some((head) => pointer.startsWith(head))).toBe(true);
      expect([id, found.length > 0]).toEqual([id, heads.some((head) => LINES.includes(head))]);
    }
  });

  it.each([
    ['snp_tcb_low', { part: 'Genoa' }, ['/minimums/snp/Genoa']],
    ['snp_tcb_low', { part: 'Turin' }, ['/minimums/snp']],
    ['rule_not_met', 'second', ['/rules/1']],
    ['rule_not_met', 'unknown', ['/rules']],
    ['route_missing', 'ita', ['/routes/ita']],
    ['route_missing', 'maa', ['/routes/maa']],
    ['tdx_tcb_date', null, ['/minimums/tdx/earliestTcbDate']],
    ['snp_measurement', '00', ['/referenceValues', '/require/snp/minGuestSvn']],
  ])('of %s that expects %j are %j', (id, expected, pointers) => {
    expect(membersBehind(check(id, { expected }), value, AT)).toEqual(pointers);
  });

  it('of what a verifier found is the one that tolerates it', () => {
    const ofVerifier = (id: string) => membersBehind(check(id, { policy: null }), value, AT);
    expect(ofVerifier('snp_debug')).toEqual(['/allowDebug']);
    expect(ofVerifier('crl_unavailable')).toEqual(['/revocation']);
    expect(
      ['cert_revoked', 'token_debug', 'nonce_mismatch', 'snp_signature', 'secure_boot'].flatMap(ofVerifier),
    ).toEqual([]);
  });

  it('of what is waived are its waivers that had not ended at the verification time', () => {
    expect(membersBehind(check('snp_product_advisory', { waived: true }), value, AT)).toEqual(['/waivers/0']);
    expect(membersBehind(check('snp_debug', { waived: true }), value, AT)).toEqual([]);
    const waived = (at: string) => membersBehind(check('snp_product_advisory', { waived: true }), value, at);
    expect(waived('2029-12-31T23:59:59.999Z')).toEqual(['/waivers/0']);
    expect(waived('2030-01-01T00:00:00Z')).toEqual([]);
  });

  it('are none where the policy says nothing, and of an unknown check', () => {
    expect(membersBehind(check('binding_missing'), parsePolicyValue('id: small'), AT)).toEqual([]);
    expect(membersBehind(check('of_the_future'), value, AT)).toEqual([]);
  });
});

describe('lines of a policy', () => {
  const decided = (id: string, result: string, members: object = {}) => ({
    ...check(id),
    result,
    ...members,
  });
  const marked = (checks: readonly ReturnType<typeof decided>[]) =>
    readPolicyLines(FULL, { id: 'full', at: AT, checks })
      .lines.filter(({ state }) => state !== null)
      .map(({ text, state, checks: ids }) => [text.trim(), state, ...ids]);

  it('that decided are marked by what came of it', () => {
    expect(
      marked([
        decided('policy_evidence_type', 'pass'),
        decided('binding_missing', 'fail'),
        decided('hcl_paravisor_unknown', 'warn'),
        decided('route_unavailable', 'unavailable', { expected: 'maa' }),
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

  it('are the first alone of a list: which item it was, the decision does not say', () => {
    expect(marked([decided('snp_measurement', 'pass', { expected: '00' })])).toEqual([
      ['minGuestSvn: 3', 'pass', 'snp_measurement'],
      ['referenceValues:', 'pass', 'snp_measurement'],
    ]);
  });

  it('show the worst of what they decided', () => {
    const pass = decided('tpm_reset', 'pass');
    const tpm = 'tpm: { trackResets: true, quotedPcrs: [0, 7], runtimePcrs: [10] }';
    expect(marked([pass, decided('tpm_reset', 'fail'), pass])).toEqual([[tpm, 'fail', 'tpm_reset']]);
    expect(marked([pass, decided('tpm_reset', 'warn')])).toEqual([[tpm, 'warn', 'tpm_reset']]);
    for (const results of [
      ['fail', 'warn'],
      ['warn', 'fail'],
      ['warn', 'unavailable'],
      ['unavailable', 'pass'],
    ])
      expect(marked(results.map((result) => decided('tpm_reset', result)))).toEqual([[tpm, 'fail', 'tpm_reset']]);
    expect(marked([decided('tpm_reset', 'warn'), pass])).toEqual([[tpm, 'warn', 'tpm_reset']]);
  });

  it('are of this policy, and of what verifiers found wrong', () => {
    expect(marked([decided('binding_missing', 'fail', { policy: 'other' })])).toEqual([]);
    expect(marked([decided('snp_debug', 'warn', { policy: null })])).toEqual([
      ['allowDebug: true', 'warn', 'snp_debug'],
    ]);
    expect(marked([decided('snp_debug', 'pass', { policy: null })])).toEqual([]);
  });

  it('are missing where the policy decides by default, which is said', () => {
    const { byDefault, lines } = readPolicyLines('id: small\n', {
      id: 'small',
      at: AT,
      checks: [
        decided('binding_missing', 'fail', { policy: 'small' }),
        decided('snp_signature', 'fail', { policy: null }),
      ],
    });
    expect(byDefault).toEqual(['binding_missing']);
    expect(lines).toEqual([{ number: 1, text: 'id: small', state: null, checks: [] }]);
  });

  it('are those of the whole member in JSON, too', () => {
    const json = '{\n  "minimums": {\n    "snp": {\n      "Genoa": {\n        "snp": 20\n      }\n    }\n  }\n}\n';
    const { lines } = readPolicyLines(json, {
      id: 'full',
      at: AT,
      checks: [decided('snp_tcb_low', 'fail', { expected: { part: 'Genoa' } })],
    });
    expect(lines.flatMap(({ number, state }) => (state === null ? [] : [number]))).toEqual([4, 5, 6]);
  });

  it('of a text that is no policy are shown as they are', () => {
    const checks = [decided('binding_missing', 'fail')];
    const { lines } = readPolicyLines('{ [', { id: 'full', at: AT, checks });
    expect(lines.map(({ text }) => text)).toEqual(['{ [']);
  });

  it('are found for the place of a problem', () => {
    expect(lineOfPointer(FULL, '/minimums/snp/Genoa/snp')).toBe(9);
    expect(lineOfPointer('{ [', '/minimums')).toBeNull();
  });
});
