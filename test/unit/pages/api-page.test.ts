import { describe, expect, it } from 'vitest';
import { type ApiDocument, apiPage, type Operation, roleOf } from '../../../scripts/pages/api-page.js';
import { html } from '../../../scripts/pages/html.js';
import { renderText } from '../../../scripts/pages/markdown.js';
import { MALFORMED_CODES, PROBLEM_CODES } from '../../../src/model/codes.js';
import { OPENAPI_DOCUMENT } from '../../../src/wire/generated/openapi-document.js';

const API = OPENAPI_DOCUMENT as unknown as ApiDocument;
const LINKS = { linkTo: (file: string) => ({ file }), pictureAt: (src: string) => src };

const page = apiPage(API, (markdown) => renderText(markdown, LINKS));
const { text } = page.body;

const CALLS = Object.entries(API.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
);

/** What stands on the page about a call. */
function partOf({ operationId }: Operation): string {
  const start = text.indexOf(`<h3 id="operation-${operationId}">`);
  return text.slice(start, text.indexOf('</article>', start));
}

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
    const calls = page.contents.flatMap(({ below }) => below);
    expect(calls.map((entry) => entry.text).sort()).toEqual(CALLS.map(([call]) => call).sort());
    expect(page.contents.map((entry) => entry.text)).toEqual([
      'Attestation',
      'Keys',
      'Policies',
      'Receipts',
      'Decisions',
      'Operation',
      'Credentials',
      'Answers that calls share',
      'Headers of answers',
      'Problem codes',
      'Examples that calls share',
      'Schemas',
    ]);
  });

  it.each(CALLS)('says all that the document says of %s', (call, operation) => {
    const part = partOf(operation);
    const { summary, description = '', security, parameters = [], requestBody, responses } = operation;
    expect(read(part)).toContain(`${call}\n${summary}`);
    const [, role] = /Needs the role `([a-z:]+)`/.exec(description) ?? [];
    expect(role === undefined).toBe(security?.length === 0);
    const needed = role === undefined ? 'Needs no role: everybody may call it.' : `Role: <code>${role}</code>`;
    expect(part).toContain(`<p>${needed}</p>`);
    expect(part).toContain(`</p>\n${renderText(description, LINKS).text}`);
    for (const { name, in: where } of parameters) expect(part).toContain(`<code>${name}</code> in the ${where} `);
    expect(part.includes('<h4>Body of the request</h4>')).toBe(requestBody !== undefined);
    const [, answers = ''] = part.split('<h4>Answers</h4>');
    for (const status of Object.keys(responses)) expect(answers).toContain(`<dt>${status}</dt>`);
  });

  it('shows the example of a request in full, closed', () => {
    const verify = CALLS.find(([call]) => call === 'POST /verify')?.[1] as Operation;
    const [, summary, shown = ''] =
      /<details>\n<summary>(.*?)<\/summary>\n.*?<code>(.*?)<\/code>/s.exec(partOf(verify)) ?? [];
    expect(summary).toBe('Example: A simulated Azure confidential VM (denied)');
    expect(JSON.parse(read(shown))).toEqual(requestExample(verify));
  });

  it('has every schema, answer, header, credential and example that calls refer to, with an anchor', () => {
    const { schemas, responses, headers, securitySchemes, examples } = API.components;
    const kinds = {
      schema: schemas,
      answer: responses,
      header: headers,
      credential: securitySchemes,
      example: examples,
    };
    for (const [kind, parts] of Object.entries(kinds)) {
      for (const name of Object.keys(parts)) expect(text.split(`id="${kind}-${name}"`), name).toHaveLength(2);
    }
  });

  it('has every problem code, with its status and its address in the list of codes', () => {
    const [, list = ''] = text.split('<h2 id="problem-codes">');
    const status = (code: string) =>
      new RegExp(`<a href="/guide/codes#${code}"><code>${code}</code></a> <span class="type">(\\d+)</span>`).exec(
        list,
      )?.[1];
    for (const code of MALFORMED_CODES) expect([code, status(code)]).toEqual([code, '400']);
    expect(['unauthorized', 'not_found', 'overloaded', 'internal_error'].map(status)).toEqual([
      '401',
      '404',
      '503',
      '500',
    ]);
    for (const code of PROBLEM_CODES) expect([code, status(code)]).toEqual([code, expect.stringMatching(/^[45]/)]);
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
    const document = { ...API, paths: { [hostile]: { [hostile]: call } } };
    const { body } = apiPage(document, (markdown) => renderText(markdown, LINKS));
    expect(body.text).not.toContain('<script');
    expect(body.text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  it.each(['#/components/responses/Malformed', 'examples/none.json'])(
    'refers to nothing of another kind: %s',
    ($ref) => {
      const content = { 'text/plain': { schema: {}, examples: { a: { $ref } } } };
      const call: Operation = { ...CALLS[0]?.[1], responses: { '200': { description: '', content } } } as Operation;
      const document = { ...API, paths: { '/verify': { post: call } } };
      expect(() => apiPage(document, () => html``)).toThrow(`${$ref} is none of examples`);
    },
  );
});

describe('the role of a call', () => {
  const call = { operationId: 'x', tags: [], summary: '', responses: {} };

  it('is that of its description, and none where nobody needs a credential', () => {
    expect(roleOf({ ...call, description: 'Does it. Needs the role `audit:read`.' })).toBe('audit:read');
    expect(roleOf({ ...call, description: 'Does it.', security: [] })).toBeNull();
  });

  it.each([
    { ...call, description: 'Does it.' },
    { ...call, description: 'Needs the role `verify`.', security: [] },
  ])('is said, or nothing is built: %j', (operation) => {
    expect(() => roleOf(operation)).toThrow('x does not say which role it needs, or that it needs none');
  });
});

function requestExample({ requestBody }: Operation): unknown {
  const [content] = Object.values(requestBody?.content ?? {});
  const [example] = Object.values(content?.examples ?? {});
  return example !== undefined && 'value' in example ? example.value : null;
}
