import { describe, expect, it } from 'vitest';
import { LONGEST_FIRST } from '../longest-first.js';
import { inOrder } from '../order.js';
import { ALONE, APART, CORE_OF_SERVICE } from '../parts.js';
import { readProjectFile, typeScriptFiles } from './project-files.js';

const TEST_FILES = typeScriptFiles('test').filter((path) => path.endsWith('.test.ts'));

function ordered(paths: readonly string[], seed: number): readonly string[] {
  const files = paths.map((path) => ({ path, project: projectOf(path) }));
  return inOrder(files, seed).map(({ path }) => path);
}

function projectOf(path: string): string {
  if (ALONE.includes(path) || APART.some((folder) => path.startsWith(`${folder}/`))) return 'alone';
  return path.startsWith('test/unit/') ? 'unit' : 'whole';
}

describe('files with a process each', () => {
  it('are those that replace a module', () => {
    const replacing = TEST_FILES.filter((path) => /^vi\.(do)?mock\(/im.test(readProjectFile(path)));
    expect(ALONE).toEqual(replacing);
  });
});

describe('lists of test files', () => {
  it('name files that there are', () => {
    const core = CORE_OF_SERVICE.map((name) => `test/integration/service/${name}.test.ts`);
    expect([...LONGEST_FIRST, ...core].filter((path) => !TEST_FILES.includes(path))).toEqual([]);
  });
});

describe('the order of test files', () => {
  it('is the same for the same seed, in whatever order they are found', () => {
    expect(ordered([...TEST_FILES].reverse(), 7)).toEqual(ordered(TEST_FILES, 7));
  });

  it('is another for another seed', () => {
    expect(ordered(TEST_FILES, 8)).not.toEqual(ordered(TEST_FILES, 7));
  });

  it('has every file once', () => {
    expect([...ordered(TEST_FILES, 7)].sort()).toEqual([...TEST_FILES].sort());
  });

  it.each(['alone', 'whole'])('begins with the longest of the project %s', (project) => {
    const isOfProject = (path: string) => projectOf(path) === project;
    const longest = LONGEST_FIRST.filter(isOfProject);
    expect(longest.length).toBeGreaterThan(0);
    expect(ordered(TEST_FILES, 7).filter(isOfProject).slice(0, longest.length)).toEqual(longest);
  });
});
