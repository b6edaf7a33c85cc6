import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Serves, after a build where the last one is missing or older than what it was made of. */
const ROOT = fileURLToPath(new URL('../', import.meta.url));
const ENTRY = join(ROOT, 'dist/main.js');
const SOURCES = ['src', 'openapi.yaml', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];

/** Folders count themselves, so that a file taken away is noticed too. */
function newestMs(path) {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestMs(join(path, name))), status.mtimeMs);
}

function isBuilt() {
  if (!existsSync(ENTRY)) return false;
  const builtMs = statSync(ENTRY).mtimeMs;
  return SOURCES.every((name) => newestMs(join(ROOT, name)) <= builtMs);
}

/** To stderr: the first line of stdout is the service's own. */
function build() {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(status ?? 1);
}

if (!isBuilt()) build();

// In this process, so that signals and the exit code are the service's own.
process.argv = [process.execPath, ENTRY, 'serve', ...process.argv.slice(2)];
await import(pathToFileURL(ENTRY).href);
