/** Describes why a file cannot be read. */
export function fileProblem(error: unknown): string {
  return problem(error, {
    ENOENT: 'there is no such file',
    ENOTDIR: 'there is no such file',
    EISDIR: 'is a directory, and a file is expected',
  });
}

/** Describes why a folder cannot be read. */
export function folderProblem(error: unknown): string {
  return problem(error, {
    ENOENT: 'there is no such folder',
    ENOTDIR: 'is a file, and a folder is expected',
  });
}

/** Describes why output cannot be written. */
export function outputProblem(error: unknown): string {
  const code = isSystemError(error) ? error.code : null;
  if (code === null) return 'cannot be written';
  const words = OF_WRITING.get(code) ?? OF_EITHER.get(code);
  return words === undefined ? `cannot be written (${code})` : `cannot be written: ${words}`;
}

/** Whether an error comes from the system, and is no fault of the program. */
export function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}

const OF_WRITING: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'no space is left'],
  ['ENOENT', 'there is no such folder'],
  ['ENOTDIR', 'there is no such folder'],
  ['EISDIR', 'it is a directory'],
  ['EPIPE', 'nothing reads it any more'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'the user of this process may not write it'],
  ['EPERM', 'the user of this process may not write it'],
]);

/** Problems of files and folders alike. */
const OF_EITHER: ReadonlyMap<string, string> = new Map([
  ['EIO', 'the disk or the file system fails'],
  ['ELOOP', 'its name is a symbolic link that leads in a circle'],
  ['EMFILE', 'this process has too many files open'],
  ['ENAMETOOLONG', 'its name is too long for the system'],
]);

function problem(error: unknown, words: { readonly [code: string]: string }): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : null;
  if (typeof code !== 'string') return 'cannot be read';
  if (code === 'EACCES' || code === 'EPERM') return 'the user of this process may not read it';
  if (Object.hasOwn(words, code)) return words[code] ?? '';
  const either = OF_EITHER.get(code);
  return either === undefined ? `cannot be read (${code})` : `cannot be read: ${either}`;
}
