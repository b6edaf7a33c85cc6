import { describe, expect, it } from 'vitest';
import { html } from '../../../scripts/pages/html.js';
import { memberHtml, type Schema, schemaHtml, typeHtml } from '../../../scripts/pages/schema-html.js';

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const link = (name: string) => `<a href="#schemas-${name}">${name}</a>`;
const shown = (schema: Schema) => schemaHtml(schema).text.trim();

describe('the type of a value', () => {
  it.each<readonly [Schema, string]>([
    [{ type: 'string', description: 'x' }, 'string'],
    [{ type: ['string', 'null'] }, 'string or null'],
    [ref('Hex'), link('Hex')],
    [{ ...ref('Hex'), description: 'x' }, link('Hex')],
    [{ type: 'array', items: ref('Hex') }, `array of ${link('Hex')}`],
    [{ type: 'array', items: { type: 'array', items: { type: 'integer' } } }, 'array of array of integer'],
    [{ type: 'array', items: { type: 'object', properties: {} } }, 'array of items'],
    [{ oneOf: [ref('Instant'), { type: 'null' }] }, `${link('Instant')} or null`],
    [{ type: 'object', oneOf: [ref('A'), ref('B')] }, `${link('A')} or ${link('B')}`],
    [{ oneOf: [ref('A'), { type: 'string', minLength: 1 }] }, ''],
    [{ description: 'x' }, ''],
  ])('is shown in a few words, with links to schemas: %j', (schema, expected) => {
    expect(typeHtml(schema).text).toBe(expected);
  });

  it('is a schema of this document, or the build fails', () => {
    expect(() => typeHtml({ $ref: 'https://example.com/schema' })).toThrow(
      'https://example.com/schema is not a part of this document',
    );
  });
});

describe('a schema', () => {
  it('shows each member, with its type, whether it is required, and its description', () => {
    const schema: Schema = {
      type: 'object',
      required: ['nonce'],
      properties: { nonce: { type: 'string', description: 'Bytes.' }, policy: ref('PolicyId') },
    };
    expect(shown(schema)).toBe(
      [
        '<dl>',
        '<dt><code>nonce</code> <span class="note">string</span> <span class="note">required</span></dt>',
        '<dd><p>Bytes.</p>',
        '</dd>',
        `<dt><code>policy</code> <span class="note">${link('PolicyId')}</span> <span class="note">optional</span></dt>`,
        '<dd></dd>',
        '</dl>',
      ].join('\n'),
    );
  });

  it('shows the members of inner objects, and links to itself', () => {
    const node: Schema = {
      type: 'object',
      properties: {
        parts: { type: 'array', items: ref('Node') },
        inner: { type: 'object', properties: { next: ref('Node') } },
      },
    };
    const text = shown(node);
    expect(text).toContain(`array of ${link('Node')}`);
    expect(text.match(/<dl>/g)).toHaveLength(2);
    expect(text).toContain(`<code>next</code> <span class="note">${link('Node')}</span>`);
  });

  it('shows each alternative that its type has not shown', () => {
    const text = shown({ oneOf: [ref('A'), { type: 'object', properties: { b: { type: 'string' } } }] });
    expect(text).toContain(`<p>One of these:</p>\n<ul>\n<li><span class="note">${link('A')}</span></li>`);
    expect(text).toContain('<li><span class="note">object</span><dl>');
    expect(shown({ oneOf: [ref('A'), ref('B')] })).toBe('');
    expect(shown({ type: 'array', items: ref('A') })).toBe('');
  });

  it.each<readonly [Schema, string]>([
    [{ const: 'sig' }, 'const <code>sig</code>'],
    [{ enum: ['a', 1, null] }, 'enum <code>a</code>, <code>1</code>, <code>null</code>'],
    [{ minLength: 1, pattern: '^<' }, 'minLength <code>1</code>; pattern <code>^&lt;</code>'],
    [{ uniqueItems: true, default: false }, 'uniqueItems <code>true</code>; default <code>false</code>'],
    [{ dependentRequired: { a: ['b'] } }, 'dependentRequired <code>{&quot;a&quot;:[&quot;b&quot;]}</code>'],
    [{ additionalProperties: false }, 'additionalProperties <code>false</code>'],
    [{ multipleOf: 2 }, 'multipleOf <code>2</code>'],
  ])('shows every other keyword with its value: %j', (schema, expected) => {
    expect(shown(schema)).toBe(`<p class="note">${expected}</p>`);
  });

  it('shows required members that it does not describe', () => {
    expect(shown({ required: ['d'] })).toBe('<p>Required: <code>d</code>.</p>');
  });

  it.each([
    ['items', 'Each item'],
    ['anyOf', 'At least one of these'],
    ['allOf', 'All of these'],
    ['not', 'Not'],
    ['if', 'If'],
    ['then', 'Then'],
    ['else', 'Otherwise'],
    ['contentSchema', 'The content'],
    ['additionalProperties', 'Every other member'],
  ])('shows the schemas under %s', (keyword, label) => {
    expect(shown({ [keyword]: { type: 'string', const: 'x' } })).toBe(
      `<p>${label}:</p>\n<ul>\n<li><span class="note">string</span><p class="note">const <code>x</code></p>\n</li>\n</ul>`,
    );
  });

  it('shows the members under patternProperties', () => {
    expect(shown({ patternProperties: { '^x': { type: 'string' } } })).toBe(
      '<dl>\n<dt>names that match <code>^x</code> <span class="note">string</span> <span class="note"></span></dt>\n<dd></dd>\n</dl>',
    );
  });

  it('shows hostile names and values as text', () => {
    const hostile = '"><script>alert(1)</script>';
    const text = shown({
      properties: { [hostile]: { const: hostile } },
      enum: [hostile],
      examples: [{ [hostile]: 1 }],
      pattern: hostile,
    });
    expect(text).not.toContain('<script');
    expect(text).toContain('<code>&quot;&gt;&lt;script&gt;');
  });

  it('is shown for a parameter under the name of the parameter', () => {
    expect(memberHtml(html`<code>at</code> in the query`, ref('Instant'), 'required').text).toBe(
      `<dt><code>at</code> in the query <span class="note">${link('Instant')}</span> <span class="note">required</span></dt>\n<dd></dd>\n`,
    );
  });
});
