import type { AmdLine, AmdLines } from '../../core/amd-lines.js';
import { hex } from '../../core/bytes.js';
import type { SnpClaims } from '../../core/claims.js';
import type { SnpSigningKey } from '../../core/endorsement.js';
import { present } from '../shared/evidence/mark-verified.js';
import { processorOf } from './amd/product-lines.js';
import { readTcb } from './amd/tcb.js';
import type { SnpReport } from './format/snp-report.js';

const hex64 = (value: bigint): string => `0x${value.toString(16)}`;

/**
 * Builds the claims of a report with a valid signature, for the product line in its VEK certificate.
 *
 * @param vek the statements of a VEK certificate with a valid path
 */
export function snpClaims(
  report: SnpReport,
  { line, lines }: { readonly line: AmdLine; readonly lines: AmdLines },
  { signingKey, cspId }: { readonly signingKey: SnpSigningKey; readonly cspId: string | null },
): SnpClaims {
  return {
    version: report.version,
    product: line.product,
    part: report.cpuid === null ? (line.parts[0]?.part ?? 'unknown') : processorOf(report.cpuid, lines).part,
    ...present({ cpuid: report.cpuid }),
    firmware: report.firmware,
    ...(report.mitigation === null
      ? {}
      : { mitigation: { current: hex64(report.mitigation.current), launch: hex64(report.mitigation.launch) } }),
    signingKey,
    vmpl: report.vmpl,
    guestSvn: report.guestSvn,
    policy: report.policy,
    platformInfo: report.platformInfo,
    tcb: {
      current: readTcb(report.tcb.current, line),
      committed: readTcb(report.tcb.committed, line),
      reported: readTcb(report.tcb.reported, line),
      launch: readTcb(report.tcb.launch, line),
    },
    authorKeyEnabled: report.authorKeyEn,
    measurement: hex(report.measurement),
    hostData: hex(report.hostData),
    idKeyDigest: hex(report.idKeyDigest),
    authorKeyDigest: hex(report.authorKeyDigest),
    reportId: hex(report.reportId),
    reportIdMa: hex(report.reportIdMa),
    chipId: hex(report.chipId),
    ...present({ cspId }),
    reportData: hex(report.reportData),
    familyId: hex(report.familyId),
    imageId: hex(report.imageId),
  };
}
