import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BuiltFile, sha256 } from '../../../scripts/pages/built-file.js';
import { buildDocuments } from '../../../scripts/pages/documents.js';
import { readProjectFile } from '../../architecture/project-files.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Paths that other parts of the service serve. */
const ELSEWHERE = ['/', '/openapi.json'];

let files: readonly BuiltFile[] = [];
let pages: ReadonlyMap<string, string> = new Map();

beforeAll(async () => {
  files = await buildDocuments({ root, version: '0.0.0' });
  const shown = files.filter(({ file }) => file.endsWith('.html'));
  pages = new Map(shown.map(({ path, content }) => [path, Buffer.from(content).toString('utf8')]));
});

const every = (pattern: RegExp, text: string) => [...text.matchAll(pattern)].map(([, found = '']) => found);
const linksOf = (page: string) => every(/ (?:href|src)="([^"]*)"/g, page);
const idsOf = (page: string) => every(/ id="([^"]*)"/g, page);

describe('the pages of the documents', () => {
  it('are one for the contract, one for the list, and one for each document and decision', () => {
    const named = (folder: string) => readdirSync(`${root}${folder}`).filter((name) => /^(?!README).*\.md$/.test(name));
    const documents = [...named('docs'), ...named('docs/decisions')].map((name) => `/guide/${name.slice(0, -3)}`);
    expect(documents.length).toBeGreaterThan(90);
    expect([...pages.keys()]).toEqual(expect.arrayContaining(['/docs', '/guide', '/guide/decisions', ...documents]));
    expect(new Set(files.map(({ path }) => path)).size).toBe(files.length);
    expect(files.every(({ part }) => part === 'documents')).toBe(true);
  });

  it('link to pages and files that there are, and to anchors that these have', () => {
    const served = new Set([...files.map(({ path }) => path), ...ELSEWHERE]);
    const anchors = new Map([...pages].map(([path, page]) => [path, new Set(idsOf(page))]));
    const links = [...pages].flatMap(([path, page]) => linksOf(page).map((link) => ({ path, link })));
    const inside = links.filter(({ link }) => !/^https?:/.test(link));
    const dead = inside.filter(({ path, link }) => {
      const [target = '', anchor] = link.split('#');
      const to = target === '' ? path : target;
      return !served.has(to) || (anchor !== undefined && anchors.get(to)?.has(anchor) !== true);
    });
    expect(dead).toEqual([]);
    expect(inside.length).toBeGreaterThan(2_000);
  });

  it('name files of the project where they lead to no page, and each is there', () => {
    const named = [...pages.values()].flatMap((page) => every(/<span class="file">(.*?)<\/span>/gs, page));
    expect(named.length).toBeGreaterThan(5);
    for (const text of named) {
      const path = /<code>([^<]*)<\/code>\)?$/.exec(text)?.[1] ?? text;
      expect(() => readProjectFile(path), path).not.toThrow(/ENOENT/);
    }
  });

  it('have no script, no style of their own, and no handler', () => {
    for (const [path, page] of pages) {
      // Only the first tags count: what stands in text is escaped.
      const tags = page.match(/<[a-z][^>]*>/g) ?? [];
      const wrong = tags.filter((tag) => /^<(?:script|style|iframe|object|form|base)\b| (?:style|on\w+)=/.test(tag));
      expect([path, wrong]).toEqual([path, []]);
    }
  });

  it('have a language, a title of their own, one heading of the first level, and none that skips a level', () => {
    const titles = [...pages].map(([path, page]) => {
      expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
      const levels = every(/<h(\d)/g, page).map(Number);
      expect([path, levels.filter((level) => level === 1), levels[0]]).toEqual([path, [1], 1]);
      const skipping = levels.filter((level, index) => index > 0 && level > (levels[index - 1] ?? 0) + 1);
      expect([path, skipping]).toEqual([path, []]);
      return /<title>(.*?)<\/title>/.exec(page)?.[1];
    });
    expect(new Set(titles).size).toBe(pages.size);
  });

  it('give no anchor twice', () => {
    for (const [path, page] of pages) {
      const ids = idsOf(page);
      expect([path, ids.filter((id, index) => ids.indexOf(id) !== index)]).toEqual([path, []]);
    }
  });

  it('come out the same each time', async () => {
    const digests = (built: readonly BuiltFile[]) => built.map(({ path, content }) => [path, sha256(content)]);
    expect(digests(await buildDocuments({ root, version: '0.0.0' }))).toEqual(digests(files));
  });
});

describe('docs/README.md', () => {
  it('lists every document once, by its title', () => {
    const links = [...readProjectFile('docs/README.md').matchAll(/^\* \[(.*)\]\((.*)\)$/gm)];
    const listed = links.map(([, , file]) => String(file));
    const expected = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md') && name !== 'README.md');
    expect(listed.filter((file) => !file.includes('/')).sort()).toEqual(expected.sort());
    for (const [, title, file] of links) {
      expect(readProjectFile(`docs/${file}`)).toMatch(new RegExp(`^# ${title?.replace(/[?.]/g, '\\$&')}\n`));
    }
  });
});
