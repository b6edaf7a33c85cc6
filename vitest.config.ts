import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What only the command or a thread runs, which tests start as it is: it is tested, and not measured. */
const RUN_AS_PROCESS = [
  'src/main.ts',
  'src/cli/{inspect-command,program,verify-command}.ts',
  'src/composition/{command-line,command-line-verification,gate-command,guest-commands}.ts',
  'src/composition/{report-files,stop-signals}.ts',
  'src/endorsements/files/bundle-folders.ts',
  'src/stores/sqlite/{worker,worker-body}.ts',
];

const EACH = { setupFiles: ['test/setup.ts'], testTimeout: 30_000, hookTimeout: 60_000 };

/** A thread with a SQLite file runs the bundle that test/global-setup.ts makes. */
const RESOLVE = {
  alias: [
    { find: /^\.\/worker-body\.js$/, replacement: fileURLToPath(new URL('test/worker-body.ts', import.meta.url)) },
  ],
};

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    reporters: ['default', './test/summary-reporter.ts'],
    // Left out, one core is kept free for a main process that has nothing to do.
    maxWorkers: '100%',
    projects: [
      // Modules keep nothing that a test could leave to the next: loading them once a worker saves most of the time.
      {
        resolve: RESOLVE,
        test: { ...EACH, name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false },
      },
      {
        resolve: RESOLVE,
        test: { ...EACH, name: 'whole', include: ['test/**/*.test.ts'], exclude: ['test/{unit,system,long}/**'] },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/*/generated/**', ...RUN_AS_PROCESS],
      reporter: ['text-summary', 'json-summary', 'html'],
      // Counts, since a file of two branches has no percentage worth a rule. Rooms as a whole: scripts/coverage-of-rooms.ts.
      thresholds: {
        perFile: true,
        lines: -6,
        branches: -8,
        'src/{verifiers,vendors,schema,policy,crypto,formats}/**/*.ts': { lines: -3, branches: -6 },
      },
    },
  },
});
