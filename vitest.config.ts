import { defineConfig } from 'vitest/config';

/** The rooms that decide: what of them no test reaches, no test holds. */
const DECIDING_ROOMS = ['verifiers', 'policy', 'crypto', 'formats'];

const EACH = { setupFiles: ['test/setup.ts'], testTimeout: 30_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    reporters: ['default', './test/summary-reporter.ts'],
    // Left out, one core is kept free for a main process that has nothing to do.
    maxWorkers: '100%',
    projects: [
      // Modules keep nothing that a test could leave to the next: loading them once a worker saves most of the time.
      { test: { ...EACH, name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false } },
      { test: { ...EACH, name: 'whole', include: ['test/**/*.test.ts'], exclude: ['test/{unit,system}/**'] } },
    ],
    coverage: {
      provider: 'v8',
      include: DECIDING_ROOMS.map((room) => `src/${room}/**/*.ts`),
      reporter: ['text', 'html'],
      thresholds: Object.fromEntries(DECIDING_ROOMS.map((room) => [`src/${room}/**/*.ts`, { branches: 95 }])),
    },
  },
});
