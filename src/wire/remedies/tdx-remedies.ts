import { isObject, type JsonValue } from '../../model/json.js';
import { COLLATERAL, components, isEmpty, type Remedies, reference, value } from './words.js';

export const TDX_REMEDIES = {
  tdx_signature: 'The caller should send the quote byte for byte as the guest got it.',
  tdx_qe_vendor: "The caller should send a quote that Intel's own quoting enclave made.",
  tdx_qe_binding: 'The caller should send the quote whole and byte for byte as the guest got it.',
  tdx_qe_report_signature:
    'The caller should send the quote byte for byte as the guest got it, with the PCK certificate chain of the same platform.',
  tdx_qe_identity: `The caller should send the QE identity that Intel publishes for TDX now, ${COLLATERAL}.`,
  tdx_qe_debug: "The machine's owner should install the production quoting enclave, which cannot be debugged.",
  tdx_qe_svn: ({ expected }) =>
    `The machine's owner should update its quoting enclave to ISVSVN ${value(expected, 'of a current release')} or later.`,
  tdx_qe_attributes: "The machine's owner should install the quoting enclave as Intel released it.",
  tdx_report_mismatch:
    'The caller should send a TD quote that was made of the TDREPORT inside the HCL report that is sent with it.',
  tdx_tcb_info: ({ expected }) =>
    `The caller should send the TCB info that Intel publishes for ${fmspcOf(expected)}, ${COLLATERAL}.`,
  tdx_tcb_level_unsupported: ({ expected }) =>
    `The machine's owner should update its firmware and TDX module${isEmpty(expected) ? '' : ` to ${components(expected)} or later`}.`,
  tdx_tcb_status: ({ actual, policy }) =>
    actual === 'Revoked'
      ? "The machine's owner should update its firmware and TDX module, because Intel has revoked this TCB and no policy can accept it."
      : policy === null
        ? "The operator should look up the status in Intel's current documentation and update this service once it knows it, because no policy can accept it until then."
        : `The machine's owner should update what the detail names, or the operator can accept or waive the status ${value(actual, 'shown')} in the policy.`,
  tdx_tcb_date: ({ expected }) =>
    typeof expected === 'number'
      ? `The caller should send TCB info and QE identity with evaluation data number ${expected} or higher, ${COLLATERAL}.`
      : `The machine's owner should update its firmware and TDX module to a TCB of ${value(expected, 'the date in the policy')} or later.`,
  tdx_module: "The machine's owner should load a TDX module that Intel's current TCB info describes.",
  tdx_debug: "The guest's owner should launch the TD with its debug attribute off.",
  tdx_attributes:
    "The guest's owner should launch the TD with the attributes that are asked for: the detail names what differs.",
  tdx_xfam: "The guest's owner should launch the TD with the extended features (XFAM) that are asked for.",
  tdx_seam_attributes: "The machine's owner should load the production TDX module, which has no attributes set.",
  tdx_platform_id: ({ actual }) =>
    `The operator should add ${value(actual, 'the PPID')} to require.tdx.machines of the policy if the machine is one of theirs.`,
  tdx_service_td: ({ actual, policy }) =>
    policy === null
      ? "The guest's owner should launch the TD without a service TD, or the caller should send a quote with a TD 1.5 body, which states its hash."
      : `The guest's owner should launch the TD without a service TD, or the operator should add ${value(actual, 'its hash')} to require.tdx.mrServiceTd of the policy.`,
  tdx_measurement: reference,
  tdx_report_data: reference,
  collateral_not_yet:
    "The caller should send collateral that was issued before the instant judged, or the operator should correct this service's clock if the collateral is current.",
  collateral_unavailable:
    'The caller should send the collateral of the platform, or the operator should let the service reach intel.pcs or put it into the folder intel.collateral.',
  collateral_stale: `The caller should send the collateral that Intel publishes now, ${COLLATERAL}.`,
  collateral_rollback: `The caller should send the newest collateral, ${COLLATERAL}, and the operator should see to the mark in the cache folder that the log names if it is damaged.`,
  collateral_unconfirmed:
    'The operator should let the service reach intel.pcs, which confirms the collateral of a request unless the instant is past.',
} satisfies Remedies;

function fmspcOf(expected: JsonValue): string {
  const fmspc = isObject(expected) ? expected['fmspc'] : null;
  return typeof fmspc === 'string' ? `FMSPC ${fmspc}` : 'this platform';
}
