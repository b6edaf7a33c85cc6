import { describe, expect, it } from 'vitest';
import { Checks } from '../../../src/core/check.js';
import { checksAt } from '../../../src/tee/catalogue.js';

describe('a record of checks', () => {
  it('takes the texts of its own catalogue, and records nothing that has none there', () => {
    const checks = new Checks({ token_alg: { holds: 'it is signed so', fails: 'it is not signed so' } });
    checks.require(false, 'token_alg');
    expect(() => checks.pass('token_key')).toThrow('token_key has no row in this catalogue');
    expect(checks.all.map(({ id, detail }) => [id, detail])).toEqual([['token_alg', 'it is not signed so']]);
  });
});

describe('the rest of some checks', () => {
  it('is skipped for one reason; what ran keeps its result', () => {
    const checks = checksAt('/a');
    checks.fail('token_alg', { detail: 'another algorithm' });
    checks.at('/b').skipRest(['token_alg', 'token_issuer', 'token_key'], 'the algorithm is another');
    expect(checks.all.map(({ id, result, about }) => [id, result, about])).toEqual([
      ['token_alg', 'fail', '/a'],
      ['token_issuer', 'skipped', '/b'],
      ['token_key', 'skipped', '/b'],
    ]);
    expect(checks.all[1]).toMatchObject({ detail: 'the algorithm is another', group: 'the algorithm is another' });
  });

  it('is nothing where all ran', () => {
    const checks = checksAt('/a');
    checks.pass('token_alg', { detail: 'the algorithm of the issuer' });
    checks.skipRest(['token_alg'], 'never');
    expect(checks.all).toHaveLength(1);
  });
});

describe('what checks have compared', () => {
  it('is withheld of those named, and their results stay', () => {
    const checks = checksAt('/a', { policy: 'payments' });
    checks.fail('snp_chip_id', { expected: 'x', actual: 'y', detail: 'another chip' });
    checks.fail('snp_signature', { expected: 'z', detail: 'it does not hold' });
    checks.withhold(['snp_chip_id', 'snp_tcb_cert']);
    expect(checks.all).toMatchObject([
      { id: 'snp_chip_id', result: 'fail', expected: null, actual: null, detail: 'another chip', policy: 'payments' },
      { id: 'snp_signature', result: 'fail', expected: 'z' },
    ]);
  });

  it('keeps for the remedy of a check that did not pass which setting decided, and what exactly is wrong', () => {
    const checks = checksAt('/a');
    const compared = { setting: 'require.tdx.xfamMask', faults: ['bit 14 clear'] };
    checks.require(false, 'tdx_xfam', compared);
    checks.require(true, 'tdx_xfam', compared);
    const [failed, passed] = checks.all;
    expect(failed).toMatchObject(compared);
    expect(Object.keys(passed ?? {})).not.toContain('faults');
    expect(Object.keys(passed ?? {})).not.toContain('setting');
  });

  it('withholds what exactly is wrong with the compared values, and not the setting, which is our own word', () => {
    const checks = checksAt('/a');
    checks.fail('tdx_report_mismatch', { expected: { XFAM: 'cafe' }, faults: ['XFAM cafe'], setting: 'require.tdx' });
    checks.withhold(['tdx_report_mismatch']);
    expect(JSON.stringify(checks.all)).not.toContain('cafe');
    expect(checks.all).toMatchObject([{ setting: 'require.tdx' }]);
  });
});
