import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder with a copy of the project, compiled, and the programs of this folder in its `dist`. */
    installation: string;
  }
}

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** The files that `npm ci` and `npm start` find in a clone. */
const FILES = [
  'src',
  'scripts',
  'test',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'openapi.yaml',
  'examples',
  'Dockerfile',
  '.dockerignore',
  '.npmrc',
  'LICENSE',
];

/** A copy of the project that has its packages and is not compiled yet. Services that run in it leave the project alone. */
export function copyProject(): string {
  const folder = mkdtempSync(join(tmpdir(), 'veritee-system-'));
  for (const name of FILES) cpSync(join(PROJECT, name), join(folder, name), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** One compiled copy for all suites, with the programs of this folder. */
export default function install(project: TestProject): () => void {
  const folder = copyProject();
  const remove = () => rmSync(folder, { recursive: true });
  const programs = readdirSync(join(PROJECT, 'test/system')).filter((name) => name.endsWith('.mjs'));
  const compile = ['scripts/compile.mjs', ...programs.map((name) => `test/system/${name}`)];
  for (const args of [compile, ['--import', 'tsx', 'scripts/pages/build.ts']]) {
    if (spawnSync(process.execPath, args, { cwd: folder, stdio: 'inherit' }).status === 0) continue;
    remove();
    throw new Error('the project does not compile');
  }
  project.provide('installation', folder);
  return remove;
}
