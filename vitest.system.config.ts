import { defineConfig } from 'vitest/config';
import { EXEC_ARGV, RESOLVE, WORKERS } from './test/parts.js';

/** Tests of the service as a real process, some of which need other programs of the machine. No part of `npm test`. */
export default defineConfig({
  resolve: RESOLVE,
  test: {
    include: ['test/system/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts', 'test/system/installation.ts'],
    setupFiles: ['test/setup.ts'],
    reporters: ['default', './test/summary-reporter.ts'],
    // Each has processes of its own beside it.
    maxWorkers: WORKERS - 1,
    execArgv: EXEC_ARGV,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
