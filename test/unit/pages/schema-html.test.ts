import { describe, expect, it } from 'vitest';
import { html } from '../../../scripts/pages/html.js';
import {
  memberHtml,
  type Schema,
  type SchemaContext,
  schemaHtml,
  typeHtml,
} from '../../../scripts/pages/schema-html.js';

const CONTEXT: SchemaContext = {
  text: (markdown) => html`<p>${markdown}</p>`,
  valueHref: (value) => (value.startsWith('snp_') ? `/guide/codes#${value}` : null),
};

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const link = (name: string) => `<a href="#schema-${name}">${name}</a>`;
const shown = (schema: Schema) => schemaHtml(schema, CONTEXT).text.trim();

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
    [{}, 'any value'],
    [{ description: 'x' }, 'any value'],
    [{ required: ['d'] }, ''],
  ])('is said in a few words, with links to schemas: %j', (schema, expected) => {
    expect(typeHtml(schema).text).toBe(expected);
  });

  it('is a schema of this document, or nothing is built', () => {
    expect(() => typeHtml({ $ref: 'https://example.com/schema' })).toThrow(
      'https://example.com/schema is no schema of this document',
    );
  });
});

describe('what a schema says', () => {
  it('is each member, with its type, whether it is required, and its description', () => {
    const schema: Schema = {
      type: 'object',
      additionalProperties: false,
      required: ['nonce'],
      properties: { nonce: { type: 'string', description: 'Bytes.' }, policy: ref('PolicyId') },
    };
    expect(shown(schema)).toBe(
      [
        '<dl class="members">',
        '<dt><code>nonce</code> <span class="type">string</span> <span class="need">required</span></dt>',
        '<dd><p>Bytes.</p></dd>',
        `<dt><code>policy</code> <span class="type">${link('PolicyId')}</span> <span class="need">optional</span></dt>`,
        '<dd></dd>',
        '</dl>',
      ].join('\n'),
    );
  });

  it('goes into objects inside of it, and ends where a schema refers to itself', () => {
    const node: Schema = {
      type: 'object',
      properties: {
        parts: { type: 'array', items: ref('Node') },
        inner: { type: 'object', properties: { next: ref('Node') } },
      },
    };
    const text = shown(node);
    expect(text).toContain(`array of ${link('Node')}`);
    expect(text.match(/<dl /g)).toHaveLength(2);
    expect(text).toContain(`<code>next</code> <span class="type">${link('Node')}</span>`);
  });

  it('is each alternative that its type has not named', () => {
    const text = shown({ oneOf: [ref('A'), { type: 'object', properties: { b: { type: 'string' } } }] });
    expect(text).toContain('<p>One of these:</p><ul class="alternatives">');
    expect(text).toContain(`<li><span class="type">${link('A')}</span></li>`);
    expect(text).toContain('<li><span class="type">object</span><dl class="members">');
    expect(shown({ oneOf: [ref('A'), ref('B')] })).toBe('');
  });

  it.each<readonly [Schema, string]>([
    [{ const: 'sig' }, '<p>Only <code>sig</code>.</p>'],
    [{ enum: ['all'] }, '<p>Only <code>all</code>.</p>'],
    [{ enum: ['a', 1, null] }, '<p>One of <code>a</code>, <code>1</code>, <code>null</code>.</p>'],
    [
      { enum: ['snp_debug', 'snp_vmpl'] },
      '<p>One of <a href="/guide/codes#snp_debug"><code>snp_debug</code></a>, <a href="/guide/codes#snp_vmpl"><code>snp_vmpl</code></a>.</p>',
    ],
    [{ enum: ['snp_debug', 'other'] }, '<p>One of <code>snp_debug</code>, <code>other</code>.</p>'],
    [
      { minLength: 1, maxLength: 512, pattern: '^<' },
      '<p class="bounds">shortest length <code>1</code>; greatest length <code>512</code>; pattern <code>^&lt;</code></p>',
    ],
    [{ uniqueItems: true, default: false }, '<p class="bounds">no item twice; default <code>false</code></p>'],
    [{ examples: ['a', ['b']] }, '<p class="bounds">for example <code>a</code>, <code>[&quot;b&quot;]</code></p>'],
    [{ dependentRequired: { a: ['b', 'c'] } }, '<p><code>a</code> needs <code>b</code> and <code>c</code>.</p>'],
    [{ required: ['d'] }, '<p>Has <code>d</code>.</p>'],
    [{ additionalProperties: true }, '<p>May have other members.</p>'],
    [{ discriminator: { propertyName: 'type' } }, '<p>Told apart by <code>type</code>.</p>'],
    [{ contentSchema: ref('A') }, `<p>The content is ${link('A')}.</p>`],
  ])('is said in words: %j', (schema, expected) => {
    expect(shown(schema)).toBe(expected);
  });

  it.each([
    ['items', 'Each item:'],
    ['not', 'Not:'],
    ['if', 'If:'],
    ['then', 'then:'],
    ['else', 'otherwise:'],
  ])('has the schema under %s', (keyword, words) => {
    expect(shown({ [keyword]: { type: 'string', const: 'x' } })).toBe(
      `<p>${words}</p><ul class="alternatives">\n<li><span class="type">string</span><p>Only <code>x</code>.</p></li>\n</ul>`,
    );
  });

  it.each([
    ['anyOf', 'At least one of these:'],
    ['allOf', 'All of these:'],
  ])('has the schemas under %s', (keyword, words) => {
    expect(shown({ [keyword]: [ref('A'), ref('B')] })).toBe(
      `<p>${words}</p><ul class="alternatives">\n<li><span class="type">${link('A')}</span></li>\n<li><span class="type">${link('B')}</span></li>\n</ul>`,
    );
  });

  it.each([
    ['patternProperties', { '^x': { type: 'string' } }, 'names that match <code>^x</code>'],
    ['additionalProperties', { type: 'string' }, 'every other name'],
  ])('has the members under %s, of which none is demanded', (keyword, value, name) => {
    expect(shown({ [keyword]: value })).toBe(
      `<dl class="members">\n<dt>${name} <span class="type">string</span></dt>\n<dd></dd>\n</dl>`,
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

  it('leaves nothing out: a keyword that it has no words for ends the build', () => {
    expect(() => shown({ multipleOf: 2 })).toThrow(
      'the page of the API does not say what multipleOf means in a schema',
    );
  });

  it('is said of a parameter by the name that it is given', () => {
    const member = { name: html`<code>at</code> in the query`, schema: ref('Instant'), isRequired: true };
    expect(memberHtml(member, CONTEXT).text).toBe(
      `<dt><code>at</code> in the query <span class="type">${link('Instant')}</span> <span class="need">required</span></dt>\n<dd></dd>\n`,
    );
  });
});
