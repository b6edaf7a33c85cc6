import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/core/json.js';
import { createAmdPki, createVirtualMachine } from '../lab/index.js';
import { exampleErrors, examplesIn } from './openapi-schemas.js';

const EXAMPLES = examplesIn();

/** Long enough, and of the right letters, to be bytes. */
const BYTES = /[A-Za-z0-9_-]{20,}/g;

/** Examples that look like bytes and are no machine's. */
const EXPLAINED: ReadonlyMap<string, string> = new Map([
  ['AAECAwQFBgcICQoLDA0ODw', 'bytes 0 to 15'],
  ['q83vASNFZ4mrze8BI0VniQ', 'the digits of hex, in their order'],
  ['NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs', 'the thumbprint of RFC 7638, section 3.1'],
  ['019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11', 'an id made for the example'],
  ['8be4df61-93ca-11d2-aa0d-00e098032b8c', 'the vendor GUID of the variables of UEFI itself'],
  ['eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9', 'the header of a token: RS256 and JWT'],
  ['eyJpc3MiOiJodHRwczovL3NoYXJlZGxhYi5sYWIuYXR0ZXN0LmF6dXJlLm5ldCJ9', 'the issuer of the lab'],
]);

describe('examples of openapi.yaml', () => {
  let lab: string;

  beforeAll(async () => {
    const vm = await createVirtualMachine({ pki: createAmdPki() });
    lab = JSON.stringify(vm.wireEvidence({ nonce: Buffer.alloc(32) }));
  });

  it.each(EXAMPLES)('have the form that they are examples of: $place', ({ place, value }) => {
    expect(exampleErrors(place, value)).toEqual([]);
  });

  it('come from the lab where they are bytes: nothing of a real machine is among them', () => {
    const bytes = EXAMPLES.flatMap(({ value }) => JSON.stringify(value satisfies JsonValue).match(BYTES) ?? []);
    const unknown = bytes.filter((text) => !lab.includes(text) && !EXPLAINED.has(text));
    expect(bytes.length).toBeGreaterThan(EXPLAINED.size);
    expect(unknown).toEqual([]);
  });
});
