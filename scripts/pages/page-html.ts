import { type Html, html, joined, NOTHING } from './html.js';

/** Addresses of what every page of the documents loads. */
export interface PageAssets {
  readonly style: string;
  readonly icon: string;
  readonly version: string;
}

export interface Page {
  readonly title: string;
  /** Which of the pages in the head it is, or belongs to. */
  readonly current: '/guide' | '/docs';
  /** What is on it, beside it where there is room; empty: it is short. */
  readonly contents: readonly ContentsEntry[];
  readonly body: Html;
}

export interface ContentsEntry {
  readonly href: string;
  readonly text: string;
  readonly below: readonly ContentsEntry[];
}

const PAGES = [
  ['/', 'Inspector'],
  ['/guide', 'Guide'],
  ['/docs', 'API'],
] as const;

/** A page of the documents. It has no script, and no style but that of its file. */
export function documentPage({ title, current, contents, body }: Page, { style, icon, version }: PageAssets): string {
  const links = PAGES.map(([href, text]) =>
    href === current ? html`<a href="${href}" aria-current="true">${text}</a>` : html`<a href="${href}">${text}</a>`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${icon}">
<link rel="stylesheet" href="${style}">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<p class="product">veritee</p>
<nav aria-label="Pages">${joined(links, '\n')}</nav>
</header>
<div class="${contents.length === 0 ? 'page' : 'page with-contents'}">
${contents.length === 0 ? NOTHING : html`<nav class="contents" aria-label="On this page">\n${listOf(contents)}\n</nav>`}
<main id="content" tabindex="-1">
${body}
</main>
</div>
<footer><p>veritee ${version}</p></footer>
</body>
</html>
`.text;
}

function listOf(entries: readonly ContentsEntry[]): Html {
  const items = entries.map(
    ({ href, text, below }) =>
      html`<li><a href="${href}">${text}</a>${below.length === 0 ? NOTHING : listOf(below)}</li>`,
  );
  return html`<ul>\n${joined(items, '\n')}\n</ul>`;
}
