import { describe, expect, it } from 'vitest';
import { appraised, failed, only, results } from './fixture.js';

describe('other routes', () => {
  it.each(['maa', 'ita'])('denies where a token by %s is required, since none can be sent', (route) => {
    const appraisal = appraised({ routes: { [route]: 'required' } });
    expect(failed(appraisal)).toEqual(['route_missing']);
    expect(only(appraisal, 'route_missing')).toMatchObject({ expected: route, about: '/attestationResults' });
  });

  it.each(['maa', 'ita'])('says of an optional token by %s that nobody fetches one, and allows', (route) => {
    const appraisal = appraised({ routes: { [route]: 'optional' } });
    expect([appraisal.outcome, results(appraisal, 'route_missing')]).toEqual(['allow', ['not_configured']]);
    expect([...appraisal.matched, ...appraisal.unmatched]).not.toContain('route_missing');
  });

  it('says nothing of routes that are off', () => {
    expect(results(appraised({}), 'route_missing')).toEqual([]);
  });

  it('denies where one is required and the other optional', () => {
    expect(appraised({ routes: { maa: 'optional', ita: 'required' } }).outcome).toBe('deny');
  });

  it('DEC-02 denies requirements on claims of Azure Attestation, which are not there', () => {
    const appraisal = appraised({ require: { maa: { complianceStatus: ['azure-compliant-cvm'] } } });
    expect(failed(appraisal)).toEqual(['claim_missing']);
  });

  it('is indeterminate where resets are to be tracked, since no memory is kept', () => {
    const appraisal = appraised({ require: { tpm: { trackResets: true } } });
    expect(only(appraisal, 'tpm_reset')).toMatchObject({ result: 'unavailable', retryable: false });
    expect(appraisal.outcome).toBe('indeterminate');
  });

  it('takes PCRs that no event log explains, since none is read', () => {
    expect(appraised({ require: { tpm: { runtimePcrs: [10] } } }).outcome).toBe('allow');
  });
});
