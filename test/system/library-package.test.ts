import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** The package as `npm pack` makes it in a clone, installed in an empty folder. */

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const PACK_MS = 240_000;
/** What a clone has that the build of the package reads. */
const CLONE = [
  ...['src', 'scripts', 'test', 'examples', 'deploy', 'package.json', 'package-lock.json', '.npmrc', 'openapi.yaml'],
  ...['tsconfig.json', 'tsconfig.library.json', 'README.md', 'LICENSE', 'CHANGELOG.md'],
];

const { version, dependencies } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
let root = '';
let folder = '';

const run = (cwd: string, program: string, ...args: readonly string[]) =>
  execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 26 });

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'veritee-package-'));
  const clone = join(root, 'clone');
  folder = join(root, 'empty');
  for (const path of [clone, folder]) mkdirSync(path);
  for (const name of CLONE) cpSync(join(PROJECT, name), join(clone, name), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(clone, 'node_modules'));
  run(clone, 'npm', 'pack', '--silent', '--pack-destination', folder);
  // No registry is asked: dependencies are those of the project, at the versions that the package wants.
  const overrides = Object.fromEntries(
    Object.keys(dependencies).map((name) => [name, `file:${join(PROJECT, 'node_modules', name)}`]),
  );
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', overrides }));
  const offline = ['--offline', '--cache', join(root, 'cache'), '--no-audit', '--no-fund', '--ignore-scripts'];
  run(folder, 'npm', 'install', ...offline, `./veritee-${version}.tgz`);
  cpSync(join(PROJECT, 'examples'), join(folder, 'examples'), { recursive: true });
}, PACK_MS);

afterAll(() => rmSync(root, { recursive: true, force: true }));

const inFolder = (code: string) => run(folder, process.execPath, '--input-type=module', '--eval', code);

/** Pieces of code in a document. */
function codeOf(document: string, language: string): readonly string[] {
  const text = readFileSync(join(PROJECT, document), 'utf8');
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code = '']) => code);
}

describe('the package in an empty folder', () => {
  it('gives the command veritee', () => {
    expect(run(folder, 'npx', '--no-install', 'veritee', '--version')).toBe(`${version}\n`);
  });

  it('runs the code of docs/library.md', () => {
    const [verifies = '', decides = ''] = codeOf('docs/library.md', 'js');
    expect(verifies.trim().split('\n').length).toBeLessThanOrEqual(12);
    expect(inFolder(verifies)).toBe("[ 'crl_unavailable: no CRL of Genoa is available' ]\n");
    expect(inFolder(`${verifies}${decides}console.log(decision);`)).toMatch(/\nallow\n$/);
    const later = `${verifies.replace('2026-01-15', '2062-01-15')}${decides.replace('if (', 'console.log(reasons); if (0 && ')}`;
    expect(inFolder(later)).toContain("'cert_validity'");
  });

  it('runs the code in the README of the lab', () => {
    const [code = ''] = codeOf('test/lab/README.md', 'ts');
    expect(inFolder(code)).toBe('az-snp-vtpm\n');
  });

  it('has three entries', () => {
    const code = `
      import * as verifier from 'veritee/verifier';
      import * as policy from 'veritee/policy';
      import * as lab from 'veritee/lab';
      console.log([verifier.open, verifier.verify, policy.appraise, policy.decide, lab.createAmdPki].map((each) => typeof each).join());
    `;
    expect(inFolder(code)).toBe('function,function,function,function,function\n');
  });

  it('has types that compile by themselves', () => {
    const file = join(folder, 'caller.ts');
    writeFileSync(
      file,
      `
        import { type Evidence, open, type Verification, verify } from 'veritee/verifier';
        import { appraisalInput, appraise, BUILT_IN_POLICIES, decide, type Outcome } from 'veritee/policy';
        export async function outcomeOf(evidence: Evidence, at: Date): Promise<Outcome> {
          const verification: Verification = await verify(open(evidence), { at });
          const input = appraisalInput(verification);
          return decide(BUILT_IN_POLICIES.map((policy) => appraise(policy, input))).decision;
        }
        // @ts-expect-error: the verification time is mandatory
        export const undated = (evidence: Evidence) => verify(open(evidence), {});
      `,
    );
    const program = ts.createProgram([file], {
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
      types: [],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      strict: true,
      noEmit: true,
    });
    const problems = ts.getPreEmitDiagnostics(program);
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  });
});
