import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { ALONE, RESOLVE, RUN } from '../parts.js';

/** What notices a change: each file of a room has its unit tests. */
export default defineConfig({
  resolve: RESOLVE,
  test: {
    ...RUN,
    include: ['test/unit/**/*.test.ts'],
    exclude: [...ALONE],
    runner: 'test/mutations/runner.ts',
    maxWorkers: availableParallelism(),
    // A first run is slow, since it counts which test reaches what.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    setupFiles: ['test/setup.ts'],
    reporters: [{}],
    silent: true,
  },
});
