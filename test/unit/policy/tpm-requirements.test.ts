import { describe, expect, it } from 'vitest';
import { remedyOf } from '../../../src/tee/remedies.js';
import {
  appraised,
  appraisedTd,
  azClaims,
  azTdxClaims,
  check,
  failed,
  only,
  PCR_7,
  results,
  snpClaims,
  tpmClaims,
} from './fixture.js';

const quoting = (...quotedPcrs: readonly number[]) => ({ require: { tpm: { quotedPcrs } } });
const quoted = (...indices: readonly number[]) =>
  tpmClaims({ pcrs: { sha256: Object.fromEntries(indices.map((index) => [String(index), PCR_7])) } });

describe('PCRs that must be quoted', () => {
  it.each([[[0, 7]], [[0, 1, 7, 16]], [[7, 0]]])('HCL-18 twin: allow a quote of %j', (indices) => {
    const appraisal = appraised(quoting(0, 7), { claims: azClaims({ tpm: quoted(...indices) }) });
    expect([appraisal.outcome, results(appraisal, 'tpm_pcr_not_quoted')]).toEqual(['allow', ['pass']]);
  });

  it.each([[[16]], [[0]], [[1, 2, 3]]])('HCL-18 deny a quote of %j, on either TEE', (indices) => {
    const tpm = quoted(...indices);
    const snp = appraised(quoting(0, 7), { claims: azClaims({ tpm }) });
    const tdx = appraisedTd(quoting(0, 7), { type: 'az-tdx-vtpm', claims: azTdxClaims({ tpm }) });
    for (const appraisal of [snp, tdx]) {
      expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tpm_pcr_not_quoted']]);
      expect(only(appraisal, 'tpm_pcr_not_quoted')).toMatchObject({
        about: '/evidence/tpmQuote',
        expected: [0, 7],
        actual: indices,
      });
    }
  });

  it('HCL-18 do not count in another bank', () => {
    const tpm = tpmClaims({ pcrs: { sha1: { '0': '00', '7': '00' }, sha256: { '0': PCR_7 } } });
    const appraisal = appraised(quoting(0, 7), { claims: azClaims({ tpm }) });
    expect(only(appraisal, 'tpm_pcr_not_quoted').detail).toBe('the quote does not cover PCR 7');
  });

  it('HCL-18 are told as ranges, in the detail and in the remedy', () => {
    const given = { claims: azClaims({ tpm: quoted(7) }) };
    const found = only(appraised(quoting(0, 1, 2, 3, 7, 11), given), 'tpm_pcr_not_quoted');
    expect(found.detail).toBe('the quote does not cover PCRs 0 to 3, 11');
    expect(remedyOf(found)).toBe(
      'The guest should quote PCRs 0 to 3, 11 as well, because require.tpm.quotedPcrs of policy least needs them.',
    );
  });

  it('HCL-18 deny evidence without a vTPM, which is no way around them', () => {
    for (const appraisal of [
      appraised(quoting(0), { type: 'snp', claims: { snp: snpClaims() } }),
      appraised({ ...quoting(0), accepts: ['tdx', 'az-tdx-vtpm'], minimums: 'any' }, { type: 'tdx' }),
    ]) {
      expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tpm_pcr_not_quoted']]);
      expect(only(appraisal, 'tpm_pcr_not_quoted').about).toBe('/evidence');
    }
  });

  it('HCL-18 are skipped where the quote was not verified', () => {
    const { tpm: _, ...claims } = azClaims();
    const appraisal = appraised(quoting(0), { claims, findings: [check('tpm_signature', 'fail')] });
    expect([failed(appraisal), results(appraisal, 'tpm_pcr_not_quoted')]).toEqual([['tpm_signature'], ['skipped']]);
  });

  it.each(['tpm_pcr_selection', 'tpm_pcr_digest'] as const)(
    'HCL-18 are those that were signed, where the values are others: %s',
    (id) => {
      const claims = azClaims({ tpm: quoted() });
      const given = { claims, findings: [check(id, 'fail')], selectedPcrs: [0, 7, 23] };
      const appraisal = appraised(quoting(0, 7), given);
      expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', [id]]);
      expect(only(appraisal, 'tpm_pcr_not_quoted')).toMatchObject({ result: 'pass', actual: [0, 7, 23] });
      const without = appraised(quoting(0, 9), given);
      expect(failed(without)).toEqual([id, 'tpm_pcr_not_quoted']);
      expect(only(without, 'tpm_pcr_not_quoted').detail).toBe('the quote does not cover PCR 9');
    },
  );

  it('are nothing that a policy has to name', () => {
    expect(results(appraised({}, { claims: azClaims({ tpm: quoted(16) }) }), 'tpm_pcr_not_quoted')).toEqual([]);
  });
});

it('PCRs that no event log has to explain are taken, since none is read', () => {
  expect(appraised({ require: { tpm: { runtimePcrs: [10] } } }).outcome).toBe('allow');
});
