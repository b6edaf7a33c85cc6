import { describe, expect, it } from 'vitest';
import type { NonceStanding } from '../../../src/core/challenge.js';
import { freshness } from '../../../src/policy/appraise/freshness.js';
import { appraised, appraisedTd, check, failed, only, policy, results, type Situation } from './fixture.js';

const NO_NONCE: Situation = {
  nonce: { origin: 'none' },
  bound: [],
  findings: [check('nonce_mismatch', 'not_configured')],
  required: [],
};
const QUOTE_ONLY: Situation = { bound: ['tpm.extraData'] };
const CONSUMED: NonceStanding = { origin: 'challenge', state: 'consumed', issuedAt: new Date(0) };

describe('freshness', () => {
  it.each(['required', 'strict'])('denies evidence without nonce under %s', (freshness) => {
    const appraisal = appraised({ freshness }, NO_NONCE);
    expect(failed(appraisal)).toEqual(['nonce_missing']);
    expect(only(appraisal, 'nonce_missing').about).toBe('/nonce');
    expect(appraisal.outcome).toBe('deny');
  });

  it.each(['required', 'strict'])('allows a nonce in quote and report under %s', (freshness) => {
    const appraisal = appraised({ freshness });
    expect(results(appraisal, 'nonce_missing')).toEqual(['pass']);
    expect(results(appraisal, 'nonce_stale')).toEqual(['pass']);
    expect(appraisal.outcome).toBe('allow');
  });

  it.each(['snp', 'az-snp-vtpm'] as const)(
    'asks for no nonce of %s under none, and says that there was none',
    (type) => {
      const appraisal = appraised({ freshness: 'none' }, { ...NO_NONCE, type });
      expect([appraisal.outcome, results(appraisal, 'nonce_stale')]).toEqual(['allow', []]);
      expect(only(appraisal, 'nonce_missing')).toMatchObject({ result: 'warn', about: '/nonce', policy: 'least' });
      expect(results(appraised({ freshness: 'none' }, { type }), 'nonce_missing')).toEqual(['pass']);
    },
  );

  it.each(['none', 'required', 'strict'])(
    'has an outcome on whether there was a nonce among what %s needs',
    (wanted) => {
      expect(freshness.required(policy({ freshness: wanted }), 'snp')).toContain('nonce_missing');
    },
  );

  it('FRS-06 warns under required of a nonce that is in the quote only', () => {
    const appraisal = appraised({}, QUOTE_ONLY);
    expect(only(appraisal, 'nonce_stale')).toMatchObject({ result: 'warn', actual: ['tpm.extraData'] });
    expect(appraisal.outcome).toBe('allow');
  });

  it('FRS-06 denies under strict a nonce that is in the quote only', () => {
    const appraisal = appraised({ freshness: 'strict' }, QUOTE_ONLY);
    expect(failed(appraisal)).toEqual(['nonce_stale']);
    expect(appraisal.outcome).toBe('deny');
  });

  it('says nothing of depth under none', () => {
    expect(results(appraised({ freshness: 'none' }, QUOTE_ONLY), 'nonce_stale')).toEqual([]);
  });

  it.each(['required', 'strict'])('has one place in bare evidence, which is enough under %s', (freshness) => {
    const appraisal = appraised({ freshness }, { type: 'snp' });
    expect([appraisal.outcome, results(appraisal, 'nonce_stale')]).toEqual(['allow', []]);
  });

  it.each(['required', 'strict', 'none'])('leaves a nonce that stands nowhere denied under %s', (freshness) => {
    const findings = [check('nonce_mismatch', 'fail')];
    expect(failed(appraised({ freshness }, { bound: [], findings }))).toEqual(['nonce_mismatch']);
  });

  it('skips depth where the quote does not hold the nonce', () => {
    const findings = [check('nonce_mismatch', 'fail')];
    expect(results(appraised({}, { bound: ['hcl.userData'], findings }), 'nonce_stale')).toEqual(['skipped']);
  });

  it('does not allow where nothing compared the nonce', () => {
    const appraisal = appraised(
      {},
      { type: 'snp', findings: [check('nonce_mismatch', 'not_configured')], required: [] },
    );
    expect(appraisal.outcome).toBe('indeterminate');
    expect(only(appraisal, 'internal_error').detail).toBe('without an outcome: nonce_mismatch');
  });
});

describe('freshness of a TD', () => {
  const AZ = { type: 'az-tdx-vtpm' } as const;

  it.each(['required', 'strict'])('has one place in bare evidence, which is enough under %s', (freshness) => {
    const appraisal = appraisedTd({ freshness });
    expect([appraisal.outcome, results(appraisal, 'nonce_missing'), results(appraisal, 'nonce_stale')]).toEqual([
      'allow',
      ['pass'],
      [],
    ]);
  });

  it.each(['required', 'strict'])('is denied without a nonce under %s, bare and behind a paravisor', (freshness) => {
    expect(failed(appraisedTd({ freshness }, NO_NONCE))).toEqual(['nonce_missing']);
    expect(failed(appraisedTd({ freshness }, { ...NO_NONCE, ...AZ }))).toEqual(['nonce_missing']);
  });

  it('FRS-06 wants the nonce behind a paravisor in the report too: a warning under required, a deny under strict', () => {
    const warned = appraisedTd({}, { ...AZ, ...QUOTE_ONLY });
    expect([warned.outcome, results(warned, 'nonce_stale')]).toEqual(['allow', ['warn']]);
    const strict = { freshness: 'strict' };
    expect(failed(appraisedTd(strict, { ...AZ, ...QUOTE_ONLY }))).toEqual(['nonce_stale']);
    const deep = appraisedTd(strict, AZ);
    expect([deep.outcome, results(deep, 'nonce_stale')]).toEqual(['allow', ['pass']]);
  });

  it.each(['required', 'strict', 'none'])('leaves a nonce that stands nowhere denied under %s', (freshness) => {
    const given = { bound: [], findings: [check('nonce_mismatch', 'fail')] };
    expect(failed(appraisedTd({ freshness }, given))).toEqual(['nonce_mismatch']);
    expect(failed(appraisedTd({ freshness }, { ...AZ, ...given }))).toEqual(['nonce_mismatch']);
  });
});

describe('nonce: challenge', () => {
  it('FRS-07 denies a nonce of the caller, and says what is required', () => {
    const appraisal = appraised({ nonce: 'challenge' });
    expect(only(appraisal, 'nonce_missing')).toMatchObject({
      result: 'fail',
      expected: 'challenge',
      actual: 'caller',
      detail: 'the policy requires a challenge of this service as nonce',
    });
    expect(failed(appraisal)).toEqual(['nonce_missing']);
  });

  it('FRS-07 takes a challenge', () => {
    expect(appraised({ nonce: 'challenge' }, { nonce: CONSUMED }).outcome).toBe('allow');
  });

  it('FRS-07 takes both under any', () => {
    expect(appraised({ nonce: 'any' }, { nonce: CONSUMED }).outcome).toBe('allow');
    expect(appraised({ nonce: 'any' }, { nonce: { origin: 'caller' } }).outcome).toBe('allow');
  });

  it('requires one also where freshness asks for none', () => {
    expect(failed(appraised({ nonce: 'challenge', freshness: 'none' }, NO_NONCE))).toEqual(['nonce_missing']);
  });

  it.each([
    ['nonce_used', 'used'],
    ['nonce_expired', 'expired'],
    ['nonce_scope', 'scope'],
  ] as const)('leaves %s to the base checks, which deny under every policy', (id, state) => {
    const appraisal = appraised(
      { nonce: 'any' },
      { nonce: { origin: 'challenge', state }, findings: [check(id, 'fail')] },
    );
    expect(failed(appraisal)).toEqual([id]);
    expect(results(appraisal, 'nonce_missing')).toEqual(['pass']);
  });

  it('is indeterminate where the store of challenges is out of reach', () => {
    const nonce: NonceStanding = { origin: 'challenge', state: 'store_unavailable' };
    const findings = [check('nonce_store', 'unavailable', { retryable: true })];
    expect(appraised({ nonce: 'challenge' }, { nonce, findings }).outcome).toBe('indeterminate');
  });
});

describe('a key as PEM', () => {
  it.each(['required', 'none'])(
    'GAT-03 does not stand for a challenge that the evidence does not hold, under %s freshness: nonce_stale',
    (freshness) => {
      const policy = { freshness, nonce: 'challenge', accepts: ['snp'] };
      const asked: Situation = { type: 'snp', keyAsPem: true, nonce: CONSUMED };
      expect(failed(appraised(policy, { ...asked, bound: [] }))).toEqual(['nonce_stale']);
      expect(appraised({ ...policy, nonce: 'any' }, { ...asked, bound: [] }).outcome).toBe('allow');
      expect(appraised(policy, { ...asked, bound: ['maa.clientPayloadNonce'] }).outcome).toBe('allow');
    },
  );

  it.each(['required', 'none'])('warns under freshness %s: what holds the key has no nonce', (freshness) => {
    for (const type of ['snp', 'az-snp-vtpm'] as const) {
      const appraisal = appraised({ freshness, accepts: [type] }, { type, keyAsPem: true, bound: ['tpm.extraData'] });
      expect([appraisal.outcome, results(appraisal, 'nonce_stale')]).toEqual(['allow', ['warn']]);
      expect(only(appraisal, 'nonce_stale')).toMatchObject({ about: '/binding/pem', actual: ['tpm.extraData'] });
    }
  });

  it('denies under strict freshness, unless it is waived: nonce_stale', () => {
    for (const type of ['snp', 'az-snp-vtpm'] as const) {
      const given: Situation = { type, keyAsPem: true, bound: ['tpm.extraData'] };
      const strict = { freshness: 'strict', accepts: [type] };
      expect(failed(appraised(strict, given))).toEqual(['nonce_stale']);
      const waiver = { check: 'nonce_stale', reason: 'a pool of old keys', approver: 'us', expires: '2027-01-01' };
      const waived = appraised({ ...strict, waivers: [waiver] }, given);
      expect([waived.outcome, only(waived, 'nonce_stale').waived]).toEqual(['allow', true]);
    }
  });

  it('is no bound key: binding_missing', () => {
    const appraisal = appraised({ binding: 'required' }, { keyAsPem: true, bound: ['tpm.extraData'] });
    expect(failed(appraisal)).toEqual(['binding_missing']);
  });
});

describe('binding', () => {
  it('FRS-05 denies a decision without a bound key where one is required', () => {
    const appraisal = appraised({ binding: 'required' });
    expect(failed(appraisal)).toEqual(['binding_missing']);
    expect(only(appraisal, 'binding_missing').about).toBe('/binding');
  });

  it('FRS-05 allows with one', () => {
    const appraisal = appraised({ binding: 'required' }, { boundKey: true });
    expect([appraisal.outcome, results(appraisal, 'binding_missing')]).toEqual(['allow', ['pass']]);
  });

  it('asks for none by default', () => {
    expect(results(appraised({}), 'binding_missing')).toEqual([]);
  });
});
