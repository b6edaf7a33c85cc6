import type { Checks } from '../../core/check.js';
import type { ItaStatement } from './ita-statement.js';
import type { ItaIssuer } from './key-trust.js';

/**
 * Debug off, in so many words: `dbgstat` disabled, `tdx_is_debuggable` literally false, and so the attribute where it is
 * shown. Genuine tokens have the first two, so that a missing one is as bad as one that says yes.
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
 * Trust Authority issues a token whatever its policies say, unless it is asked not to, and under no policy to a client that
 * names none. So every policy that the operator configured must have matched, also in a token that the caller sends: any
 * customer's key gets one.
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
