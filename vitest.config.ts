import { defineConfig } from 'vitest/config';

/** The rooms that decide: what of them no test reaches, no test holds. */
const DECIDING_ROOMS = ['verifiers', 'policy', 'crypto', 'formats'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/system/**', 'node_modules/**'],
    globalSetup: ['test/global-setup.ts'],
    setupFiles: ['test/setup.ts'],
    reporters: ['default', './test/summary-reporter.ts'],
    // Left out, one core is kept free for a main process that has nothing to do.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: DECIDING_ROOMS.map((room) => `src/${room}/**/*.ts`),
      reporter: ['text', 'html'],
      thresholds: Object.fromEntries(DECIDING_ROOMS.map((room) => [`src/${room}/**/*.ts`, { branches: 95 }])),
    },
  },
});
