import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../cli/input.js';
import { fileProblem } from '../../core/file-problem.js';
import { isPolicyName } from '../../files/policy-names.js';

/**
 * Lists policy files. A folder stands for the policies in it, by the rules of the policy directory and without their
 * tests. Any other path is listed as it is, even if it cannot be read.
 *
 * @throws {UsageError} if a folder has no policies, or cannot be listed
 */
export async function policyPlaces(named: readonly string[]): Promise<readonly string[]> {
  const places: string[] = [];
  for (const path of named) {
    if (await isFolder(path)) {
      places.push(...(await filesIn(path, isPolicyName)));
    } else places.push(path);
  }
  return places;
}

/**
 * Files of a folder with accepted names, in the order of the names.
 * @throws {UsageError} if there are none, or the folder cannot be listed
 */
export async function filesIn(folder: string, counts: (name: string) => boolean): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new UsageError([`${folder}: ${fileProblem(cause)}`], { cause });
  });
  const paths = names
    .filter(counts)
    .sort()
    .map((name) => join(folder, name));
  if (paths.length > 0) return paths;
  const state = names.length === 0 ? 'is empty' : 'has no policies';
  throw new UsageError([`${folder}: ${state}; policies are files *.yaml, *.yml and *.json`]);
}

/** `-` is standard input, even if a folder has that name. */
async function isFolder(path: string): Promise<boolean> {
  if (path === '-') return false;
  const found = await stat(path).catch(() => null);
  return found?.isDirectory() === true;
}
