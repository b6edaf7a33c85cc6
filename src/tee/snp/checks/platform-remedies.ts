import type { FilledRemedy, RemediesOf } from '../../../core/checks/row.js';
import type { SnpPlatformBit } from '../../../core/claims.js';
import { bits, changedPolicy } from '../../../core/remedies/words.js';
import { PLATFORM_FEATURES, type SNP_PLATFORM_CHECKS } from './platform.js';

export const SNP_PLATFORM_REMEDIES = {
  snp_platform_smt_enabled: turned('smtEnabled'),
  snp_platform_tsme_enabled: turned('tsmeEnabled'),
  snp_platform_ecc_enabled: turned('eccEnabled'),
  snp_platform_rapl_disabled: turned('raplDisabled'),
  snp_platform_ciphertext_hiding_dram_enabled: turned('ciphertextHidingDramEnabled'),
  snp_platform_alias_check_complete: turned('aliasCheckComplete'),
  snp_platform_iommu_write_safe: turned('iommuWriteSafe'),
  snp_platform_tio_enabled: turned('tioEnabled'),
  snp_platform_unknown: ({ actual }) =>
    `The operator should look up ${bits(actual, 'the unknown bits')} of PLATFORM_INFO in the current SEV-SNP specification of AMD, and update this service once it knows them.`,
} satisfies RemediesOf<typeof SNP_PLATFORM_CHECKS>;

/** The remedy for a bit of PLATFORM_INFO that differs from the policy. */
function turned(bit: SnpPlatformBit): FilledRemedy {
  return (finding) =>
    `The machine's owner should turn ${PLATFORM_FEATURES[bit]} ${finding.expected === false ? 'off' : 'on'}, or the operator should take require.snp.platformInfo.${bit} out of ${changedPolicy(finding)}.`;
}
