import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SOURCES = ['src', 'openapi.yaml', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'];

/** What runs the compiled service. */
export const ENTRY = join(ROOT, 'dist/main.js');

/**
 * Compiles the service where `dist` is missing or older than what it was made of.
 * A signal ends the compiler, which would outlive this process otherwise.
 * @returns {Promise<number>} the exit code: that of the compiler, of the signal, or 0 where nothing had to be done
 */
export async function buildIfNeeded() {
  return isBuilt() ? 0 : build();
}

function isBuilt() {
  if (!existsSync(ENTRY)) return false;
  const builtMs = statSync(ENTRY).mtimeMs;
  return SOURCES.every((name) => newestMs(join(ROOT, name)) <= builtMs);
}

/** Folders count themselves, so that a file taken away is noticed too. */
function newestMs(path) {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestMs(join(path, name))), status.mtimeMs);
}

/** To stderr: the first line of stdout is the service's own. */
async function build() {
  let stopped = null;
  let compiler = null;
  const stop = (signal) => {
    stopped = signal;
    compiler?.kill(signal);
  };
  // Before there is a compiler: a signal between the two would leave it running.
  for (const signal of SIGNALS) process.on(signal, stop);
  compiler = spawn(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
  });
  const [exitCode] = await once(compiler, 'exit');
  for (const signal of SIGNALS) process.off(signal, stop);
  return stopped === null ? (exitCode ?? 1) : 128 + constants.signals[stopped];
}
