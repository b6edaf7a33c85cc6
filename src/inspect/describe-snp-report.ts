import { AMD_LINES } from '../core/amd-lines.js';
import { hex } from '../core/bytes.js';
import type { JsonObject } from '../core/json.js';
import { candidateLines, processorOf } from '../tee/snp/amd/product-lines.js';
import { readTcb } from '../tee/snp/amd/tcb.js';
import { parseSnpReport, SNP_REPORT_LENGTH, type SnpReport } from '../tee/snp/format/snp-report.js';
import { FieldTable, type StructureDescription } from './field-description.js';

/** The only algorithm that `parseSnpReport` accepts. */
const SIGNED_WITH = 'ECDSA P-384 with SHA-384';

/**
 * Describes an ATTESTATION_REPORT, field by field (AMD 56860).
 * @throws {FormatError} as `parseSnpReport`
 */
export function describeSnpReport(bytes: Uint8Array, about: string): StructureDescription {
  const report = parseSnpReport(bytes);
  const table = new FieldTable(bytes);
  describeGuest(table, report);
  describePlatform(table, report);
  table.add(
    'SIGNATURE',
    0x2a0,
    144,
    hex(report.signature),
    `${SIGNED_WITH} over bytes 0 to 671, as r and s in big endian`,
  );
  return { name: 'ATTESTATION_REPORT', about, start: 0, length: SNP_REPORT_LENGTH, fields: table.fields };
}

function describeGuest(table: FieldTable, report: SnpReport): void {
  table
    .add('VERSION', 0x000, 4, report.version)
    .add('GUEST_SVN', 0x004, 4, report.guestSvn, 'security version that the owner of the guest image gave it')
    .add(
      'POLICY',
      0x008,
      8,
      { ...report.policy },
      report.policy.debug ? 'the host may debug the guest' : 'debugging is not allowed',
    )
    .hex('FAMILY_ID', 0x010, 16)
    .hex('IMAGE_ID', 0x020, 16)
    .add('VMPL', 0x030, 4, report.vmpl, vmplMeaning(report.vmpl))
    .add('SIGNATURE_ALGO', 0x034, 4, 1, SIGNED_WITH)
    .bound('REPORT_DATA', 0x050, 64, 'what the guest asked to have signed: a nonce, or the hash of runtime data')
    .hex('MEASUREMENT', 0x090, 48, 'launch digest of the guest')
    .hex('HOST_DATA', 0x0c0, 32, 'what the host supplied at launch')
    .hex('ID_KEY_DIGEST', 0x0e0, 48, 'SHA-384 of the key that signed the identity of the guest')
    .hex('AUTHOR_KEY_DIGEST', 0x110, 48, report.authorKeyEn ? null : 'no author key')
    .hex('REPORT_ID', 0x140, 32)
    .hex(
      'REPORT_ID_MA',
      0x160,
      32,
      report.reportIdMa.every((byte) => byte === 0xff) ? 'no migration agent' : 'a migration agent is present',
    );
}

function vmplMeaning(vmpl: number): string {
  if (vmpl === 0) return 'requested at the most privileged level: where there is a paravisor, by the paravisor';
  return vmpl === 0xffffffff ? 'requested by the host' : 'requested at a less privileged level of the guest';
}

function describePlatform(table: FieldTable, report: SnpReport): void {
  const { cpuid, mitigation } = report;
  table.add('CURRENT_TCB', 0x038, 8, tcbValue(report, 'current'), 'running firmware');
  table.add('PLATFORM_INFO', 0x040, 8, { ...report.platformInfo });
  table.add('KEY_INFO', 0x048, 4, {
    authorKeyEn: report.authorKeyEn,
    maskChipKey: report.maskChipKey,
    signingKey: report.signingKey,
  });
  table.add('REPORTED_TCB', 0x180, 8, tcbValue(report, 'reported'), 'the TCB that the signing key was derived for');
  if (cpuid !== null) {
    const { line, part } = processorOf(cpuid, AMD_LINES);
    table.add('CPUID', 0x188, 3, { ...cpuid }, `${line?.product ?? 'unknown product line'}, part ${part}`);
  }
  table.hex('CHIP_ID', 0x1a0, 64);
  table.add('COMMITTED_TCB', 0x1e0, 8, tcbValue(report, 'committed'), 'firmware that cannot be rolled back below');
  table.add('CURRENT_VERSION', 0x1e8, 3, report.firmware.current);
  table.add('COMMITTED_VERSION', 0x1ec, 3, report.firmware.committed);
  table.add('LAUNCH_TCB', 0x1f0, 8, tcbValue(report, 'launch'), 'firmware when the guest was launched');
  if (mitigation !== null) {
    table.add('LAUNCH_MIT_VECTOR', 0x1f8, 8, `0x${mitigation.launch.toString(16)}`);
    table.add('CURRENT_MIT_VECTOR', 0x200, 8, `0x${mitigation.current.toString(16)}`);
  }
}

/** In the layout of the line; as hex if the report does not identify the line (version 2). */
function tcbValue(report: SnpReport, name: keyof SnpReport['tcb']): JsonObject | string {
  const [line, ...others] = candidateLines(report, AMD_LINES);
  const bytes = report.tcb[name];
  if (line === undefined || others.some(({ layout }) => layout !== line.layout)) return hex(bytes);
  return { ...readTcb(bytes, line) };
}
