import { createReadStream } from 'node:fs';
import { type NamedInput, UsageError } from '../../cli/input.js';
import { mayColour, type Output } from '../../cli/output.js';
import type { Configuration } from '../../config/configuration.js';
import { loadConfiguration, readConfigurationFile } from '../../config/load-configuration.js';
import { fileProblem } from '../../core/file-problem.js';
import type { Log } from '../../core/ports.js';
import { createLog } from '../../telemetry/log.js';

export async function configurationOf({ config }: { readonly config?: string }): Promise<Configuration> {
  const text = config === undefined ? null : await readConfigurationFile(config);
  return loadConfiguration({ text, file: config, environment: process.env });
}

export function outputOf(options: { readonly json?: boolean }): Output {
  return {
    asTable: process.stdout.isTTY === true && options.json !== true,
    inColour: mayColour(process.stdout, process.env),
    write,
  };
}

export function write(text: string): void {
  process.stdout.write(text);
}

/** Logs to standard error: standard output holds only the answer. */
export function commandLineLog(): Log {
  return createLog('warn', process.stderr);
}

/** Twice the longest body that a service can be configured to accept. */
const MAXIMUM_INPUT = 128 * 1024 * 1024;

/**
 * Reads a file, or standard input for `-`. A pipe has no size, so it counts the bytes that it reads.
 * @param expected the input that the command needs, for error messages
 * @throws {UsageError} if the input cannot be read, is empty, or is too large
 */
export async function readInput(file: string, expected: string): Promise<NamedInput> {
  if (file === '') throw new UsageError(['the name of the file is empty', `expected ${expected}`]);
  const name = file === '-' ? 'standard input' : file;
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAXIMUM_INPUT) break;
    }
  } catch (cause) {
    throw new UsageError([`${name}: ${fileProblem(cause)}`, `expected ${expected}`], { cause });
  }
  if (length === 0) throw new UsageError([`${name}: is empty`, `expected ${expected}`]);
  if (length > MAXIMUM_INPUT)
    throw new UsageError([`${name}: has more than ${MAXIMUM_INPUT} bytes`, `expected ${expected}`]);
  return { name, bytes: Buffer.concat(chunks) };
}

/**
 * Reads files one after the other, as `readInput` does.
 * @throws {UsageError} if standard input is named twice: it can be read once
 */
export async function readInputs(files: readonly string[], expected: string): Promise<readonly NamedInput[]> {
  if (files.filter((file) => file === '-').length > 1) {
    throw new UsageError(['standard input is one file: name it once']);
  }
  const inputs: NamedInput[] = [];
  for (const file of files) inputs.push(await readInput(file, expected));
  return inputs;
}
