import { MALFORMED_ROWS } from '../../src/model/malformed-codes.js';
import { PROBLEM_ROWS } from '../../src/model/problem-codes.js';
import { type Html, html, joined, NOTHING } from './html.js';
import { codeBlock } from './markdown.js';
import type { ContentsEntry, Page } from './page-html.js';
import {
  memberHtml,
  type Schema,
  type SchemaContext,
  type Schemas,
  schemaAnchor,
  schemaHtml,
  typeHtml,
} from './schema-html.js';

/** An OpenAPI 3.1 document, as far as openapi.yaml uses it. Examples have their values in them. */
export interface ApiDocument {
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly summary: string;
    readonly description: string;
  };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Named<Named<Operation>>;
  readonly components: {
    readonly securitySchemes: Named<SecurityScheme>;
    readonly headers: Named<Header>;
    readonly responses: Named<Answer>;
    readonly examples: Named<Example>;
    readonly schemas: Schemas;
  };
}

type Named<Of> = Readonly<Record<string, Of>>;
/** A part by itself, or where it stands in `components`. */
type OrReference<Of> = Of | { readonly $ref: string };

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  /** Empty: nobody needs a credential. */
  readonly security?: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Named<Content> };
  readonly responses: Named<OrReference<Answer>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
  readonly example?: unknown;
}

interface Header {
  readonly description: string;
  readonly schema: Schema;
  readonly example?: unknown;
}

interface Answer {
  readonly description: string;
  readonly headers?: Named<OrReference<Header>>;
  readonly content?: Named<Content>;
}

interface Content {
  readonly schema: Schema;
  readonly examples?: Named<OrReference<Example>>;
}

interface Example {
  readonly summary?: string;
  readonly value: unknown;
}

interface SecurityScheme {
  readonly description: string;
}

/** The contract as a page: every operation, and all that they refer to, each with an anchor. */
export function apiPage(document: ApiDocument, text: SchemaContext['text']): Page {
  const { info, tags, paths, components } = document;
  const context: SchemaContext = { text, valueHref: codeHref(components.schemas) };
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Call => ({ method: method.toUpperCase(), path, operation })),
  );
  const groups = tags.map((tag) => ({
    ...tag,
    calls: calls.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  const sections = [
    ...groups.map((group) => groupSection(group, context)),
    section('authentication', 'Credentials', Object.entries(components.securitySchemes).map(credential(context))),
    section('answers', 'Answers that calls share', Object.entries(components.responses).map(sharedAnswer(context))),
    section('headers', 'Headers of answers', [headerList(components.headers, context)]),
    section('problem-codes', 'Problem codes', [problemCodes(components.schemas)]),
    section('examples', 'Examples that calls share', Object.entries(components.examples).map(sharedExample)),
    section('schemas', 'Schemas', [schemaIndex(components.schemas), ...schemaSections(components.schemas, context)]),
  ];
  return {
    title: `API - ${info.title}`,
    current: '/docs',
    contents: sections.map(({ entry }) => entry),
    body: html`<h1>API</h1>
<p>${info.summary} Version ${info.version}. The same for programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
${text(info.description)}
${joined(
  sections.map(({ body }) => body),
  '\n',
)}`,
  };
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

interface Section {
  readonly entry: ContentsEntry;
  readonly body: Html;
}

interface Group {
  readonly name: string;
  readonly description: string;
  readonly calls: readonly Call[];
}

function section(id: string, name: string, parts: readonly Html[], below: readonly ContentsEntry[] = []): Section {
  return {
    entry: { href: `#${id}`, text: name, below },
    body: html`<section>\n<h2 id="${id}">${name}</h2>\n${joined(parts, '\n')}\n</section>`,
  };
}

function groupSection({ name, description, calls }: Group, context: SchemaContext): Section {
  const title = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  const below = calls.map(({ method, path, operation }) => ({
    href: `#${anchorOf(operation)}`,
    text: `${method} ${path}`,
    below: [],
  }));
  const parts = [context.text(`${description}.`), ...calls.map((call) => callHtml(call, context))];
  return section(`tag-${name}`, title, parts, below);
}

const anchorOf = ({ operationId }: Operation) => `operation-${operationId}`;

function callHtml({ method, path, operation }: Call, context: SchemaContext): Html {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  return html`<article>
<h3 id="${anchorOf(operation)}"><span class="method">${method}</span> <code>${path}</code></h3>
<p class="summary">${summary}</p>
<p>${roleHtml(operation)}</p>
${description === undefined ? NOTHING : context.text(description)}
${parameters.length === 0 ? NOTHING : html`<h4>Parameters</h4>\n<dl class="members">\n${parameters.map((each) => parameterHtml(each, context))}</dl>`}
${requestBody === undefined ? NOTHING : html`<h4>Body of the request</h4>\n${contents(requestBody.content, context)}`}
<h4>Answers</h4>
<dl class="answers">
${Object.entries(responses).map(([status, answer]) => answerHtml(status, answer, context))}</dl>
</article>
`;
}

function roleHtml(operation: Operation): Html {
  const role = roleOf(operation);
  return role === null ? html`Needs no role: everybody may call it.` : html`Role: <code>${role}</code>`;
}

/**
 * The role that a call needs, as its description says it. Null: none.
 *
 * @throws {Error} where it says neither
 */
export function roleOf({ operationId, description = '', security }: Operation): string | null {
  const [, role = null] = /Needs the role `([a-z:]+)`/.exec(description) ?? [];
  if ((role === null) !== (security?.length === 0)) {
    throw new Error(`${operationId} does not say which role it needs, or that it needs none`);
  }
  return role;
}

function parameterHtml(
  { name, in: where, required = false, description, schema, example }: Parameter,
  context: SchemaContext,
): Html {
  const label = html`<code>${name}</code> in the ${where}`;
  return memberHtml({ name: label, schema: described(schema, description, example), isRequired: required }, context);
}

/** A schema, with what is said where it is used. */
function described(schema: Schema, description: string | undefined, example: unknown): Schema {
  return {
    ...schema,
    ...(description === undefined ? {} : { description }),
    ...(example === undefined ? {} : { examples: [example] }),
  };
}

function answerHtml(status: string, answer: OrReference<Answer>, context: SchemaContext): Html {
  if ('$ref' in answer) {
    const name = nameIn(answer, 'responses');
    return html`<dt>${status}</dt>\n<dd><a href="#answer-${name}">${spaced(name)}</a></dd>\n`;
  }
  return html`<dt>${status}</dt>\n<dd>${answerBody(answer, context)}</dd>\n`;
}

function answerBody({ description, headers = {}, content = {} }: Answer, context: SchemaContext): Html {
  const named = Object.entries(headers).map(([name, header]) => {
    const target = '$ref' in header ? html`<a href="#header-${nameIn(header, 'headers')}">${name}</a>` : html`${name}`;
    return html`<p>Header ${target}</p>\n`;
  });
  return html`${context.text(description)}${named}${contents(content, context)}`;
}

function contents(content: Named<Content>, context: SchemaContext): Html {
  const parts = Object.entries(content).map(([mediaType, { schema, examples = {} }]) => {
    const shown = Object.entries(examples).map(([name, example]) => exampleHtml(name, example));
    return html`<p><code>${mediaType}</code> <span class="type">${typeHtml(schema)}</span></p>
${schemaHtml(schema, context)}${shown}`;
  });
  return joined(parts);
}

function exampleHtml(name: string, example: OrReference<Example>): Html {
  if ('$ref' in example) {
    const shared = nameIn(example, 'examples');
    return html`<p>Example: <a href="#example-${shared}">${spaced(shared)}</a></p>\n`;
  }
  return html`<details>
<summary>Example: ${example.summary ?? spaced(name)}</summary>
${valueHtml(example.value)}</details>
`;
}

const valueHtml = (value: unknown) =>
  codeBlock(typeof value === 'string' ? value : JSON.stringify(value, null, 2), 'Example');

const credential =
  ({ text }: SchemaContext) =>
  ([name, { description }]: readonly [string, SecurityScheme]) =>
    html`<h3 id="credential-${name}">${spaced(name)}</h3>\n${text(description)}`;

const sharedAnswer =
  (context: SchemaContext) =>
  ([name, answer]: readonly [string, Answer]) =>
    html`<h3 id="answer-${name}">${spaced(name)}</h3>\n${answerBody(answer, context)}`;

const sharedExample = ([name, { summary = '', value }]: readonly [string, Example]) =>
  html`<h3 id="example-${name}">${spaced(name)}</h3>\n<p>${summary}</p>\n${valueHtml(value)}`;

function headerList(headers: Named<Header>, context: SchemaContext): Html {
  const items = Object.entries(headers).map(([name, { description, schema, example }]) => {
    const label = html`<span id="header-${name}">${spaced(name)}</span>`;
    return memberHtml({ name: label, schema: described(schema, description, example), isRequired: null }, context);
  });
  return html`<dl class="members">\n${items}</dl>`;
}

function schemaIndex(schemas: Schemas): Html {
  const links = Object.keys(schemas).map((name) => html`<li><a href="#${schemaAnchor(name)}">${name}</a></li>`);
  return html`<ul class="index">\n${joined(links, '\n')}\n</ul>`;
}

function schemaSections(schemas: Schemas, context: SchemaContext): readonly Html[] {
  return Object.entries(schemas).map(
    ([name, schema]) => html`<article>
<h3 id="${schemaAnchor(name)}">${name}</h3>
<p class="type">${typeHtml(schema)}</p>
${schemaHtml(schema, context)}
</article>`,
  );
}

/** Each code of a problem document, with the status that it comes with and what it says. */
function problemCodes(schemas: Schemas): Html {
  const rows: Readonly<
    Record<string, { readonly status?: number; readonly meaning?: string; readonly when?: string }>
  > = {
    ...MALFORMED_ROWS,
    ...PROBLEM_ROWS,
  };
  const items = codesOf(schemas, 'ProblemCode').map((code) => {
    const { status, meaning, when } = rows[code] ?? { status: 500, meaning: 'the request could not be answered' };
    return html`<dt><a href="${codeAddress(code)}"><code>${code}</code></a> <span class="type">${status ?? 400}</span></dt>
<dd>${meaning ?? when ?? ''}</dd>
`;
  });
  return html`<dl class="members">\n${items}</dl>`;
}

/** Schemas whose values are codes, each of which has a heading in the list of codes. */
const CODE_SCHEMAS = ['ProblemCode', 'CheckId', 'PolicyProblemCode'];

function codeHref(schemas: Schemas): SchemaContext['valueHref'] {
  const codes = new Set(CODE_SCHEMAS.flatMap((name) => codesOf(schemas, name)));
  return (value) => (codes.has(value) ? codeAddress(value) : null);
}

const codesOf = (schemas: Schemas, name: string) => (schemas[name]?.enum ?? []).map(String);
const codeAddress = (code: string) => `/guide/codes#${code}`;

/** Name of what a reference leads to. */
function nameIn({ $ref }: { readonly $ref: string }, kind: string): string {
  const [, found, name = ''] = /^#\/components\/(\w+)\/(\w+)$/.exec($ref) ?? [];
  if (found !== kind) throw new Error(`${$ref} is none of ${kind}`);
  return name;
}

/** A name in camel case as words. */
function spaced(name: string): string {
  const words = name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
