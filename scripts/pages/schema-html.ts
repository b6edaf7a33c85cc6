import { type Html, html, joined, prose } from './html.js';

/** A JSON Schema (2020-12), as far as openapi.yaml uses it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly required?: readonly string[];
  readonly properties?: Schemas;
  readonly patternProperties?: Schemas;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly [keyword: string]: unknown;
}

type Schemas = Readonly<Record<string, Schema>>;

/** Keywords that the type and the list of members show. */
const SHOWN = new Set(['$ref', 'type', 'description', 'required', 'properties', 'patternProperties']);

/** Keywords with one schema or a list of schemas, and their labels. */
const INNER = new Map([
  ['items', 'Each item'],
  ['oneOf', 'One of these'],
  ['anyOf', 'At least one of these'],
  ['allOf', 'All of these'],
  ['not', 'Not'],
  ['if', 'If'],
  ['then', 'Then'],
  ['else', 'Otherwise'],
  ['contentSchema', 'The content'],
  ['additionalProperties', 'Every other member'],
]);

const REFERENCE = /^#\/components\/(\w+)\/(\w+)$/;

/**
 * Renders a link to a part of `components`.
 * @throws {Error} if the reference leads elsewhere
 */
export function linkTo(reference: string): Html {
  const [, kind, name] = REFERENCE.exec(reference) ?? [];
  if (kind === undefined || name === undefined) throw new Error(`${reference} is not a part of this document`);
  return html`<a href="#${kind}-${name}">${name}</a>`;
}

/** Renders the type of a value in a few words, with links to schemas. */
export function typeHtml({ $ref, type, items, oneOf }: Schema): Html {
  if ($ref !== undefined) return linkTo($ref);
  if (oneOf?.every(isShort) === true) return joined(oneOf.map(typeHtml), ' or ');
  if (type === 'array' && items !== undefined) return html`array of ${isShort(items) ? typeHtml(items) : 'items'}`;
  return html`${[type ?? []].flat().join(' or ')}`;
}

/** Renders everything else about a value: description, bounds, members and inner schemas. No keyword is left out. */
export function schemaHtml(schema: Schema): Html {
  return html`${schema.description === undefined ? null : prose(schema.description)}${facts(schema)}${members(schema)}${[...INNER.keys()].map((keyword) => inner(schema, keyword))}`;
}

/** Renders a member, a parameter or a header as an item of a list. `need` is empty if nothing is required. */
export function memberHtml(name: Html, schema: Schema, need: string): Html {
  return html`<dt>${name} <span class="note">${typeHtml(schema)}</span> <span class="note">${need}</span></dt>
<dd>${schemaHtml(schema)}</dd>
`;
}

/** Whether the type shows everything. */
function isShort(schema: Schema): boolean {
  const others = Object.keys(schema).filter((keyword) => keyword !== '$ref' && keyword !== 'type');
  return others.length === 0 || (others.join() === 'items' && isShort(schema.items ?? {}));
}

const code = (value: unknown) => html`<code>${typeof value === 'string' ? value : JSON.stringify(value)}</code>`;

/** Keywords whose name and value say enough. */
function facts(schema: Schema): Html | null {
  const isListed = ([keyword, value]: readonly [string, unknown]) =>
    !SHOWN.has(keyword) && (!INNER.has(keyword) || typeof value === 'boolean');
  const said = Object.entries(schema).filter(isListed);
  if (said.length === 0) return null;
  const items = said.map(([keyword, value]) => html`${keyword} ${joined([value].flat().map(code), ', ')}`);
  return html`<p class="note">${joined(items, '; ')}</p>\n`;
}

function members({ properties = {}, patternProperties = {}, required = [] }: Schema): Html {
  const named = Object.entries(properties).map(([name, member]) =>
    memberHtml(code(name), member, required.includes(name) ? 'required' : 'optional'),
  );
  const matching = Object.entries(patternProperties).map(([pattern, member]) =>
    memberHtml(html`names that match ${code(pattern)}`, member, ''),
  );
  const others = required.filter((name) => !(name in properties));
  return html`${others.length === 0 ? null : html`<p>Required: ${joined(others.map(code), ', ')}.</p>\n`}${
    named.length + matching.length === 0 ? null : html`<dl>\n${named}${matching}</dl>\n`
  }`;
}

/** Inner schemas, unless the type has shown them. */
function inner(schema: Schema, keyword: string): Html | null {
  const schemas = [schema[keyword] ?? []].flat().filter((each): each is Schema => typeof each === 'object');
  const isShown = (keyword === 'oneOf' || (keyword === 'items' && schema.type === 'array')) && schemas.every(isShort);
  if (schemas.length === 0 || isShown) return null;
  const items = schemas.map((each) => html`<li><span class="note">${typeHtml(each)}</span>${schemaHtml(each)}</li>\n`);
  return html`<p>${INNER.get(keyword) ?? keyword}:</p>\n<ul>\n${items}</ul>\n`;
}
