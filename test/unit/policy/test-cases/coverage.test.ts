import { describe, expect, it } from 'vitest';
import type { Claims } from '../../../../src/core/claims.js';
import type { JsonObject } from '../../../../src/core/json.js';
import { appraiseClaims } from '../../../../src/policy/appraise/appraise-claims.js';
import { Asserted } from '../../../../src/policy/appraise/asserted.js';
import { coverageOf, type DecidedCase } from '../../../../src/policy/test-cases/coverage.js';
import {
  azClaims,
  eventLogClaims,
  FILE,
  LEAST_OF_TDS,
  MEASUREMENT,
  MRTD,
  PCR_7,
  policy,
  RTMRS,
  snpClaims,
  tdxClaims,
  tpmClaims,
  VARIABLE,
  VM_ID,
} from '../fixture.js';

const AT = new Date('2026-06-01T12:00:00Z');
const OTHER_48 = '99'.repeat(48);
const OTHER_32 = '99'.repeat(32);

/** Each member with the cases that cover it: passing, then failing. Cases are named by their number. */
function covered(members: JsonObject, cases: readonly Claims[], type: DecidedCase['type'] = 'az-snp-vtpm') {
  const tested = policy(members);
  const judged = cases.map((claims, index) => {
    const asserted = Asserted.of(claims);
    return { ...appraiseClaims(tested, { type, asserted, at: AT }), name: String(index), type, claims };
  });
  return coverageOf(tested, judged).map(({ pointer, passingCase, failingCase }) => [pointer, passingCase, failingCase]);
}

const MEASURED = { snp: { measurement: [MEASUREMENT] } };

describe('coverage of a policy by cases', () => {
  it('lists rules and every reference value, also where there are no cases', () => {
    const rules = [
      { id: 'privileged', cel: 'snp.vmpl == 0' },
      { id: 'svn', cel: 'snp.guestSvn > 1' },
    ];
    const pins = {
      snp: { measurement: [MEASUREMENT], hostData: [OTHER_32], vmpl: [0] },
      hcl: { vmUniqueId: [VM_ID] },
      tpm: { pcrs: { sha256: { '7': [PCR_7], '11': [PCR_7] } }, boot: { files: [FILE], db: [VARIABLE] } },
    };
    expect(covered({ rules, referenceValues: [MEASURED, pins] }, []).map(([pointer]) => pointer)).toEqual([
      '/rules/0',
      '/rules/1',
      '/referenceValues/0/snp/measurement',
      '/referenceValues/1/snp/measurement',
      '/referenceValues/1/snp/hostData',
      '/referenceValues/1/snp/vmpl',
      '/referenceValues/1/hcl/vmUniqueId',
      '/referenceValues/1/tpm/pcrs/sha256/7',
      '/referenceValues/1/tpm/pcrs/sha256/11',
      '/referenceValues/1/tpm/boot/files',
      '/referenceValues/1/tpm/boot/db',
    ]);
    const td = { tdx: { mrtd: [MRTD], rtmr2: [RTMRS[2]], boot: { files: [OTHER_48] } } };
    expect(covered({ ...LEAST_OF_TDS, accepts: ['tdx'], referenceValues: [td] }, []).flat()).toEqual([
      '/referenceValues/0/tdx/mrtd',
      null,
      null,
      '/referenceValues/0/tdx/rtmr2',
      null,
      null,
      '/referenceValues/0/tdx/boot/files',
      null,
      null,
    ]);
  });

  it('names the first case in which a rule is met, and in which it is not', () => {
    const rules = [{ id: 'privileged', cel: 'snp.vmpl == 0' }];
    const other = azClaims({ snp: snpClaims({ vmpl: 2 }) });
    expect(covered({ rules }, [other, azClaims(), azClaims(), other])).toEqual([['/rules/0', '1', '0']]);
    expect(covered({ rules }, [azClaims()])).toEqual([['/rules/0', '0', null]]);
  });

  it('tells rules from one another', () => {
    const rules = [
      { id: 'privileged', cel: 'snp.vmpl == 0' },
      { id: 'svn', cel: 'snp.guestSvn >= 5' },
    ];
    const other = azClaims({ snp: snpClaims({ guestSvn: 4 }) });
    expect(covered({ rules }, [other])).toEqual([
      ['/rules/0', '0', null],
      ['/rules/1', null, '0'],
    ]);
  });

  it('does not count a rule that was not judged in a case that is denied', () => {
    const rules = [
      { id: 'privileged', cel: 'snp.vmpl == 0' },
      { id: 'clock', cel: 'tpm.clock.safe' },
    ];
    const unsafe = tpmClaims({ clock: { resetCount: 3, restartCount: 0, safe: false } });
    expect(covered({ rules }, [{ tpm: unsafe }])).toEqual([
      ['/rules/0', null, null],
      ['/rules/1', null, '0'],
    ]);
  });

  it('does not count a rule that was not judged', () => {
    const rules = [{ id: 'privileged', cel: 'snp.vmpl == 0' }];
    expect(covered({ rules }, [{}])).toEqual([['/rules/0', null, null]]);
  });

  it('counts each member of each set by itself, whichever set is the closest', () => {
    const sets = [MEASURED, { snp: { measurement: [OTHER_48] }, tpm: { pcrs: { sha256: { '7': [OTHER_32] } } } }];
    const second = azClaims({
      snp: snpClaims({ measurement: OTHER_48 }),
      tpm: tpmClaims({ pcrs: { sha256: { '7': OTHER_32 } } }),
    });
    const neither = azClaims({ snp: snpClaims({ measurement: '77'.repeat(48) }) });
    expect(covered({ referenceValues: sets }, [azClaims(), second, neither])).toEqual([
      ['/referenceValues/0/snp/measurement', '0', '2'],
      ['/referenceValues/1/snp/measurement', '1', '2'],
      ['/referenceValues/1/tpm/pcrs/sha256/7', '1', '2'],
    ]);
  });

  it('does not count a member that differs in a case that another set allows', () => {
    const sets = [MEASURED, { snp: { measurement: [OTHER_48] } }];
    expect(covered({ referenceValues: sets }, [azClaims()])).toEqual([
      ['/referenceValues/0/snp/measurement', '0', null],
      ['/referenceValues/1/snp/measurement', null, null],
    ]);
  });

  it('counts an absent claim, but nothing of a section that is absent', () => {
    const referenceValues = [{ ...MEASURED, tpm: { pcrs: { sha256: { '7': [PCR_7] } }, boot: { files: [FILE] } } }];
    const tpm = tpmClaims({ pcrs: {}, eventLog: eventLogClaims() });
    expect(covered({ referenceValues }, [{ tpm }])).toEqual([
      ['/referenceValues/0/snp/measurement', null, null],
      ['/referenceValues/0/tpm/pcrs/sha256/7', null, '0'],
      ['/referenceValues/0/tpm/boot/files', '0', null],
    ]);
  });

  it('counts nothing of a set that does not apply, or of a type that is not accepted', () => {
    const genoa = { appliesTo: { product: 'Genoa' }, ...MEASURED };
    expect(covered({ referenceValues: [genoa] }, [azClaims()])).toEqual([
      ['/referenceValues/0/snp/measurement', null, null],
    ]);
    const claims = { snp: snpClaims(), tdx: tdxClaims() };
    expect(covered({ referenceValues: [MEASURED] }, [claims], 'az-tdx-vtpm')).toEqual([
      ['/referenceValues/0/snp/measurement', null, null],
    ]);
    expect(covered({ referenceValues: [MEASURED] }, [claims], 'snp')).toEqual([
      ['/referenceValues/0/snp/measurement', '0', null],
    ]);
  });
});
