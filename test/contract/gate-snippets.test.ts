import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT, readProjectFile, typeScriptFiles } from '../architecture/project-files.js';

/** Every snippet of docs/gates.md is a part of a file that a test runs, so that what people paste is what was run. */

const DOCUMENT = readProjectFile('docs/gates.md');
const SNIPPETS = [...DOCUMENT.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(
  ({ 1: language = '', 2: text = '', index }) => ({
    place: `docs/gates.md:${DOCUMENT.slice(0, index).split('\n').length}`,
    language,
    text,
  }),
);

const FILES = readdirSync(join(PROJECT, 'deploy/gates'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
  .map((entry) => join(entry.parentPath, entry.name).slice(PROJECT.length))
  .map((path) => path.replace(/^\//, ''));

const TESTS = typeScriptFiles('test/system').map(readProjectFile).join('\n');

describe('docs/gates.md', () => {
  it('has snippets', () => {
    expect(SNIPPETS.map(({ language }) => language)).toEqual(expect.arrayContaining(['yaml', 'sh']));
  });

  it.each(SNIPPETS)('has in $place whole lines of one file that a test names', ({ text }) => {
    const holders = FILES.filter((path) => `\n${readProjectFile(path)}`.includes(`\n${text}`));
    expect(holders).toHaveLength(1);
    expect(holders.filter((path) => TESTS.includes(`'${path}'`))).toEqual(holders);
  });

  it('says of every kind what it proves, and what a failure looks like', () => {
    const kinds = DOCUMENT.split(/^## /m).slice(2);
    expect(kinds.filter((text) => !/\bproves\*\*/.test(text) || !text.includes('**A failure**'))).toEqual([]);
  });

  it.each(FILES)('a README beside %s, and a README for each kind', (path) => {
    const [, , kind = ''] = path.split('/');
    const folder = kind === 'gate.sh' ? '' : `${kind}/`;
    expect(readProjectFile(`deploy/gates/${folder}README.md`)).not.toBe('');
  });
});

describe('scripts of deploy/gates', () => {
  const scripts = FILES.filter((path) => path.endsWith('.sh'));

  it.each(scripts)('%s stops at the first failure, and evaluates nothing', (path) => {
    const text = readProjectFile(path);
    expect(/^set -euo pipefail$/m.test(text) || text.includes('/ask.sh"')).toBe(true);
    const code = text.replaceAll(/^\s*#.*$/gm, '');
    expect(code).not.toMatch(/\beval\b|\bset -x\b|`/);
  });
});
