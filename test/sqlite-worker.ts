import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** Below the packages, where the bundle finds the engine. */
const FOLDER = join(ROOT, 'node_modules/.cache/veritee');

/**
 * Bundles the body of the SQLite thread: to read TypeScript itself, a thread would load tsx each time that a file is
 * opened.
 * @returns the path of the bundle, which what it was made of gives a name of its own
 */
export async function bundleSqliteWorker(): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['src/stores/sqlite/worker.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    packages: 'external',
  });
  const [{ contents } = { contents: new Uint8Array() }] = outputFiles;
  const digest = createHash('sha256').update(contents).digest('hex').slice(0, 32);
  const path = join(FOLDER, `sqlite-worker-${digest}.mjs`);
  if (existsSync(path)) return path;
  mkdirSync(FOLDER, { recursive: true });
  // Another run may make the same file at the same time.
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, contents);
  renameSync(unfinished, path);
  return path;
}
