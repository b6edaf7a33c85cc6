import { describe, expect, it } from 'vitest';
import { groupsOfLinks, type Links, renderDocument, renderText } from '../../../scripts/pages/markdown.js';

/** As GitHub renders these headings. */
const ANCHORS = [
  ['Nonce and key', 'nonce-and-key'],
  ['SEV-SNP (`snp`)', 'sev-snp-snp'],
  ['`historical: true`', 'historical-true'],
  ["AMD's CRLs", 'amds-crls'],
  ['What *is* in [the log](x.md)?', 'what-is-in-the-log'],
  ['`snp_tcb_low`', 'snp_tcb_low'],
  ['Größe & Rest', 'größe--rest'],
] as const;

const PAGES: Readonly<Record<string, string>> = {
  'policy.md': '/guide/policy',
  'policy.md#boot': '/guide/policy#boot',
};

const LINKS: Links = {
  linkTo: (href) => {
    if (/^https:|^#/.test(href)) return { href };
    const page = PAGES[href];
    return page === undefined ? { file: href } : { href: page };
  },
  pictureAt: (src) => `/guide/served-${src}`,
};

const bodyOf = (text: string) => renderDocument(text, LINKS).body.text.trim();

describe('a heading', () => {
  it.each(ANCHORS)('has the anchor that GitHub gives it: %s', (heading, id) => {
    const { body, headings } = renderDocument(`## ${heading}\n`, LINKS);
    expect(headings).toMatchObject([{ level: 2, id }]);
    expect(body.text).toContain(`<h2 id="${id}">`);
  });

  it('has a number where another one has the same text', () => {
    const { headings } = renderDocument('## Metrics\n\n## Alerts\n\n### Metrics\n\n# Metrics\n', LINKS);
    expect(headings.map(({ id }) => id)).toEqual(['metrics', 'alerts', 'metrics-1', 'metrics-2']);
  });
});

describe('the first sentence', () => {
  it.each([
    ['# Title\n\nOne `thing`. Another [one](https://example.com/).\n', 'One thing.'],
    ['# Title\n\nWritten over\ntwo lines, in Node 20.19.\nMore.\n', 'Written over two lines, in Node 20.19.'],
    ['# Title\n\n* an item. No sentence\n\nA sentence without an end\n', 'A sentence without an end'],
    ['# Title\n', ''],
  ])('is that of the first paragraph: %j', (text, expected) => {
    expect(renderDocument(text, LINKS).firstSentence).toBe(expected);
  });
});

describe('a link', () => {
  it.each([
    ['[Policies](policy.md)', '<a href="/guide/policy">Policies</a>'],
    ['[Boot](policy.md#boot)', '<a href="/guide/policy#boot">Boot</a>'],
    ['[below](#here)', '<a href="#here">below</a>'],
    [
      '[RFC 9334](https://www.rfc-editor.org/rfc/rfc9334)',
      '<a href="https://www.rfc-editor.org/rfc/rfc9334">RFC 9334</a>',
    ],
  ])('leads to the page that there is: %s', (text, expected) => {
    expect(bodyOf(text)).toBe(`<p>${expected}</p>`);
  });

  it.each([
    ['[values](deploy/values.yaml)', '<span class="file">values (<code>deploy/values.yaml</code>)</span>'],
    ['[a.json](a.json)', '<span class="file">a.json</span>'],
    ['[`a.json`](a.json)', '<span class="file"><code>a.json</code></span>'],
  ])('to a file without a page is text, with its path: %s', (text, expected) => {
    expect(bodyOf(text)).toBe(`<p>${expected}</p>`);
  });

  it.each(['javascript:alert(1)', 'vbscript:x', 'data:text/html,x', 'file:///etc/passwd'])(
    'that a browser would run or open from the disk is text: %s',
    (href) => {
      expect(bodyOf(`[x](${href})`)).toBe(`<p>[x](${href})</p>`);
    },
  );

  it('to a picture is its address here, with the text that stands for it', () => {
    expect(bodyOf('![The chain "of" trust](a.png)')).toBe(
      '<p><img src="/guide/served-a.png" alt="The chain &quot;of&quot; trust"></p>',
    );
  });
});

describe('hostile text', () => {
  it.each([
    ['<script>alert(1)</script>', '<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>'],
    ['<img src=x onerror=alert(1)>', '<p>&lt;img src=x onerror=alert(1)&gt;</p>'],
    ['a <b onclick="x">b</b>', '<p>a &lt;b onclick=&quot;x&quot;&gt;b&lt;/b&gt;</p>'],
    ['<!-- a comment --> <i>x</i>', '<p>&lt;!-- a comment --&gt; &lt;i&gt;x&lt;/i&gt;</p>'],
    ['`</code><script>`', '<p><code>&lt;/code&gt;&lt;script&gt;</code></p>'],
  ])('is shown as text: %s', (text, expected) => {
    expect(bodyOf(text)).toBe(expected);
  });

  it('stays inside of code, of the name of a table, and of the path of a file', () => {
    const text =
      '## "><script>\n\n| a |\n|---|\n| b |\n\n```x"><script>\n</pre><script>\n```\n\n[x](<"><script>.yaml>)\n';
    const { body } = renderDocument(text, LINKS);
    expect(body.text).not.toMatch(/<script|<\/pre><s/);
    expect(body.text).toContain('aria-label="Table: &quot;&gt;&lt;script&gt;"');
    expect(body.text).toContain('<pre><code>&lt;/pre&gt;&lt;script&gt;\n</code></pre>');
  });
});

describe('what documents have beside CommonMark', () => {
  it('is a comment of one line, which is not shown, also right under a paragraph', () => {
    expect(bodyOf('<!-- made by a program -->\n\na\n<!-- end -->\nb')).toBe('<p>a</p>\n<p>b</p>');
  });

  it('is a line break in a table', () => {
    expect(bodyOf('one<br>two, and `a<br>b`')).toBe('<p>one<br>\ntwo, and <code>a&lt;br&gt;b</code></p>');
  });
});

describe('what may be wider than the page', () => {
  it('scrolls inside itself, by keyboard too, under the name of its section', () => {
    const area = (name: string) => `<div class="scroll" role="group" aria-label="${name}" tabindex="0">`;
    expect(bodyOf('| a |\n|---|\n| b |')).toContain(`${area('Table')}<table>`);
    expect(bodyOf('## Where `x` is\n\n| a |\n|---|\n| b |')).toContain(`${area('Table: Where x is')}<table>`);
    expect(bodyOf('```sh\nnpm start\n```')).toBe(`${area('Code')}<pre><code>npm start\n</code></pre></div>`);
    expect(bodyOf('    indented')).toBe(`${area('Code')}<pre><code>indented\n</code></pre></div>`);
  });

  it('has headings of columns where they have text, and alignment without a style', () => {
    const table = bodyOf('| | n | m |\n|---|--:|:-:|\n| a | 1 | 2 |');
    expect(table).toContain('<td></td>\n<th class="right" scope="col">n</th>\n<th class="center" scope="col">m</th>');
    expect(table).toContain('<td>a</td>\n<td class="right">1</td>\n<td class="center">2</td>');
    expect(table).not.toContain('style');
  });
});

describe('a description', () => {
  it('is rendered alike', () => {
    expect(renderText('Only `allow`, of [policies](policy.md).', LINKS).text.trim()).toBe(
      '<p>Only <code>allow</code>, of <a href="/guide/policy">policies</a>.</p>',
    );
  });

  it('has no heading, which would stand among those of the page', () => {
    expect(() => renderText('# Title', LINKS)).toThrow('a description has a heading: # Title');
  });
});

it('a list of documents is read by its headings', () => {
  expect(
    groupsOfLinks('# List\n\n## One\n\n* [a](a.md)\n* [b](../b.md#x)\n\n## Two\n\n| x |\n|---|\n| [c](c/) |\n'),
  ).toEqual([
    { name: 'List', hrefs: [] },
    { name: 'One', hrefs: ['a.md', '../b.md#x'] },
    { name: 'Two', hrefs: ['c/'] },
  ]);
});
