import { defineConfig } from 'vitest/config';
import { projects, RUN } from './test/parts.js';

/** What only the command or a thread runs, which tests start as it is: it is tested, and not measured. */
const RUN_AS_PROCESS = [
  'src/main.ts',
  'src/cli/{inspect-command,program,verify-command}.ts',
  'src/app/commands/{command-line,command-line-verification,endorsement-commands,evidence-commands}.ts',
  'src/app/commands/{gate-command,guest-commands,serve-command}.ts',
  'src/app/reload/stop-signals.ts',
  'src/endorsements/files/bundle-folders.ts',
  'src/stores/sqlite/{worker,worker-body}.ts',
];

/** Everything below test but test/system and test/long. */
export default defineConfig({
  test: {
    ...RUN,
    reporters: ['default', './test/summary-reporter.ts'],
    projects: projects(),
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/**/generated/**', ...RUN_AS_PROCESS],
      reporter: ['text-summary', 'json-summary', 'html'],
      // Counts, since a file of two branches has no percentage worth a rule. Rooms as a whole: scripts/coverage-of-rooms.ts.
      thresholds: {
        perFile: true,
        lines: -6,
        branches: -8,
        'src/{boot/format,tee,schema,policy,crypto,formats}/**/*.ts': { lines: -3, branches: -6 },
      },
    },
  },
});
