import type { SnpPlatformBit } from '../model/claims.js';
import type { CheckId } from '../model/codes.js';

/** The check of each bit of the platform info. */
export const PLATFORM_CHECKS: { readonly [bit in SnpPlatformBit]: CheckId } = {
  smtEnabled: 'snp_platform_smt_enabled',
  tsmeEnabled: 'snp_platform_tsme_enabled',
  eccEnabled: 'snp_platform_ecc_enabled',
  raplDisabled: 'snp_platform_rapl_disabled',
  ciphertextHidingDramEnabled: 'snp_platform_ciphertext_hiding_dram_enabled',
  aliasCheckComplete: 'snp_platform_alias_check_complete',
  iommuWriteSafe: 'snp_platform_iommu_write_safe',
  tioEnabled: 'snp_platform_tio_enabled',
};
