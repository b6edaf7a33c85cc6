import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Who may read a file: the service's own user, or everybody. */
type Readers = 'owner' | 'everybody';

const MODES = { owner: { folder: 0o700, file: 0o600 }, everybody: { folder: 0o755, file: 0o644 } } as const;

/**
 * Writes a file so that a reader sees all of it or none: a temporary file beside it, then a rename. Creates the folder.
 */
export async function writeAtomically(path: string, bytes: Uint8Array | string, readers: Readers): Promise<void> {
  const mode = MODES[readers];
  const temporary = `${path}.${randomUUID()}.tmp`;
  await mkdir(dirname(path), { recursive: true, mode: mode.folder });
  try {
    await writeFile(temporary, bytes, { mode: mode.file, flag: 'wx', flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
