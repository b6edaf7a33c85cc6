import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import type { RememberedResets, ResetCounts } from '../../../../src/core/vtpm-resets.js';
import { appraise } from '../../../../src/policy/appraise/appraise.js';
import { trackedVtpm } from '../../../../src/policy/appraise/vtpm-resets.js';
import {
  appraised,
  appraisedTd,
  azClaims,
  azTdxClaims,
  check,
  failed,
  hclClaims,
  only,
  policy,
  results,
  type Situation,
  situation,
  snpClaims,
  tpmClaims,
} from '../fixture.js';

const TRACKING = { require: { tpm: { trackResets: true } } };
const KEY = hclClaims().akThumbprint;

const counts = (resetCount: number, restartCount: number): ResetCounts => ({ resetCount, restartCount });
const remembered = (resetCount: number, restartCount: number): RememberedResets => ({
  state: 'remembered',
  counts: counts(resetCount, restartCount),
});
const quoting = (resetCount: number, restartCount: number) =>
  tpmClaims({ clock: { ...counts(resetCount, restartCount), safe: true } });
const stateless = (configuration: JsonObject = {}) =>
  hclClaims({ vmConfiguration: { secureBoot: true, tpmPersisted: false, ...configuration } });

const tracked = (given: Situation) => appraised(TRACKING, given);

describe('resets of a vTPM that a policy tracks', () => {
  it.each([
    ['the same counts', 7, 2],
    ['a restart more', 7, 3],
    ['a reset more, which clears the restarts', 8, 0],
    ['many resets more', 900, 1],
  ])('TPM-10 twin: pass with %s', (_title, resetCount, restartCount) => {
    const appraisal = tracked({
      claims: azClaims({ tpm: quoting(resetCount, restartCount) }),
      resets: remembered(7, 2),
    });
    expect([appraisal.outcome, appraisal.matched.includes('tpm_reset')]).toEqual(['allow', true]);
    expect(only(appraisal, 'tpm_reset')).toMatchObject({
      result: 'pass',
      expected: counts(7, 2),
      actual: counts(resetCount, restartCount),
      about: '/evidence/tpmQuote',
      policy: 'least',
    });
  });

  it.each([
    [6, 2, 'resetCount 6 is lower than 7, which was allowed before'],
    [6, 900, 'resetCount 6 is lower than 7, which was allowed before'],
    [0, 0, 'resetCount 0 is lower than 7, which was allowed before'],
    [7, 1, 'restartCount 1 is lower than 2, which was allowed before at the same resetCount'],
  ])('TPM-10 deny (%i, %i) after (7, 2), on either TEE: tpm_reset', (resetCount, restartCount, detail) => {
    const tpm = quoting(resetCount, restartCount);
    const resets = remembered(7, 2);
    for (const appraisal of [
      tracked({ claims: azClaims({ tpm }), resets }),
      appraisedTd(TRACKING, { type: 'az-tdx-vtpm', claims: azTdxClaims({ tpm }), resets }),
    ]) {
      expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tpm_reset']]);
      expect(only(appraisal, 'tpm_reset')).toMatchObject({
        expected: counts(7, 2),
        actual: counts(resetCount, restartCount),
        detail,
      });
    }
  });

  it('TPM-10 name the vTPM where they fail or cannot be compared, whatever claims there are', () => {
    const { hcl: _, ...claims } = azClaims({ tpm: quoting(6, 2) });
    const detailOf = (resets: RememberedResets) => {
      const { verification, ...given } = situation({ claims, resets });
      const named = { ...given, verification: { ...verification, akThumbprint: KEY } };
      return only(appraise(policy(TRACKING), named), 'tpm_reset').detail;
    };
    expect(detailOf(remembered(7, 2))).toBe(
      `resetCount 6 is lower than 7, which was allowed before (AK thumbprint ${KEY})`,
    );
    const unavailable: RememberedResets = { state: 'unavailable', detail: 'cannot be read', retryable: true };
    expect(detailOf(unavailable)).toBe(`cannot be read (AK thumbprint ${KEY})`);
  });

  it('TPM-10 twin: pass at the first sight, and say so', () => {
    const appraisal = tracked({ claims: azClaims({ tpm: quoting(7, 2) }), resets: { state: 'none' } });
    expect(appraisal.outcome).toBe('allow');
    expect(only(appraisal, 'tpm_reset')).toMatchObject({
      result: 'pass',
      expected: null,
      actual: counts(7, 2),
      detail: 'no earlier counts of this vTPM are remembered',
    });
  });

  it.each([
    ['absent', {}],
    ['none', { hardwareSealingPolicy: 'none' }],
  ])('TPM-10, HCL-30 twin: pass where the vTPM is new at each boot, the sealing policy being %s', (_title, sealing) => {
    for (const resets of [remembered(900, 0), { state: 'unavailable', detail: 'x', retryable: true } as const]) {
      const appraisal = tracked({ claims: azClaims({ hcl: stateless(sealing) }), resets });
      expect([appraisal.outcome, only(appraisal, 'tpm_reset')]).toMatchObject([
        'allow',
        { result: 'pass', expected: null, detail: expect.stringContaining('made anew at each boot') },
      ]);
    }
  });

  it.each([['hash'], ['signer'], ['unknown-word'], [''], [null], [false]])(
    'HCL-30 are compared where a stateless vTPM is sealed to the hardware by policy %j: tpm_reset',
    (hardwareSealingPolicy) => {
      const claims = azClaims({ hcl: stateless({ hardwareSealingPolicy }), tpm: quoting(6, 0) });
      const denied = tracked({ claims, resets: remembered(7, 0) });
      expect([denied.outcome, failed(denied)]).toEqual(['deny', ['tpm_reset']]);
      expect(tracked({ claims, resets: remembered(6, 0) }).outcome).toBe('allow');
    },
  );

  it.each([[true], [null], ['false'], [undefined]])('TPM-10 are compared where tpmPersisted is %j', (tpmPersisted) => {
    const vmConfiguration = { secureBoot: true, ...(tpmPersisted === undefined ? {} : { tpmPersisted }) };
    const hcl = hclClaims({ vmConfiguration });
    const given = { claims: azClaims({ hcl, tpm: quoting(6, 0) }), resets: remembered(7, 0) };
    expect(failed(tracked(given))).toEqual(['tpm_reset']);
  });

  it('TPM-10 are compared where nothing is vouched for but the key', () => {
    const { vmConfiguration: _, ...hcl } = hclClaims();
    const given = { claims: azClaims({ hcl, tpm: quoting(6, 0) }), resets: remembered(7, 0) };
    expect(failed(tracked(given))).toEqual(['tpm_reset']);
  });

  it.each([true, false])(
    'TPM-10 are indeterminate where the memory is out of reach, to be retried: %s',
    (retryable) => {
      const appraisal = tracked({ resets: { state: 'unavailable', detail: 'cannot be read', retryable } });
      expect([appraisal.outcome, failed(appraisal), appraisal.unmatched]).toEqual(['indeterminate', [], ['tpm_reset']]);
      expect(only(appraisal, 'tpm_reset')).toMatchObject({
        result: 'unavailable',
        detail: 'cannot be read',
        retryable,
      });
    },
  );

  it('are a warning at a verification time in the past', () => {
    const appraisal = tracked({ resets: { state: 'not consulted' } });
    expect([appraisal.outcome, only(appraisal, 'tpm_reset').result]).toEqual(['allow', 'warn']);
  });

  it('TPM-10 deny evidence without a vTPM, which is no way around them', () => {
    for (const appraisal of [
      tracked({ type: 'snp', claims: { snp: snpClaims() } }),
      appraised({ ...TRACKING, accepts: ['tdx', 'az-tdx-vtpm'], minimums: 'any' }, { type: 'tdx' }),
    ]) {
      expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tpm_reset']]);
      expect(only(appraisal, 'tpm_reset')).toMatchObject({ about: '/evidence', expected: null });
    }
  });

  it('are skipped where the quote was not verified', () => {
    const { tpm: _, ...claims } = azClaims();
    const appraisal = tracked({ claims, findings: [check('tpm_signature', 'fail')] });
    expect([failed(appraisal), results(appraisal, 'tpm_reset')]).toEqual([['tpm_signature'], ['skipped']]);
  });

  it('TPM-10 are never a pass where there are no claims of the quote although nothing failed', () => {
    const { tpm: _, ...claims } = azClaims();
    expect(tracked({ claims }).outcome).toBe('indeterminate');
  });

  it('twin: are nothing that other policies look at', () => {
    const given = { claims: azClaims({ tpm: quoting(6, 0) }), resets: remembered(7, 0) };
    const appraisal = appraised({}, given);
    expect([appraisal.outcome, results(appraisal, 'tpm_reset')]).toEqual(['allow', []]);
  });
});

describe('the vTPM that is remembered', () => {
  const vtpmOf = (given: Situation, akThumbprint?: string) =>
    trackedVtpm({ ...situation(given).verification, ...(akThumbprint === undefined ? {} : { akThumbprint }) });

  it('is the one of the key that signed the quote', () => {
    const claims = azClaims({ tpm: quoting(7, 2) });
    expect(vtpmOf({ claims }, KEY)).toEqual({ akThumbprint: KEY, counts: counts(7, 2) });
  });

  it('HCL-30 is the one of a stateless VM whose vTPM is sealed to the hardware too', () => {
    const claims = azClaims({ hcl: stateless({ hardwareSealingPolicy: 'signer' }), tpm: quoting(7, 2) });
    expect(vtpmOf({ claims }, KEY)).toEqual({ akThumbprint: KEY, counts: counts(7, 2) });
  });

  it('is none without a quote, without its key, and where it is new at each boot', () => {
    const { tpm: _, ...unquoted } = azClaims();
    expect(vtpmOf({ claims: unquoted }, KEY)).toBeNull();
    expect(vtpmOf({})).toBeNull();
    expect(vtpmOf({ claims: azClaims({ hcl: stateless() }) }, KEY)).toBeNull();
    expect(vtpmOf({ claims: azClaims({ hcl: stateless({ hardwareSealingPolicy: 'none' }) }) }, KEY)).toBeNull();
  });
});
