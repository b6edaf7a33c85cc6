import type { CheckRows } from '../../../core/checks/row.js';
import { SNP_PLATFORM_CHECKS } from './platform.js';

export const SNP_CHECKS = {
  snp_key_kind: {
    holds: 'the key certificate is of the kind that the report names',
    fails: 'the key certificate is not of the kind that the report names',
    underlies: 'hardware',
  },
  snp_product: {
    holds: 'the report is for the product line that its key is certified for',
    fails: 'the report is for another product line than its key, or its TCB fields do not have the layout of that line',
    members: ['minimums.snp'],
    trust: { hardware: { hardware: 97 } },
  },
  snp_product_refused: {
    holds: 'the operator does not refuse this product line',
    fails: 'the operator refuses this product line',
    trust: { hardware: { hardware: 96 }, token: { hardware: 96 } },
  },
  snp_chip_id: {
    holds: 'the key certificate is for the chip that the report names',
    fails: 'the key certificate is for another chip than the report names',
    members: ['require.snp.machines'],
    underlies: 'hardware',
    // The trust value of the policy's check, which compares machines. The base check with this id is about the key.
    trust: { hardware: { 'instance-identity': 97 } },
  },
  snp_tcb_cert: {
    holds: 'the key certificate is for the TCB that the report names',
    fails: 'the key certificate is for another TCB than the report names',
    underlies: 'hardware',
  },
  snp_signature: {
    holds: 'the certified key signed the report',
    fails: 'the report was not signed by this key, or was changed afterwards',
    underlies: 'hardware',
  },
  snp_debug: {
    holds: 'the host may not debug the guest',
    fails: 'the host may read and change the memory of the guest (debug)',
    trust: { hardware: { 'runtime-opaque': 96, configuration: 96 } },
    relaxedBy: 'allowDebug',
  },
  snp_migration_agent: {
    holds: 'no migration agent may move the guest',
    fails: 'a migration agent may move the guest, and with it its secrets',
    trust: { hardware: { 'runtime-opaque': 96 } },
  },
  snp_vmpl: {
    holds: 'the paravisor requested the report, at VMPL 0',
    fails: 'the report was not requested at VMPL 0, so the guest or the host could have written the claims',
    members: ['referenceValues[].snp.vmpl'],
    trust: { hardware: { 'instance-identity': 97 } },
  },
  snp_tcb_order: {
    holds: 'the TCB versions are in order, component by component',
    fails: 'the TCB versions are not in order',
    trust: { hardware: { hardware: 96 } },
  },
  snp_tcb_low: {
    holds: 'the reported and the launch TCB are at their minimum or above',
    fails: 'the reported or the launch TCB is below its minimum',
    members: ['minimums.snp'],
    trust: { hardware: { hardware: 32 } },
    waiver: 'floor',
  },
  snp_provisional: {
    holds: 'the running SEV firmware is committed',
    fails: 'the running SEV firmware is not committed',
    members: ['require.snp.committedEqualsCurrent'],
    trust: { hardware: { hardware: 32 } },
  },
  snp_mitigation: {
    holds: 'both mitigation vectors have every required bit',
    fails: 'a required bit is not set in both mitigation vectors',
    members: ['require.snp.mitigations'],
    trust: { hardware: { hardware: 32 } },
  },
  snp_id_key: {
    holds: 'the report has an author key digest only with its key, and its digests are among the reference values',
    fails: 'the report has an author key digest without its key, or a digest that is not among the reference values',
    members: ['referenceValues[].snp.idKeyDigest', 'referenceValues[].snp.authorKeyDigest'],
    trust: { hardware: { executables: 33 } },
  },
  snp_measurement: {
    holds: 'the measurement is among the reference values, and the guest image is as new as required',
    fails: 'the measurement is not among the reference values, or the guest image is older than required',
    members: ['referenceValues[].snp.measurement', 'require.snp.minGuestSvn'],
    trust: { hardware: { executables: 33 } },
  },
  snp_host_data: {
    holds: 'the host data is among the reference values',
    fails: 'the host data is not among the reference values',
    members: ['referenceValues[].snp.hostData'],
    trust: { hardware: { configuration: 32 } },
  },
  snp_report_data: {
    holds: 'the report data is among the reference values',
    fails: 'the report data is not among the reference values',
    trust: { guest: { 'instance-identity': 97 } },
  },
  ...SNP_PLATFORM_CHECKS,
} satisfies CheckRows;

/** Without them no key certificate can be verified. */
export const SNP_OUT_OF_REACH = {
  vcek_unavailable: {
    holds: 'the key certificate and its chain are available',
    fails: 'the key certificate or its chain is not available',
    underlies: 'hardware',
  },
} satisfies CheckRows;

export const SNP_WARNINGS = {
  snp_product_configured: {
    holds: 'the product line is built in',
    fails: 'the configuration says which root the product line has and what distinguishes it',
    waiver: 'plain',
  },
  snp_product_advisory: {
    holds: 'no attack is published that extracts keys of this product line',
    fails: 'a published attack extracts keys of this product line',
    waiver: 'plain',
  },
  snp_tcb_floor_missing: {
    holds: 'the policy sets a minimum for the firmware',
    fails: 'the policy sets no minimum for the firmware',
    members: ['minimums.snp'],
    trust: { hardware: { hardware: 32 } },
    waiver: 'plain',
  },
} satisfies CheckRows;

declare module '../../../core/checks/tables.js' {
  interface CheckTables {
    readonly snp: typeof SNP_CHECKS;
    readonly snpOutOfReach: typeof SNP_OUT_OF_REACH;
    readonly snpWarnings: typeof SNP_WARNINGS;
  }
}
