import { readFileSync } from 'node:fs';
import type { OpenAPI3 } from 'openapi-typescript';
import { parse } from 'yaml';

/** openapi.yaml as it stands. scripts/pages/openapi-examples.ts gives each example in it a value. */
export function readOpenapi(): OpenAPI3 {
  const text = readFileSync(new URL('../openapi.yaml', import.meta.url), 'utf8');
  return parse(text, { strict: true, uniqueKeys: true });
}
