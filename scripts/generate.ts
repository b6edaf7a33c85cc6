import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { type OpenAPI3 } from 'openapi-typescript';
import ts from 'typescript';
import { parse } from 'yaml';

const ROOT = new URL('../', import.meta.url);
const NOTE = '// Generated from openapi.yaml by `npm run generate`. Not edited by hand.\n';

/** Where the document has one line an entry, so that a difference shows what has changed. */
const BY_ENTRY: ReadonlySet<string> = new Set([
  '',
  '/paths',
  '/components',
  '/components/schemas',
  '/components/responses',
]);

/** What openapi.yaml generates: path from the root of the project, and text. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const yaml = readFileSync(new URL('openapi.yaml', ROOT), 'utf8');
  const document: OpenAPI3 = parse(yaml, { strict: true, uniqueKeys: true });
  return new Map([
    ['src/wire/generated/openapi-types.ts', await typesModule(document)],
    ['src/wire/generated/openapi-document.ts', documentModule(document)],
  ]);
}

/** Types of the schemas, one line each. What a member means stands in openapi.yaml alone. */
async function typesModule({ openapi, info, components }: OpenAPI3): Promise<string> {
  // A copy: the library adds members to what it is given.
  const schemas = structuredClone(components?.schemas ?? {});
  const nodes = await openapiTS({ openapi, info, components: { schemas } }, { immutable: true });
  const printer = ts.createPrinter({ removeComments: true });
  const file = ts.createSourceFile('openapi.ts', '', ts.ScriptTarget.ES2023);
  const types = membersOfSchemas(nodes).map((type) => printer.printNode(ts.EmitHint.Unspecified, type, file));
  const lines = types.map((type) => `    ${type.replaceAll(/\n\s*/g, ' ')}\n`);
  return `${NOTE}\nexport interface components {\n  readonly schemas: {\n${lines.join('')}  };\n}\n`;
}

/** `components` is the one interface, and `schemas` the one member of it that is not `never`. */
function membersOfSchemas(nodes: readonly ts.Node[]): readonly ts.TypeElement[] {
  const kinds = nodes
    .filter(ts.isInterfaceDeclaration)
    .flatMap(({ members }) => members.filter(ts.isPropertySignature));
  return kinds.flatMap(({ type }) => (type !== undefined && ts.isTypeLiteralNode(type) ? type.members : []));
}

/** A module and not a JSON file, since Node 20 warns about the import of JSON. */
function documentModule(document: unknown): string {
  return [
    NOTE,
    "import type { JsonObject } from '../../model/json.js';\n",
    '/** openapi.yaml as a value: what Ajv reads, and what /openapi.json answers. */',
    `export const OPENAPI_DOCUMENT: JsonObject = ${jsonText(document)};\n`,
  ].join('\n');
}

/** @param pointer of the value in the document */
function jsonText(value: unknown, pointer = ''): string {
  if (!BY_ENTRY.has(pointer)) return JSON.stringify(value);
  const entries = Object.entries(value as object).map(
    ([name, entry]) => `${JSON.stringify(name)}: ${jsonText(entry, `${pointer}/${name}`)}`,
  );
  return `{\n${entries.join(',\n')}\n}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of await generatedFiles()) writeFileSync(new URL(path, ROOT), text);
}
