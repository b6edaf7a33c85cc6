import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DOCUMENTS } from '../../scripts/documents.js';
import { MODULES } from '../../scripts/generated-modules.mjs';
import { PROJECT, readProjectFile } from './project-files.js';

/** Made by a script and committed all the same: people link to the pages, and the README shows the answer. */
const COMMITTED = ['docs/claims.md', 'docs/codes.md', 'docs/hardening.md', 'examples/verify-answer.json'];

/** Null outside of a clone: a package has no index. */
function trackedFiles(): readonly string[] | null {
  if (!existsSync(join(PROJECT, '.git'))) return null;
  return execFileSync('git', ['ls-files', '-z'], { cwd: PROJECT, encoding: 'utf8', maxBuffer: 2 ** 26 }).split('\0');
}

it('what a script makes is in a folder that git ignores, but for the pages and the answer that people link to', () => {
  expect(DOCUMENTS.committed).toEqual(COMMITTED);
  const made = [...MODULES, ...DOCUMENTS.released];
  expect(made.filter((path) => !path.includes('/generated/'))).toEqual([]);
  expect(readProjectFile('.gitignore').split('\n')).toEqual(expect.arrayContaining(['generated/', 'dist/']));
});

it('no such file is tracked', () => {
  const tracked = trackedFiles() ?? [];
  expect(tracked.filter((path) => /(?:^|\/)(?:generated|dist)\//.test(path))).toEqual([]);
  const answers = tracked.filter((path) => /^(?:src\/inspector\/)?examples\/[^/]*-answer\.json$/.test(path));
  expect(answers.filter((path) => !COMMITTED.includes(path))).toEqual([]);
});
