import type { AmdLine, AmdLines } from '../../../core/amd-lines.js';
import type { SnpTcb } from '../../../core/claims.js';
import { FormatError } from '../../../core/errors.js';
import { isZero } from '../../../formats/byte-reader.js';
import type { SnpReport } from '../format/snp-report.js';
import { processorOf } from './product-lines.js';

/** Reads a TCB_VERSION in the layout of a product line. Ignores reserved bytes. */
export function readTcb(tcb: Uint8Array, { layout }: AmdLine): SnpTcb {
  const at = (index: number) => tcb[index] ?? 0;
  return layout === 'turin'
    ? { fmc: at(0), bootloader: at(1), tee: at(2), snp: at(3), microcode: at(7) }
    : { bootloader: at(0), tee: at(1), snp: at(6), microcode: at(7) };
}

/** Whether the reserved bytes of a line's layout are zero. */
export function tcbFitsLayout(tcb: Uint8Array, { layout }: AmdLine): boolean {
  return isZero(layout === 'turin' ? tcb.subarray(4, 7) : tcb.subarray(2, 6));
}

/**
 * Checks the reserved bytes of every TCB_VERSION of a report, by the layout of the processor in the report. A version 2
 * report does not name the processor, so only bytes that both layouts reserve are checked here.
 *
 * @throws {FormatError} `snp_reserved`
 */
export function requireTcbReservedZero(report: SnpReport, lines: AmdLines): void {
  const { line } = report.cpuid === null ? { line: null } : processorOf(report.cpuid, lines);
  for (const [name, tcb] of Object.entries(report.tcb)) {
    const zero = line === null ? isZero(tcb.subarray(4, 6)) : tcbFitsLayout(tcb, line);
    if (!zero) throw new FormatError('snp_reserved', `reserved bytes of the ${name} TCB are not zero`);
  }
}
