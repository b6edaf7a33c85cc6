import { isObject, type JsonValue } from '../json.js';
import type { CheckRows } from './row.js';
import { COLLATERAL, components, isEmpty, reference, value } from './words.js';

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
    remedy: "The caller should send a quote that Intel's own quoting enclave made.",
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
    remedy: `The caller should send the QE identity that Intel publishes for TDX now, ${COLLATERAL}.`,
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
    remedy: ({ expected }) =>
      `The machine's owner should update its quoting enclave to ISVSVN ${value(expected, 'of a current release')} or later.`,
  },
  tdx_qe_attributes: {
    holds: 'the quoting enclave has the attributes that the QE identity requires, under its masks',
    fails: 'the quoting enclave has other attributes than the QE identity requires',
    underlies: 'hardware',
    remedy: "The machine's owner should install the quoting enclave as Intel released it.",
  },
  tdx_report_mismatch: {
    holds: 'the quote was made from this TDREPORT',
    fails: 'the quote was not made from this TDREPORT',
    underlies: 'vtpm',
    remedy: 'The caller should send the TD quote that was made from the TDREPORT in the HCL report.',
  },
  tdx_tcb_info: {
    holds: 'the TCB info is for the platform of the PCK certificate, and Intel signed it',
    fails: 'the TCB info is for another platform than the PCK certificate, or does not verify',
    underlies: 'hardware',
    remedy: ({ expected }) =>
      `The caller should send the TCB info that Intel publishes for ${fmspcOf(expected)}, ${COLLATERAL}.`,
  },
  tdx_tcb_level_unsupported: {
    holds: 'the platform meets a level of the TCB info',
    fails: 'the platform is below every level of the TCB info',
    trust: { hardware: { hardware: 97 } },
    remedy: ({ expected }) =>
      `The machine's owner should update its firmware and TDX module${isEmpty(expected) ? '' : ` to ${components(expected)} or later`}.`,
  },
  tdx_tcb_status: {
    holds: 'the policy accepts the TCB status',
    fails: 'the TCB status is revoked, or the policy does not accept it',
    waiver: 'status',
    remedy: ({ actual, policy }) => {
      if (actual === 'Revoked') {
        return "The machine's owner should update its firmware and TDX module, because Intel has revoked this TCB and no policy can accept it.";
      }
      return policy === null
        ? "The operator should look up the status in Intel's current documentation and update this service once it knows it, because no policy can accept it until then."
        : `The machine's owner should update what the detail names, or the operator can accept or waive the status ${value(actual, 'shown')} in the policy.`;
    },
  },
  tdx_tcb_date: {
    holds: 'platform, TDX module, QE and collateral are as new as the policy requires',
    fails: 'platform, TDX module, QE or collateral is older than the policy allows',
    trust: { hardware: { hardware: 32 } },
    remedy: ({ expected }) =>
      typeof expected === 'number'
        ? `The caller should send TCB info and QE identity with evaluation data number ${expected} or higher, ${COLLATERAL}.`
        : `The machine's owner should update its firmware and TDX module to a TCB of ${value(expected, 'the date in the policy')} or later.`,
  },
  tdx_module: {
    holds: 'the TDX module is the one that the collateral describes',
    fails: 'the collateral does not describe this TDX module, its signer or its attributes',
    trust: { hardware: { hardware: 97 } },
    remedy: "The machine's owner should load a TDX module that Intel's current TCB info describes.",
  },
  tdx_debug: {
    holds: 'the host may not debug the TD',
    fails: 'the host may read and change the memory of the TD (debug)',
    trust: { hardware: { 'runtime-opaque': 96, configuration: 96 } },
    relaxedBy: 'allowDebug',
    remedy: "The guest's owner should launch the TD with its debug attribute off.",
  },
  tdx_attributes: {
    holds: 'the TD has no attribute that is reserved, lets the host profile it, or differs from the policy',
    fails: 'the TD has an attribute that is reserved, lets the host profile it, or differs from the policy',
    trust: { hardware: { configuration: 96 } },
    remedy: "The guest's owner should launch the TD with the required attributes: the detail names what differs.",
  },
  tdx_xfam: {
    holds: 'XFAM has the bits that every TD has, no reserved bit, and none beyond the mask of the policy',
    fails: 'XFAM has a reserved bit or one beyond the mask of the policy, or lacks a bit that every TD has',
    trust: { hardware: { configuration: 32 } },
    remedy: "The guest's owner should launch the TD with the required extended features (XFAM).",
  },
  tdx_seam_attributes: {
    holds: 'the TDX module has no attributes set',
    fails: 'the TDX module has attributes set, such as debug',
    trust: { hardware: { hardware: 97 } },
    remedy: "The machine's owner should load the production TDX module, which has no attributes set.",
  },
  tdx_platform_id: {
    holds: 'the PPID is among the machines that the policy lists',
    fails: 'the PPID is not among the machines that the policy lists',
    trust: { hardware: { 'instance-identity': 97 } },
    remedy: ({ actual }) =>
      `The operator should add ${value(actual, 'the PPID')} to require.tdx.machines of the policy if the machine is one of theirs.`,
  },
  tdx_service_td: {
    holds: 'the policy lists every service TD that is bound',
    fails: 'a service TD is bound that the policy does not list',
    trust: { hardware: { 'runtime-opaque': 96 } },
    remedy: ({ actual, policy }) =>
      policy === null
        ? "The guest's owner should launch the TD without a service TD, or the caller should send a quote with a TD 1.5 body, which states its hash."
        : `The guest's owner should launch the TD without a service TD, or the operator should add ${value(actual, 'its hash')} to require.tdx.mrServiceTd of the policy.`,
  },
  tdx_measurement: {
    holds: 'the measurement registers are among the reference values',
    fails: 'a measurement register is not among the reference values',
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
    remedy:
      "The caller should send collateral that was issued before the verification time, or the operator should correct this service's clock if the collateral is current.",
  },
} satisfies CheckRows;

function fmspcOf(expected: JsonValue): string {
  const fmspc = isObject(expected) ? expected['fmspc'] : null;
  return typeof fmspc === 'string' ? `FMSPC ${fmspc}` : 'this platform';
}
