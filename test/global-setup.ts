import type { ProvidedContext } from 'vitest';
import type { TestProject } from 'vitest/node';
import { buildIfNeeded, buildPagesIfNeeded, ENTRY } from '../scripts/build-if-needed.mjs';
import { ensureGenerated } from '../scripts/generated-modules.mjs';
import { createAmdPki } from './lab/amd-pki.js';
import { createAzureAkPki } from './lab/azure-ak-pki.js';
import { makeTokenKeys } from './lab/token-keys.js';
import { bundleSqliteWorker } from './sqlite-worker.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The built command, or why there is none. */
    entry: { readonly path: string } | { readonly problem: string };
    /** The path of what a thread with a SQLite file runs. */
    sqliteWorker: string;
  }
}

/** Folders of the tests that run the command. For others nothing is built. */
const RUNNING_THE_COMMAND = /\/test\/(integration\/cli|messages)\//;

/** Makes what takes long to make once for all tests, where it would count against whichever test asks first. */
export default async function prepare(project: TestProject): Promise<void> {
  await ensureGenerated();
  const provideWorker = async () => project.provide('sqliteWorker', await bundleSqliteWorker());
  await provideWorker();
  project.onTestsRerun(provideWorker);
  project.provide('entry', await entryFor(project.vitest.state.getPaths()));
  if ((await buildPagesIfNeeded()) !== 0) throw new Error('the pages cannot be built');
  makeLabKeys();
}

/** Tests that do not run the command can go on while something does not compile. */
async function entryFor(files: readonly string[]): Promise<ProvidedContext['entry']> {
  if (!files.some((file) => RUNNING_THE_COMMAND.test(file))) {
    return { problem: 'the command is built for test/integration/cli and test/messages only' };
  }
  return (await buildIfNeeded()) === 0 ? { path: ENTRY } : { problem: 'the project does not compile' };
}

/** The lab's RSA keys: half a minute on a fresh machine. They are kept in the machine's folder for temporary files. */
function makeLabKeys(): void {
  const pki = createAmdPki();
  for (const product of ['Milan', 'Genoa', 'Turin', 'Venice', 'Florence']) {
    for (const kind of ['vcek', 'vlek'] as const) pki.chainPem(product, kind);
  }
  const ak = createAzureAkPki();
  for (const shape of ['2025', '2026'] as const) ak.chainPem(shape);
  makeTokenKeys();
}
