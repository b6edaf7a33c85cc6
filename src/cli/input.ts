import { FormatError } from '../core/errors.js';

/** An argument, or the file that it names, is unusable. The lines are messages for the operator. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly lines: readonly string[];

  constructor(lines: readonly string[], options: { cause?: unknown } = {}) {
    super(lines.join('; '), options.cause === undefined ? undefined : { cause: options.cause });
    this.lines = lines;
  }
}

/** The inputs of a command. */
export interface NamedInput {
  /** The path as typed, or `standard input`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Runs a reader of an input, and adds the name of the input to its FormatError. */
export function readingInput<T>({ name }: Pick<NamedInput, 'name'>, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof FormatError ? malformedFile({ name }, error) : error;
  }
}

export function malformedFile({ name }: Pick<NamedInput, 'name'>, error: FormatError): UsageError {
  return new UsageError([`${name}: ${sayFormatError(error)}`], { cause: error });
}

export function sayFormatError({ code, message, pointer }: FormatError): string {
  return `${code}: ${message}${pointer === null || pointer === '' ? '' : ` (at ${pointer})`}`;
}

/** Whether bytes look like a JSON object or list, well-formed or not. */
export function isMeantAsJson(bytes: Uint8Array, opening: '{' | '[' = '{'): boolean {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 1024)).toString('utf8');
  return start
    .replace(/^\ufeff/, '')
    .trimStart()
    .startsWith(opening);
}
