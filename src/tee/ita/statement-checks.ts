import type { Checks } from '../../core/check.js';
import type { ItaStatement } from './ita-statement.js';
import type { ItaIssuer } from './key-trust.js';

/**
 * Requires that debugging is off: `dbgstat` is `disabled`, `tdx_is_debuggable` is `false`, and so is
 * `tdx_td_attributes_debug` if present. Genuine tokens have the first two, so a missing one is a failure.
 */
export function verifyDebug(checks: Checks, { td }: ItaStatement): void {
  const { dbgstat = null, tdx_is_debuggable: debuggable = null, tdx_td_attributes_debug: attribute = false } = td;
  const isOn = dbgstat === 'enabled' || debuggable === true || attribute === true;
  checks.require(dbgstat === 'disabled' && debuggable === false && attribute === false, 'ita_debug', {
    expected: { dbgstat: 'disabled', tdx_is_debuggable: false },
    actual: { dbgstat, tdx_is_debuggable: debuggable },
    otherwise: isOn
      ? 'Intel Trust Authority says that the host can debug the TD'
      : 'the token does not say literally that debugging is off',
  });
}

/**
 * Requires that the token matches every policy that the operator configured, and that it lists no unmatched policy. By
 * default, Trust Authority issues tokens even if policies do not match, and requires no policy in a request. This
 * applies to tokens that the caller sends too, because every customer of Intel can get one without a policy.
 */
export function verifyPolicies(
  checks: Checks,
  { matchedPolicyIds, unmatchedPolicyIds }: ItaStatement,
  { policyIds }: ItaIssuer,
): void {
  const required = [...policyIds];
  if (unmatchedPolicyIds.length > 0) {
    checks.fail('ita_policy', {
      expected: [],
      actual: unmatchedPolicyIds,
      detail: 'Intel Trust Authority says that a requested policy does not match (policy_ids_unmatched)',
    });
    return;
  }
  checks.require(
    required.every((id) => matchedPolicyIds.includes(id)),
    'ita_policy',
    {
      expected: required,
      actual: matchedPolicyIds,
      detail:
        required.length === 0
          ? 'no Intel Trust Authority policy is configured, and the token names none that does not match'
          : `Intel Trust Authority says that every policy of ${POLICY_SETTINGS} matches`,
      otherwise: `Intel Trust Authority does not say that every policy of ${POLICY_SETTINGS} matches`,
    },
  );
}

const POLICY_SETTINGS = 'ita.issuers[].policyIds and ita.submit.policyIds';
