import type { CheckRows } from '../../../core/checks/row.js';
import { differences, otherMachine, policyOf, reference, value } from '../../../core/checks/words.js';
import { isObject } from '../../../core/json.js';
import { SNP_PLATFORM_CHECKS } from './platform.js';
import {
  HARDWARE_EVIDENCE,
  lowTcb,
  missingMitigations,
  otherChip,
  otherRequester,
  product,
  provisional,
  tcbOrder,
} from './remedies.js';

const VEK = 'or leave it out so that the service fetches it';
const SAMPLE = 'payments';

export const SNP_CHECKS = {
  snp_key_kind: {
    holds: 'the key certificate is of the kind that the report names',
    fails: 'the key certificate is not of the kind that the report names',
    when: 'KEY_INFO names a VCEK and a VLEK certificate came, or the other way round; KEY_INFO says that no key signed the report',
    underlies: 'hardware',
    remedy: ({ expected }) =>
      typeof expected === 'string'
        ? `The caller should send the ${value(expected, 'key').toUpperCase()} certificate that the report names, ${VEK}.`
        : "The guest's owner should have the report signed by a VCEK or VLEK, because this one says that no key signed it.",
    examples: [
      { expected: 'vcek', actual: 'vlek' },
      { expected: ['vcek', 'vlek'], actual: 'none' },
    ],
  },
  snp_product: {
    holds: 'the report is for the product line that its key is certified for',
    fails: 'the report is for another product line than its key, or its TCB fields do not have the layout of that line',
    when: 'the key certificate names another product line than its issuer; no AMD root is known for the product line; the policy lists no minimum for the part, or the part is not known',
    members: ['minimums.snp'],
    trust: { hardware: { hardware: 97 } },
    remedy: product,
    examples: [
      { expected: 'Milan', actual: 'Genoa' },
      { expected: ['Milan'], actual: 'Turin', policy: SAMPLE },
      { expected: ['Milan'], actual: 'unknown', policy: SAMPLE },
    ],
  },
  snp_product_refused: {
    holds: 'the operator does not refuse this product line',
    fails: 'the operator refuses this product line',
    when: 'the configuration lists the product line in amd.refuseProducts; it lists any, and the evidence is a token about an SEV-SNP VM, which names none',
    trust: { hardware: { hardware: 96 }, token: { hardware: 96 } },
    remedy: ({ actual }) =>
      actual === null
        ? `${HARDWARE_EVIDENCE}, because the operator refuses some product lines (amd.refuseProducts) and a token alone names none.`
        : `The guest's owner should move the guest to another product line, because the operator refuses ${value(actual, 'this one')} (amd.refuseProducts).`,
    examples: [{ actual: 'Milan' }, {}],
  },
  snp_chip_id: {
    holds: 'the key certificate is for the chip that the report names',
    fails: 'the key certificate is for another chip than the report names',
    when: 'hwID of the VCEK is not CHIP_ID of the report; the report does not name its chip (MASK_CHIP_ID, MASK_CHIP_KEY); the chip, or under a VLEK the provider, is not among require.snp.machines of the policy',
    members: ['require.snp.machines'],
    underlies: 'hardware',
    // For the check of a policy, which lists machines. The base check with this id is about the key.
    trust: { hardware: { 'instance-identity': 97 } },
    remedy: (finding) => (finding.policy === null ? otherChip(finding) : otherMachine(finding, 'require.snp.machines')),
    examples: [
      { actual: 'e0'.repeat(64) },
      { actual: 'masked' },
      { actual: 'CN=cloud.example', setting: 'require.snp.machines.cspId', policy: SAMPLE },
    ],
  },
  snp_tcb_cert: {
    holds: 'the key certificate is for the TCB that the report names',
    fails: 'the key certificate is for another TCB than the report names',
    when: 'a TCB extension of the key certificate is not the component of REPORTED_TCB, component by component',
    underlies: 'hardware',
    remedy: ({ expected, actual }) =>
      `The caller should send the key certificate for the TCB that the report names: ${differences(actual, expected, 'each component as in REPORTED_TCB')}, ${VEK}.`,
    examples: [{ expected: { snp: 24, microcode: 219 }, actual: { snp: 8, microcode: 115 } }],
  },
  snp_signature: {
    holds: 'the certified key signed the report',
    fails: 'the report was not signed by this key, or was changed afterwards',
    underlies: 'hardware',
    remedy:
      'The caller should send the report byte for byte as the guest got it, with the certificate of the key that signed it.',
  },
  snp_debug: {
    holds: 'the host may not debug the guest',
    fails: 'the host may read and change the memory of the guest (debug)',
    trust: { hardware: { 'runtime-opaque': 96, configuration: 96 } },
    relaxedBy: 'allowDebug',
    remedy: "The guest's owner should launch the guest with debugging off (bit 19 of the guest policy clear).",
  },
  snp_migration_agent: {
    holds: 'no migration agent may move the guest',
    fails: 'a migration agent may move the guest, and with it its secrets',
    when: 'the guest policy allows a migration agent (MIGRATE_MA), or REPORT_ID_MA names one',
    trust: { hardware: { 'runtime-opaque': 96 } },
    remedy:
      "The guest's owner should launch the guest without a migration agent (bit 18 of the guest policy clear, and none associated).",
  },
  snp_vmpl: {
    holds: 'the paravisor requested the report, at VMPL 0',
    fails: 'the report was not requested at VMPL 0, so the guest or the host could have written the claims',
    when: 'a report behind a paravisor is of another VMPL than 0; the host requested the report (VMPL 0xFFFFFFFF); the VMPL is not among the reference values',
    members: ['referenceValues[].snp.vmpl'],
    trust: { hardware: { 'instance-identity': 97 } },
    remedy: otherRequester,
    examples: [
      { expected: 0, actual: 2 },
      { expected: [0, 1, 2, 3], actual: 0xffffffff },
      { expected: [0], actual: 1, setting: 'referenceValues[].snp.vmpl', policy: SAMPLE },
    ],
  },
  snp_tcb_order: {
    holds: 'the TCB versions are in order, component by component',
    fails: 'the TCB versions are not in order',
    when: 'a component of REPORTED_TCB is above COMMITTED_TCB, or one of COMMITTED_TCB above CURRENT_TCB',
    trust: { hardware: { hardware: 96 } },
    remedy: tcbOrder,
    examples: [{ actual: { reported: { snp: 24 }, committed: { snp: 24 }, current: { snp: 8 } } }],
  },
  snp_tcb_low: {
    holds: 'the reported and the launch TCB are at their minimum or above',
    fails: 'the reported or the launch TCB is below its minimum',
    when: 'a component that minimums.snp lists for the part is lower in REPORTED_TCB or in LAUNCH_TCB, component by component',
    members: ['minimums.snp'],
    trust: { hardware: { hardware: 32 } },
    waiver: 'floor',
    remedy: lowTcb,
    examples: [
      {
        expected: { part: 'Milan', tcb: 'reported', microcode: 219 },
        actual: { part: 'Milan', tcb: 'reported', microcode: 211 },
        policy: SAMPLE,
      },
      {
        expected: { part: 'Milan', tcb: 'launch', snp: 24, microcode: 219 },
        actual: { part: 'Milan', tcb: 'launch', snp: 23, microcode: 211 },
        policy: SAMPLE,
      },
    ],
  },
  snp_provisional: {
    holds: 'the running SEV firmware is committed',
    fails: 'the running SEV firmware is not committed',
    when: 'CURRENT differs from COMMITTED in the firmware version or a component of the TCB',
    members: ['require.snp.committedEqualsCurrent'],
    trust: { hardware: { hardware: 32 } },
    remedy: provisional,
    examples: [
      {
        expected: { firmware: '1.55.29', microcode: 219 },
        actual: { firmware: '1.55.20', microcode: 211 },
        policy: SAMPLE,
      },
    ],
  },
  snp_mitigation: {
    holds: 'both mitigation vectors have every required bit',
    fails: 'a required bit is not set in both mitigation vectors',
    when: 'a bit is clear in the current or in the launch mitigation vector; the report has no vectors, as before version 5',
    members: ['require.snp.mitigations'],
    trust: { hardware: { hardware: 32 } },
    remedy: missingMitigations,
    examples: [
      { expected: [0, 1], actual: { current: '0x1', launch: '0x1' }, policy: SAMPLE },
      { expected: [0, 1], actual: { current: '0x3', launch: '0x1' }, policy: SAMPLE },
      { expected: [0], policy: SAMPLE },
    ],
  },
  snp_id_key: {
    holds: 'the report has an author key digest only with its key, and its digests are among the reference values',
    fails: 'the report has an author key digest without its key, or a digest that is not among the reference values',
    members: ['referenceValues[].snp.idKeyDigest', 'referenceValues[].snp.authorKeyDigest'],
    trust: { hardware: { executables: 33 } },
    remedy: (finding) =>
      finding.policy === null
        ? "The guest's owner should launch the guest with a whole ID block, because the report has an author key digest without its key (AUTHOR_KEY_EN is clear)."
        : reference(finding),
    examples: [
      {},
      { expected: ['…'], actual: 'ab'.repeat(48), setting: 'referenceValues[].snp.idKeyDigest', policy: SAMPLE },
    ],
  },
  snp_measurement: {
    holds: 'the measurement is among the reference values, and the guest image is as new as required',
    fails: 'the measurement is not among the reference values, or the guest image is older than required',
    members: ['referenceValues[].snp.measurement', 'require.snp.minGuestSvn'],
    trust: { hardware: { executables: 33 } },
    remedy: (finding) => {
      const { expected, actual } = finding;
      if (!isObject(expected) || !('minGuestSvn' in expected)) return reference(finding);
      const now = isObject(actual) ? value(actual['guestSvn'], '') : '';
      return `The guest's owner should deploy an image with GUEST_SVN ${value(expected['minGuestSvn'], 'of the policy')} or later${now === '' ? '' : ` (it is ${now})`}, which require.snp.minGuestSvn of ${policyOf(finding)} demands.`;
    },
    examples: [
      { expected: ['…'], actual: 'cd'.repeat(48), setting: 'referenceValues[].snp.measurement', policy: SAMPLE },
      { expected: { minGuestSvn: 5 }, actual: { guestSvn: 4 }, policy: SAMPLE },
    ],
  },
  snp_host_data: {
    holds: 'the host data is among the reference values',
    fails: 'the host data is not among the reference values',
    when: 'the host data is not among the reference values, or not the SHA-256 of initTimeData in the dialect maa',
    members: ['referenceValues[].snp.hostData'],
    trust: { hardware: { configuration: 32 } },
    remedy: reference,
    examples: [{ expected: ['…'], actual: 'ef'.repeat(32), setting: 'referenceValues[].snp.hostData', policy: SAMPLE }],
  },
  snp_report_data: {
    holds: 'the report data is among the reference values',
    fails: 'the report data is not among the reference values',
    when: 'never in this version, which has no reference values for report data',
    trust: { guest: { 'instance-identity': 97 } },
    remedy: reference,
    examples: [{ actual: '12'.repeat(64), setting: 'referenceValues[].snp.reportData', policy: SAMPLE }],
  },
  ...SNP_PLATFORM_CHECKS,
} satisfies CheckRows;

/** Without them no key can be judged. */
export const SNP_OUT_OF_REACH = {
  vcek_unavailable: {
    holds: 'the key certificate and its chain are available',
    fails: 'the key certificate or its chain is not available',
    underlies: 'hardware',
    when: 'the VCEK or VLEK, the ASK, ASVK or ARK is in neither request, folder, cache nor AMD KDS; what a source has cannot be read or does not verify',
    remedy:
      'The caller should send the key certificate and its chain in endorsements, or the operator should let the service reach amd.kds or put them into the folder amd.chains.',
  },
} satisfies CheckRows;

export const SNP_WARNINGS = {
  snp_product_configured: {
    holds: 'the product line is built in',
    fails: 'the configuration says which root the product line has and what distinguishes it',
    when: 'every decision about evidence of a product line of amd.products',
    waiver: 'plain',
    remedy: ({ actual }) =>
      `The operator should install a version of veritee that has ${value(actual, 'this product line')} built in once there is one, or waive snp_product_configured with a reason.`,
    examples: [{ result: 'warn', actual: 'Venice' }],
  },
  snp_product_advisory: {
    holds: 'no attack is published that extracts keys of this product line',
    fails: 'a published attack extracts keys of this product line',
    when: 'every decision about evidence of the Milan line, and about a token about an SEV-SNP VM that stands alone, which names no line; amd.refuseProducts of the configuration denies both',
    waiver: 'plain',
    remedy: ({ actual }) =>
      actual === null
        ? `${HARDWARE_EVIDENCE} so that the product line is known, or the operator should waive snp_product_advisory with a reason.`
        : `The operator should keep secrets that must survive a physical attack off ${value(actual, 'this product line')}, or waive snp_product_advisory with a reason.`,
    examples: [
      { result: 'warn', actual: 'Milan' },
      { result: 'warn', actual: null },
    ],
  },
  snp_tcb_floor_missing: {
    holds: 'the policy sets a minimum for the firmware',
    fails: 'the policy sets no minimum for the firmware',
    when: 'minimums or minimums.snp is any',
    members: ['minimums.snp'],
    trust: { hardware: { hardware: 32 } },
    waiver: 'plain',
    remedy: (finding) =>
      `The operator should list minimums for the parts that ${policyOf(finding)} accepts in its minimums.snp, so that old firmware is refused.`,
    examples: [{ result: 'warn', policy: 'payments' }],
  },
} satisfies CheckRows;

declare module '../../../core/checks/tables.js' {
  interface CheckTables {
    readonly snp: typeof SNP_CHECKS;
    readonly snpOutOfReach: typeof SNP_OUT_OF_REACH;
    readonly snpWarnings: typeof SNP_WARNINGS;
  }
}
