/** The file cannot be read as lines of a log. The message is in lower case, without period, for the operator. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError';
}

/** A line of a text. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Text without the line end. */
  readonly text: string;
  /** Whether the line has an end: the last line may have been cut. */
  readonly isEnded: boolean;
}

/** In UTF-16 code units: the longest configurable request (64 MiB) in base64, and the members around it. */
const LONGEST_LINE = 96 * 1024 * 1024;

/**
 * Reads lines of UTF-8 text of any total length. Skips empty lines.
 * @throws {LogFileError} if a line is too long
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  let number = 0;
  let open = '';
  for await (const chunk of chunks) {
    const [first = '', ...ended] = decoder.decode(chunk, { stream: true }).split('\n');
    open += first;
    if (open.length > LONGEST_LINE) throw new LogFileError(`line ${number + 1} is too long to be one of a log`);
    for (const next of ended) {
      number += 1;
      if (open !== '') yield { number, text: open, isEnded: true };
      open = next;
    }
  }
  open += decoder.decode();
  if (open !== '') yield { number: number + 1, text: open, isEnded: false };
}
