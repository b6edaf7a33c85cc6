import { count, flag, hexOf, type Source } from './statement.js';

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
