import { readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { OPENAPI_DOCUMENT } from '../../src/wire/generated/openapi-document.js';
import { type ApiDocument, apiPage } from './api-page.js';
import { type BuiltFile, shortDigest, text } from './built-file.js';
import { bundleStyle } from './bundle.js';
import { Guide } from './guide.js';
import { renderText } from './markdown.js';
import { documentPage } from './page-html.js';

interface DocumentOptions {
  /** Folder of the project. */
  readonly root: string;
  readonly version: string;
}

/** The documents as pages: `/guide`, a page for each document, and `/docs`, the contract; and what they load. */
export async function buildDocuments({ root, version }: DocumentOptions): Promise<readonly BuiltFile[]> {
  const style = await bundleStyle(root);
  const loaded = new Loaded(root);
  const assets = {
    style: loaded.add(basename(style.path), style.contents),
    icon: loaded.addFile('src/inspector/icon.svg'),
    version,
  };
  const guide = new Guide(root, (file) => loaded.addFile(file));
  const links = guide.linksOf('openapi.yaml');
  // A value that a test compares with openapi.yaml, examples included.
  const api = apiPage(OPENAPI_DOCUMENT as unknown as ApiDocument, (markdown) => renderText(markdown, links));
  const pages = [{ path: '/docs', page: api }, ...guide.pages()];
  return [...pages.map(({ path, page }) => builtPage(path, documentPage(page, assets))), ...loaded.files()];
}

const builtPage = (path: string, content: string): BuiltFile => ({
  path,
  file: `${path.slice(1)}.html`,
  content: text(content),
  lasting: false,
  part: 'documents',
});

/** Files that the pages load, under names that change with the content. */
class Loaded {
  readonly #root: string;
  readonly #files = new Map<string, BuiltFile>();

  constructor(root: string) {
    this.#root = root;
  }

  /** @returns its address */
  add(name: string, content: Uint8Array): string {
    const file = `guide/${name}`;
    this.#files.set(file, { path: `/${file}`, file, content, lasting: true, part: 'documents' });
    return `/${file}`;
  }

  /** @param path of the file in the project @returns its address */
  addFile(path: string): string {
    const content = readFileSync(join(this.#root, path));
    const ending = extname(path);
    return this.add(`${basename(path, ending)}-${shortDigest(content)}${ending}`, content);
  }

  files(): readonly BuiltFile[] {
    return [...this.#files.values()];
  }
}
