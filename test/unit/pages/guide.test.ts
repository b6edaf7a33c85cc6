import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Guide } from '../../../scripts/pages/guide.js';

/** A small project. */
const FILES = {
  'docs/README.md':
    '# Guide\n\nAll of it. More.\n\n## First\n\n* [One](one.md)\n* [veritee](../README.md)\n\n## Second\n\n* [Client](../client/lib/README.md)\n* [elsewhere](https://example.com/x.md)\n',
  'docs/decisions/README.md': '# Decisions\n\nA list.\n\n| |\n|---|\n| [0001](0001-it.md) |\n',
  'docs/decisions/0001-it.md': '# 0001 It\n\nDecided. See [one](../one.md#a) and [all](README.md).\n',
  'docs/one.md':
    '# One\n\nA `first` sentence. ![Seen](pictures/seen.png)\n\n## A\n\n[1](decisions/0001-it.md) [2](decisions/) [3](../openapi.yaml#x) [4](../src/a.ts#L1) [5](README.md) [6](#a)\n\n### Below\n\n## B\n\n## C\n',
  'README.md': '# veritee\n\nWhat it is.\n',
  'client/lib/README.md': '# The client\n\nWhat it does.\n',
};

let root = '';
let pictures: string[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'veritee-guide-'));
  pictures = [];
});

afterEach(() => rmSync(root, { recursive: true }));

function guide(files: Readonly<Record<string, string>> = FILES): Guide {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return new Guide(root, (file) => {
    pictures.push(file);
    return '/guide/kept.png';
  });
}

const pageAt = (made: Guide, path: string) => made.pages().find((each) => each.path === path)?.page;

describe('the guide', () => {
  it('has a page for the list, for each document in it, and for each decision', () => {
    expect(
      guide()
        .pages()
        .map(({ path, page }) => [path, page.title]),
    ).toEqual([
      ['/guide', 'Guide - veritee'],
      ['/guide/one', 'One - veritee guide'],
      ['/guide/readme', 'veritee - veritee guide'],
      ['/guide/client-lib', 'The client - veritee guide'],
      ['/guide/0001-it', '0001 It - veritee guide'],
    ]);
  });

  it('lists documents in their groups, by title and first sentence', () => {
    expect(pageAt(guide(), '/guide')?.body.text).toBe(
      [
        '<h1>Guide</h1>',
        '<p>All of it.</p>',
        '<h2 id="first">First</h2>',
        '<ul class="documents">',
        '<li><a href="/guide/one">One</a> A first sentence.</li>',
        '<li><a href="/guide/readme">veritee</a> What it is.</li>',
        '</ul>',
        '<h2 id="second">Second</h2>',
        '<ul class="documents">',
        '<li><a href="/guide/client-lib">The client</a> What it does.</li>',
        '</ul>',
      ].join('\n'),
    );
  });

  it('leads links to pages, wherever the document stands', () => {
    const made = guide({
      ...FILES,
      'docs/README.md': `${FILES['docs/README.md']}* [Decisions](decisions/README.md)\n`,
    });
    const hrefs = (path: string) =>
      [...(pageAt(made, path)?.body.text ?? '').matchAll(/href="([^"]*)"/g)].map(([, href]) => href);
    expect(hrefs('/guide/one')).toEqual(['/guide/0001-it', '/guide/decisions', '/docs#x', '/guide', '#a']);
    expect(hrefs('/guide/0001-it')).toEqual(['/guide/one#a', '/guide/decisions']);
    expect(pageAt(made, '/guide/one')?.body.text).toContain('<span class="file">4 (<code>src/a.ts</code>)</span>');
  });

  it('takes up pictures by their path in the project', () => {
    expect(pageAt(guide(), '/guide/one')?.body.text).toContain('<img src="/guide/kept.png" alt="Seen">');
    expect(new Set(pictures)).toEqual(new Set(['docs/pictures/seen.png']));
  });

  it('has the contents of a document that is long enough, in two levels', () => {
    const made = guide();
    expect(pageAt(made, '/guide/readme')?.contents).toEqual([]);
    expect(pageAt(made, '/guide/one')?.contents).toEqual([
      { href: '#a', text: 'A', below: [{ href: '#below', text: 'Below', below: [] }] },
      { href: '#b', text: 'B', below: [] },
      { href: '#c', text: 'C', below: [] },
    ]);
  });

  it('is not made where two documents would have one address', () => {
    const files = { ...FILES, 'docs/README.md': '# Guide\n\n## All\n\n* [a](one.md)\n* [b](../client/one.md)\n' };
    expect(() => guide(files)).toThrow('two documents would be /guide/one');
  });

  it('is not made of a document without a title', () => {
    const made = guide({ ...FILES, 'docs/one.md': '## One\n' });
    expect(() => made.pages()).toThrow('a document begins with One, which is no title');
  });

  it('is not made where a listed document is missing', () => {
    const made = guide({ ...FILES, 'docs/README.md': '# Guide\n\n## All\n\n* [gone](gone.md)\n' });
    expect(() => made.pages()).toThrow(/ENOENT.*gone\.md/);
  });
});
