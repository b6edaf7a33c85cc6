import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../cli/input.js';
import { fileProblem, isSystemError } from '../../core/file-problem.js';
import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';
import { jwkThumbprint } from '../../crypto/jwk-thumbprint.js';
import { parseStrictJson } from '../../formats/strict-json.js';
import { headsInLine } from '../../log/heads-in-log.js';
import { LogFileError, readLines } from '../../log/read-lines.js';
import { type LogFileForm, stageLog } from '../../log/stage-log.js';
import { SqliteStore } from '../../stores/sqlite/sqlite-store.js';
import { readInput } from './command-line-io.js';

/** A log that was read from a file into a temporary store. */
export interface OpenStagedLog {
  readonly path: string;
  readonly store: SqliteStore;
  readonly form: LogFileForm;
}

/**
 * Reads an export or a copy into a temporary store, and removes the store afterwards.
 *
 * @param folder parent of the temporary store
 * @throws {UsageError} if the file cannot be read, or is not a whole export
 */
export async function withStagedLog<T>(
  file: string,
  folder: string,
  signal: AbortSignal,
  work: (log: OpenStagedLog) => Promise<T>,
): Promise<T> {
  const temporary = await mkdtemp(join(folder, 'veritee-log-'));
  const path = join(temporary, 'log.db');
  const store = await SqliteStore.open(path);
  try {
    const form = await reading(file, () => stageLog(linesOf(file, signal), store));
    return await work({ path, store, form });
  } finally {
    await store.close();
    await rm(temporary, { recursive: true, force: true });
  }
}

/** @throws {UsageError} if the file cannot be read, or has no head */
export async function readKeptHeads(file: string, signal: AbortSignal): Promise<readonly string[]> {
  const heads = new Set<string>();
  await reading(file, async () => {
    for await (const { text } of linesOf(file, signal)) for (const head of headsInLine(text)) heads.add(head);
  });
  if (heads.size > 0) return [...heads];
  throw new UsageError([
    `${shownFileName(file)}: has no signed head`,
    'expected lines of the log of the service with the member head, or heads, one a line',
  ]);
}

/** @throws {UsageError} if the file cannot be read, or is not a set of public keys */
export async function readHeadKeys(file: string): Promise<readonly JsonObject[]> {
  const { name, bytes } = await readInput(file, 'a JWK Set, as /.well-known/jwks.json of the service has it');
  const value = parsed(bytes);
  const keys = isObject(value) ? value['keys'] : null;
  if (Array.isArray(keys) && keys.length > 0 && keys.every((key) => jwkThumbprint(key) !== null)) return keys;
  throw new UsageError([
    `${name}: ${whyNoKeys(value, keys)}`,
    'expected {"keys": […]}, as /.well-known/jwks.json has it',
  ]);
}

function whyNoKeys(value: JsonValue, keys: JsonValue | undefined): string {
  if (Array.isArray(keys) && keys.length === 0) return 'has no key';
  return jwkThumbprint(value) === null ? 'is no JWK Set' : 'is a single JWK, and no set of them';
}

/** Returns null if the bytes are not JSON. */
function parsed(bytes: Uint8Array): JsonValue {
  try {
    return parseStrictJson(bytes);
  } catch {
    return null;
  }
}

function linesOf(file: string, signal: AbortSignal) {
  return readLines(file === '-' ? process.stdin : createReadStream(file, { signal }));
}

async function reading<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof LogFileError) throw new UsageError([`${shownFileName(file)}: ${cause.message}`], { cause });
    if (isSystemError(cause)) throw new UsageError([`${shownFileName(file)}: ${fileProblem(cause)}`], { cause });
    throw cause;
  }
}

function shownFileName(file: string): string {
  return file === '-' ? 'standard input' : file;
}
