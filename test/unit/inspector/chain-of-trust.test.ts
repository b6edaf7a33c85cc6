import { describe, expect, it } from 'vitest';
import { chainOfTrust, type Link, linkOf } from '../../../src/inspector/chain-of-trust.js';
import type { CheckResult } from '../../../src/model/checks/row.js';
import { CHECK_IDS } from '../../../src/model/codes.js';
import { EVIDENCE_TYPES } from '../../../src/model/evidence-traits.js';

const ALLOWED = { decision: 'allow', nonceBy: 'caller' } as const;
const check = (id: string, result: CheckResult, about = '/evidence/hclReport') => ({ id, result, about });
const stateOf = (links: readonly Link[], name: string) => links.find((link) => link.name === name)?.state;
const namesOf = (type: string, checks: Parameters<typeof chainOfTrust>[1] = []) =>
  chainOfTrust(type, checks, ALLOWED).map(({ name }) => name);

describe('the chain of trust', () => {
  it('has a link for every check that there is', () => {
    const unplaced = CHECK_IDS.filter((id) => linkOf(check(id, 'pass')) === 'service');
    expect(unplaced.sort()).toEqual([
      'audit_unavailable',
      'clock',
      'deadline',
      'internal_error',
      'receipt_unavailable',
    ]);
  });

  it('takes a check that it does not know for one of the service, so that it is shown', () => {
    expect(linkOf(check('of_tomorrow', 'fail'))).toBe('service');
  });

  it('has the links of each type of evidence in the order in which each rests on those before', () => {
    expect(namesOf('az-snp-vtpm')).toEqual([
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
    expect(namesOf('maa-token')).toEqual(['token', 'fresh']);
    for (const type of EVIDENCE_TYPES) expect(namesOf(type)).toContain('fresh');
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
