import { isObject } from '../../model/json.js';
import { components, filled, type Remedies, type Remedy, reference, value } from './words.js';

/** What a policy finds where the stepping is none that AMD has documented. */
const UNKNOWN_PART = 'unknown';

const VEK = 'or leave it out so that the service fetches it';

export const SNP_REMEDIES = {
  snp_key_kind: ({ expected }) =>
    typeof expected === 'string'
      ? `The caller should send the ${value(expected, 'key').toUpperCase()} certificate that the report names, ${VEK}.`
      : "The guest's owner should have the report signed by a VCEK or VLEK: this one says that no key signed it.",
  snp_product: ({ expected, actual, policy }) => {
    if (policy === null && Array.isArray(expected)) {
      return 'The operator should update this service, because it has no root key of AMD for this product line.';
    }
    if (policy === null)
      return `The caller should send the key certificate of the processor that made the report, ${VEK}.`;
    return actual === UNKNOWN_PART
      ? 'The operator should update this service, which does not know this part yet, or accept it with minimums.snp: any in the policy.'
      : `The operator should add a minimum for ${value(actual, 'this part')} to the policy if such processors are to be accepted.`;
  },
  snp_product_refused: ({ actual }) =>
    `The guest's owner should move it to another product line, because the operator refuses ${value(actual, 'this one')} (amd.refuseProducts).`,
  snp_chip_id: ({ actual, policy }) =>
    policy === null
      ? `The caller should send the VCEK of the chip that made the report, ${VEK}.`
      : `The operator should add ${value(actual, 'the chip id')} to require.snp.machines of the policy if the machine is one of theirs.`,
  snp_tcb_cert: `The caller should send the key certificate for the TCB that the report names, ${VEK}.`,
  snp_signature:
    'The caller should send the report byte for byte as the guest got it, with the certificate of the key that signed it.',
  snp_debug: "The guest's owner should launch it with debugging off (bit 19 of the guest policy clear).",
  snp_migration_agent: "The guest's owner should launch it without a migration agent.",
  snp_vmpl: ({ actual, policy }) =>
    policy === null
      ? 'The caller should send the report that the paravisor made at VMPL 0, which Azure keeps in NV index 0x01400001.'
      : `The operator should add ${value(actual, 'the level')} to vmpl in the reference values of the policy if it is meant to be accepted.`,
  snp_tcb_order:
    "The machine's owner should reinstall its SEV firmware, because the TCB versions contradict each other.",
  snp_tcb_low: ({ expected }) =>
    `The machine's owner should update its firmware to ${components(expected)} or later, or the operator can waive snp_tcb_low for this part until then.`,
  snp_provisional:
    "The machine's owner should commit the SEV firmware that runs, or the operator should take committedEqualsCurrent out of the policy.",
  snp_mitigation: ({ expected }) =>
    `The machine's owner should install firmware that has the mitigations ${value(expected, 'of the policy')}, and the guest should then be launched again.`,
  snp_id_key: (check) =>
    check.policy === null
      ? "The guest's owner should launch it with a whole ID block, because the report has an author key digest without its key."
      : filled(reference, check),
  snp_measurement: (check) =>
    isObject(check.expected) && 'minGuestSvn' in check.expected
      ? `The guest's owner should deploy an image with GUEST_SVN ${value(check.expected['minGuestSvn'], 'of the policy')} or later.`
      : filled(reference, check),
  snp_host_data: reference,
  snp_report_data: reference,
  snp_platform_smt_enabled: platform('SMT'),
  snp_platform_tsme_enabled: platform('TSME'),
  snp_platform_ecc_enabled: platform('ECC memory'),
  snp_platform_rapl_disabled: platform('the RAPL restriction'),
  snp_platform_ciphertext_hiding_dram_enabled: platform('ciphertext hiding of DRAM'),
  snp_platform_alias_check_complete: platform('the memory alias check'),
  snp_platform_iommu_write_safe: platform('the IOMMU write protection'),
  snp_platform_tio_enabled: platform('SEV-TIO'),
  snp_platform_unknown:
    'The operator should look up these bits in the current SEV-SNP specification of AMD, and update this service once it knows them.',
  snp_product_advisory:
    'The operator should keep secrets that must survive a physical attack off this product line, or waive snp_product_advisory with a reason.',
  snp_tcb_floor_missing: 'The operator should set minimums.snp in the policy, so that old firmware is refused.',
} satisfies Remedies;

function platform(feature: string): Remedy {
  return ({ expected }) =>
    `The machine's owner should turn ${feature} ${expected === false ? 'off' : 'on'}, or the operator should not ask for it in require.snp.platformInfo.`;
}
