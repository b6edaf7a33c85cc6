import { mkdir, mkdtemp, realpath, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PolicyFileError, readPolicyFile } from '../../../src/stores/policy-file.js';

let root: string;
let directory: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'veritee-')));
  directory = join(root, 'policies');
  await mkdir(join(directory, 'folder'), { recursive: true });
  await mkdir(join(root, 'outside'));
  await writeFile(join(directory, 'folder', 'a.yaml'), 'inside');
  await writeFile(join(root, 'outside', 'a.yaml'), 'outside');
  await symlink(join('folder', 'a.yaml'), join(directory, 'a.yaml'));
});
afterEach(() => rm(root, { recursive: true }));

/** The folder on the way to the file: now a folder, now a link that leads out. */
async function swapFolder(): Promise<void> {
  await rename(join(directory, 'folder'), join(root, 'aside'));
  await symlink(join(root, 'outside'), join(directory, 'folder'));
  await unlink(join(directory, 'folder'));
  await rename(join(root, 'aside'), join(directory, 'folder'));
}

it('DEC-06 never reads what lies outside, however links are swapped meanwhile', async () => {
  let isDone = false;
  const swapping = (async () => {
    while (!isDone) await swapFolder();
  })();
  const outcomes = new Set<string>();
  for (let round = 0; round < 1_500; round++) {
    const outcome = await readPolicyFile(directory, 'a.yaml').catch((error: unknown) => {
      if (error instanceof PolicyFileError) return 'refused';
      throw error;
    });
    outcomes.add(outcome);
  }
  isDone = true;
  await swapping;
  expect(outcomes).not.toContain('outside');
  expect(await readPolicyFile(directory, 'a.yaml')).toBe('inside');
});
