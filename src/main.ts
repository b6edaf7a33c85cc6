#!/usr/bin/env node
import { StopSignals } from './app/reload/stop-signals.js';

const args = process.argv.slice(2);
// Before the rest is loaded, which takes a while: a signal to the service must not be lost meanwhile.
const signals = args[0] === 'serve' ? new StopSignals() : null;
const { runCommandLine } = await import('./app/commands/command-line.js');
process.exitCode = await runCommandLine(args, signals);
