import { readFile } from 'node:fs/promises';

/** Reads the secret in a file. Drops a line feed at the end, which editors add. */
export async function readSecret(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
}
