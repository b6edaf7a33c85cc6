import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ApiDocument, apiPage, type Operation, roleOf } from '../../../scripts/pages/api-page.js';
import { type BuiltFile, sha256 } from '../../../scripts/pages/built-file.js';
import { iconFile } from '../../../scripts/pages/bundle.js';
import { buildDocs } from '../../../scripts/pages/docs.js';
import { prose } from '../../../scripts/pages/html.js';
import { PROBLEM_CODES } from '../../../src/core/codes.js';
import { OPENAPI_DOCUMENT } from '../../contract/openapi-document.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const API = OPENAPI_DOCUMENT as unknown as ApiDocument;
const FILES = { style: '/inspector/docs.css', icon: '/inspector/icon.svg' };

const page = apiPage(API, FILES);

const CALLS = Object.entries(API.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
);

/** The part of the page about a call. */
function partOf({ operationId }: Operation): string {
  const start = page.indexOf(`<h3 id="operation-${operationId}">`);
  return page.slice(start, page.indexOf('</article>', start));
}

const every = (pattern: RegExp, text: string) => [...text.matchAll(pattern)].map(([, found = '']) => found);

/** Text as it reads: without tags, and entities as characters. */
const read = (part: string) =>
  part
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

describe('the page of the API', () => {
  it('has every call in its contents, under the groups of the document', () => {
    const [, contents = ''] = /<nav class="contents"[^>]*>(.*?)<\/nav>/s.exec(page) ?? [];
    const calls = every(/<a href="#operation-\w+">([^<]*)</g, contents);
    expect(calls.sort()).toEqual(CALLS.map(([call]) => call).sort());
    const sections = every(/<a href="#(?!operation)[\w-]+">([^<]*)</g, contents);
    expect(sections).toEqual([
      'Attestation',
      'Keys',
      'Policies',
      'Receipts',
      'Decisions',
      'Operation',
      'Credentials',
      'Shared answers',
      'Headers of answers',
      'Shared examples',
      'Schemas',
    ]);
  });

  it.each(CALLS)('shows everything that the document says of %s', (call, operation) => {
    const part = partOf(operation);
    const { summary, description, security, parameters = [], requestBody, responses } = operation;
    expect(read(part)).toContain(`${call}\n${summary}`);
    const [, role] = /Needs the role `([a-z:]+)`/.exec(description ?? '') ?? [];
    expect(role === undefined).toBe(security?.length === 0);
    const needed = role === undefined ? 'Needs no role: everybody may call it.' : `Role: <code>${role}</code>`;
    expect(part).toContain(`<p>${needed}</p>`);
    if (description !== undefined) expect(part).toContain(`</p>\n${prose(description).text}`);
    for (const { name, in: where } of parameters) expect(part).toContain(`<code>${name}</code> in the ${where} `);
    expect(part.includes('<h4>Body of the request</h4>')).toBe(requestBody !== undefined);
    const [, answers = ''] = part.split('<h4>Answers</h4>');
    for (const status of Object.keys(responses)) expect(answers).toContain(`<dt>${status}</dt>`);
  });

  it('shows the example of a request in full, closed', () => {
    const verify = CALLS.find(([call]) => call === 'POST /verify')?.[1] as Operation;
    const [, summary, shown = ''] =
      /<details>\n<summary>(.*?)<\/summary>\n.*?<code>(.*?)<\/code>/s.exec(partOf(verify)) ?? [];
    expect(summary).toBe('A simulated Azure confidential VM (denied)');
    expect(JSON.parse(read(shown))).toEqual(requestExample(verify));
  });

  it('shows every problem code', () => {
    for (const code of PROBLEM_CODES) expect(page).toContain(`<code>${code}</code>`);
  });

  it('has descriptions with paragraphs, code and strong text alone', () => {
    const rest = page.replaceAll(/<(code|a|pre|summary)\b.*?<\/\1>/gs, '');
    expect(rest).not.toMatch(/`|\*\*|\]\(|>\s*(?:[-*#|]|\d+\.) /);
  });

  it('shows hostile text of the document as text', () => {
    const hostile = '"><script>alert(1)</script>';
    const call: Operation = {
      operationId: 'x',
      tags: ['keys'],
      summary: hostile,
      description: hostile,
      security: [],
      parameters: [{ name: hostile, in: hostile, description: hostile, schema: { type: hostile } }],
      requestBody: { content: { [hostile]: { schema: {}, examples: { a: { summary: hostile, value: hostile } } } } },
      responses: { [hostile]: { description: hostile, headers: { [hostile]: { description: '', schema: {} } } } },
    };
    const shown = apiPage({ ...API, paths: { [hostile]: { [hostile]: call } } }, FILES);
    expect(shown).not.toContain('<script');
    expect(shown).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });
});

describe('the built page', () => {
  let files: readonly BuiltFile[] = [];
  let built = '';

  beforeAll(async () => {
    files = await buildDocs(ROOT, iconFile(ROOT), OPENAPI_DOCUMENT);
    built = Buffer.from(files[0]?.content ?? []).toString('utf8');
  });

  it('is /docs, with a style of its own', () => {
    expect(files.map(({ path }) => path)).toEqual(['/docs', expect.stringMatching(/^\/inspector\/docs-\w{8}\.css$/)]);
    expect(every(/<link rel="\w+" href="([^"]*)">/g, built)).toEqual([iconFile(ROOT).path, files[1]?.path]);
  });

  it('links to anchors that it has, each of which it has once', () => {
    const ids = every(/ id="([^"]*)"/g, built);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    const links = every(/ href="([^"]*)"/g, built);
    const anchors = links.filter((link) => link.startsWith('#'));
    expect(anchors.filter((anchor) => !ids.includes(anchor.slice(1)))).toEqual([]);
    expect(anchors.length).toBeGreaterThan(500);
    const pages = ['/', '/docs', '/openapi.json', ...files.map(({ path }) => path), iconFile(ROOT).path];
    expect(links.filter((link) => !link.startsWith('#') && !pages.includes(link))).toEqual([]);
  });

  it('has no script, no style of its own, and no handler', () => {
    const tags = built.match(/<[a-z][^>]*>/g) ?? [];
    expect(tags.filter((tag) => /^<(?:script|style|iframe|object|form|base)\b| (?:style|on\w+)=/.test(tag))).toEqual(
      [],
    );
  });

  it('has a language, one heading of the first level, and no heading that skips a level', () => {
    expect(built).toMatch(/^<!doctype html>\n<html lang="en">/);
    const levels = every(/<h(\d)/g, built).map(Number);
    expect(levels.filter((level) => level === 1)).toEqual([1]);
    expect(levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1)).toEqual([]);
  });

  it('is the same each time', async () => {
    const digests = (each: readonly BuiltFile[]) => each.map(({ path, content }) => [path, sha256(content)]);
    expect(digests(await buildDocs(ROOT, iconFile(ROOT), OPENAPI_DOCUMENT))).toEqual(digests(files));
  });
});

describe('the role of a call', () => {
  const call = { operationId: 'x', tags: [], summary: '', responses: {} };

  it('is the role in its description, and none if no credential is needed', () => {
    expect(roleOf({ ...call, description: 'Does it. Needs the role `audit:read`.' })).toBe('audit:read');
    expect(roleOf({ ...call, description: 'Does it.', security: [] })).toBeNull();
  });

  it.each([
    { ...call, description: 'Does it.' },
    { ...call, description: 'Needs the role `verify`.', security: [] },
  ])('is named, or the build fails: %j', (operation) => {
    expect(() => roleOf(operation)).toThrow('x does not say which role it needs, or that it needs none');
  });
});

function requestExample({ requestBody }: Operation): unknown {
  const [content] = Object.values(requestBody?.content ?? {});
  const [example] = Object.values(content?.examples ?? {});
  return example !== undefined && 'value' in example ? example.value : null;
}
