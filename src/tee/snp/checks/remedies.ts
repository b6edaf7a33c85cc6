import type { RemediesOf } from '../../../core/checks/row.js';
import { isObject } from '../../../core/json.js';
import { differences, otherMachine, policyOf, reference, value } from '../../../core/remedies/words.js';
import {
  HARDWARE_EVIDENCE,
  lowTcb,
  missingMitigations,
  otherChip,
  otherRequester,
  product,
  provisional,
  tcbOrder,
} from './filled-remedies.js';
import { SNP_PLATFORM_REMEDIES } from './platform-remedies.js';
import type { SNP_CHECKS, SNP_OUT_OF_REACH, SNP_WARNINGS } from './rows.js';

const VEK = 'or leave it out so that the service fetches it';

export const SNP_REMEDIES = {
  snp_key_kind: ({ expected }) =>
    typeof expected === 'string'
      ? `The caller should send the ${value(expected, 'key').toUpperCase()} certificate that the report names, ${VEK}.`
      : "The guest's owner should have the report signed by a VCEK or VLEK, because this one says that no key signed it.",
  snp_product: product,
  snp_product_refused: ({ actual }) =>
    actual === null
      ? `${HARDWARE_EVIDENCE}, because the operator refuses some product lines (amd.refuseProducts) and a token alone names none.`
      : `The guest's owner should move the guest to another product line, because the operator refuses ${value(actual, 'this one')} (amd.refuseProducts).`,
  snp_chip_id: (finding) =>
    finding.policy === null ? otherChip(finding) : otherMachine(finding, 'require.snp.machines'),
  snp_tcb_cert: ({ expected, actual }) =>
    `The caller should send the key certificate for the TCB that the report names: ${differences(actual, expected, 'each component as in REPORTED_TCB')}, ${VEK}.`,
  snp_signature:
    'The caller should send the report byte for byte as the guest got it, with the certificate of the key that signed it.',
  snp_debug: "The guest's owner should launch the guest with debugging off (bit 19 of the guest policy clear).",
  snp_migration_agent:
    "The guest's owner should launch the guest without a migration agent (bit 18 of the guest policy clear, and none associated).",
  snp_vmpl: otherRequester,
  snp_tcb_order: tcbOrder,
  snp_tcb_low: lowTcb,
  snp_provisional: provisional,
  snp_mitigation: missingMitigations,
  snp_id_key: (finding) =>
    finding.policy === null
      ? "The guest's owner should launch the guest with a whole ID block, because the report has an author key digest without its key (AUTHOR_KEY_EN is clear)."
      : reference(finding),
  snp_measurement: (finding) => {
    const { expected, actual } = finding;
    if (!isObject(expected) || !('minGuestSvn' in expected)) return reference(finding);
    const now = isObject(actual) ? value(actual['guestSvn'], '') : '';
    return `The guest's owner should deploy an image with GUEST_SVN ${value(expected['minGuestSvn'], 'of the policy')} or later${now === '' ? '' : ` (it is ${now})`}, which require.snp.minGuestSvn of ${policyOf(finding)} demands.`;
  },
  snp_host_data: reference,
  snp_report_data: reference,
  ...SNP_PLATFORM_REMEDIES,
} satisfies RemediesOf<typeof SNP_CHECKS>;

export const SNP_OUT_OF_REACH_REMEDIES = {
  vcek_unavailable:
    'The caller should send the key certificate and its chain in endorsements, or the operator should let the service reach amd.kds or put them into the folder amd.chains.',
} satisfies RemediesOf<typeof SNP_OUT_OF_REACH>;

export const SNP_WARNINGS_REMEDIES = {
  snp_product_configured: ({ actual }) =>
    `The operator should install a version of veritee that has ${value(actual, 'this product line')} built in once there is one, or waive snp_product_configured with a reason.`,
  snp_product_advisory: ({ actual }) =>
    actual === null
      ? `${HARDWARE_EVIDENCE} so that the product line is known, or the operator should waive snp_product_advisory with a reason.`
      : `The operator should keep secrets that must survive a physical attack off ${value(actual, 'this product line')}, or waive snp_product_advisory with a reason.`,
  snp_tcb_floor_missing: (finding) =>
    `The operator should list minimums for the parts that ${policyOf(finding)} accepts in its minimums.snp, so that old firmware is refused.`,
} satisfies RemediesOf<typeof SNP_WARNINGS>;
