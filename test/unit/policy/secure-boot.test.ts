import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import {
  appraised,
  appraisedTd,
  azClaims,
  azTdxClaims,
  check,
  failed,
  hclClaims,
  only,
  results,
  snpClaims,
  tdxClaims,
  tokenClaims,
} from './fixture.js';

const REQUIRED: JsonObject = { secureBoot: 'required' };

function configured(secureBoot: JsonValue) {
  return { claims: azClaims({ hcl: hclClaims({ vmConfiguration: { secureBoot, tpmEnabled: true } }) }) };
}

describe('secure boot', () => {
  it('HCL-11 passes a literal true', () => {
    const appraisal = appraised(REQUIRED, configured(true));
    expect(only(appraisal, 'secure_boot')).toMatchObject({ result: 'pass', expected: true, actual: true });
    expect(appraisal.outcome).toBe('allow');
  });

  it('HCL-11 fails a literal false', () => {
    const appraisal = appraised(REQUIRED, configured(false));
    expect(failed(appraisal)).toEqual(['secure_boot']);
    expect(appraisal.outcome).toBe('deny');
  });

  it.each<[string, JsonValue]>([
    ['a text', 'true'],
    ['the text false', 'false'],
    ['a number', 1],
    ['null', null],
    ['a list', [true]],
  ])('HCL-11 takes %s for unknown, neither on nor off', (_what, value) => {
    expect(failed(appraised(REQUIRED, configured(value)))).toEqual(['secure_boot_unknown']);
  });

  it('HCL-11 takes a missing member for unknown, never for false', () => {
    const hcl = hclClaims({ vmConfiguration: { tpmEnabled: true } });
    expect(failed(appraised(REQUIRED, { claims: azClaims({ hcl }) }))).toEqual(['secure_boot_unknown']);
  });

  it('HCL-15 takes a missing configuration for unknown: an AK certificate vouches for the key alone', () => {
    const { vmConfiguration: _, ...rest } = hclClaims({ paravisor: { known: true, by: 'akCertificate' } });
    expect(failed(appraised(REQUIRED, { claims: azClaims({ hcl: rest }) }))).toEqual(['secure_boot_unknown']);
  });

  it('is unknown in bare evidence', () => {
    expect(failed(appraised(REQUIRED, { type: 'snp' }))).toEqual(['secure_boot_unknown']);
  });

  it('is skipped in bare evidence whose report could not be judged: its runtime claims may say it yet', () => {
    const findings = [check('vcek_unavailable', 'unavailable')];
    const appraisal = appraised(REQUIRED, { type: 'snp', claims: {}, findings });
    expect([appraisal.outcome, results(appraisal, 'secure_boot')]).toEqual(['indeterminate', ['skipped']]);
  });

  it('is skipped where the claims were not verified', () => {
    const findings = [check('hcl_binding', 'fail')];
    const appraisal = appraised(REQUIRED, { claims: { snp: snpClaims() }, findings });
    expect(results(appraisal, 'secure_boot')).toEqual(['skipped']);
    expect(failed(appraisal)).toEqual(['hcl_binding']);
  });

  it('is not judged where the policy does not ask', () => {
    const appraisal = appraised({ secureBoot: 'any' }, configured(false));
    expect([results(appraisal, 'secure_boot'), appraisal.outcome]).toEqual([[], 'allow']);
  });
});

describe('secure boot of a TD', () => {
  const az = (secureBoot?: JsonValue) =>
    appraisedTd(REQUIRED, {
      type: 'az-tdx-vtpm',
      claims: azTdxClaims({ hcl: hclClaims({ vmConfiguration: secureBoot === undefined ? {} : { secureBoot } }) }),
    });

  it('HCL-11 passes a literal true that the paravisor says, and nothing else', () => {
    expect([az(true).outcome, only(az(true), 'secure_boot').about]).toEqual(['allow', '/evidence/hclReport']);
    expect(failed(az(false))).toEqual(['secure_boot']);
    for (const other of ['true', 1, null, undefined]) expect(failed(az(other))).toEqual(['secure_boot_unknown']);
  });

  it('HCL-15 is unknown where an AK certificate vouches for the key alone, and allowed where it is left open', () => {
    const { vmConfiguration: _, ...hcl } = hclClaims({ paravisor: { known: true, by: 'akCertificate' } });
    const given = { type: 'az-tdx-vtpm' as const, claims: azTdxClaims({ hcl }) };
    expect(failed(appraisedTd(REQUIRED, given))).toEqual(['secure_boot_unknown']);
    expect(appraisedTd({}, given).outcome).toBe('allow');
  });

  it('is unknown in bare evidence, unless it carries the claims of a paravisor', () => {
    const bare = appraisedTd(REQUIRED);
    expect(failed(bare)).toEqual(['secure_boot_unknown']);
    const carrying = appraisedTd(REQUIRED, { claims: { tdx: tdxClaims(), hcl: hclClaims() } });
    expect([carrying.outcome, only(carrying, 'secure_boot').about]).toEqual(['allow', '/evidence/runtimeData']);
  });

  it.each(['tdx', 'az-tdx-vtpm'] as const)('is skipped in %s where the quote could not be judged', (type) => {
    const findings = [check('collateral_unavailable', 'unavailable')];
    const appraisal = appraisedTd(REQUIRED, { type, claims: {}, findings });
    expect([appraisal.outcome, results(appraisal, 'secure_boot')]).toEqual(['indeterminate', ['skipped']]);
    expect(results(appraisal, 'secure_boot_unknown')).toEqual([]);
  });
});

describe('secure boot of another type', () => {
  it.each(['true', 1, null, ['true'], { on: true }])('DEC-03 is not on where the claim is %j', (secureBoot) => {
    const claims = azClaims({ hcl: hclClaims({ vmConfiguration: { secureBoot } }) });
    expect(failed(appraised(REQUIRED, { claims }))).toEqual(['secure_boot_unknown']);
  });
});

describe('secure boot in a token', () => {
  const token = (type: 'maa' | 'ita', claims: Parameters<typeof tokenClaims>[0] | null) =>
    appraised(
      {
        ...REQUIRED,
        accepts: ['maa-token', 'ita-token'],
        minimums: 'any',
        routes: { hardware: 'off', [type]: 'required' },
        freshness: 'none',
      },
      {
        type: `${type}-token`,
        claims: claims === null ? {} : { [type]: tokenClaims(claims) },
        findings: claims === null ? [check('token_key', 'fail')] : [],
        results: new Map([[type, { state: claims === null ? 'refused' : 'verified' }]]),
      },
    );

  it('passes where Azure Attestation says literally that it is on', () => {
    const appraisal = token('maa', { secureBoot: true });
    expect([appraisal.outcome, only(appraisal, 'secure_boot').about]).toEqual(['allow', '/evidence/token']);
  });

  it('fails where it says that it is off, and is unknown where it says nothing', () => {
    expect(failed(token('maa', { secureBoot: false }))).toEqual(['secure_boot']);
    expect(failed(token('maa', { secureBoot: null }))).toEqual(['secure_boot_unknown']);
  });

  it('is unknown in a token of Trust Authority', () => {
    expect(failed(token('ita', { secureBoot: null }))).toEqual(['secure_boot_unknown']);
  });

  it('is skipped where the token was not verified', () => {
    for (const type of ['maa', 'ita'] as const) {
      const appraisal = token(type, null);
      expect([failed(appraisal), results(appraisal, 'secure_boot')]).toEqual([['token_key'], ['skipped']]);
    }
  });

  it('is not taken from a token where the hardware says nothing of it', () => {
    const { vmConfiguration: _, ...hcl } = hclClaims();
    const claims = azClaims({ hcl, maa: tokenClaims({ secureBoot: true }) });
    const appraisal = appraised(REQUIRED, { claims, results: new Map([['maa', { state: 'verified' }]]) });
    expect(failed(appraisal)).toEqual(['secure_boot_unknown']);
  });
});
