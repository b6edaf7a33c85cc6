import { defineConfig } from 'vitest/config';
import { RESOLVE } from './test/parts.js';

/** Tests that take minutes each: faults of every dependency, overload, endurance. No part of the gate. */
export default defineConfig({
  resolve: RESOLVE,
  test: {
    include: ['test/long/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts', 'test/system/installation.ts'],
    setupFiles: ['test/setup.ts'],
    reporters: ['default', './test/summary-reporter.ts'],
    // One after the other: two of them load the machine.
    fileParallelism: false,
    // The rows of the fault matrix mostly wait.
    maxConcurrency: 16,
    testTimeout: 90 * 60_000,
    hookTimeout: 120_000,
  },
});
