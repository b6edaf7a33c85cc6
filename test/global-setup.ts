import { createAmdPki } from './lab/amd-pki.js';
import { createAzureAkPki } from './lab/azure-ak-pki.js';
import { makeTokenKeys } from './lab/token-keys.js';

/**
 * Makes the lab's RSA keys before the first test: on a fresh machine that takes half a minute, which would count against
 * whichever test asks first. They are kept in the machine's folder for temporary files.
 */
export default function makeLabKeys(): void {
  const pki = createAmdPki();
  for (const product of ['Milan', 'Genoa', 'Turin'] as const) {
    for (const kind of ['vcek', 'vlek'] as const) pki.chainPem(product, kind);
  }
  const ak = createAzureAkPki();
  for (const shape of ['2025', '2026'] as const) ak.chainPem(shape);
  makeTokenKeys();
}
