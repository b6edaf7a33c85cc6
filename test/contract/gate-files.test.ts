import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT, readProjectFile } from '../architecture/project-files.js';

/** deploy/gates: every kind has a README, and every script stops at the first failure. */

const FILES = readdirSync(join(PROJECT, 'deploy/gates'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
  .map((entry) => join(entry.parentPath, entry.name).slice(PROJECT.length))
  .map((path) => path.replace(/^\//, ''));

/** Kinds that deploy/gates/README.md describes. */
const IN_ONE: ReadonlySet<string> = new Set(['gate.sh', 'github-action', 'azure-devops', 'gitlab']);

describe('deploy/gates', () => {
  it.each(FILES)('has a README for the kind of %s, which says what it proves and what a failure looks like', (path) => {
    const [, , kind = ''] = path.split('/');
    const text = readProjectFile(`deploy/gates/${IN_ONE.has(kind) ? '' : `${kind}/`}README.md`);
    expect(text).toMatch(/what it proves/i);
    expect(text).toMatch(/a failure/i);
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
