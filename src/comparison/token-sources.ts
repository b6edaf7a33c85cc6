import { count, flag, hexOf, type Source, text } from './statement.js';

/**
 * Our SNP claims under the names that Azure Attestation has for them. Its SVNs are the components of REPORTED_TCB;
 * FMC, which Turin has, is not among them.
 */
export const MAA_SNP_SOURCES: readonly Source[] = [
  ['snp.measurement', 'x-ms-sevsnpvm-launchmeasurement', hexOf(48)],
  ['snp.reportData', 'x-ms-sevsnpvm-reportdata', hexOf(64)],
  ['snp.hostData', 'x-ms-sevsnpvm-hostdata', hexOf(32)],
  ['snp.idKeyDigest', 'x-ms-sevsnpvm-idkeydigest', hexOf(48)],
  ['snp.authorKeyDigest', 'x-ms-sevsnpvm-authorkeydigest', hexOf(48)],
  ['snp.reportId', 'x-ms-sevsnpvm-reportid', hexOf(32)],
  ['snp.familyId', 'x-ms-sevsnpvm-familyId', hexOf(16)],
  ['snp.imageId', 'x-ms-sevsnpvm-imageId', hexOf(16)],
  ['snp.vmpl', 'x-ms-sevsnpvm-vmpl', count],
  ['snp.guestSvn', 'x-ms-sevsnpvm-guestsvn', count],
  ['snp.policy.debug', 'x-ms-sevsnpvm-is-debuggable', flag],
  ['snp.policy.smt', 'x-ms-sevsnpvm-smt-allowed', flag],
  ['snp.policy.migrateMa', 'x-ms-sevsnpvm-migration-allowed', flag],
  ['snp.tcb.reported.bootloader', 'x-ms-sevsnpvm-bootloader-svn', count],
  ['snp.tcb.reported.tee', 'x-ms-sevsnpvm-tee-svn', count],
  ['snp.tcb.reported.snp', 'x-ms-sevsnpvm-snpfw-svn', count],
  ['snp.tcb.reported.microcode', 'x-ms-sevsnpvm-microcode-svn', count],
];

/** TDX claims under the names that Azure Attestation and Trust Authority have in common. */
export const TDX_SOURCES: readonly Source[] = [
  ['tdx.mrtd', 'tdx_mrtd', hexOf(48)],
  ['tdx.rtmr[0]', 'tdx_rtmr0', hexOf(48)],
  ['tdx.rtmr[1]', 'tdx_rtmr1', hexOf(48)],
  ['tdx.rtmr[2]', 'tdx_rtmr2', hexOf(48)],
  ['tdx.rtmr[3]', 'tdx_rtmr3', hexOf(48)],
  ['tdx.mrConfigId', 'tdx_mrconfigid', hexOf(48)],
  ['tdx.mrOwner', 'tdx_mrowner', hexOf(48)],
  ['tdx.mrOwnerConfig', 'tdx_mrownerconfig', hexOf(48)],
  ['tdx.mrSeam', 'tdx_mrseam', hexOf(48)],
  ['tdx.mrSignerSeam', 'tdx_mrsignerseam', hexOf(48)],
  ['tdx.reportData', 'tdx_report_data', hexOf(64)],
  ['tdx.teeTcbSvn', 'tdx_tee_tcb_svn', hexOf(16)],
  ['tdx.xfam', 'tdx_xfam', hexOf(8)],
  ['tdx.tdAttributes.debug', 'tdx_td_attributes_debug', flag],
  ['tdx.tdAttributes.septVeDisable', 'tdx_td_attributes_septve_disable', flag],
  ['tdx.tdAttributes.pks', 'tdx_td_attributes_protection_keys', flag],
  ['tdx.tdAttributes.keyLocker', 'tdx_td_attributes_key_locker', flag],
  ['tdx.tdAttributes.perfmon', 'tdx_td_attributes_perfmon', flag],
  ['tdx.tcb.status', 'attester_tcb_status', text],
];
