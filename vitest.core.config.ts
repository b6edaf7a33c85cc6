import { defineConfig } from 'vitest/config';
import { LEFT_OUT, projects, RUN } from './test/parts.js';

/** What `npm test` runs: each part of the service, and each of its paths once. */
export default defineConfig({
  test: {
    ...RUN,
    reporters: ['default', ['./test/summary-reporter.ts', { leftOut: LEFT_OUT }]],
    projects: projects(LEFT_OUT),
  },
});
