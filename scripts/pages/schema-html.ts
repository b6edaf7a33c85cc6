import { type Html, html, joined, NOTHING } from './html.js';

/** A JSON Schema (2020-12), as far as openapi.yaml uses it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Schemas;
  readonly patternProperties?: Schemas;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly not?: Schema;
  readonly if?: Schema;
  readonly then?: Schema;
  readonly else?: Schema;
  readonly dependentRequired?: Readonly<Record<string, readonly string[]>>;
  readonly discriminator?: { readonly propertyName: string };
  readonly contentSchema?: Schema;
  readonly [keyword: string]: unknown;
}

export type Schemas = Readonly<Record<string, Schema>>;

/** What a page puts into what is said of a schema. */
export interface SchemaContext {
  /** Renders a description. */
  readonly text: (markdown: string) => Html;
  /** Address of what says more of a code; null for what is no code. */
  readonly valueHref: (value: string) => string | null;
}

const REFERENCE = /^#\/components\/schemas\/(\w+)$/;

/** Keywords that are said in other words than by their name and value. Those that are in neither list end the build. */
const SAID = new Set<keyof Schema>([
  '$ref',
  'type',
  'description',
  'enum',
  'const',
  'examples',
  'required',
  'properties',
  'patternProperties',
  'additionalProperties',
  'items',
  'oneOf',
  'anyOf',
  'allOf',
  'not',
  'if',
  'then',
  'else',
  'dependentRequired',
  'discriminator',
  'contentSchema',
]);

/** Keywords that bound a value, and what they say. */
const BOUNDS: Readonly<Record<string, string>> = {
  minimum: 'at least',
  maximum: 'at most',
  minLength: 'shortest length',
  maxLength: 'greatest length',
  minItems: 'fewest items',
  maxItems: 'most items',
  uniqueItems: 'no item twice',
  pattern: 'pattern',
  default: 'default',
  contentEncoding: 'encoding of the content',
  contentMediaType: 'type of the content',
};

/** Keywords that say what a value without a type is. */
const SAYING_MORE: readonly (keyof Schema)[] = [
  'const',
  'enum',
  'required',
  'properties',
  'oneOf',
  'anyOf',
  'allOf',
  'not',
];

/** Anchor of a schema on the page. */
export const schemaAnchor = (name: string) => `schema-${name}`;

/** The type of a value in a few words, with links to schemas. */
export function typeHtml(schema: Schema): Html {
  const { $ref, type, items, oneOf } = schema;
  if ($ref !== undefined) return linkTo($ref);
  if (oneOf?.every(isShort) === true) return joined(oneOf.map(typeHtml), ' or ');
  if (type === 'array' && items !== undefined) return html`array of ${isShort(items) ? typeHtml(items) : 'items'}`;
  if (type !== undefined) return html`${typeof type === 'string' ? type : type.join(' or ')}`;
  return SAYING_MORE.some((keyword) => keyword in schema) ? NOTHING : html`any value`;
}

/** What a schema says of a value, beside its type: description, values, bounds, members, alternatives. */
export function schemaHtml(schema: Schema, context: SchemaContext): Html {
  requireKnown(schema);
  const { description } = schema;
  return joined([
    description === undefined ? NOTHING : context.text(description),
    values(schema, context),
    bounds(schema),
    examples(schema),
    members(schema, context),
    ...parts(schema, context),
  ]);
}

function linkTo(reference: string): Html {
  const [, name] = REFERENCE.exec(reference) ?? [];
  if (name === undefined) throw new Error(`${reference} is no schema of this document`);
  return html`<a href="#${schemaAnchor(name)}">${name}</a>`;
}

/** Whether its type says all of it. */
function isShort(schema: Schema): boolean {
  const others = Object.keys(schema).filter((keyword) => keyword !== '$ref' && keyword !== 'type');
  return others.length === 0 || (others.join() === 'items' && isShort(schema.items ?? {}));
}

function requireKnown(schema: Schema): void {
  const unknown = Object.keys(schema).find((keyword) => !SAID.has(keyword) && BOUNDS[keyword] === undefined);
  if (unknown !== undefined) throw new Error(`the page of the API does not say what ${unknown} means in a schema`);
}

const code = (value: unknown) => html`<code>${typeof value === 'string' ? value : JSON.stringify(value)}</code>`;

function values(schema: Schema, { valueHref }: SchemaContext): Html {
  if ('const' in schema) return html`<p>Only ${code(schema.const)}.</p>`;
  if (schema.enum === undefined) return NOTHING;
  const hrefs = schema.enum.map((value) => (typeof value === 'string' ? valueHref(value) : null));
  const listed = schema.enum.map((value, index) => {
    const href = hrefs[index] ?? null;
    // A word among others that are no codes is none either.
    return href === null || hrefs.includes(null) ? code(value) : html`<a href="${href}">${code(value)}</a>`;
  });
  return html`<p>${listed.length === 1 ? 'Only' : 'One of'} ${joined(listed, ', ')}.</p>`;
}

function bounds(schema: Schema): Html {
  const said = Object.entries(BOUNDS)
    .filter(([keyword]) => keyword in schema)
    .map(([keyword, words]) => (schema[keyword] === true ? html`${words}` : html`${words} ${code(schema[keyword])}`));
  return said.length === 0 ? NOTHING : html`<p class="bounds">${joined(said, '; ')}</p>`;
}

function examples({ examples: given = [] }: Schema): Html {
  if (given.length === 0) return NOTHING;
  return html`<p class="bounds">for example ${joined(given.map(code), ', ')}</p>`;
}

function members(schema: Schema, context: SchemaContext): Html {
  const {
    properties = {},
    patternProperties = {},
    additionalProperties,
    required = [],
    dependentRequired = {},
  } = schema;
  const named = Object.entries(properties).map(([name, member]) =>
    memberHtml({ name: code(name), schema: member, isRequired: required.includes(name) }, context),
  );
  const patterned = Object.entries(patternProperties).map(([pattern, member]) =>
    memberHtml({ name: html`names that match ${code(pattern)}`, schema: member, isRequired: null }, context),
  );
  const others =
    typeof additionalProperties === 'object'
      ? [memberHtml({ name: html`every other name`, schema: additionalProperties, isRequired: null }, context)]
      : [];
  const all = [...named, ...patterned, ...others];
  const missing = required.filter((name) => !(name in properties));
  return joined([
    all.length === 0 ? NOTHING : html`<dl class="members">\n${joined(all)}</dl>\n`,
    missing.length === 0 ? NOTHING : html`<p>Has ${joined(missing.map(code), ' and ')}.</p>`,
    additionalProperties === true ? html`<p>May have other members.</p>` : NOTHING,
    ...Object.entries(dependentRequired).map(
      ([name, needed]) => html`<p>${code(name)} needs ${joined(needed.map(code), ' and ')}.</p>`,
    ),
  ]);
}

interface Member {
  readonly name: Html;
  readonly schema: Schema;
  /** Null: it is no question. */
  readonly isRequired: boolean | null;
}

/** A member, a parameter or a header: name, type, whether it is required, and what it means. */
export function memberHtml({ name, schema, isRequired }: Member, context: SchemaContext): Html {
  const need = isRequired === null ? NOTHING : html` <span class="need">${isRequired ? 'required' : 'optional'}</span>`;
  return html`<dt>${name} <span class="type">${typeHtml(schema)}</span>${need}</dt>
<dd>${schemaHtml(schema, context)}</dd>
`;
}

/** Schemas inside of a schema, each where its type has not said all of it. */
function parts(schema: Schema, context: SchemaContext): readonly Html[] {
  const { items, oneOf = [], anyOf = [], allOf = [], discriminator, contentSchema } = schema;
  return [
    items === undefined || isShort(items) ? NOTHING : html`<p>Each item:</p>${nested([items], context)}`,
    discriminator === undefined ? NOTHING : html`<p>Told apart by ${code(discriminator.propertyName)}.</p>`,
    listed(html`One of these:`, oneOf.every(isShort) ? [] : oneOf, context),
    listed(html`At least one of these:`, anyOf, context),
    listed(html`All of these:`, allOf, context),
    listed(html`Not:`, schema.not === undefined ? [] : [schema.not], context),
    contentSchema === undefined ? NOTHING : html`<p>The content is ${typeHtml(contentSchema)}.</p>`,
    listed(html`If:`, schema.if === undefined ? [] : [schema.if], context),
    listed(html`then:`, schema.then === undefined ? [] : [schema.then], context),
    listed(html`otherwise:`, schema.else === undefined ? [] : [schema.else], context),
  ];
}

function listed(words: Html, schemas: readonly Schema[], context: SchemaContext): Html {
  return schemas.length === 0 ? NOTHING : html`<p>${words}</p>${nested(schemas, context)}`;
}

function nested(schemas: readonly Schema[], context: SchemaContext): Html {
  const items = schemas.map(
    (schema) => html`<li><span class="type">${typeHtml(schema)}</span>${schemaHtml(schema, context)}</li>\n`,
  );
  return html`<ul class="alternatives">\n${joined(items)}</ul>\n`;
}
