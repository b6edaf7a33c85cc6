import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';
import { parse } from 'yaml';

const ROOT = new URL('../', import.meta.url);
const NOTE = '// Generated from openapi.yaml by `npm run generate`. Not edited by hand.\n';

/** What openapi.yaml generates: path from the root of the project, and text. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const yaml = readFileSync(new URL('openapi.yaml', ROOT), 'utf8');
  const types = await openapiTS(yaml, { immutable: true, alphabetize: false });
  return new Map([
    ['src/wire/generated/openapi-types.ts', `${NOTE}\n${astToString(types)}`],
    ['src/wire/generated/openapi-document.ts', documentModule(parse(yaml, { strict: true, uniqueKeys: true }))],
  ]);
}

/** A module and not a JSON file, since Node 20 warns about the import of JSON. */
function documentModule(document: unknown): string {
  return [
    NOTE,
    "import type { JsonObject } from '../../model/json.js';\n",
    '/** openapi.yaml as a value: what Ajv reads, and what /openapi.json answers. */',
    `export const OPENAPI_DOCUMENT: JsonObject = ${JSON.stringify(document, null, 2)};\n`,
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of await generatedFiles()) writeFileSync(new URL(path, ROOT), text);
}
