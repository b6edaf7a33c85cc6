import GithubSlugger from 'github-slugger';
import MarkdownIt, { type StateBlock, type StateInline, type Token } from 'markdown-it';
import { Html, html } from './html.js';

/** What a relative link of a document leads to: an address on the service, or a file of the source that has no page. */
export type Target = { readonly href: string } | { readonly file: string };

/** Where the links and pictures of a document lead. */
export interface Links {
  readonly linkTo: (href: string) => Target;
  /** @returns address of the picture on the service */
  readonly pictureAt: (src: string) => string;
}

export interface Heading {
  readonly level: number;
  /** As GitHub makes it, so that links of the documents work here and there. */
  readonly id: string;
  readonly text: string;
}

export interface Rendered {
  readonly body: Html;
  readonly headings: readonly Heading[];
  /** First sentence of the first paragraph, without markup; empty where there is none. */
  readonly firstSentence: string;
}

/** CommonMark with tables. HTML in it is text, but for two things that the documents have: comments of a line, and `<br>`. */
const markdown = new MarkdownIt({ html: false, linkify: false });
markdown.block.ruler.before('paragraph', 'comment', skipComment, { alt: ['paragraph'] });
markdown.inline.ruler.before('html_inline', 'line_break', breakLine);

/** Renders a document that has a page of its own. */
export function renderDocument(text: string, links: Links): Rendered {
  const tokens = markdown.parse(text, {});
  const headings = giveAnchors(tokens);
  follow(tokens, links);
  return { body: rendered(tokens), headings, firstSentence: firstSentenceOf(tokens) };
}

/** Renders a piece of text that stands in a page. It has no headings, and no links but absolute ones and those in `links`. */
export function renderText(text: string, links: Links): Html {
  const tokens = markdown.parse(text, {});
  const heading = tokens.find(({ type }) => type === 'heading_open');
  if (heading !== undefined) throw new Error(`a description has a heading: ${text}`);
  follow(tokens, links);
  return rendered(tokens);
}

interface LinkGroup {
  readonly name: string;
  readonly hrefs: readonly string[];
}

/** What a list links to, by the headings that the links stand under. */
export function groupsOfLinks(text: string): readonly LinkGroup[] {
  const groups: { readonly name: string; readonly hrefs: string[] }[] = [];
  const tokens = markdown.parse(text, {});
  for (const [index, { type, children }] of tokens.entries()) {
    if (type === 'heading_open') groups.push({ name: plainText(tokens[index + 1]), hrefs: [] });
    const links = children?.filter((child) => child.type === 'link_open') ?? [];
    groups.at(-1)?.hrefs.push(...links.map((link) => attribute(link, 'href')));
  }
  return groups;
}

function rendered(tokens: Token[]): Html {
  moveStyles(tokens);
  nameTables(tokens);
  return new Html(markdown.renderer.render(tokens, markdown.options, {}));
}

function skipComment(state: StateBlock, line: number, _end: number, silent: boolean): boolean {
  const from = (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0);
  if (!/^<!--.*-->$/.test(state.src.slice(from, state.eMarks[line]))) return false;
  if (!silent) state.line = line + 1;
  return true;
}

function breakLine(state: StateInline, silent: boolean): boolean {
  if (!state.src.startsWith('<br>', state.pos)) return false;
  if (!silent) state.push('hardbreak', 'br', 0);
  state.pos += '<br>'.length;
  return true;
}

function giveAnchors(tokens: readonly Token[]): readonly Heading[] {
  const slugger = new GithubSlugger();
  return tokens.flatMap((token, index) => {
    if (token.type !== 'heading_open') return [];
    const text = plainText(tokens[index + 1]);
    const id = slugger.slug(text);
    token.attrSet('id', id);
    return [{ level: Number(token.tag.slice(1)), id, text }];
  });
}

/** Text of an inline token without markup. */
function plainText(token: Token | undefined): string {
  return (token?.children ?? []).map(({ type, content }) => (type === 'softbreak' ? ' ' : content)).join('');
}

function firstSentenceOf(tokens: readonly Token[]): string {
  const start = tokens.findIndex(({ type, level }) => type === 'paragraph_open' && level === 0);
  if (start === -1) return '';
  const text = plainText(tokens[start + 1]);
  return /^.*?[.!?](?=\s|$)/.exec(text)?.[0] ?? text;
}

function follow(tokens: readonly Token[], links: Links): void {
  for (const { children } of tokens) {
    if (children !== null) followInline(children, links);
  }
}

/** Gives links and pictures their addresses here. A link to what has no page becomes text, with the path of the file. */
function followInline(children: readonly Token[], { linkTo, pictureAt }: Links): void {
  let file: string | null = null;
  for (const token of children) {
    if (token.type === 'image') token.attrSet('src', pictureAt(attribute(token, 'src')));
    if (token.type === 'link_open') file = openLink(token, linkTo(attribute(token, 'href')));
    if (token.type === 'link_close' && file !== null) becomeText(token, file);
  }
}

/** @returns the file that it leads to; null: it leads to a page */
function openLink(token: Token, target: Target): string | null {
  if ('file' in target) {
    becomeText(token);
    return target.file;
  }
  token.attrSet('href', target.href);
  return null;
}

/** @param file where the link ends: what it led to */
function becomeText(token: Token, file?: string): void {
  token.type = file === undefined ? 'file_open' : 'file_close';
  token.tag = 'span';
  token.attrs = [['class', 'file']];
  token.content = file ?? '';
}

/** Alignment of columns is a class: the policy of the pages lets in no style in an attribute. */
function moveStyles(tokens: readonly Token[]): void {
  for (const token of tokens) {
    const [, alignment] = /^text-align:(\w+)$/.exec(attribute(token, 'style')) ?? [];
    token.attrs = token.attrs?.filter(([name]) => name !== 'style') ?? null;
    if (alignment !== undefined) token.attrJoin('class', alignment);
  }
}

/** Each table is named by the heading that it stands under. */
function nameTables(tokens: readonly Token[]): void {
  let name = 'Table';
  for (const [index, token] of tokens.entries()) {
    if (token.type === 'heading_open') name = `Table: ${plainText(tokens[index + 1])}`;
    if (token.type === 'table_open') token.content = name;
  }
}

const attribute = (token: Token, name: string) => String(token.attrGet(name) ?? '');

const { rules } = markdown.renderer;

/** Whatever is wider than the page scrolls inside itself, by keyboard too. */
const scrolling = (what: string, content: Html) =>
  html`<div class="scroll" role="group" aria-label="${what}" tabindex="0">${content}</div>\n`;

/** Code that keeps its lines. */
export const codeBlock = (text: string, what = 'Code') => scrolling(what, html`<pre><code>${text}</code></pre>`);

rules['fence'] = (tokens, index) => codeBlock(tokens[index]?.content ?? '').text;
rules['code_block'] = rules['fence'];

rules['table_open'] = (tokens, index) =>
  html`<div class="scroll" role="group" aria-label="${tokens[index]?.content ?? ''}" tabindex="0"><table>\n`.text;
rules['table_close'] = () => '</table></div>\n';

/** A cell without text is no heading. */
const isEmpty = (token: Token | undefined) => token?.content === '';

rules['th_open'] = (tokens, index, options, _env, renderer) => {
  const token = tokens[index] as Token;
  if (isEmpty(tokens[index + 1])) token.tag = 'td';
  else token.attrSet('scope', 'col');
  return renderer.renderToken(tokens, index, options);
};
rules['th_close'] = (tokens, index) => (isEmpty(tokens[index - 1]) ? '</td>\n' : '</th>\n');

rules['file_close'] = (tokens, index) => {
  const file = tokens[index]?.content ?? '';
  return tokens[index - 1]?.content === file ? '</span>' : html` (<code>${file}</code>)</span>`.text;
};
