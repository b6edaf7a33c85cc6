import { isUtf8 } from 'node:buffer';
import { FormatError, RefusedError } from '../model/errors.js';
import { quotedName } from '../model/names-in-messages.js';

/** Requests of one batch. */
export const MOST_REQUESTS = 256;

const REQUESTS = '/requests';

const EXPECTED = 'expected { "requests": [ … ] }';

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];

/** What a byte is outside of strings. */
const [PLAIN, BLANK, QUOTES, SEPARATES, OPENS, CLOSES] = [0, 1, 2, 3, 4, 5];
/** Looked up for each of up to 16 MiB, for which a map takes ten times as long. */
const KINDS = kinds();

/** Levels of objects and arrays that are followed. What is deeper is refused when the request itself is read. */
const DEEPEST = 1_024;

/**
 * The texts of the requests of a batch, unread: each is read by itself, so that what is wrong in one is said of that one.
 * Only brackets and strings are looked at here.
 *
 * @throws {FormatError} where the text as a whole is no `{ "requests": [ … ] }` of 1 to 256 requests
 */
export function splitBatch(body: Uint8Array): readonly Uint8Array[] {
  if (body.byteLength === 0) throw malformed(`the body is empty: ${EXPECTED}`);
  if (!isUtf8(body)) throw new FormatError('encoding', 'the body is not UTF-8', { pointer: '' });
  const requests = new BatchSplitter(body).requests();
  if (requests.length === 0)
    throw new FormatError('schema', `a batch has 1 to ${MOST_REQUESTS} requests, and this one has none`, {
      pointer: REQUESTS,
    });
  return requests;
}

/** @throws {RefusedError} `body_too_large` where a request is longer than one that comes by itself may be */
export function requireFittingRequest(request: Uint8Array, bodyBytes: number): void {
  if (request.byteLength <= bodyBytes) return;
  throw new RefusedError('body_too_large', `the request is over ${bodyBytes} bytes (limits.bodyBytes)`);
}

class BatchSplitter {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  }

  requests(): readonly Uint8Array[] {
    let found: readonly Uint8Array[] | null = null;
    if (!this.#takes('{')) throw malformed(`the body does not begin with {: ${EXPECTED}`);
    for (let isEnd = this.#takes('}'); !isEnd; isEnd = this.#ends('}')) {
      const name = this.#name();
      if (name !== 'requests') {
        const message = `unknown member ${quotedName(name)}; known: requests`;
        throw new FormatError('unknown_property', message, { pointer: '' });
      }
      if (found !== null) throw new FormatError('duplicate_key', 'member appears twice', { pointer: REQUESTS });
      this.#expect(':');
      found = this.#items();
    }
    this.#blanks();
    if (this.#at < this.#bytes.length) throw malformed('not JSON: expected nothing after the value');
    if (found === null) throw new FormatError('schema', 'member is missing', { pointer: REQUESTS });
    return found;
  }

  #name(): string {
    this.#blanks();
    const start = this.#at;
    if (this.#bytes[start] !== QUOTE) throw malformed('not JSON: expected a member name in double quotes');
    this.#at = endOfString(this.#bytes, start) + 1;
    try {
      return String(JSON.parse(this.#bytes.toString('utf8', start, this.#at)));
    } catch (cause) {
      throw malformed('not JSON: a member name that is no string', cause);
    }
  }

  #items(): readonly Uint8Array[] {
    if (!this.#takes('[')) throw new FormatError('schema', 'the value is not an array', { pointer: REQUESTS });
    const items: Uint8Array[] = [];
    for (let isEnd = this.#takes(']'); !isEnd; isEnd = this.#ends(']')) {
      if (items.length >= MOST_REQUESTS) throw tooMany();
      items.push(this.#item());
    }
    return items;
  }

  /** From the first byte that is not blank to the comma or bracket that ends it. */
  #item(): Uint8Array {
    this.#blanks();
    const bytes = this.#bytes;
    const start = this.#at;
    const open: number[] = [];
    for (let at = start; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      const kind = KINDS[byte];
      if (kind === PLAIN || kind === BLANK) continue;
      if (open.length === 0 && (kind === SEPARATES || kind === CLOSES)) {
        if (at === start) throw malformed('not JSON: expected a request');
        this.#at = at;
        return bytes.subarray(start, at);
      }
      if (kind === QUOTES) at = endOfString(bytes, at);
      else followBracket(open, byte, kind);
    }
    throw malformed('not JSON: the text ends too early');
  }

  #blanks(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    while (at < bytes.length && KINDS[bytes[at] ?? 0] === BLANK) at += 1;
    this.#at = at;
  }

  #takes(character: '{' | '}' | '[' | ']'): boolean {
    this.#blanks();
    if (this.#bytes[this.#at] !== character.charCodeAt(0)) return false;
    this.#at += 1;
    return true;
  }

  /** Whether the list ends here; else behind the comma. */
  #ends(closing: '}' | ']'): boolean {
    if (this.#takes(closing)) return true;
    this.#expect(',');
    return false;
  }

  #expect(character: ',' | ':'): void {
    this.#blanks();
    if (this.#bytes[this.#at] !== { ',': COMMA, ':': COLON }[character]) {
      throw malformed(`not JSON: expected ${character}`);
    }
    this.#at += 1;
  }
}

/** @returns where the quote is that ends the string which begins at `start` */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at += 1;
  }
  throw malformed('not JSON: a string that does not end');
}

function followBracket(open: number[], byte: number, kind: number | undefined): void {
  // In ASCII, the bracket that closes is two behind the one that opens.
  if (kind === OPENS) open.push(byte + 2);
  else if (kind === CLOSES && open.pop() !== byte) throw malformed('not JSON: brackets that do not match');
  if (open.length > DEEPEST) throw new FormatError('too_complex', `more than ${DEEPEST} levels`, { pointer: REQUESTS });
}

function kinds(): Uint8Array {
  const table = new Uint8Array(256);
  const of = (characters: string, kind: number) => {
    for (const byte of Buffer.from(characters)) table[byte] = kind;
  };
  of(' \t\n\r', BLANK);
  of('"', QUOTES);
  of(',', SEPARATES);
  of('{[', OPENS);
  of('}]', CLOSES);
  return table;
}

function tooMany(): FormatError {
  return new FormatError('schema', `a batch has 1 to ${MOST_REQUESTS} requests, and this one has more`, {
    pointer: REQUESTS,
  });
}

function malformed(message: string, cause?: unknown): FormatError {
  return new FormatError('schema', message, { pointer: '', cause });
}
