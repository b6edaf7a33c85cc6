import { fileProblem } from '../core/file-problem.js';
import { hasCode, readRegularFile, UnfitFileError } from './files.js';

/** The paths of the logs of Linux and systemd. */
export const EVENT_LOGS = {
  firmware: '/sys/kernel/security/tpm0/binary_bios_measurements',
  /** systemd, TPM2_PCR_MEASUREMENTS: a CEL in JSON. */
  system: '/run/log/systemd/tpm2-measure.log',
  /** Log area of the CCEL table: the log itself, not the ACPI table. */
  ccel: '/sys/firmware/acpi/tables/data/CCEL',
} as const;

/** The default of `limits.eventLogBytes`: a service refuses a longer one. */
const LOG_BYTES = 1024 * 1024;

type Warn = (message: string) => void;

/**
 * Reads the logs of a TPM, the firmware's first. Logs are optional in evidence, so a missing one is a warning; that of
 * the system only exists if systemd measures.
 */
export async function readEventLogs(
  paths: { readonly firmware: string; readonly system: string },
  warn: Warn,
): Promise<readonly Uint8Array[]> {
  const firmware = await readLog(paths.firmware, { what: 'event log' }, warn);
  if (firmware === null) return [];
  const system = await readLog(paths.system, { what: 'CEL of the system', mayBeMissing: true }, warn);
  return system === null ? [firmware] : [firmware, system];
}

/** Returns null if the log is missing, empty or unreadable; a warning then has the reason and the effect. */
export async function readLog(
  path: string,
  { what, mayBeMissing = false }: { readonly what: string; readonly mayBeMissing?: boolean },
  warn: Warn,
): Promise<Uint8Array | null> {
  try {
    const log = await readRegularFile(path, LOG_BYTES);
    if (log.byteLength === 0) throw new UnfitFileError('is empty');
    return log;
  } catch (error) {
    const why = error instanceof UnfitFileError ? error.message : fileProblem(error);
    if (!mayBeMissing || !hasCode(error, 'ENOENT')) warn(`${path}: ${why}, so the evidence has no ${what}`);
    return null;
  }
}
