import { readdir, realpath, stat } from 'node:fs/promises';
import type { ConfiguredFiles } from '../model/configured-files.js';
import { isSystemError } from '../model/file-problem.js';
import { PolicyFileError, readPolicyFile } from './policy-file.js';
import { readBoundedFile } from './whole-files.js';

/** Files as they are on the disk now. */
export const DISK_FILES: ConfiguredFiles = {
  read: readBoundedFile,
  names: (folder) => readdir(folder),
  mark: markOf,
  policy: async (directory, name) => readPolicyFile(await realDirectory(directory), name),
};

/** Links are followed, as a mounted Kubernetes volume consists of them. */
async function markOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch (error) {
    return isSystemError(error) ? error.code : 'unknown fault';
  }
}

function realDirectory(directory: string): Promise<string> {
  return realpath(directory).catch((cause: unknown) => {
    throw new PolicyFileError('cannot be found', { cause });
  });
}
