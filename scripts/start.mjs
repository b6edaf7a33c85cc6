import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { buildIfNeeded, ENTRY } from './build-if-needed.mjs';

// Otherwise the first import of a package ends the process with a stack.
if (!existsSync(new URL('../node_modules', import.meta.url))) {
  process.stderr.write('the packages of this project are not installed: run npm ci\n');
  process.exit(1);
}

/** Runs the `veritee` command, after a build if the last one is missing or older than its sources. */
const exitCode = await buildIfNeeded();
if (exitCode !== 0) process.exit(exitCode);

// In this process, so that signals and the exit code are the service's own.
process.argv = [process.execPath, ENTRY, ...process.argv.slice(2)];
await import(pathToFileURL(ENTRY).href);
