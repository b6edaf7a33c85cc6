/** Why a file that somebody named cannot be read, in words. */
export function fileProblem(error: unknown): string {
  return problem(error, {
    ENOENT: 'there is no such file',
    ENOTDIR: 'there is no such file',
    EISDIR: 'is a directory, and a file is expected',
  });
}

/** Why a folder that somebody named cannot be read, in words. */
export function folderProblem(error: unknown): string {
  return problem(error, {
    ENOENT: 'there is no such folder',
    ENOTDIR: 'is a file, and a folder is expected',
  });
}

/** Why what is told cannot be written, in words. */
export function outputProblem(error: unknown): string {
  const code = isSystemError(error) ? error.code : null;
  if (code === 'ENOSPC') return 'cannot be written: no space is left';
  if (code === 'EPIPE') return 'cannot be written: nobody reads it any more';
  return code === null ? 'cannot be written' : `cannot be written (${code})`;
}

/** Whether the system refused something, instead of the program being at fault. */
export function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}

function problem(error: unknown, words: { readonly [code: string]: string }): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : null;
  if (typeof code !== 'string') return 'cannot be read';
  if (code === 'EACCES' || code === 'EPERM') return 'the user of this process may not read it';
  return Object.hasOwn(words, code) ? (words[code] ?? '') : `cannot be read (${code})`;
}
