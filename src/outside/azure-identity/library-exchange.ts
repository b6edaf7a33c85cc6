import type { TokenCredentialOptions } from '@azure/identity';
import { type BoundedAnswer, headerOf } from '../bounded-agent.js';
import type { BoundedQuestion, Exchange } from '../bounded-exchange.js';
import { FetchError } from '../fetch-error.js';

/** How the libraries of Azure reach the network. */
export type HttpClient = NonNullable<TokenCredentialOptions['httpClient']>;
export type LibraryRequest = Parameters<HttpClient['sendRequest']>[0];
export type LibraryResponse = Awaited<ReturnType<HttpClient['sendRequest']>>;

/** Headers that the connection sets itself; without Accept-Encoding no answer is compressed. */
const NOT_CARRIED: ReadonlySet<string> = new Set(['accept-encoding', 'connection', 'content-length', 'host']);

/**
 * Sends requests of an Azure library over an exchange of this service. It is bounded in bytes and time, follows no redirect,
 * ignores proxies of the environment, and contacts only configured origins.
 * @throws {FetchError}
 */
export async function sendForLibrary(
  exchange: Exchange,
  { url, method, headers, body }: LibraryRequest,
  bounds: Pick<BoundedQuestion, 'maximumBytes' | 'signal' | 'check' | 'mayBeRefused'>,
): Promise<BoundedAnswer> {
  if (method !== 'GET' && method !== 'POST') throw new FetchError('not_allowed', 'an unexpected method');
  // A removed body is null, contrary to the type.
  if (body !== undefined && body !== null && typeof body !== 'string') {
    throw new FetchError('not_allowed', 'a body that is not text');
  }
  const { origin, pathname, search } = new URL(url);
  return exchange.send({
    method,
    origin,
    path: `${pathname}${search}`,
    headers: Object.fromEntries([...headers].filter(([name]) => !NOT_CARRIED.has(name.toLowerCase()))),
    body: body ?? null,
    ...bounds,
  });
}

/** Converts an answer to the form of the libraries. */
export function libraryResponse(request: LibraryRequest, { status, headers, body }: BoundedAnswer): LibraryResponse {
  return { request, status, headers: new AnswerHeaders(headers), bodyAsText: Buffer.from(body).toString('utf8') };
}

/** Headers of an answer, under their names in lower case. */
class AnswerHeaders {
  readonly #values: Map<string, string>;

  constructor(headers: BoundedAnswer['headers']) {
    const entries = Object.keys(headers).map((name): [string, string] => [name, headerOf(headers, name) ?? '']);
    this.#values = new Map(entries);
  }

  get(name: string): string | undefined {
    return this.#values.get(name.toLowerCase());
  }

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  set(name: string, value: string | number | boolean): void {
    this.#values.set(name.toLowerCase(), String(value));
  }

  delete(name: string): void {
    this.#values.delete(name.toLowerCase());
  }

  toJSON(): Record<string, string> {
    return Object.fromEntries(this.#values);
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.#values.entries();
  }
}
