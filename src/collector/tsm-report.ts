import { randomUUID } from 'node:crypto';
import { mkdir, open, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../core/file-problem.js';
import { CollectError } from './collect-error.js';
import { readRegularFile, UnfitFileError } from './files.js';

/** Linux, Documentation/ABI/testing/configfs-tsm. */
export const TSM_FOLDER = '/sys/kernel/config/tsm/report';

/** The answer of the firmware of the TEE. */
export interface TsmReport {
  /** `sev_guest`, `tdx_guest`. */
  readonly provider: string;
  readonly outblob: Uint8Array;
  /** Certificates of the host; empty if it provides none. */
  readonly auxblob: Uint8Array;
}

/** An entry of configfs-tsm, whose attributes the kernel creates. */
export interface TsmEntry {
  read(attribute: string): Promise<Uint8Array>;
  /** Writes at once: each write is a separate report data. */
  write(attribute: string, bytes: Uint8Array): Promise<void>;
  remove(): Promise<void>;
}

const REPORT_DATA_LENGTH = 64;
/** TSM_OUTBLOB_MAX of the kernel. */
const BLOB_BYTES = 32 * 1024;
const ATTEMPTS = 3;

/**
 * Requests a report of the firmware, with X and zeros as report data, in an entry of this process alone. `generation` counts
 * the writes to an entry: any other count than one means that the report may not contain X.
 *
 * @throws {CollectError} `tsm_failed`, `permission`
 */
export async function readTsmReport(x: Uint8Array, open: () => Promise<TsmEntry>): Promise<TsmReport> {
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const report = await readOnce(x, open);
      if (report !== null) return report;
    }
  } catch (error) {
    if (error instanceof UnfitFileError) {
      throw new CollectError('tsm_failed', `configfs-tsm gives no report: an attribute ${error.message}`, {
        cause: error,
      });
    }
    if (!isSystemError(error)) throw error;
    const code = error.code === 'EACCES' || error.code === 'EPERM' ? 'permission' : 'tsm_failed';
    throw new CollectError(code, `configfs-tsm gives no report (${error.code})`, { cause: error });
  }
  throw new CollectError('tsm_failed', `another process wrote to the entry during each of ${ATTEMPTS} attempts`);
}

/** Returns null if another process wrote to the entry. */
async function readOnce(x: Uint8Array, open: () => Promise<TsmEntry>): Promise<TsmReport | null> {
  const reportData = new Uint8Array(REPORT_DATA_LENGTH);
  reportData.set(x);
  const entry = await open();
  try {
    const before = await generation(entry);
    await entry.write('inblob', reportData);
    const outblob = await entry.read('outblob');
    const auxblob = await entry.read('auxblob').catch(() => new Uint8Array());
    const provider = attributeText(await entry.read('provider'));
    return (await generation(entry)) === before + 1 ? { provider, outblob, auxblob } : null;
  } finally {
    await entry.remove();
  }
}

async function generation(entry: TsmEntry): Promise<number> {
  return Number(attributeText(await entry.read('generation')));
}

/** The kernel ends attributes of text with a line feed. */
function attributeText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1').trim();
}

/** A new entry of configfs-tsm. */
export async function configfsEntry(folder: string): Promise<TsmEntry> {
  const entry = join(folder, `veritee-${randomUUID()}`);
  await mkdir(entry);
  return {
    read: (attribute) => readRegularFile(join(entry, attribute), BLOB_BYTES),
    write: async (attribute, bytes) => {
      const file = await open(join(entry, attribute), 'w');
      try {
        await file.write(bytes);
      } finally {
        await file.close();
      }
    },
    remove: () => rmdir(entry),
  };
}
