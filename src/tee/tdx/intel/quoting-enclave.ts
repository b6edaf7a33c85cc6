import { hex } from '../../../core/bytes.js';
import type { EnclaveReport } from '../format/enclave-report.js';

/** MRSIGNER of Intel's quoting enclave for TDs, hex, as in the QE identities that Intel publishes. */
const MRSIGNER = 'dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5';
/** ISVPRODID of the quoting enclave for TDs. */
const TD_QE = 2;

/**
 * Whether an enclave is Intel's quoting enclave for TDs, of any version. The PCK key alone does not show it: the owner
 * of a platform can permit other enclaves to get a report that the PCK key signs. If a QE identity is available, the
 * verifier compares the enclave with that identity instead.
 *
 * Does not check DEBUG: callers reject a debug enclave, because the host can change its memory.
 */
export function isTdQuotingEnclave({ mrSigner, isvProdId }: EnclaveReport): boolean {
  return hex(mrSigner) === MRSIGNER && isvProdId === TD_QE;
}
