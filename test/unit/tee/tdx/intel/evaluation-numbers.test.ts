import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../../src/core/errors.js';
import type { JsonObject } from '../../../../../src/core/json.js';
import { parseEvaluationNumbers } from '../../../../../src/tee/tdx/intel/evaluation-numbers.js';

/** As Intel served it, with `SGX` as the id. */
const GENUINE = {
  id: 'TDX',
  version: 1,
  issueDate: '2025-06-02T02:43:30Z',
  nextUpdate: '2025-07-02T02:43:30Z',
  tcbEvalNumbers: [
    {
      tcbEvaluationDataNumber: 19,
      tcbRecoveryEventDate: '2025-05-13T00:00:00Z',
      tcbDate: '2025-05-14T00:00:00Z',
    },
    {
      tcbEvaluationDataNumber: 18,
      tcbRecoveryEventDate: '2024-11-12T00:00:00Z',
      tcbDate: '2024-11-13T00:00:00Z',
    },
  ],
};
const [FIRST] = GENUINE.tcbEvalNumbers;
const read = (members: JsonObject) => parseEvaluationNumbers(JSON.stringify({ ...GENUINE, ...members }));

describe('parseEvaluationNumbers', () => {
  it('gives each number with its recovery event and the date of its levels', () => {
    expect(read({})).toEqual({
      issueDate: new Date('2025-06-02T02:43:30Z'),
      nextUpdate: new Date('2025-07-02T02:43:30Z'),
      recoveries: [
        { evaluationDataNumber: 19, date: new Date('2025-05-13'), tcbDate: new Date('2025-05-14') },
        { evaluationDataNumber: 18, date: new Date('2024-11-12'), tcbDate: new Date('2024-11-13') },
      ],
    });
  });

  it.each<readonly [string, JsonObject]>([
    ['of SGX', { id: 'SGX' }],
    ['of another version', { version: 2 }],
    ['without numbers', { tcbEvalNumbers: [] }],
    ['with a number twice', { tcbEvalNumbers: [{ ...FIRST }, { ...FIRST }] }],
    ['with a number that is none', { tcbEvalNumbers: [{ ...FIRST, tcbEvaluationDataNumber: '19' }] }],
    [
      'with a day that does not exist',
      { tcbEvalNumbers: [{ ...FIRST, tcbRecoveryEventDate: '2025-02-30T00:00:00Z' }] },
    ],
    [
      'without tcbDate',
      { tcbEvalNumbers: [{ tcbEvaluationDataNumber: 19, tcbRecoveryEventDate: '2025-05-13T00:00:00Z' }] },
    ],
    ['without nextUpdate', { nextUpdate: null }],
  ])('refuses a list %s', (_what, members) => {
    expect(() => read(members)).toThrow(FormatError);
  });
});
