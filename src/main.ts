#!/usr/bin/env node
import { StopSignals } from './app/reload/stop-signals.js';

const args = process.argv.slice(2);
// Before the slow load of the other modules, so that no signal to the service is lost.
const signals = args[0] === 'serve' ? new StopSignals() : null;
const { runCommandLine } = await import('./app/commands/command-line.js');
process.exitCode = await runCommandLine(args, signals);
