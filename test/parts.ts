import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { TestProjectInlineConfiguration, ViteUserConfig } from 'vitest/config';
import Order from './order.js';

type Options = NonNullable<ViteUserConfig['test']>;

/** Files that replace a module, which others would find replaced: each has a worker of its own. */
export const ALONE: readonly string[] = [
  'test/integration/endorsements/carried-chains.test.ts',
  'test/integration/service/vtpm-resets.test.ts',
  'test/unit/app/check/check-configuration.test.ts',
  'test/unit/app/postgres-server.test.ts',
  'test/unit/stores/file-reset-memory.test.ts',
];

/**
 * Folders with tests of libraries that keep what they were first given, such as the identity library, and of what would slow the files
 * that follow: each file has a worker of its own as well.
 */
export const APART: readonly string[] = [
  ...['key-vault', 'lab', 'outgoing', 'traces'].map((folder) => `test/integration/${folder}`),
  ...['test/adding-a-tee', 'test/deploy', 'test/robustness'],
];

/** Each path of the service once: verify, challenges, releases, reload, decisions, tenants, callers, outages. */
export const CORE_OF_SERVICE = [
  'decision-log',
  'decision',
  'failures',
  'freshness',
  'key-release',
  'operation',
  'outages',
  'policies',
  'tenants',
  'token-callers',
];

export interface LeftOut {
  readonly files: readonly string[];
  readonly why: string;
}

/** The tests that `npm test` leaves out for their time. */
export const LEFT_OUT: readonly LeftOut[] = [
  {
    files: [`test/integration/service/!(${CORE_OF_SERVICE.join('|')}).test.ts`],
    why: 'the other files of the folder take each path of the service once',
  },
  {
    files: ['test/integration/{attestation-services,cli,endorsements,key-vault,lab,outgoing,stores,traces}/**'],
    why: 'test/unit has the parts of what these run as a whole',
  },
  {
    files: ['test/model/**'],
    why: 'it takes thousands of random steps',
  },
  {
    files: ['test/integration/real/**', 'test/robustness/**'],
    why: 'they repeat a test for each bit, recipe or piece of real evidence',
  },
  {
    files: ['test/adding-a-tee/**', 'test/deploy/**'],
    why: 'they compile a copy of the project, or read the chart',
  },
];

/** Two more than there are cores: tests wait for stores and processes, and for limits of time. */
export const WORKERS = availableParallelism() + 2;

/** A tenth of the CPU time of tests: fewer collections of what lives for one test, none of them beside the other workers. */
export const EXEC_ARGV = ['--max-semi-space-size=64', '--single-threaded-gc'];

/** Options of all runs but those of processes. */
export const RUN: Options = {
  globalSetup: ['test/global-setup.ts'],
  sequence: { sequencer: Order },
  maxWorkers: WORKERS,
};

/** A thread with a SQLite file runs the bundle that test/global-setup.ts makes. */
export const RESOLVE = {
  alias: [{ find: /^\.\/worker-body\.js$/, replacement: fileURLToPath(new URL('./worker-body.ts', import.meta.url)) }],
};

/** Modules keep nothing that a test could leave to the next: loading them once a worker saves most of the time. */
export function projects(leftOut: readonly LeftOut[] = []): TestProjectInlineConfiguration[] {
  const exclude = ['test/{system,long}/**', ...leftOut.flatMap(({ files }) => files)];
  const limits: Options = { testTimeout: 30_000, hookTimeout: 60_000 };
  const each: Options = { ...limits, setupFiles: ['test/setup.ts'], execArgv: EXEC_ARGV };
  const shared: Options = { ...each, isolate: false };
  const wholes = [...exclude, ...ALONE, ...APART.map((folder) => `${folder}/**`), 'test/unit/**'];
  return [
    // Two of them, since what a process has loaded grows with each file.
    { resolve: RESOLVE, test: { ...shared, name: 'whole', include: ['test/**/*.test.ts'], exclude: wholes } },
    { resolve: RESOLVE, test: { ...shared, name: 'unit', include: ['test/unit/**/*.test.ts'], exclude: [...ALONE] } },
    {
      resolve: RESOLVE,
      test: {
        ...each,
        name: 'alone',
        include: [...ALONE, ...APART.map((folder) => `${folder}/**/*.test.ts`)],
        exclude,
      },
    },
  ];
}
