import type { TestProject } from 'vitest/node';
import { buildIfNeeded, ENTRY } from '../scripts/build-if-needed.mjs';
import { createAmdPki } from './lab/amd-pki.js';
import { createAzureAkPki } from './lab/azure-ak-pki.js';
import { makeTokenKeys } from './lab/token-keys.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The built command; null where the project does not compile. */
    entry: string | null;
  }
}

/** Makes what takes long to make once for all tests, where it would count against whichever test asks first. */
export default async function prepare(project: TestProject): Promise<void> {
  // Tests that do not run the command can go on while something does not compile.
  project.provide('entry', (await buildIfNeeded()) === 0 ? ENTRY : null);
  makeLabKeys();
}

/** The lab's RSA keys: half a minute on a fresh machine. They are kept in the machine's folder for temporary files. */
function makeLabKeys(): void {
  const pki = createAmdPki();
  for (const product of ['Milan', 'Genoa', 'Turin'] as const) {
    for (const kind of ['vcek', 'vlek'] as const) pki.chainPem(product, kind);
  }
  const ak = createAzureAkPki();
  for (const shape of ['2025', '2026'] as const) ak.chainPem(shape);
  makeTokenKeys();
}
