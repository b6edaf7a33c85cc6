import { describe, expect, it } from 'vitest';
import { mergeChecks } from '../../../src/policy/appraise/appraise.js';
import { appraised, check, type Situation } from './fixture.js';

const DEBUG: Situation = { findings: [check('snp_debug', 'fail')] };

function lines(given: Situation, ...policies: readonly Parameters<typeof appraised>[0][]) {
  const merged = mergeChecks(policies.map((members) => appraised(members, given)));
  return merged.map(({ id, result, policy }) => `${id} ${result} ${policy ?? '-'}`);
}

describe('checks over all policies', () => {
  it('are those of the policy where there is one', () => {
    const appraisal = appraised({}, DEBUG);
    expect(mergeChecks([appraisal])).toEqual(appraisal.checks);
  });

  it('list a base check once that no policy changed, and own checks policy by policy', () => {
    expect(lines({}, { id: 'a' }, { id: 'b' })).toEqual([
      'snp_signature pass -',
      'snp_debug pass -',
      'hcl_binding pass -',
      'tpm_signature pass -',
      'nonce_mismatch pass -',
      'snp_product_advisory warn -',
      ...['a', 'b'].flatMap((id) => [
        `policy_evidence_type pass ${id}`,
        `snp_tcb_floor_missing warn ${id}`,
        `hcl_paravisor pass ${id}`,
        `nonce_missing pass ${id}`,
        `nonce_stale pass ${id}`,
      ]),
    ]);
  });

  it('list a base check as it is and as a policy sees it, in its place', () => {
    const merged = lines(DEBUG, { id: 'a' }, { id: 'b', allowDebug: true });
    const at = merged.indexOf('snp_debug fail -');
    expect(merged.slice(at, at + 2)).toEqual(['snp_debug fail -', 'snp_debug warn b']);
  });

  it('list a base check per policy where all of them changed it', () => {
    const merged = lines(DEBUG, { id: 'a', allowDebug: true }, { id: 'b', allowDebug: true });
    expect(merged.filter((line) => line.startsWith('snp_debug'))).toEqual(['snp_debug warn a', 'snp_debug warn b']);
  });

  it('keep equal base checks apart that were made twice', () => {
    const twice = { findings: [check('cert_validity'), check('cert_validity')] };
    expect(lines(twice, { id: 'a' }, { id: 'b' }).filter((line) => line === 'cert_validity pass -')).toHaveLength(2);
  });

  it('are none where there is no policy', () => {
    expect(mergeChecks([])).toEqual([]);
  });
});
