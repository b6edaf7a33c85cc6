import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../cli/input.js';
import { fileProblem } from '../../core/file-problem.js';
import { isPolicyName } from '../../files/policy-names.js';

/**
 * The files that are meant: of a folder the policies in it, as the policy directory has them, without their tests; anything
 * else stands for itself, whether it can be read or not.
 *
 * @throws {UsageError} where a folder has no policies, or cannot be listed
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
 * Files of a folder whose names count, in the order of the names.
 * @throws {UsageError} where there are none, or the folder cannot be listed
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

/** `-` is standard input, whatever lies here. */
async function isFolder(path: string): Promise<boolean> {
  if (path === '-') return false;
  const found = await stat(path).catch(() => null);
  return found?.isDirectory() === true;
}
