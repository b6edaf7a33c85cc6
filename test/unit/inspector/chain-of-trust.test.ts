import { describe, expect, it } from 'vitest';
import { chainOfTrust, type Link, linkOf } from '../../../src/inspector/chain-of-trust.js';
import type { CheckResult } from '../../../src/model/checks/row.js';
import { CHECK_IDS } from '../../../src/model/codes.js';
import { EVIDENCE_TYPES } from '../../../src/model/evidence-traits.js';

const check = (id: string, result: CheckResult, about = '/evidence/hclReport') => ({ id, result, about });
const stateOf = (links: readonly Link[], name: string) => links.find((link) => link.name === name)?.state;
const namesOf = (type: string, checks: Parameters<typeof chainOfTrust>[1] = []) =>
  chainOfTrust(type, checks).map(({ name }) => name);

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
    const links = chainOfTrust('az-snp-vtpm', [own, check('cert_signature', 'pass')]);
    expect([stateOf(links, 'token'), stateOf(links, 'certificates')]).toEqual(['failed', 'verified']);
    expect(linkOf(check('cert_untrusted', 'pass', '/evidence/token'))).toBe('token');
  });

  it.each<[CheckResult, string]>([
    ['fail', 'not_reached'],
    ['warn', 'verified'],
  ])('counts the policy for what it is where the report is %s: %s', (ofReport, state) => {
    const links = chainOfTrust('snp', [check('snp_signature', ofReport), check('policy_evidence_type', 'pass')]);
    expect(stateOf(links, 'policy')).toBe(state);
  });

  it('says that the policy failed where it did, whatever else failed', () => {
    const links = chainOfTrust('snp', [check('snp_signature', 'fail'), check('policy_evidence_type', 'fail')]);
    expect(stateOf(links, 'policy')).toBe('failed');
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
    );
    expect(stateOf(links, 'report')).toBe(state);
  });
});
