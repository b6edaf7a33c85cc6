import { readFileSync } from 'node:fs';
import type { JsonObject } from '../../src/core/json.js';

/** openapi.yaml with all examples, as the build wrote it (test/global-setup.ts) and as a service answers it. */
export const OPENAPI_DOCUMENT: JsonObject = JSON.parse(
  readFileSync(new URL('../../dist/inspector/openapi.json', import.meta.url), 'utf8'),
);
