import type { Finding, RemediesOf } from '../../../core/checks/row.js';
import { isObject } from '../../../core/json.js';
import {
  COLLATERAL,
  changedPolicy,
  faultsOf,
  inBrackets,
  otherMachine,
  policyOf,
  reference,
  rises,
  value,
} from '../../../core/remedies/words.js';
import { lowStatus, moduleUnknown, otherAttributes, otherEnclave, tcbInfo, tooOld, xfam } from './filled-remedies.js';
import type { TDX_CHECKS, TDX_OUT_OF_REACH, TDX_WARNINGS } from './rows.js';

export const TDX_REMEDIES = {
  tdx_signature: 'The caller should send the quote byte for byte as the guest got it.',
  tdx_qe_vendor: ({ expected }) =>
    `The caller should send a quote that Intel's own quoting enclave made (QE vendor id ${value(expected, "of Intel's")}).`,
  tdx_qe_binding: 'The caller should send the quote whole and byte for byte as the guest got it.',
  tdx_qe_report_signature:
    'The caller should send the quote byte for byte as the guest got it, with the PCK certificate chain of the same platform.',
  tdx_qe_identity: (finding) => {
    const identity = `The caller should send the QE identity that Intel publishes for TDX now, ${COLLATERAL}`;
    return isObject(finding.expected) ? otherEnclave(finding, `${identity}, or the`) : `${identity}.`;
  },
  tdx_qe_debug: "The machine's owner should install the production quoting enclave, which cannot be debugged.",
  tdx_qe_svn: ({ expected, actual }) =>
    typeof actual === 'number' && typeof expected === 'number' && actual >= expected
      ? `The machine's owner should update its quoting enclave, because Intel has revoked ISVSVN ${actual}.`
      : `The machine's owner should update its quoting enclave to ${rises({ ISVSVN: expected }, { ISVSVN: actual }, 'the current release')}.`,
  tdx_qe_attributes: (finding) => otherEnclave(finding, 'The'),
  tdx_report_mismatch: ({ expected }) => {
    const differing = isObject(expected) ? Object.keys(expected) : [];
    const why = differing.length === 0 ? '' : `, because they differ in ${faultsOf({ faults: differing }, '')}`;
    return `The caller should send the TD quote that was made from the TDREPORT in the HCL report${why}.`;
  },
  tdx_tcb_info: tcbInfo,
  tdx_tcb_level_unsupported: ({ expected, actual }) =>
    `The machine's owner should update its firmware and TDX module to ${rises(expected, actual, 'a level that Intel publishes')}.`,
  tdx_tcb_status: lowStatus,
  tdx_tcb_date: tooOld,
  tdx_module: moduleUnknown,
  tdx_debug: "The guest's owner should launch the TD with its debug attribute off (bit 0 of TDATTRIBUTES clear).",
  tdx_attributes: otherAttributes,
  tdx_xfam: xfam,
  tdx_seam_attributes: ({ actual }) =>
    `The machine's owner should load the production TDX module, which has no attributes set${value(actual, '') === '' ? '' : ` (SEAMATTRIBUTES is ${value(actual, '')})`}.`,
  tdx_platform_id: (finding) => otherMachine(finding, 'require.tdx.machines.ppid'),
  tdx_service_td: (finding) =>
    finding.policy === null
      ? "The guest's owner should launch the TD without a service TD, or the caller should send a quote with a TD 1.5 body, which states its hash."
      : `The guest's owner should launch the TD without a service TD, or the operator should add ${faultsOf(finding, 'its hash')} to require.tdx.mrServiceTd of ${changedPolicy(finding)}.`,
  tdx_measurement: reference,
  tdx_report_data: reference,
  collateral_not_yet: ({ expected, actual }) =>
    `The caller should send collateral that was issued before ${value(expected, 'the verification time')}${inBrackets({ faults: isObject(actual) ? Object.entries(actual).map(([member, begins]) => `${member} is of ${value(begins, 'no date')}`) : [] })}, or the operator should correct this service's clock if the collateral is current.`,
} satisfies RemediesOf<typeof TDX_CHECKS>;

export const TDX_OUT_OF_REACH_REMEDIES = {
  collateral_unavailable: (finding) =>
    `The caller should send the collateral of the platform${inBrackets(finding)}, or the operator should let the service reach intel.pcs or put it into the folder intel.collateral.`,
  collateral_stale: (finding) =>
    `The caller should send the collateral that Intel publishes now, ${COLLATERAL}${oldParts(finding)}.`,
  collateral_rollback: `The caller should send the newest collateral, ${COLLATERAL}, and the operator should restore or remove the rollback mark that the log names if it is damaged.`,
} satisfies RemediesOf<typeof TDX_OUT_OF_REACH>;

export const TDX_WARNINGS_REMEDIES = {
  collateral_unconfirmed:
    'The operator should let the service reach intel.pcs, which confirms the collateral of a request unless the verification time is in the past.',
} satisfies RemediesOf<typeof TDX_WARNINGS>;

function oldParts(finding: Finding): string {
  const parts = faultsOf(finding, '');
  if (parts === '') return '';
  return finding.policy === null
    ? `, because ${parts}`
    : `, because minimums.tdx.maxCollateralAgeDays of ${policyOf(finding)} demands that ${parts} be issued after ${value(finding.expected, 'a later day')}`;
}
