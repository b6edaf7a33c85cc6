import type { CheckRow, CheckRows } from '../../../core/checks/row.js';
import type { SnpPlatformBit } from '../../../core/claims.js';

/** The feature of each bit of PLATFORM_INFO, for the middle of a sentence. */
export const PLATFORM_FEATURES: { readonly [bit in SnpPlatformBit]: string } = {
  smtEnabled: 'SMT',
  tsmeEnabled: 'TSME',
  eccEnabled: 'ECC memory',
  raplDisabled: 'the RAPL restriction',
  ciphertextHidingDramEnabled: 'ciphertext hiding of DRAM',
  aliasCheckComplete: 'the memory alias check',
  iommuWriteSafe: 'the IOMMU write protection',
  tioEnabled: 'SEV-TIO',
};

export const SNP_PLATFORM_CHECKS = {
  snp_platform_smt_enabled: platform('smtEnabled'),
  snp_platform_tsme_enabled: platform('tsmeEnabled'),
  snp_platform_ecc_enabled: platform('eccEnabled'),
  snp_platform_rapl_disabled: platform('raplDisabled'),
  snp_platform_ciphertext_hiding_dram_enabled: platform('ciphertextHidingDramEnabled'),
  snp_platform_alias_check_complete: platform('aliasCheckComplete'),
  snp_platform_iommu_write_safe: platform('iommuWriteSafe'),
  snp_platform_tio_enabled: platform('tioEnabled'),
  snp_platform_unknown: {
    holds: 'every bit that is set in the platform info has a known meaning',
    fails: 'the platform info has bits set whose meaning is not known',
    waiver: 'plain',
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
function platform(bit: SnpPlatformBit): CheckRow & { readonly waiver: 'plain' } {
  const feature = PLATFORM_FEATURES[bit];
  return {
    holds: `the platform info shows ${feature} as the policy requires`,
    fails: `the platform info does not show ${feature} as the policy requires`,
    members: [`require.snp.platformInfo.${bit}`],
    trust: { hardware: { configuration: 32 } },
    waiver: 'plain',
  };
}
