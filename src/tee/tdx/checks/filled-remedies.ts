import type { Finding } from '../../../core/checks/row.js';
import { isObject } from '../../../core/json.js';
import {
  COLLATERAL,
  changedPolicy,
  differences,
  faultsOf,
  inBrackets,
  isJsonList,
  policyOf,
  value,
} from '../../../core/remedies/words.js';

/** The remedy for each status that Intel defines, as the start of a sentence. */
const ACTIONS: ReadonlyMap<unknown, string> = new Map([
  ['OutOfDate', "The machine's owner should update its firmware, TDX module and quoting enclave"],
  [
    'OutOfDateConfigurationNeeded',
    "The machine's owner should update its firmware, TDX module and quoting enclave, and configure the platform as Intel's advisories say",
  ],
  ['ConfigurationNeeded', "The machine's owner should configure the platform as Intel's advisories say"],
  ['SWHardeningNeeded', "The guest's owner should harden its software as Intel's advisories say"],
  [
    'ConfigurationAndSWHardeningNeeded',
    "The machine's owner should configure the platform, and the guest's owner harden its software, as Intel's advisories say",
  ],
  ['TDRelaunchAdvised', "The guest's owner should launch the TD again, so that it runs under the updated TDX module"],
  [
    'TDRelaunchAdvisedConfigurationNeeded',
    "The guest's owner should launch the TD again after the machine's owner has configured the platform as Intel's advisories say",
  ],
]);

export function lowStatus(finding: Finding): string {
  const { actual, expected, policy, result } = finding;
  const which = inBrackets(finding);
  if (actual === 'Revoked') {
    return `The machine's owner should update its firmware and TDX module${which}, because Intel has revoked this TCB and no policy can accept it.`;
  }
  if (policy === null) {
    return "The operator should look up the status in Intel's current documentation and update this service once it knows it, because no policy can accept it until then.";
  }
  const action = `${ACTIONS.get(actual) ?? "The machine's owner should update its firmware and TDX module"}${which}`;
  const status = value(actual, 'the status');
  if (result !== 'warn') {
    return `${action}, or the operator should add ${status} to minimums.tdx.acceptedStatuses of ${changedPolicy(finding)} or waive it there.`;
  }
  return expected === null
    ? `${action}, or the operator should say in minimums.tdx.acceptedStatuses of ${changedPolicy(finding)} which statuses pass, because ${status} passes under any.`
    : `${action}, before the waiver in ${policyOf(finding)} ends.`;
}

export function tcbInfo({ expected, actual }: Finding): string {
  const fmspc = isObject(expected) ? value(expected['fmspc'], '') : '';
  const pceId = isObject(expected) ? value(expected['pceId'], '') : '';
  const platform = fmspc === '' ? 'this platform' : `FMSPC ${fmspc}${pceId === '' ? '' : ` and PCEID ${pceId}`}`;
  const other = isObject(actual) ? value(actual['fmspc'], '') : '';
  const sent = other === '' || other === fmspc ? '' : `, and not the one for FMSPC ${other}`;
  return `The caller should send the TCB info that Intel publishes for ${platform}${sent}, ${COLLATERAL}.`;
}

/** @param start the start of the sentence, up to its last article */
export function otherEnclave({ expected, actual }: Finding, start: string): string {
  return `${start} machine's owner should install the quoting enclave as Intel released it: ${differences(expected, actual, 'with the attributes in the QE identity')}.`;
}

export function tooOld(finding: Finding): string {
  const { expected, actual } = finding;
  if (typeof expected === 'number') {
    const numbers = isObject(actual)
      ? [
          `TCB info has ${value(actual['evaluationDataNumber'], 'none')}`,
          `QE identity has ${value(actual['qeEvaluationDataNumber'], 'none')}`,
        ]
      : [];
    return `The caller should send TCB info and QE identity with evaluation data number ${expected} or higher${inBrackets({ faults: numbers })}, ${COLLATERAL}.`;
  }
  const now = value(actual, '');
  return `The machine's owner should update its firmware and TDX module to a TCB of ${value(expected, 'the date in the policy')} or later${now === '' ? '' : ` (it is of ${now})`}, which minimums.tdx.earliestTcbDate of ${policyOf(finding)} demands.`;
}

export function moduleUnknown({ expected, actual }: Finding): string {
  const start = "The machine's owner should load a TDX module that Intel's current TCB info describes";
  if (isJsonList(expected) && actual !== null) {
    const known = value(expected, 'none');
    return `${start} (${known}), and not ${value(actual, 'this one')}, or the caller should send the TCB info that Intel publishes now if it is newer.`;
  }
  return isObject(expected)
    ? `${start}: ${differences(expected, actual, 'with its signer and attributes')}.`
    : `${start}.`;
}

export function otherAttributes(finding: Finding): string {
  const { policy, actual, setting = 'require.tdx' } = finding;
  if (policy === null) {
    const bits = typeof actual === 'string' ? value(actual, 'shown') : 'that are reserved or let the host profile it';
    return `The guest's owner should launch the TD with the bits ${bits} of TDATTRIBUTES clear, because they are reserved or let the host profile it.`;
  }
  return `The guest's owner should launch the TD with ${faultsOf(finding, 'the required attributes')}, or the operator should change ${setting} of ${changedPolicy(finding)}.`;
}

export function xfam(finding: Finding): string {
  const launch = `The guest's owner should launch the TD with ${faultsOf(finding, 'the required bits')} in XFAM`;
  return finding.policy === null
    ? `${launch}.`
    : `${launch}, or the operator should widen require.tdx.xfamMask of ${changedPolicy(finding)}.`;
}
