import type { CheckRow, CheckRows, FilledRemedy } from '../../../core/checks/row.js';
import { bits, changedPolicy } from '../../../core/checks/words.js';
import type { SnpPlatformBit } from '../../../core/claims.js';

export const SNP_PLATFORM_CHECKS = {
  snp_platform_smt_enabled: platform('smtEnabled', 'SMT'),
  snp_platform_tsme_enabled: platform('tsmeEnabled', 'TSME'),
  snp_platform_ecc_enabled: platform('eccEnabled', 'ECC memory'),
  snp_platform_rapl_disabled: platform('raplDisabled', 'the RAPL restriction'),
  snp_platform_ciphertext_hiding_dram_enabled: platform('ciphertextHidingDramEnabled', 'ciphertext hiding of DRAM'),
  snp_platform_alias_check_complete: platform('aliasCheckComplete', 'the memory alias check'),
  snp_platform_iommu_write_safe: platform('iommuWriteSafe', 'the IOMMU write protection'),
  snp_platform_tio_enabled: platform('tioEnabled', 'SEV-TIO'),
  snp_platform_unknown: {
    holds: 'every bit that is set in the platform info has a known meaning',
    fails: 'the platform info has bits set whose meaning is not known',
    waiver: 'plain',
    remedy: ({ actual }) =>
      `The operator should look up ${bits(actual, 'the unknown bits')} of PLATFORM_INFO in the current SEV-SNP specification of AMD, and update this service once it knows them.`,
  },
} satisfies CheckRows;

/** The check of each bit of PLATFORM_INFO. */
export const PLATFORM_CHECKS: { readonly [bit in SnpPlatformBit]: keyof typeof SNP_PLATFORM_CHECKS } = {
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
function platform(
  bit: SnpPlatformBit,
  feature: string,
): CheckRow & { readonly waiver: 'plain'; readonly remedy: FilledRemedy } {
  const member = `require.snp.platformInfo.${bit}`;
  return {
    holds: `the platform info shows ${feature} as the policy requires`,
    fails: `the platform info does not show ${feature} as the policy requires`,
    members: [member],
    trust: { hardware: { configuration: 32 } },
    waiver: 'plain',
    remedy: (finding) =>
      `The machine's owner should turn ${feature} ${finding.expected === false ? 'off' : 'on'}, or the operator should take ${member} out of ${changedPolicy(finding)}.`,
  };
}
