import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { describe, expect, it } from 'vitest';
import { PROJECT, readProjectFile } from './project-files.js';

const named = (folder: string) =>
  readdirSync(join(PROJECT, folder), { recursive: folder === 'docs', encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('generated/'))
    .map((name) => join(folder, name));

const DOCUMENTS = ['.', 'docs', 'deploy', 'clients/typescript', 'examples'].flatMap(named).sort();

/** Text without code, in which brackets are no links. */
const withoutCode = (text: string) => text.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '').replaceAll(/`[^`\n]*`/g, '');

/** Anchors of the headings of a document, as GitHub makes them. */
function anchorsOf(document: string): ReadonlySet<string> {
  const headings = readProjectFile(document)
    .replaceAll(/^```[\s\S]*?^```$/gm, '')
    .matchAll(/^#+ (.*)$/gm);
  const found = [...headings].map(([, heading = '']) => slugOf(heading));
  const numbered = found.map((slug, index) => {
    const before = found.slice(0, index).filter((each) => each === slug).length;
    return before === 0 ? slug : `${slug}-${before}`;
  });
  return new Set(numbered);
}

const slugOf = (heading: string) =>
  heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

function isDead(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? document : join(dirname(document), path);
  if (!existsSync(join(PROJECT, target))) return true;
  return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor);
}

describe('the documents', () => {
  it('are found', () => expect(DOCUMENTS.length).toBeGreaterThan(30));

  it.each(DOCUMENTS)('%s links to files and headings that exist', (document) => {
    const links = [...withoutCode(readProjectFile(document)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    expect(links.filter((link) => !/^[a-z]+:/.test(link) && isDead(document, link))).toEqual([]);
  });
});

describe('docs/README.md', () => {
  const index = readProjectFile('docs/README.md');

  it('lists every document once', () => {
    const listed = [...index.matchAll(/\]\(([^)]*)\)/g)].map(([, file]) => String(file));
    const expected = readdirSync(join(PROJECT, 'docs')).filter((name) => name.endsWith('.md') && name !== 'README.md');
    expect(listed.filter((file) => !file.includes('/')).sort()).toEqual(expected.sort());
  });

  it('names what is in no reading list by its title', () => {
    for (const [, title, file] of index.matchAll(/^\* \[(.*)\]\((.*)\)$/gm)) {
      expect(readProjectFile(`docs/${file}`)).toMatch(new RegExp(`^# ${title?.replace(/[?.]/g, '\\$&')}\n`));
    }
  });

  it('has three reading lists of at most five documents', () => {
    const lists = index.split('\n').filter((line) => line.startsWith('|') && line.includes(']('));
    expect(lists.map((line) => line.split('](').length - 1)).toEqual([5, 5, 5]);
  });
});
