import { FormatError } from '../../../core/errors.js';
import { readCollateralText, readSvnLevels, type SvnLevel } from './collateral-json.js';

/** Identity of Intel's quoting enclave for TDs (Intel PCS v4, enclave identity v2, id TD_QE). Not verified. */
export interface QeIdentity {
  readonly issueDate: Date;
  readonly nextUpdate: Date;
  readonly evaluationDataNumber: number;
  readonly miscSelect: Uint8Array;
  readonly miscSelectMask: Uint8Array;
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  /** The highest ISVSVN first. At least one. */
  readonly levels: readonly SvnLevel[];
}

const VERSION = 2;

/**
 * Reads the text of a QE identity. All bytes, MISCSELECT included, are in the order of an enclave report.
 *
 * @param text the exact signed text
 * @throws {FormatError} `schema`, `duplicate_key` and the others of `parseStrictJson`
 */
export function parseQeIdentity(text: string): QeIdentity {
  const identity = readCollateralText(text, 'QE identity');
  if (identity.text('id') !== 'TD_QE')
    throw new FormatError('schema', 'QE identity is not that of the TD quoting enclave');
  const version = identity.integer('version', 0xffff);
  if (version !== VERSION) throw new FormatError('schema', `QE identity is of version ${version}, not 2`);
  return {
    issueDate: identity.instant('issueDate'),
    nextUpdate: identity.instant('nextUpdate'),
    evaluationDataNumber: identity.integer('tcbEvaluationDataNumber', 0xffff_ffff),
    miscSelect: identity.hex('miscselect', 4),
    miscSelectMask: identity.hex('miscselectMask', 4),
    attributes: identity.hex('attributes', 16),
    attributesMask: identity.hex('attributesMask', 16),
    mrSigner: identity.hex('mrsigner', 32),
    isvProdId: identity.integer('isvprodid', 0xffff),
    levels: readSvnLevels(identity),
  };
}
