import { describe, expect, it } from 'vitest';
import { html, joined, prose } from '../../../scripts/pages/html.js';

const HOSTILE = `<a b='c' d="e">&`;

describe('a template', () => {
  it('escapes what is text, in content and in attributes', () => {
    expect(html`<p title="${HOSTILE}">${HOSTILE}</p>`.text).toBe(
      `<p title="&lt;a b='c' d=&quot;e&quot;&gt;&amp;">&lt;a b='c' d=&quot;e&quot;&gt;&amp;</p>`,
    );
  });

  it('takes what is HTML as it is, and nothing for null', () => {
    const inner = html`<b>${'<'}</b>`;
    expect(html`${inner}${null}${[inner, 1, '>']}`.text).toBe('<b>&lt;</b><b>&lt;</b>1&gt;');
    expect(joined([inner, inner], ' or ').text).toBe('<b>&lt;</b> or <b>&lt;</b>');
  });
});

describe('a description', () => {
  it('has paragraphs, code and strong text', () => {
    expect(prose('**Hex** is\nread.\n\nOnly `allow`\n').text).toBe(
      '<p><strong>Hex</strong> is\nread.</p>\n<p>Only <code>allow</code></p>\n',
    );
  });

  it.each([
    ['<script>', '&lt;script&gt;'],
    ['`</code><script>`', '<code>&lt;/code&gt;&lt;script&gt;</code>'],
    ['**<script>**', '<strong>&lt;script&gt;</strong>'],
  ])('shows tags as text: %s', (text, expected) => {
    expect(prose(text).text).toBe(`<p>${expected}</p>\n`);
  });
});
