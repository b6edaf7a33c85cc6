import type { RecoveryEvent } from '../../../core/early-collateral.js';
import { FormatError } from '../../../core/errors.js';
import { readCollateralText } from './collateral-json.js';

/** The TCB evaluation data numbers for which Intel serves collateral (Intel PCS v4, version 1). Not verified. */
export interface EvaluationNumbers {
  readonly issueDate: Date;
  readonly nextUpdate: Date;
  /** One per number, in the order of the list. At least one. */
  readonly recoveries: readonly RecoveryEvent[];
}

const VERSION = 1;

/**
 * Reads the text of a list of TCB evaluation data numbers.
 *
 * @param text the exact signed text
 * @throws {FormatError} `schema`, `duplicate_key` and the others of `parseStrictJson`
 */
export function parseEvaluationNumbers(text: string): EvaluationNumbers {
  const list = readCollateralText(text, 'list of TCB evaluation data numbers');
  if (list.text('id') !== 'TDX') throw new FormatError('schema', 'TCB evaluation data numbers are not of TDX');
  const version = list.integer('version', 0xffff);
  if (version !== VERSION) {
    throw new FormatError('schema', `list of TCB evaluation data numbers is of version ${version}, not ${VERSION}`);
  }
  const recoveries = list.levels('tcbEvalNumbers').map((entry) => ({
    evaluationDataNumber: entry.integer('tcbEvaluationDataNumber', 0xffff_ffff),
    date: entry.instant('tcbRecoveryEventDate'),
    tcbDate: entry.instant('tcbDate'),
  }));
  const numbers = new Set(recoveries.map(({ evaluationDataNumber }) => evaluationDataNumber));
  if (numbers.size < recoveries.length) throw new FormatError('schema', 'a TCB evaluation data number is listed twice');
  return { issueDate: list.instant('issueDate'), nextUpdate: list.instant('nextUpdate'), recoveries };
}
