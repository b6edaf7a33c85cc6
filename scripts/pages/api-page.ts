import { type Html, html, joined, prose } from './html.js';
import { linkTo, memberHtml, type Schema, schemaHtml, typeHtml } from './schema-html.js';

/** An OpenAPI 3.1 document, as far as openapi.yaml uses it. Examples contain their values. */
export interface ApiDocument {
  readonly info: { readonly version: string; readonly summary: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Named<Named<Operation>>;
  readonly components: {
    readonly securitySchemes: Named<{ readonly description: string }>;
    readonly headers: Named<Described>;
    readonly responses: Named<Response>;
    readonly examples: Named<Example>;
    readonly schemas: Named<Schema>;
  };
}

type Named<Of> = Readonly<Record<string, Of>>;
/** A part by itself, or its place in `components`. */
type OrReference<Of> = Of | { readonly $ref: string };

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  /** Empty if no credential is needed. */
  readonly security?: readonly unknown[];
  readonly parameters?: readonly (Described & {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
  })[];
  readonly requestBody?: { readonly content: Named<Content> };
  readonly responses: Named<OrReference<Response>>;
}

/** A parameter or a header. */
interface Described {
  readonly description?: string;
  readonly schema: Schema;
  readonly example?: unknown;
}

interface Response {
  readonly description: string;
  readonly headers?: Named<OrReference<Described>>;
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

/** URLs of the files that the page loads. */
interface PageFiles {
  readonly style: string;
  readonly icon: string;
}

interface Section {
  readonly id: string;
  readonly title: string;
  readonly parts: readonly Html[];
  readonly operations?: readonly Call[];
}

interface Call {
  readonly name: string;
  readonly operation: Operation;
}

/** Renders the contract as one page, with an anchor for each operation and each shared part. It has no script. */
export function apiPage({ info, tags, paths, components }: ApiDocument, { style, icon }: PageFiles): string {
  const sections = [...operationSections(tags, paths), ...sharedSections(components)];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>API - veritee</title>
<link rel="icon" href="${icon}">
<link rel="stylesheet" href="${style}">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<p class="product">veritee</p>
<nav aria-label="Pages"><a href="/">Inspector</a> <a href="/docs" aria-current="page">API</a></nav>
</header>
<div class="page">
<nav class="contents" aria-label="On this page"><ul>
${sections.map(contentsEntry)}</ul></nav>
<main id="content" tabindex="-1">
<h1>API</h1>
<p>${info.summary} Version ${info.version}. The same for programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
${prose(info.description)}${sections.map(
  ({ id, title, parts }) => html`<section>\n<h2 id="${id}">${title}</h2>\n${parts}</section>\n`,
)}</main>
</div>
</body>
</html>
`.text;
}

function contentsEntry({ id, title, operations = [] }: Section): Html {
  const links = operations.map(
    ({ name, operation }) => html`<li><a href="#operation-${operation.operationId}">${name}</a></li>\n`,
  );
  return html`<li><a href="#${id}">${title}</a>${links.length === 0 ? null : html`<ul>\n${links}</ul>`}</li>\n`;
}

function operationSections(tags: ApiDocument['tags'], paths: ApiDocument['paths']): readonly Section[] {
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
  );
  return tags.map(({ name, description }) => {
    const operations = calls.filter(({ operation }) => operation.tags.includes(name));
    const parts = [html`<p>${description}.</p>\n`, ...operations.map(operationHtml)];
    return { id: `tag-${name}`, title: name.replace(/^./, (letter) => letter.toUpperCase()), parts, operations };
  });
}

function sharedSections(components: ApiDocument['components']): readonly Section[] {
  const { securitySchemes, responses, headers, examples, schemas } = components;
  return [
    shared('securitySchemes', 'Credentials', securitySchemes, ({ description }) => prose(description)),
    shared('responses', 'Shared answers', responses, responseHtml),
    shared('headers', 'Headers of answers', headers, (header) => schemaHtml(withExample(header))),
    shared(
      'examples',
      'Shared examples',
      examples,
      ({ summary = '', value }) => html`<p>${summary}</p>\n${codeBlock(value)}`,
    ),
    shared(
      'schemas',
      'Schemas',
      schemas,
      (schema) => html`<p class="note">${typeHtml(schema)}</p>\n${schemaHtml(schema)}`,
    ),
  ];
}

function shared<Of>(id: string, title: string, parts: Named<Of>, render: (part: Of) => Html): Section {
  const rendered = Object.entries(parts).map(
    ([name, part]) => html`<article>\n<h3 id="${id}-${name}">${name}</h3>\n${render(part)}</article>\n`,
  );
  return { id, title, parts: rendered };
}

function operationHtml({ name, operation }: Call): Html {
  const { operationId, summary, description = '', parameters = [], requestBody, responses } = operation;
  const role = roleOf(operation);
  return html`<article>
<h3 id="operation-${operationId}"><code>${name}</code></h3>
<p><strong>${summary}</strong></p>
<p>${role === null ? 'Needs no role: everybody may call it.' : html`Role: <code>${role}</code>`}</p>
${description === '' ? null : prose(description)}${
  parameters.length === 0
    ? null
    : html`<h4>Parameters</h4>\n<dl>\n${parameters.map((each) =>
        memberHtml(
          html`<code>${each.name}</code> in the ${each.in}`,
          withExample(each),
          each.required === true ? 'required' : 'optional',
        ),
      )}</dl>\n`
}${requestBody === undefined ? null : html`<h4>Body of the request</h4>\n${contentHtml(requestBody.content)}`}<h4>Answers</h4>
<dl>
${Object.entries(responses).map(([status, response]) => html`<dt>${status}</dt>\n<dd>${orLink(response, responseHtml)}</dd>\n`)}</dl>
</article>
`;
}

/**
 * Reads the role that an operation needs from its description; null if it needs none.
 * @throws {Error} if the description says neither
 */
export function roleOf({ operationId, description = '', security }: Operation): string | null {
  const [, role = null] = /Needs the role `([a-z:]+)`/.exec(description) ?? [];
  if ((role === null) !== (security?.length === 0)) {
    throw new Error(`${operationId} does not say which role it needs, or that it needs none`);
  }
  return role;
}

function withExample({ schema, description, example }: Described): Schema {
  return {
    ...schema,
    ...(description === undefined ? {} : { description }),
    ...(example === undefined ? {} : { example }),
  };
}

const orLink = <Of extends object>(part: OrReference<Of>, render: (part: Of) => Html) =>
  '$ref' in part ? linkTo(part.$ref) : render(part);

function responseHtml({ description, headers = {}, content = {} }: Response): Html {
  const names = Object.entries(headers).map(
    ([name, header]) => html`${name} (${orLink(header, ({ schema }) => typeHtml(schema))})`,
  );
  return html`${prose(description)}${names.length === 0 ? null : html`<p>Headers: ${joined(names, ', ')}</p>\n`}${contentHtml(content)}`;
}

function contentHtml(content: Named<Content>): Html {
  return html`${Object.entries(content).map(
    ([
      mediaType,
      { schema, examples = {} },
    ]) => html`<p><code>${mediaType}</code> <span class="note">${typeHtml(schema)}</span></p>
${schemaHtml(schema)}${Object.entries(examples).map(
  ([name, example]) =>
    html`<div>Example: ${orLink(example, ({ summary = name, value }) => html`<details>\n<summary>${summary}</summary>\n${codeBlock(value)}</details>`)}</div>\n`,
)}`,
  )}`;
}

/** Wide content scrolls inside itself, by keyboard too. */
function codeBlock(value: unknown): Html {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return html`<div class="scroll" role="group" aria-label="Example" tabindex="0"><pre><code>${text}</code></pre></div>\n`;
}
