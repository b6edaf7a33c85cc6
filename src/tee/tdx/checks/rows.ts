import type { CheckRows } from '../../../core/checks/row.js';

export const TDX_CHECKS = {
  tdx_signature: {
    holds: 'the attestation key signed the quote',
    fails: 'the quote was not signed by this attestation key, or was changed afterwards',
    underlies: 'hardware',
  },
  tdx_qe_vendor: {
    holds: 'the QE vendor id of the quote is that of Intel',
    fails: 'the QE vendor id of the quote is not that of Intel',
    underlies: 'hardware',
  },
  tdx_qe_binding: {
    holds: 'the quoting enclave vouches for the attestation key',
    fails: 'the quoting enclave vouches for another attestation key, or for other authentication data',
    underlies: 'hardware',
  },
  tdx_qe_report_signature: {
    holds: 'the PCK signed the report of the quoting enclave',
    fails: 'the report of the quoting enclave was not signed by the PCK, or was changed afterwards',
    underlies: 'hardware',
  },
  tdx_qe_identity: {
    holds: 'the quoting enclave is the one that the QE identity describes, and Intel signed the identity',
    fails: 'the quoting enclave is not the one that the QE identity describes, or the identity does not verify',
    underlies: 'hardware',
  },
  tdx_qe_debug: {
    holds: 'the quoting enclave cannot be debugged',
    fails: 'the quoting enclave can be debugged',
    underlies: 'hardware',
  },
  tdx_qe_svn: {
    holds: 'Intel has not revoked this version of the quoting enclave',
    fails: 'Intel has revoked this version of the quoting enclave, or no TCB level covers it',
    underlies: 'hardware',
  },
  tdx_qe_attributes: {
    holds: 'the quoting enclave has the attributes that the QE identity requires, under its masks',
    fails: 'the quoting enclave has other attributes than the QE identity requires',
    underlies: 'hardware',
  },
  tdx_report_mismatch: {
    holds: 'the quote was made from this TDREPORT',
    fails: 'the quote was not made from this TDREPORT',
    underlies: 'vtpm',
  },
  tdx_tcb_info: {
    holds: 'the TCB info is for the platform of the PCK certificate, and Intel signed it',
    fails: 'the TCB info is for another platform than the PCK certificate, or does not verify',
    underlies: 'hardware',
  },
  tdx_tcb_level_unsupported: {
    holds: 'the platform meets a level of the TCB info',
    fails: 'the platform is below every level of the TCB info',
    trust: { hardware: { hardware: 97 } },
  },
  tdx_tcb_status: {
    holds: 'the policy accepts the TCB status',
    fails: 'the TCB status is revoked, or the policy does not accept it',
    members: ['minimums.tdx.acceptedStatuses'],
    waiver: 'status',
  },
  tdx_tcb_date: {
    holds: 'platform, TDX module, QE and collateral are as new as the policy requires',
    fails: 'platform, TDX module, QE or collateral is older than the policy allows',
    members: ['minimums.tdx.earliestTcbDate', 'minimums.tdx.minEvaluationDataNumber'],
    trust: { hardware: { hardware: 32 } },
  },
  tdx_module: {
    holds: 'the TDX module is the one that the collateral describes',
    fails: 'the collateral does not describe this TDX module, its signer or its attributes',
    trust: { hardware: { hardware: 97 } },
  },
  tdx_debug: {
    holds: 'the host may not debug the TD',
    fails: 'the host may read and change the memory of the TD (debug)',
    trust: { hardware: { 'runtime-opaque': 96, configuration: 96 } },
    relaxedBy: 'allowDebug',
  },
  tdx_attributes: {
    holds: 'the TD has no attribute that is reserved, lets the host profile it, or differs from the policy',
    fails: 'the TD has an attribute that is reserved, lets the host profile it, or differs from the policy',
    members: ['require.tdx.septVeDisable', 'require.tdx.allowMigratable', 'require.tdx.allowPerfmon'],
    trust: { hardware: { configuration: 96 } },
  },
  tdx_xfam: {
    holds: 'XFAM has the bits that every TD has, no reserved bit, and none beyond the mask of the policy',
    fails: 'XFAM has a reserved bit or one beyond the mask of the policy, or lacks a bit that every TD has',
    members: ['require.tdx.xfamMask'],
    trust: { hardware: { configuration: 32 } },
  },
  tdx_seam_attributes: {
    holds: 'the TDX module has no attributes set',
    fails: 'the TDX module has attributes set, such as debug',
    trust: { hardware: { hardware: 97 } },
  },
  tdx_platform_id: {
    holds: 'the PPID is among the machines that the policy lists',
    fails: 'the PPID is not among the machines that the policy lists',
    members: ['require.tdx.machines'],
    trust: { hardware: { 'instance-identity': 97 } },
  },
  tdx_service_td: {
    holds: 'the policy lists every service TD that is bound',
    fails: 'a service TD is bound that the policy does not list',
    members: ['require.tdx.mrServiceTd'],
    trust: { hardware: { 'runtime-opaque': 96 } },
  },
  tdx_measurement: {
    holds: 'the measurement registers are among the reference values',
    fails: 'a measurement register is not among the reference values',
    members: ['referenceValues[].tdx'],
    trust: { hardware: { executables: 33 } },
  },
  tdx_report_data: {
    holds: 'the report data is among the reference values',
    fails: 'the report data is not among the reference values',
    trust: { guest: { 'instance-identity': 97 } },
  },
  collateral_not_yet: {
    holds: 'every part of the collateral was issued before the verification time',
    fails: 'a part of the collateral was issued after the verification time',
    underlies: 'hardware',
  },
} satisfies CheckRows;

/** Without it no platform can be appraised. */
export const TDX_OUT_OF_REACH = {
  collateral_unavailable: {
    holds: 'collateral is available',
    fails: 'no collateral that can be relied on is available for this platform',
    underlies: 'hardware',
  },
  collateral_stale: {
    holds: 'no part of the collateral is past its next update, or older than the policy allows',
    fails: 'a part of the collateral is past its next update, or older than the policy allows',
    underlies: 'hardware',
    members: ['minimums.tdx.maxCollateralAgeDays'],
  },
  collateral_rollback: {
    holds: 'the collateral is not older than what was fetched or imported before',
    fails: 'the collateral is older than what was fetched or imported before, or the two cannot be compared',
    underlies: 'hardware',
  },
} satisfies CheckRows;

export const TDX_WARNINGS = {
  collateral_unconfirmed: {
    holds: 'a source of Intel collateral confirms what the request supplied',
    fails: 'no source confirms the collateral that the request supplied',
    waiver: 'plain',
  },
} satisfies CheckRows;

declare module '../../../core/checks/tables.js' {
  interface CheckTables {
    readonly tdx: typeof TDX_CHECKS;
    readonly tdxOutOfReach: typeof TDX_OUT_OF_REACH;
    readonly tdxWarnings: typeof TDX_WARNINGS;
  }
}
