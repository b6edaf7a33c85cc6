import { describe, expect, it } from 'vitest';
import type { Claims } from '../../../../src/core/claims.js';
import { appraiseClaims } from '../../../../src/policy/appraise/appraise-claims.js';
import { Asserted } from '../../../../src/policy/appraise/asserted.js';
import { readGivenClaims } from '../../../../src/policy/document/given-claims.js';
import { azClaims, MEASUREMENT, PCR_7, policy } from '../fixture.js';
import { releasePolicy } from '../rule-flips.js';

const AT = new Date('2026-06-01T12:00:00Z');
const POLICY = policy({
  referenceValues: [{ snp: { measurement: [MEASUREMENT] }, tpm: { pcrs: { sha256: { '7': [PCR_7] } } } }],
  rules: [{ id: 'privileged', cel: 'snp.vmpl == 0' }],
  // Not appraised on claims alone.
  require: { snp: { minGuestSvn: 4_000_000 } },
});

function tried(claims: Claims, type: 'az-snp-vtpm' | 'tdx' = 'az-snp-vtpm') {
  return appraiseClaims(POLICY, { type, asserted: Asserted.of(claims), at: AT });
}

describe('a policy on claims that were written down', () => {
  it('appraises rules and reference values, and nothing else', () => {
    const { outcome, matched, unmatched, reasons } = tried(azClaims());
    expect({ outcome, unmatched, reasons }).toEqual({ outcome: 'allow', unmatched: [], reasons: [] });
    expect(matched).toEqual([
      'policy_evidence_type',
      'reference_not_applicable',
      'snp_measurement',
      'tpm_pcr',
      'rule_not_met',
      'privileged',
    ]);
  });

  it('denies where a reference value or a rule does not hold', () => {
    const { snp } = azClaims();
    if (snp === undefined) throw new TypeError('the fixture has no SNP claims');
    expect(tried(azClaims({ snp: { ...snp, measurement: '00'.repeat(48) } })).reasons).toEqual(['snp_measurement']);
    expect(tried(azClaims({ snp: { ...snp, vmpl: 2 } })).reasons).toEqual(['rule_not_met']);
  });

  it('denies a type that the policy does not accept', () => {
    expect(tried(azClaims(), 'tdx')).toMatchObject({ outcome: 'deny', reasons: ['policy_evidence_type'] });
  });

  it('denies where there is nothing', () => {
    expect(tried({}).outcome).toBe('deny');
  });
});

describe('a release policy on claims of a token', () => {
  const members = { accepts: ['maa-token'], minimums: 'any', routes: { hardware: 'off', maa: 'required' } };
  const released = policy({ ...members, rules: [{ id: 'release', akv: releasePolicy('azure-compliant-cvm') }] });

  it.each([{ maa: {} }, { maa: { claims: {} } }, { maa: { issuer: 'https://elsewhere.example' } }])(
    'is not met by %j',
    (given) => {
      const { claims } = readGivenClaims(given);
      const tested = appraiseClaims(released, { type: 'maa-token', asserted: Asserted.of(claims ?? {}), at: AT });
      expect(tested).toMatchObject({ outcome: 'deny', reasons: ['rule_not_met'] });
    },
  );
});

describe('claims that were written down', () => {
  it('are read as answers have them, what is null being absent', () => {
    const given = { snp: { vmpl: 0, cspId: null }, tdx: null, maa: { claims: { unheard: [1] } } };
    expect(readGivenClaims(given)).toEqual({
      claims: { snp: { vmpl: 0 }, maa: { issuer: null, claims: { unheard: [1] } } },
      problems: [],
    });
    expect(readGivenClaims({ tpm: { clock: { safe: true }, certifiedKey: { jkt: 'a', jwk: {} } } }).claims).toEqual({
      tpm: { pcrs: {}, clock: { safe: true }, certifiedKey: { jkt: 'a' } },
    });
  });

  it.each([
    ['another name', { snp: { vmpll: 0 } }, 'snp', 'has no claim "vmpll"; did you mean vmpl?'],
    ['another section', { sev: {} }, '', 'has no claim "sev"'],
    ['another type', { snp: { vmpl: '0' } }, 'snp.vmpl', 'must be of type int'],
    ['a text for a boolean', { snp: { policy: { debug: 'false' } } }, 'snp.policy.debug', 'must be of type bool'],
    ['another form', { snp: { measurement: 'AB' } }, 'snp.measurement', 'must be 96 hex digits in lower case'],
    ['no object', { snp: 1 }, 'snp', 'must be an object'],
    ['no list', { tdx: { rtmr: 'a' } }, 'tdx.rtmr', 'must be a list'],
    [
      'an item of another type',
      { snp: { platformInfo: { unknownBits: ['1'] } } },
      'snp.platformInfo.unknownBits.0',
      'must be of type int',
    ],
  ])('are refused with %s', (_what, given, path, what) => {
    const { claims, problems } = readGivenClaims(given);
    expect(claims).toBeNull();
    expect(problems.map((problem) => [problem.path.join('.'), problem.what])).toEqual([[path, what]]);
  });
});
