import { fileProblem } from '../model/file-problem.js';
import { readFileIfThere, UnfitFileError } from './files.js';

/** Where Linux and systemd keep the logs of what was measured. */
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

/** The logs of a TPM, the firmware's first. A log is no evidence by itself, so that one that is missing is a warning. */
export async function readEventLogs(
  paths: { readonly firmware: string; readonly system: string },
  warn: Warn,
): Promise<readonly Uint8Array[]> {
  const firmware = await readLog(paths.firmware, warn);
  if (firmware === null) {
    warn(`${paths.firmware} cannot be read, so the evidence has no event log`);
    return [];
  }
  const system = await readLog(paths.system, warn);
  return system === null ? [firmware] : [firmware, system];
}

/** Null where there is none, it is empty, or it cannot be read. */
export async function readLog(path: string, warn: Warn): Promise<Uint8Array | null> {
  try {
    const log = await readFileIfThere(path, LOG_BYTES);
    return log === null || log.byteLength === 0 ? null : log;
  } catch (error) {
    warn(`${path}: ${error instanceof UnfitFileError ? error.message : fileProblem(error)}`);
    return null;
  }
}
