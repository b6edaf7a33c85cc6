import { pathToFileURL } from 'node:url';
import { buildIfNeeded, ENTRY } from './build-if-needed.mjs';

/** Serves, after a build where the last one is missing or older than what it was made of. */
const exitCode = await buildIfNeeded();
if (exitCode !== 0) process.exit(exitCode);

// In this process, so that signals and the exit code are the service's own.
process.argv = [process.execPath, ENTRY, 'serve', ...process.argv.slice(2)];
await import(pathToFileURL(ENTRY).href);
