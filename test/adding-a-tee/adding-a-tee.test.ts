import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROJECT, readProjectFile } from '../architecture/project-files.js';
import { type Addition, added, BARE_TYPE, MODEL, RECIPE } from './recipe.js';

/** What compiles the service with its tests, and the page. */
const PROJECT_FILE = 'tsconfig.json';
const PAGE_FILE = 'src/inspector/tsconfig.json';

/** Tests of the inspector that ask every type and every check for what the page shows of them. */
const INSPECTOR_TESTS = ['test/unit/inspector/limits.test.ts', 'test/unit/inspector/questions.test.ts'];

/** What a project needs to generate, to compile and to judge. */
const COPIED = [
  'src',
  'openapi.yaml',
  'examples',
  'package.json',
  PROJECT_FILE,
  'scripts/codes',
  'scripts/certificates-module.ts',
  'scripts/ensure-generated.mjs',
  'scripts/generated-modules.d.mts',
  'scripts/generated-modules.mjs',
  'scripts/openapi-modules.ts',
  'scripts/read-openapi.ts',
  'scripts/write-modules.ts',
  'test/judge.ts',
  'test/judging-parts.ts',
  'docs/what-an-allow-proves.md',
  'test/architecture/project-files.ts',
  ...INSPECTOR_TESTS,
];

/** What its codes are, which the contract has too. */
const TOY_ROWS = 'src/tee/toy/checks/rows.ts';

const NEW_FILES = join(PROJECT, 'test/adding-a-tee/new');
/** Twenty seconds on a machine that has nothing else to do. */
const PATIENCE_MS = 300_000;

const VITEST = 'export default { test: { include: ["test/unit/**/*.test.ts"] } };\n';

let copy = '';

function write(path: string, text: string): void {
  mkdirSync(dirname(join(copy, path)), { recursive: true });
  writeFileSync(join(copy, path), text);
}

/** Writes additions into the copy. */
function addNewFiles(isAdded: (path: string) => boolean): void {
  for (const path of newFiles().filter(isAdded)) write(path, readFileSync(join(NEW_FILES, `${path}.txt`), 'utf8'));
}

function add(additions: readonly Addition[]): void {
  for (const addition of additions) {
    write(addition.file, added(addition, readFileSync(join(copy, addition.file), 'utf8')));
  }
}

/** New files of the recipe, from the root of the project. */
function newFiles(): readonly string[] {
  return readdirSync(NEW_FILES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(NEW_FILES, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .map((path) => path.replace(/\.txt$/, ''));
}

function run(program: string, ...args: readonly string[]): string {
  const environment = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_OPTIONS|TEST)/.test(name));
  return execFileSync(process.execPath, [join(PROJECT, 'node_modules', program), ...args], {
    cwd: copy,
    encoding: 'utf8',
    env: Object.fromEntries(environment),
  });
}

/**
 * Files of the copy that do not compile, from its root.
 *
 * @param project from the root of the copy
 */
function filesThatDoNotCompile(project: string): readonly string[] {
  const compiler = join(PROJECT, 'node_modules/typescript-7/bin/tsc');
  const args = [compiler, '-p', project, '--noEmit', '--pretty', 'false'];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8' });
  const files = [...stdout.matchAll(/^(\S+)\(\d+,\d+\): error /gm)].map(([, path = '']) => path);
  if (files.length === 0 && status !== 0) throw new Error(stdout);
  return [...new Set(files)].sort();
}

interface TestedFile {
  readonly assertionResults: readonly { readonly title: string }[];
}

function titlesOf(files: readonly TestedFile[]): readonly string[] {
  return files.flatMap(({ assertionResults }) => assertionResults.map(({ title }) => title));
}

/** Files that the document names for a TEE of some name. */
function documentedFiles(name: string): readonly string[] {
  const [, recipe = ''] = readProjectFile('docs/adding-a-tee.md').split('\n## ');
  return [...recipe.matchAll(/^ {3}- `([^`]+)`/gm)].map(([, path = '']) => path.replaceAll('TEE', name)).sort();
}

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'veritee-toy-'));
  for (const path of COPIED) cpSync(join(PROJECT, path), join(copy, path), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'));
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('docs/adding-a-tee.md', () => {
  it('names at most six places', () => {
    const [, recipe = ''] = readProjectFile('docs/adding-a-tee.md').split('\n## ');
    const places = recipe.match(/^\d\. /gm) ?? [];
    expect(places.length).toBeGreaterThan(0);
    expect(places.length).toBeLessThanOrEqual(6);
  });

  it('names every file that a TEE touches', () => {
    const touched = new Set([...RECIPE.map(({ file }) => file), ...newFiles()]);
    expect(documentedFiles('toy')).toEqual([...touched].sort());
  });
});

describe('a toy TEE', () => {
  it(
    'does not compile without traits and verifier',
    () => {
      const places = ['src/core/evidence-traits.ts', 'src/tee/registry.ts'];
      add(BARE_TYPE);
      expect(filesThatDoNotCompile(PROJECT_FILE)).toEqual(expect.arrayContaining(places));
    },
    PATIENCE_MS,
  );

  it(
    'does not compile with its model alone, and the compiler names each place that is left',
    () => {
      const places = [
        'scripts/codes/check-triggers.ts',
        'scripts/codes/malformed-texts.ts',
        'src/tee/registry.ts',
        'src/tee/remedies.ts',
        // What is generated from openapi.yaml has no such claims, codes or schema.
        'src/wire/present-decision.ts',
        'src/wire/problem.ts',
        'src/wire/schema-check.ts',
      ];
      add(MODEL.filter((addition) => !BARE_TYPE.includes(addition)));
      addNewFiles((path) => path === TOY_ROWS);
      expect(filesThatDoNotCompile(PROJECT_FILE)).toEqual(expect.arrayContaining(places));
      const ofThePage = ['src/inspector/chain-of-trust.ts', 'src/inspector/limits.ts', 'src/inspector/verdict.ts'];
      expect(filesThatDoNotCompile(PAGE_FILE)).toEqual(expect.arrayContaining(ofThePage));
    },
    PATIENCE_MS,
  );

  it(
    'compiles with the recipe, is allowed and denied, and is shown by the inspector',
    () => {
      add(RECIPE.filter((addition) => !MODEL.includes(addition)));
      addNewFiles((path) => path !== TOY_ROWS);
      run('tsx/dist/cli.mjs', 'scripts/ensure-generated.mjs');
      expect(filesThatDoNotCompile(PROJECT_FILE)).toEqual([]);
      expect(filesThatDoNotCompile(PAGE_FILE)).toEqual([]);
      write('vitest.config.mjs', VITEST);
      const { success, testResults } = JSON.parse(run('vitest/vitest.mjs', 'run', '--reporter=json'));
      expect(success).toBe(true);
      expect(testResults).toHaveLength(INSPECTOR_TESTS.length + 1);
      expect(titlesOf(testResults)).toEqual(
        expect.arrayContaining([
          'is allowed where the vendor has signed it, and it holds the nonce',
          'is denied where a bit of it was changed',
          'is shown by the inspector with its name, its chain of trust, its claims and its limits',
        ]),
      );
    },
    PATIENCE_MS,
  );
});
