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

/** The requests and answers of the client. */
const CLIENT_SCHEMAS = ['VerifyRequest', 'Decision', 'ChallengeRequest', 'Challenge', 'Problem'] as const;

/** The requests and answers of the inspector. */
const INSPECTOR_SCHEMAS = [
  'VerifyRequest',
  'Decision',
  'RecordedDecision',
  'PolicyText',
  'LintResult',
  'Evaluation',
  'HeldEndorsement',
  'Problem',
] as const;

/** The files generated from openapi.yaml: path from the root of the project, and text. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const document = readOpenapi();
  return new Map([
    ['src/wire/generated/openapi-types.ts', await typesModule(document)],
    ['src/relying-party/generated/openapi-types.ts', await typesModule(withSchemasFor(document, CLIENT_SCHEMAS))],
    ['src/inspector/generated/openapi-types.ts', await typesModule(withSchemasFor(document, INSPECTOR_SCHEMAS))],
    ['src/wire/generated/openapi-schemas.ts', schemasModule(document)],
    [DOCUMENT_PATH, documentText(document)],
  ]);
}

export const DOCUMENT_PATH = 'src/wire/generated/openapi-document.ts';

/** The module with the whole document, examples of files included. */
export function documentText(document: OpenAPI3 = readOpenapi()): string {
  return documentModule(document);
}

/** openapi.yaml as it stands: long examples are in files beside it, which it names by `externalValue`. */
export function readOpenapi(): OpenAPI3 {
  return parse(readFileSync(new URL('openapi.yaml', ROOT), 'utf8'), { strict: true, uniqueKeys: true });
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

/** The document with the named schemas alone, and those that they refer to. */
function withSchemasFor(document: OpenAPI3, names: readonly string[]): OpenAPI3 {
  const schemas = document.components?.schemas ?? {};
  const needed = new Set(names);
  // A set that grows while it is gone through is gone through to its new end.
  for (const name of needed) {
    const references = JSON.stringify(schemas[name]).matchAll(/"#\/components\/schemas\/(\w+)"/g);
    for (const [, referred = ''] of references) needed.add(referred);
  }
  const kept = Object.entries(schemas).filter(([name]) => needed.has(name));
  return { ...document, components: { schemas: Object.fromEntries(kept) } };
}

/** `components` is the one interface, and `schemas` the one member of it that is not `never`. */
function membersOfSchemas(nodes: readonly ts.Node[]): readonly ts.TypeElement[] {
  const kinds = nodes
    .filter(ts.isInterfaceDeclaration)
    .flatMap(({ members }) => members.filter(ts.isPropertySignature));
  return kinds.flatMap(({ type }) => (type !== undefined && ts.isTypeLiteralNode(type) ? type.members : []));
}

/** Every process that reads a request loads this, and the document only a service: so what Ajv ignores is left out. */
function schemasModule({ components }: OpenAPI3): string {
  const schemas = withoutAnnotations(components?.schemas ?? {}, 'names');
  return jsonModule(
    '/** The schemas of openapi.yaml, without descriptions and examples: what Ajv reads. */',
    'OPENAPI_SCHEMAS',
    jsonText(schemas, '/components/schemas'),
  );
}

function documentModule(document: unknown): string {
  return jsonModule(
    '/** openapi.yaml as a value, with all examples in it: what /openapi.json answers, and /docs shows. */',
    'OPENAPI_DOCUMENT',
    jsonText(withExternalValues(document)),
  );
}

/** A module and not a JSON file, since Node 20 warns about the import of JSON. */
function jsonModule(comment: string, name: string, text: string): string {
  const imported = "import type { JsonObject } from '../../core/json.js';\n";
  return [NOTE, imported, comment, `export const ${name}: JsonObject = ${text};\n`].join('\n');
}

/** Members of a schema whose own members have free names, and hold schemas. */
const NAMED_SCHEMAS: ReadonlySet<string> = new Set(['properties', 'patternProperties']);
const ANNOTATIONS: ReadonlySet<string> = new Set(['description', 'examples']);

/** @param members whether the members of an object are keywords, or names such as that of a property */
function withoutAnnotations(value: unknown, members: 'keywords' | 'names'): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutAnnotations(item, 'keywords'));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => members === 'names' || !ANNOTATIONS.has(name));
  const inside = (name: string) => (members === 'keywords' && NAMED_SCHEMAS.has(name) ? 'names' : 'keywords');
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutAnnotations(member, inside(name))]));
}

/** Puts what a file holds in the place of its name: a service answers the document alone. */
function withExternalValues(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withExternalValues);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, member]) =>
    name === 'externalValue' ? ['value', readExample(member)] : [name, withExternalValues(member)],
  );
  return Object.fromEntries(entries);
}

/** @param path from the root of the project, as openapi.yaml has it */
function readExample(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, ROOT), 'utf8'));
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
