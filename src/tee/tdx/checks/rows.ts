import type { CheckRows, Finding } from '../../../core/checks/row.js';
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
} from '../../../core/checks/words.js';
import { isObject } from '../../../core/json.js';
import { lowStatus, moduleUnknown, otherAttributes, otherEnclave, tcbInfo, tooOld, xfam } from './remedies.js';

export const TDX_CHECKS = {
  tdx_signature: {
    holds: 'the attestation key signed the quote',
    fails: 'the quote was not signed by this attestation key, or was changed afterwards',
    underlies: 'hardware',
    remedy: 'The caller should send the quote byte for byte as the guest got it.',
  },
  tdx_qe_vendor: {
    holds: 'the QE vendor id of the quote is that of Intel',
    fails: 'the QE vendor id of the quote is not that of Intel',
    underlies: 'hardware',
    remedy: ({ expected }) =>
      `The caller should send a quote that Intel's own quoting enclave made (QE vendor id ${value(expected, "of Intel's")}).`,
  },
  tdx_qe_binding: {
    holds: 'the quoting enclave vouches for the attestation key',
    fails: 'the quoting enclave vouches for another attestation key, or for other authentication data',
    underlies: 'hardware',
    remedy: 'The caller should send the quote whole and byte for byte as the guest got it.',
  },
  tdx_qe_report_signature: {
    holds: 'the PCK signed the report of the quoting enclave',
    fails: 'the report of the quoting enclave was not signed by the PCK, or was changed afterwards',
    underlies: 'hardware',
    remedy:
      'The caller should send the quote byte for byte as the guest got it, with the PCK certificate chain of the same platform.',
  },
  tdx_qe_identity: {
    holds: 'the quoting enclave is the one that the QE identity describes, and Intel signed the identity',
    fails: 'the quoting enclave is not the one that the QE identity describes, or the identity does not verify',
    underlies: 'hardware',
    remedy: (finding) => {
      const identity = `The caller should send the QE identity that Intel publishes for TDX now, ${COLLATERAL}`;
      return isObject(finding.expected) ? otherEnclave(finding, `${identity}, or the`) : `${identity}.`;
    },
  },
  tdx_qe_debug: {
    holds: 'the quoting enclave cannot be debugged',
    fails: 'the quoting enclave can be debugged',
    underlies: 'hardware',
    remedy: "The machine's owner should install the production quoting enclave, which cannot be debugged.",
  },
  tdx_qe_svn: {
    holds: 'Intel has not revoked this version of the quoting enclave',
    fails: 'Intel has revoked this version of the quoting enclave, or no TCB level covers it',
    underlies: 'hardware',
    remedy: ({ expected, actual }) =>
      typeof actual === 'number' && typeof expected === 'number' && actual >= expected
        ? `The machine's owner should update its quoting enclave, because Intel has revoked ISVSVN ${actual}.`
        : `The machine's owner should update its quoting enclave to ${rises({ ISVSVN: expected }, { ISVSVN: actual }, 'the current release')}.`,
  },
  tdx_qe_attributes: {
    holds: 'the quoting enclave has the attributes that the QE identity requires, under its masks',
    fails: 'the quoting enclave has other attributes than the QE identity requires',
    underlies: 'hardware',
    remedy: (finding) => otherEnclave(finding, 'The'),
  },
  tdx_report_mismatch: {
    holds: 'the quote was made from this TDREPORT',
    fails: 'the quote was not made from this TDREPORT',
    underlies: 'vtpm',
    remedy: ({ expected }) => {
      const differing = isObject(expected) ? Object.keys(expected) : [];
      const why = differing.length === 0 ? '' : `, because they differ in ${faultsOf({ faults: differing }, '')}`;
      return `The caller should send the TD quote that was made from the TDREPORT in the HCL report${why}.`;
    },
  },
  tdx_tcb_info: {
    holds: 'the TCB info is for the platform of the PCK certificate, and Intel signed it',
    fails: 'the TCB info is for another platform than the PCK certificate, or does not verify',
    underlies: 'hardware',
    remedy: tcbInfo,
  },
  tdx_tcb_level_unsupported: {
    holds: 'the platform meets a level of the TCB info',
    fails: 'the platform is below every level of the TCB info',
    trust: { hardware: { hardware: 97 } },
    remedy: ({ expected, actual }) =>
      `The machine's owner should update its firmware and TDX module to ${rises(expected, actual, 'a level that Intel publishes')}.`,
  },
  tdx_tcb_status: {
    holds: 'the policy accepts the TCB status',
    fails: 'the TCB status is revoked, or the policy does not accept it',
    members: ['minimums.tdx.acceptedStatuses'],
    waiver: 'status',
    remedy: lowStatus,
  },
  tdx_tcb_date: {
    holds: 'platform, TDX module, QE and collateral are as new as the policy requires',
    fails: 'platform, TDX module, QE or collateral is older than the policy allows',
    members: ['minimums.tdx.earliestTcbDate', 'minimums.tdx.minEvaluationDataNumber'],
    trust: { hardware: { hardware: 32 } },
    remedy: tooOld,
  },
  tdx_module: {
    holds: 'the TDX module is the one that the collateral describes',
    fails: 'the collateral does not describe this TDX module, its signer or its attributes',
    trust: { hardware: { hardware: 97 } },
    remedy: moduleUnknown,
  },
  tdx_debug: {
    holds: 'the host may not debug the TD',
    fails: 'the host may read and change the memory of the TD (debug)',
    trust: { hardware: { 'runtime-opaque': 96, configuration: 96 } },
    relaxedBy: 'allowDebug',
    remedy: "The guest's owner should launch the TD with its debug attribute off (bit 0 of TDATTRIBUTES clear).",
  },
  tdx_attributes: {
    holds: 'the TD has no attribute that is reserved, lets the host profile it, or differs from the policy',
    fails: 'the TD has an attribute that is reserved, lets the host profile it, or differs from the policy',
    members: ['require.tdx.septVeDisable', 'require.tdx.allowMigratable', 'require.tdx.allowPerfmon'],
    trust: { hardware: { configuration: 96 } },
    remedy: otherAttributes,
  },
  tdx_xfam: {
    holds: 'XFAM has the bits that every TD has, no reserved bit, and none beyond the mask of the policy',
    fails: 'XFAM has a reserved bit or one beyond the mask of the policy, or lacks a bit that every TD has',
    members: ['require.tdx.xfamMask'],
    trust: { hardware: { configuration: 32 } },
    remedy: xfam,
  },
  tdx_seam_attributes: {
    holds: 'the TDX module has no attributes set',
    fails: 'the TDX module has attributes set, such as debug',
    trust: { hardware: { hardware: 97 } },
    remedy: ({ actual }) =>
      `The machine's owner should load the production TDX module, which has no attributes set${value(actual, '') === '' ? '' : ` (SEAMATTRIBUTES is ${value(actual, '')})`}.`,
  },
  tdx_platform_id: {
    holds: 'the PPID is among the machines that the policy lists',
    fails: 'the PPID is not among the machines that the policy lists',
    members: ['require.tdx.machines'],
    trust: { hardware: { 'instance-identity': 97 } },
    remedy: (finding) => otherMachine(finding, 'require.tdx.machines.ppid'),
  },
  tdx_service_td: {
    holds: 'the policy lists every service TD that is bound',
    fails: 'a service TD is bound that the policy does not list',
    members: ['require.tdx.mrServiceTd'],
    trust: { hardware: { 'runtime-opaque': 96 } },
    remedy: (finding) =>
      finding.policy === null
        ? "The guest's owner should launch the TD without a service TD, or the caller should send a quote with a TD 1.5 body, which states its hash."
        : `The guest's owner should launch the TD without a service TD, or the operator should add ${faultsOf(finding, 'its hash')} to require.tdx.mrServiceTd of ${changedPolicy(finding)}.`,
  },
  tdx_measurement: {
    holds: 'the measurement registers are among the reference values',
    fails: 'a measurement register is not among the reference values',
    members: ['referenceValues[].tdx'],
    trust: { hardware: { executables: 33 } },
    remedy: reference,
  },
  tdx_report_data: {
    holds: 'the report data is among the reference values',
    fails: 'the report data is not among the reference values',
    trust: { guest: { 'instance-identity': 97 } },
    remedy: reference,
  },
  collateral_not_yet: {
    holds: 'every part of the collateral was issued before the verification time',
    fails: 'a part of the collateral was issued after the verification time',
    underlies: 'hardware',
    remedy: ({ expected, actual }) =>
      `The caller should send collateral that was issued before ${value(expected, 'the verification time')}${inBrackets({ faults: isObject(actual) ? Object.entries(actual).map(([member, begins]) => `${member} is of ${value(begins, 'no date')}`) : [] })}, or the operator should correct this service's clock if the collateral is current.`,
  },
} satisfies CheckRows;

/** Without it no platform can be judged. */
export const TDX_OUT_OF_REACH = {
  collateral_unavailable: {
    holds: 'collateral is available',
    fails: 'no collateral that can be relied on is available for this platform',
    underlies: 'hardware',
    remedy: (finding) =>
      `The caller should send the collateral of the platform${inBrackets(finding)}, or the operator should let the service reach intel.pcs or put it into the folder intel.collateral.`,
  },
  collateral_stale: {
    holds: 'no part of the collateral is past its next update, or older than the policy allows',
    fails: 'a part of the collateral is past its next update, or older than the policy allows',
    underlies: 'hardware',
    members: ['minimums.tdx.maxCollateralAgeDays'],
    remedy: (finding) =>
      `The caller should send the collateral that Intel publishes now, ${COLLATERAL}${oldParts(finding)}.`,
  },
  collateral_rollback: {
    holds: 'the collateral is not older than what was fetched or imported before',
    fails: 'the collateral is older than what was fetched or imported before, or the two cannot be compared',
    underlies: 'hardware',
    remedy: `The caller should send the newest collateral, ${COLLATERAL}, and the operator should restore or remove the rollback mark that the log names if it is damaged.`,
  },
} satisfies CheckRows;

export const TDX_WARNINGS = {
  collateral_unconfirmed: {
    holds: 'a source of Intel collateral confirms what the request supplied',
    fails: 'no source confirms the collateral that the request supplied',
    waiver: 'plain',
    remedy:
      'The operator should let the service reach intel.pcs, which confirms the collateral of a request unless the verification time is in the past.',
  },
} satisfies CheckRows;

function oldParts(finding: Finding): string {
  const parts = faultsOf(finding, '');
  if (parts === '') return '';
  return finding.policy === null
    ? `, because ${parts}`
    : `, because minimums.tdx.maxCollateralAgeDays of ${policyOf(finding)} demands that ${parts} be issued after ${value(finding.expected, 'a later day')}`;
}

declare module '../../../core/checks/tables.js' {
  interface CheckTables {
    readonly tdx: typeof TDX_CHECKS;
    readonly tdxOutOfReach: typeof TDX_OUT_OF_REACH;
    readonly tdxWarnings: typeof TDX_WARNINGS;
  }
}
