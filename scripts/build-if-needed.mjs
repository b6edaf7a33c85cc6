import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const PROJECT = [
  'openapi.yaml',
  'package.json',
  'tsconfig.json',
  'examples/verify-request.json',
  'examples/verify-answer.json',
];
const SOURCES = ['src', 'scripts/compile.mjs', 'scripts/pages', ...PROJECT];
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'];

/** The files that run the compiled service. */
export const ENTRY = join(ROOT, 'dist/main.js');
/** The last file that a build makes. */
const LAST = join(ROOT, 'dist/inspector/pages.json');

const COMPILER = [join(ROOT, 'scripts/compile.mjs')];
const PAGES = ['--import', 'tsx', join(ROOT, 'scripts/pages/build.ts')];

/**
 * Compiles the service and makes its pages if `dist` is missing or older than its sources.
 * A signal ends what is running, which would outlive this process otherwise.
 * @returns {Promise<number>} the exit code: that of a step that failed, of the signal, or 0 if nothing had to be done
 */
export async function buildIfNeeded() {
  return isBuilt() ? 0 : build();
}

/** Makes the pages alone. @returns {Promise<number>} the exit code */
export function buildPagesIfNeeded() {
  return isMade(LAST) ? 0 : runAll([PAGES]);
}

function isBuilt() {
  return existsSync(ENTRY) && isMade(LAST);
}

function isMade(file) {
  if (!existsSync(file)) return false;
  const madeMs = statSync(file).mtimeMs;
  return SOURCES.every((name) => newestMs(join(ROOT, name)) <= madeMs);
}

/** Folders count themselves, so that a file taken away is noticed too. */
function newestMs(path) {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestMs(join(path, name))), status.mtimeMs);
}

/** The pages come last, so that they are newer than all that they and the service were made of. */
function build() {
  return runAll([COMPILER, PAGES]);
}

/** Runs programs of Node one after the other, until one fails. To stderr: the first line of stdout is the service's own. */
async function runAll(programs) {
  let stopped = null;
  let running = null;
  const stop = (signal) => {
    stopped = signal;
    running?.kill(signal);
  };
  // Before there is a process: a signal between the two would leave it running.
  for (const signal of SIGNALS) process.on(signal, stop);
  let exitCode = 0;
  for (const args of programs) {
    running = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
    [exitCode] = await once(running, 'exit');
    if (exitCode !== 0 || stopped !== null) break;
  }
  for (const signal of SIGNALS) process.off(signal, stop);
  return stopped === null ? (exitCode ?? 1) : 128 + constants.signals[stopped];
}
