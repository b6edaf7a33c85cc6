import type { Checks } from '../../../core/check.js';
import type { JsonValue } from '../../../core/json.js';
import { isTdxStatus, TDX_STATUSES } from '../../../core/tdx-status.js';

/**
 * Requires that the TCB status of a TD's platform is one that Intel defines, and not `Revoked`. Both verifiers issue
 * tokens for outdated platforms too. A policy decides which of the other statuses it accepts.
 *
 * @param verifier display name of the token's issuer
 * @param status `attester_tcb_status` in the token; null if absent
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
