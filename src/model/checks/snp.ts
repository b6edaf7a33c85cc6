import type { SnpPlatformBit } from '../claims.js';
import { isObject } from '../json.js';
import type { CheckRow, CheckRows } from './row.js';
import { components, reference, value } from './words.js';

/** What a policy finds where AMD has not documented the stepping. */
const UNKNOWN_PART = 'unknown';

const VEK = 'or leave it out so that the service fetches it';

export const SNP_CHECKS = {
  snp_key_kind: {
    holds: 'the key certificate is of the kind that the report names',
    fails: 'the key certificate is not of the kind that the report names',
    underlies: 'hardware',
    remedy: ({ expected }) =>
      typeof expected === 'string'
        ? `The caller should send the ${value(expected, 'key').toUpperCase()} certificate that the report names, ${VEK}.`
        : "The guest's owner should have the report signed by a VCEK or VLEK, because this one says that no key signed it.",
  },
  snp_product: {
    holds: 'the report is for the product line that its key is certified for',
    fails: 'the report is for another product line than its key, or its TCB fields do not have the layout of that line',
    trust: { hardware: { hardware: 97 } },
    remedy: ({ expected, actual, policy }) => {
      if (policy === null) {
        return Array.isArray(expected)
          ? 'The operator should update this service, because it has no AMD root key for this product line.'
          : `The caller should send the certificate of the key that signed the report, ${VEK}.`;
      }
      return actual === UNKNOWN_PART
        ? 'The operator should update this service, which does not know this part yet, or accept it with minimums.snp: any in the policy.'
        : `The operator should add a minimum for ${value(actual, 'this part')} to the policy if such processors are to be accepted.`;
    },
  },
  snp_product_refused: {
    holds: 'the operator does not refuse this product line',
    fails: 'the operator refuses this product line',
    trust: { hardware: { hardware: 96 } },
    remedy: ({ actual }) =>
      `The guest's owner should move the guest to another product line, because the operator refuses ${value(actual, 'this one')} (amd.refuseProducts).`,
  },
  snp_chip_id: {
    holds: 'the key certificate is for the chip that the report names',
    fails: 'the key certificate is for another chip than the report names',
    underlies: 'hardware',
    // For the check of a policy, which lists machines. The base check with this id is about the key.
    trust: { hardware: { 'instance-identity': 97 } },
    remedy: ({ actual, policy }) =>
      policy === null
        ? `The caller should send the VCEK of the chip that made the report, ${VEK}.`
        : `The operator should add ${value(actual, 'the chip id')} to require.snp.machines of the policy if the machine is one of theirs.`,
  },
  snp_tcb_cert: {
    holds: 'the key certificate is for the TCB that the report names',
    fails: 'the key certificate is for another TCB than the report names',
    underlies: 'hardware',
    remedy: `The caller should send the key certificate for the TCB that the report names, ${VEK}.`,
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
    trust: { hardware: { 'runtime-opaque': 96 } },
    remedy: "The guest's owner should launch the guest without a migration agent.",
  },
  snp_vmpl: {
    holds: 'the paravisor requested the report, at VMPL 0',
    fails: 'the report was not requested at VMPL 0, so the guest or the host could have written the claims',
    trust: { hardware: { 'instance-identity': 97 } },
    remedy: ({ actual, policy }) =>
      policy === null
        ? 'The caller should send the report that the paravisor made at VMPL 0, which Azure keeps in NV index 0x01400001.'
        : `The operator should add ${value(actual, 'the level')} to vmpl in the reference values of the policy if it is meant to be accepted.`,
  },
  snp_tcb_order: {
    holds: 'the TCB versions are in order, component by component',
    fails: 'the TCB versions are not in order',
    trust: { hardware: { hardware: 96 } },
    remedy: "The machine's owner should reinstall its SEV firmware, because the TCB versions contradict each other.",
  },
  snp_tcb_low: {
    holds: 'the reported and the launch TCB are at their minimum or above',
    fails: 'the reported or the launch TCB is below its minimum',
    trust: { hardware: { hardware: 32 } },
    waiver: 'floor',
    remedy: ({ expected }) =>
      `The machine's owner should update its firmware to ${components(expected)} or later, or the operator can waive snp_tcb_low for this part until then.`,
  },
  snp_provisional: {
    holds: 'the running SEV firmware is committed',
    fails: 'the running SEV firmware is not committed',
    trust: { hardware: { hardware: 32 } },
    remedy:
      "The machine's owner should commit the running SEV firmware, or the operator should take committedEqualsCurrent out of the policy.",
  },
  snp_mitigation: {
    holds: 'both mitigation vectors have every required bit',
    fails: 'a required bit is not set in both mitigation vectors',
    trust: { hardware: { hardware: 32 } },
    remedy: ({ expected }) =>
      `The machine's owner should install firmware that has the mitigations ${value(expected, 'of the policy')}, and the guest's owner should then launch the guest again.`,
  },
  snp_id_key: {
    holds: 'the report has an author key digest only with its key, and its digests are among the reference values',
    fails: 'the report has an author key digest without its key, or a digest that is not among the reference values',
    trust: { hardware: { executables: 33 } },
    remedy: (finding) =>
      finding.policy === null
        ? "The guest's owner should launch the guest with a whole ID block, because the report has an author key digest without its key."
        : reference(finding),
  },
  snp_measurement: {
    holds: 'the measurement is among the reference values, and the guest image is as new as required',
    fails: 'the measurement is not among the reference values, or the guest image is older than required',
    trust: { hardware: { executables: 33 } },
    remedy: (finding) =>
      isObject(finding.expected) && 'minGuestSvn' in finding.expected
        ? `The guest's owner should deploy an image with GUEST_SVN ${value(finding.expected['minGuestSvn'], 'of the policy')} or later.`
        : reference(finding),
  },
  snp_host_data: {
    holds: 'the host data is among the reference values',
    fails: 'the host data is not among the reference values',
    trust: { hardware: { configuration: 32 } },
    remedy: reference,
  },
  snp_report_data: {
    holds: 'the report data is among the reference values',
    fails: 'the report data is not among the reference values',
    trust: { guest: { 'instance-identity': 97 } },
    remedy: reference,
  },
  snp_platform_smt_enabled: platform('SMT'),
  snp_platform_tsme_enabled: platform('TSME'),
  snp_platform_ecc_enabled: platform('ECC memory'),
  snp_platform_rapl_disabled: platform('the RAPL restriction'),
  snp_platform_ciphertext_hiding_dram_enabled: platform('ciphertext hiding of DRAM'),
  snp_platform_alias_check_complete: platform('the memory alias check'),
  snp_platform_iommu_write_safe: platform('the IOMMU write protection'),
  snp_platform_tio_enabled: platform('SEV-TIO'),
  snp_platform_unknown: {
    holds: 'every bit that is set in the platform info has a known meaning',
    fails: 'the platform info has bits set whose meaning is not known',
    waiver: 'plain',
    remedy:
      'The operator should look up these bits in the current SEV-SNP specification of AMD, and update this service once it knows them.',
  },
} satisfies CheckRows;

/** The check of each bit of PLATFORM_INFO. */
export const PLATFORM_CHECKS: { readonly [bit in SnpPlatformBit]: keyof typeof SNP_CHECKS } = {
  smtEnabled: 'snp_platform_smt_enabled',
  tsmeEnabled: 'snp_platform_tsme_enabled',
  eccEnabled: 'snp_platform_ecc_enabled',
  raplDisabled: 'snp_platform_rapl_disabled',
  ciphertextHidingDramEnabled: 'snp_platform_ciphertext_hiding_dram_enabled',
  aliasCheckComplete: 'snp_platform_alias_check_complete',
  iommuWriteSafe: 'snp_platform_iommu_write_safe',
  tioEnabled: 'snp_platform_tio_enabled',
};

/** A check of a bit of PLATFORM_INFO. */
function platform(feature: string): CheckRow & { readonly waiver: 'plain' } {
  return {
    holds: `the platform info shows ${feature} as the policy requires`,
    fails: `the platform info does not show ${feature} as the policy requires`,
    trust: { hardware: { configuration: 32 } },
    waiver: 'plain',
    remedy: ({ expected }) =>
      `The machine's owner should turn ${feature} ${expected === false ? 'off' : 'on'}, or the operator should not ask for it in require.snp.platformInfo.`,
  };
}
