import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../model/file-problem.js';
import { CollectError } from './collect-error.js';
import { readBoundedFile } from './files.js';

/** Linux, Documentation/ABI/testing/configfs-tsm. */
export const TSM_FOLDER = '/sys/kernel/config/tsm/report';

/** What the firmware of the TEE answered. */
export interface TsmReport {
  /** `sev_guest`, `tdx_guest`. */
  readonly provider: string;
  readonly outblob: Uint8Array;
  /** Certificates of the host; empty where it gives none. */
  readonly auxblob: Uint8Array;
}

const REPORT_DATA_LENGTH = 64;
/** TSM_OUTBLOB_MAX of the kernel. */
const BLOB_BYTES = 32 * 1024;
const ATTEMPTS = 3;

/**
 * Requests a report of the firmware, with X and zeros as report data, in an entry of this process alone. `generation` counts
 * what is written to an entry: another count than one writing means that the report may not be about X.
 *
 * @throws {CollectError} `tsm_failed`
 */
export async function readTsmReport(x: Uint8Array, folder: string = TSM_FOLDER): Promise<TsmReport> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const report = await readOnce(x, folder).catch((error: unknown) => {
      if (!isSystemError(error)) throw error;
      const code = error.code === 'EACCES' || error.code === 'EPERM' ? 'permission' : 'tsm_failed';
      throw new CollectError(code, `${folder} gives no report (${error.code})`, { cause: error });
    });
    if (report !== null) return report;
  }
  throw new CollectError('tsm_failed', `another process wrote to the entry during each of ${ATTEMPTS} attempts`);
}

/** Null where somebody else wrote to the entry. */
async function readOnce(x: Uint8Array, folder: string): Promise<TsmReport | null> {
  const entry = join(folder, `veritee-${randomUUID()}`);
  await mkdir(entry);
  try {
    const before = await generation(entry);
    await writeInblob(entry, x);
    const attribute = (name: string) => readBoundedFile(join(entry, name), BLOB_BYTES);
    const outblob = await attribute('outblob');
    const auxblob = await attribute('auxblob').catch(() => new Uint8Array());
    const provider = (await readFile(join(entry, 'provider'), 'latin1')).trim();
    if ((await generation(entry)) !== before + 1) return null;
    return { provider, outblob, auxblob };
  } finally {
    await rmdir(entry);
  }
}

/** In one write: each write is a report data of its own. */
async function writeInblob(entry: string, x: Uint8Array): Promise<void> {
  const reportData = new Uint8Array(REPORT_DATA_LENGTH);
  reportData.set(x);
  const file = await open(join(entry, 'inblob'), 'w');
  try {
    await file.write(reportData);
  } finally {
    await file.close();
  }
}

async function generation(entry: string): Promise<number> {
  return Number((await readFile(join(entry, 'generation'), 'latin1')).trim());
}
