import { defineConfig } from 'vitest/config';
import { ALONE, RESOLVE, RUN } from '../parts.js';

/** What notices a mutation: each file of a room has its unit tests. */
export default defineConfig({
  resolve: RESOLVE,
  test: {
    ...RUN,
    include: ['test/unit/**/*.test.ts'],
    exclude: [...ALONE],
    isolate: false,
    // Stryker stops a change that runs too long itself. Its first run is slow, since it counts which test reaches what.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    setupFiles: ['test/setup.ts'],
  },
});
