import { hex } from '../../../core/bytes.js';
import type { EnclaveReport } from '../format/enclave-report.js';

/** MRSIGNER of Intel's quoting enclaves, hex: in every QE identity that Intel publishes. */
const MRSIGNER = 'dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5';
/** ISVPRODID of the quoting enclave for TDs. */
const TD_QE = 2;

/**
 * Whether an enclave is Intel's quoting enclave for TDs, of any version. Any enclave that a platform's owner lets use the provisioning
 * key gets a report that the PCK signs. With a QE identity at hand, its mask and version count instead.
 *
 * Callers check DEBUG, not this function. They refuse a debug enclave: its host can change the contents of its reports.
 */
export function isTdQuotingEnclave({ mrSigner, isvProdId }: EnclaveReport): boolean {
  return hex(mrSigner) === MRSIGNER && isvProdId === TD_QE;
}
