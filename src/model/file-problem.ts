/** Why a file that somebody named cannot be read, in words. */
export function fileProblem(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : null;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file';
    case 'EISDIR':
      return 'is a directory, and a file is expected';
    case 'EACCES':
    case 'EPERM':
      return 'the user of this process may not read it';
    default:
      return typeof code === 'string' ? `cannot be read (${code})` : 'cannot be read';
  }
}
