import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { NamedInput } from '../cli/named-input.js';
import { UsageError } from '../cli/usage-error.js';
import { fileProblem } from '../model/file-problem.js';

/**
 * Reads a file, or standard input for `-`.
 * @param expected what the command wants, for those who gave something else
 * @throws {UsageError} where it cannot be read, or is empty
 */
export async function readInput(file: string, expected: string): Promise<NamedInput> {
  const name = file === '-' ? 'standard input' : file;
  const bytes = await (file === '-' ? buffer(process.stdin) : readFile(file)).catch((cause: unknown) => {
    throw new UsageError([`${name}: ${fileProblem(cause)}`, `expected is ${expected}`], { cause });
  });
  if (bytes.byteLength === 0) throw new UsageError([`${name}: is empty`, `expected is ${expected}`]);
  return { name, bytes };
}
