import type { Dispatcher } from 'undici';
import { FetchError } from './fetch-error.js';

type Headers = Dispatcher.ResponseData['headers'];

/** The first value of a header, its name in lower case. */
export function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/**
 * Reads a body up to a limit, and ends the connection where there is more.
 * @throws {FetchError} `too_large`
 */
export async function readBody({ headers, body }: Dispatcher.ResponseData, maximumBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new FetchError('too_large', `answer is over ${maximumBytes} bytes`);
  if (Number(headerOf(headers, 'content-length') ?? 0) > maximumBytes) {
    dropBody(body);
    throw tooLarge();
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop by an exception destroys the body, and the connection with it.
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length > maximumBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** Ends the connection: draining would let a slow body hold it until the timeout. */
export function dropBody(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => {}).destroy();
}

/** RFC 9110, 5.6.7, the form that is to be sent. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Reads Retry-After (RFC 9110, 10.2.3): seconds, or a date that is compared with the answer's own, so that it does
 * not matter whose clock is wrong. Milliseconds; null where there is none or it says nothing.
 */
export function retryAfterOf(headers: Headers): number | null {
  const value = headerOf(headers, 'retry-after');
  const answered = headerOf(headers, 'date') ?? '';
  if (value === undefined) return null;
  if (/^\d{1,7}$/.test(value)) return Number(value) * 1000;
  if (!HTTP_DATE.test(value) || !HTTP_DATE.test(answered)) return null;
  const wait = Date.parse(value) - Date.parse(answered);
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}
