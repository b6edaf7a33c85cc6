/** A file with lines of a log cannot be read as one. Message: lower case, without period, for people. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError';
}

/** A line of a text. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its end. */
  readonly text: string;
  /** Whether it has an end: the last one may have been cut. */
  readonly isEnded: boolean;
}

/** In UTF-16 code units: the longest request that a service may be made to take (64 MiB), in base64, and what is around it. */
const LONGEST_LINE = 96 * 1024 * 1024;

/**
 * Lines of a text in UTF-8, of any length as a whole. Empty ones are passed over.
 * @throws {LogFileError} where a line has no end
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
