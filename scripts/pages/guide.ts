import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path/posix';
import { type Html, html, joined } from './html.js';
import { groupsOfLinks, type Heading, type Links, type Rendered, renderDocument, type Target } from './markdown.js';
import type { ContentsEntry, Page } from './page-html.js';

/** The list of the documents, in groups. What it links to has a page. */
const INDEX = 'docs/README.md';
/** The list of the decisions, each of which has a page. */
const DECISIONS = 'docs/decisions/README.md';

/** What else than a page of the guide a link may lead to. */
const OTHER_PAGES: ReadonlyMap<string, string> = new Map([
  [INDEX, '/guide'],
  ['openapi.yaml', '/docs'],
]);

interface Group {
  readonly name: string;
  readonly files: readonly string[];
}

/** A page of the guide, and the path of its URL. */
export interface GuidePage {
  readonly path: string;
  readonly page: Page;
}

/** The documents of the project as pages: a list of them, and one for each. */
export class Guide {
  readonly #root: string;
  readonly #pictureAt: Pictures;
  /** Path of the URL of each document. */
  readonly #paths: ReadonlyMap<string, string>;

  /** @throws {Error} where two documents would have one address */
  constructor(root: string, pictureAt: Pictures) {
    this.#root = root;
    this.#pictureAt = pictureAt;
    const files = new Set([INDEX, DECISIONS].flatMap((list) => this.#groups(list)).flatMap((group) => group.files));
    this.#paths = new Map([...files].map((file) => [file, `/guide/${nameOf(file)}`]));
    const paths = [...this.#paths.values()];
    const twice = paths.find((path, index) => paths.indexOf(path) !== index);
    if (twice !== undefined) throw new Error(`two documents would be ${twice}`);
  }

  pages(): readonly GuidePage[] {
    const documents = new Map([...this.#paths.keys()].map((file) => [file, this.#render(file)]));
    const pages = [...documents].map(([file, rendered]) => ({ path: this.#pathOf(file), page: pageOf(rendered) }));
    return [{ path: '/guide', page: this.#index(documents) }, ...pages];
  }

  /** How a text links that stands in that file. */
  linksOf(file: string): Links {
    return {
      linkTo: (href) => this.#target(file, href),
      pictureAt: (src) => this.#pictureAt(besides(file, src)),
    };
  }

  #target(from: string, href: string): Target {
    if (isAbsolute(href) || href.startsWith('#')) return { href };
    const [link = '', anchor] = href.split('#');
    const file = besides(from, link);
    const path = [file, `${file}/README.md`]
      .map((each) => this.#paths.get(each) ?? OTHER_PAGES.get(each))
      .find((known) => known !== undefined);
    if (path === undefined) return { file };
    return { href: anchor === undefined ? path : `${path}#${anchor}` };
  }

  #index(documents: ReadonlyMap<string, Rendered>): Page {
    const { headings, firstSentence } = this.#render(INDEX);
    const groups = this.#groups(INDEX).map(({ name, files }) => {
      const items = files.map((file) => itemOf(this.#pathOf(file), documents.get(file)));
      return html`<h2 id="${idOf(headings, name)}">${name}</h2>\n<ul class="documents">\n${joined(items, '\n')}\n</ul>`;
    });
    const title = titleOf(headings);
    return {
      title: `${title} - veritee`,
      current: '/guide',
      contents: [],
      body: html`<h1>${title}</h1>\n<p>${firstSentence}</p>\n${joined(groups, '\n')}`,
    };
  }

  #pathOf(file: string): string {
    return this.#paths.get(file) ?? '';
  }

  #render(file: string): Rendered {
    return renderDocument(this.#read(file), this.linksOf(file));
  }

  /** Documents that a list links to, under the headings of the list. */
  #groups(list: string): readonly Group[] {
    return groupsOfLinks(this.#read(list))
      .map(({ name, hrefs }) => ({ name, files: hrefs.filter(isDocument).map((href) => besides(list, href)) }))
      .filter(({ files }) => files.length > 0);
  }

  #read(file: string): string {
    return readFileSync(`${this.#root}/${file}`, 'utf8');
  }
}

/** Takes up a picture of the project, and tells its address on the service. */
type Pictures = (file: string) => string;

/** Of a short document the list would be longer than what it saves. */
const FEWEST_SECTIONS = 3;

function pageOf({ body, headings }: Rendered): Page {
  const sections = sectionsOf(headings);
  return {
    title: `${titleOf(headings)} - veritee guide`,
    current: '/guide',
    contents: sections.length < FEWEST_SECTIONS ? [] : sections,
    body,
  };
}

function itemOf(path: string, document: Rendered | undefined): Html {
  return html`<li><a href="${path}">${titleOf(document?.headings ?? [])}</a> ${document?.firstSentence ?? ''}</li>`;
}

const isAbsolute = (href: string) => /^[a-z][a-z+.-]*:/i.test(href);
const isDocument = (href: string) => href.endsWith('.md') && !isAbsolute(href);

/** The file that a link in another one names. */
const besides = (from: string, link: string) => join(dirname(from), link).replace(/\/$/, '');

/** A document by its own name, a README by that of its folder. */
function nameOf(file: string): string {
  const name = basename(file, '.md');
  const folder = dirname(file).replace(/^docs\//, '');
  return (name === 'README' && folder !== '.' ? folder.replaceAll('/', '-') : name).toLowerCase();
}

function titleOf(headings: readonly Heading[]): string {
  const [first] = headings;
  if (first?.level !== 1) throw new Error(`a document begins with ${first?.text}, which is no title`);
  return first.text;
}

const idOf = (headings: readonly Heading[], name: string) => headings.find(({ text }) => text === name)?.id ?? '';

/** Sections, each with those below it. */
function sectionsOf(headings: readonly Heading[]): readonly ContentsEntry[] {
  return headings.flatMap((heading, index) => {
    if (heading.level !== 2) return [];
    const rest = headings.slice(index + 1);
    const end = rest.findIndex(({ level }) => level <= 2);
    const below = (end === -1 ? rest : rest.slice(0, end)).filter(({ level }) => level === 3);
    return [{ ...entryOf(heading), below: below.map(entryOf) }];
  });
}

const entryOf = ({ id, text }: Heading): ContentsEntry => ({ href: `#${id}`, text, below: [] });
