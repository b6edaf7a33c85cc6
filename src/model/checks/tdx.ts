import { isObject, type JsonValue } from '../json.js';
import type { CheckRows } from './row.js';
import { COLLATERAL, components, isEmpty, reference, value } from './words.js';

export const TDX_CHECKS = {
  tdx_signature: {
    holds: 'the attestation key has signed the quote',
    fails: 'the quote was not signed by this attestation key, or was changed afterwards',
    underlies: 'hardware',
    remedy: 'The caller should send the quote byte for byte as the guest got it.',
  },
  tdx_qe_vendor: {
    holds: 'the QE vendor id of the quote is that of intel',
    fails: 'the QE vendor id of the quote is not that of intel',
    underlies: 'hardware',
    remedy: "The caller should send a quote that Intel's own quoting enclave made.",
  },
  tdx_qe_binding: {
    holds: 'the quoting enclave vouches for the attestation key',
    fails: 'the quoting enclave vouches for another attestation key or other authentication data',
    underlies: 'hardware',
    remedy: 'The caller should send the quote whole and byte for byte as the guest got it.',
  },
  tdx_qe_report_signature: {
    holds: 'the pck key has signed the report of the quoting enclave',
    fails: 'the report of the quoting enclave was not signed by the pck key, or was changed afterwards',
    underlies: 'hardware',
    remedy:
      'The caller should send the quote byte for byte as the guest got it, with the PCK certificate chain of the same platform.',
  },
  tdx_qe_identity: {
    holds: 'the quoting enclave is the one that the identity describes, which a key of intel has signed',
    fails: 'the quoting enclave is another than the identity describes, or the identity does not hold',
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
    holds: 'intel has not revoked this version of the quoting enclave',
    fails: 'intel has revoked this version of the quoting enclave, or no level is for it',
    underlies: 'hardware',
    remedy: ({ expected }) =>
      `The machine's owner should update its quoting enclave to ISVSVN ${value(expected, 'of a current release')} or later.`,
  },
  tdx_qe_attributes: {
    holds: 'the quoting enclave has the attributes that the identity asks for, under its masks',
    fails: 'the quoting enclave has other attributes than the identity asks for',
    underlies: 'hardware',
    remedy: "The machine's owner should install the quoting enclave as Intel released it.",
  },
  tdx_report_mismatch: {
    holds: 'the tdreport is the one that the quote is of',
    fails: 'the tdreport is not the one that the quote is of',
    underlies: 'vtpm',
    remedy:
      'The caller should send a TD quote that was made of the TDREPORT inside the HCL report that is sent with it.',
  },
  tdx_tcb_info: {
    holds: 'the tcb info is of the platform of the pck certificate, and a key of intel has signed it',
    fails: 'the tcb info is of another platform than the pck certificate, or does not hold',
    underlies: 'hardware',
    remedy: ({ expected }) =>
      `The caller should send the TCB info that Intel publishes for ${fmspcOf(expected)}, ${COLLATERAL}.`,
  },
  tdx_tcb_level_unsupported: {
    holds: 'the platform reaches a level of the tcb info',
    fails: 'the platform is behind every level of the tcb info',
    trust: { hardware: { hardware: 97 } },
    remedy: ({ expected }) =>
      `The machine's owner should update its firmware and TDX module${isEmpty(expected) ? '' : ` to ${components(expected)} or later`}.`,
  },
  tdx_tcb_status: {
    holds: 'the tcb status is one that the policy accepts',
    fails: 'the tcb status is none that the policy accepts, or revoked',
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
    holds: 'platform, module and qe are of the date that the policy asks for or later, and so is the collateral',
    fails: 'platform, module, qe or the collateral are older than the policy takes',
    trust: { hardware: { hardware: 32 } },
    remedy: ({ expected }) =>
      typeof expected === 'number'
        ? `The caller should send TCB info and QE identity with evaluation data number ${expected} or higher, ${COLLATERAL}.`
        : `The machine's owner should update its firmware and TDX module to a TCB of ${value(expected, 'the date in the policy')} or later.`,
  },
  tdx_module: {
    holds: 'the tdx module is the one that the collateral describes',
    fails: 'the collateral does not describe this tdx module, its signer or its attributes',
    trust: { hardware: { hardware: 97 } },
    remedy: "The machine's owner should load a TDX module that Intel's current TCB info describes.",
  },
  tdx_debug: {
    holds: 'the host may not debug the td',
    fails: 'the host may read and change the memory of the td (debug)',
    trust: { hardware: { 'runtime-opaque': 96, configuration: 96 } },
    relaxedBy: 'allowDebug',
    remedy: "The guest's owner should launch the TD with its debug attribute off.",
  },
  tdx_attributes: {
    holds: 'the td has no attribute that is reserved, lets the host profile it, or is not as the policy wants it',
    fails: 'the td has attributes that are reserved, let the host profile it, or are not as the policy wants them',
    trust: { hardware: { configuration: 96 } },
    remedy:
      "The guest's owner should launch the TD with the attributes that are asked for: the detail names what differs.",
  },
  tdx_xfam: {
    holds: 'xfam has the bits that every td has, no reserved one, and none beyond the mask of the policy',
    fails: 'xfam has a reserved bit or one beyond the mask of the policy, or lacks one that every td has',
    trust: { hardware: { configuration: 32 } },
    remedy: "The guest's owner should launch the TD with the extended features (XFAM) that are asked for.",
  },
  tdx_seam_attributes: {
    holds: 'the tdx module has no attributes',
    fails: 'the tdx module has attributes, such as debug',
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
    holds: 'no service td is bound that the policy does not list',
    fails: 'a service td is bound that the policy does not list',
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
    holds: 'every part of the collateral was issued before the instant',
    fails: 'a part of the collateral was issued after the instant',
    underlies: 'hardware',
    remedy:
      "The caller should send collateral that was issued before the instant judged, or the operator should correct this service's clock if the collateral is current.",
  },
} satisfies CheckRows;

function fmspcOf(expected: JsonValue): string {
  const fmspc = isObject(expected) ? expected['fmspc'] : null;
  return typeof fmspc === 'string' ? `FMSPC ${fmspc}` : 'this platform';
}
