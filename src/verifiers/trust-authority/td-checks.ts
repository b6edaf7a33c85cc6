import type { CheckList } from '../../model/check.js';
import { isObject, type JsonObject } from '../../model/json.js';
import type { ItaStatement } from './ita-statement.js';

/** Statuses below the good one, as Intel's TCB info has them (tdx.md). Any other text is not understood. */
const KNOWN_STATUSES: ReadonlySet<string> = new Set([
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'TDRelaunchAdvised',
  'TDRelaunchAdvisedConfigurationNeeded',
  'Revoked',
]);

const UP_TO_DATE = 'UpToDate';

/** The service issues tokens about outdated platforms too. Not understood, like older spellings, is not up to date. */
export function verifyTcbStatus(checks: CheckList, { td }: ItaStatement, about: string): void {
  const status = td['attester_tcb_status'] ?? null;
  checks.require(status === UP_TO_DATE, 'ita_tcb_status', about, {
    expected: UP_TO_DATE,
    actual: status,
    detail: 'the platform is up to date',
    otherwise:
      typeof status !== 'string'
        ? 'the token does not state the status of the platform'
        : KNOWN_STATUSES.has(status)
          ? 'the platform is not up to date'
          : 'the token states a status that is not known',
  });
}

/**
 * Debug off, in so many words: `dbgstat` disabled, `tdx_is_debuggable` literally false, and so the attribute where it is
 * shown. Genuine tokens have the first two, so that a missing one is as bad as one that says yes.
 */
export function verifyDebug(checks: CheckList, { td }: ItaStatement, about: string): void {
  const { dbgstat = null, tdx_is_debuggable: debuggable = null, tdx_td_attributes_debug: attribute = false } = td;
  const isOn = dbgstat === 'enabled' || debuggable === true || attribute === true;
  checks.require(dbgstat === 'disabled' && debuggable === false && attribute === false, 'ita_debug', about, {
    expected: { dbgstat: 'disabled', tdx_is_debuggable: false },
    actual: { dbgstat, tdx_is_debuggable: debuggable },
    detail: 'debug is off',
    otherwise: isOn ? 'the TD can be debugged by its host' : 'the token does not say literally that debug is off',
  });
}

/** The service issues a token whatever its policies say, unless it is asked not to (ita.md, Token). */
export function verifyPolicies(checks: CheckList, { unmatchedPolicies }: ItaStatement, about: string): void {
  checks.require(unmatchedPolicies.length === 0, 'ita_policy', about, {
    expected: [],
    actual: unmatchedPolicies.filter(isObject).map((policy: JsonObject) => policy['id'] ?? null),
    detail: 'no policy of the request to the issuer is unmatched',
    otherwise: 'a policy of the request to the issuer is unmatched',
  });
}
