import { readFile } from 'node:fs/promises';

/** The secret in a file. A line feed at the end is the editor's, not the secret's. */
export async function readSecret(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
}
