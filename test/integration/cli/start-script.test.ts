import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PROJECT } from '../../architecture/project-files.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-clone-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

it('scripts/start.mjs says what to run where the packages are not installed', () => {
  for (const name of ['start.mjs', 'build-if-needed.mjs']) {
    cpSync(join(PROJECT, 'scripts', name), join(folder, 'scripts', name));
  }
  const { status, stderr } = spawnSync(process.execPath, [join(folder, 'scripts/start.mjs'), 'serve'], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: 'the packages of this project are not installed: run npm ci\n',
  });
});
