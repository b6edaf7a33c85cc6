import openapiTS, { type OpenAPI3 } from 'openapi-typescript';
import ts from 'typescript';
import { readOpenapi } from './read-openapi.js';

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

/** The texts of the modules made from openapi.yaml, in the order of MODULES. */
export async function openapiModules(): Promise<readonly string[]> {
  const document = readOpenapi();
  return [
    await typesModule(document),
    await typesModule(withSchemasFor(document, CLIENT_SCHEMAS)),
    await typesModule(withSchemasFor(document, INSPECTOR_SCHEMAS)),
    schemasModule(document),
  ];
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
  return `\nexport interface components {\n  readonly schemas: {\n${lines.join('')}  };\n}\n`;
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

/** Every process that reads a request loads this: what Ajv ignores is left out. Node 20 warns about the import of a JSON file. */
function schemasModule({ components }: OpenAPI3): string {
  const schemas = Object.entries(withoutAnnotations(components?.schemas ?? {}, 'names') as object);
  // One line an entry.
  const lines = schemas.map(([name, schema]) => `${JSON.stringify(name)}: ${JSON.stringify(schema)}`);
  return [
    "\nimport type { JsonObject } from '../../core/json.js';\n",
    '/** The schemas of openapi.yaml, without descriptions and examples: what Ajv reads. */',
    `export const OPENAPI_SCHEMAS: JsonObject = {\n${lines.join(',\n')}\n};\n`,
  ].join('\n');
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
