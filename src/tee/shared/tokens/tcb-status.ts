import type { Checks } from '../../../core/check.js';
import type { JsonValue } from '../../../core/json.js';
import { isTdxStatus, TDX_STATUSES } from '../../../core/tdx-status.js';

/**
 * Requires that the TCB status of a TD's platform is one of Intel's words, and not `Revoked`: both verifiers issue tokens
 * about outdated platforms too. Policies say which of the other statuses are accepted.
 *
 * @param verifier who issued the token, for people
 * @param status `attester_tcb_status` as the token has it; null where there is none
 */
export function verifyTcbStatus(
  checks: Checks,
  id: 'maa_tcb_status' | 'ita_tcb_status',
  verifier: string,
  status: JsonValue,
): void {
  checks.require(isTdxStatus(status), id, {
    expected: TDX_STATUSES,
    actual: status,
    detail: `${verifier} calls the platform ${status}`,
    otherwise:
      status === null
        ? `${verifier} does not state the TCB status of the platform`
        : status === 'Revoked'
          ? `${verifier} calls the platform Revoked`
          : `${verifier} states a TCB status that Intel does not define`,
  });
}
