import { parseKeySet } from '../../formats/json-web-key-set.js';
import type { TokenKeySet } from '../../model/endorsement.js';
import type { Log } from '../../model/ports.js';
import type { Fetch } from '../../outgoing/bounded-fetch.js';
import { FetchError } from '../../outgoing/fetch-error.js';
import { type CrlsByUri, downloadCrls } from './crl-downloads.js';
import { parseKeySetUrl } from './discovery-document.js';

const KEY_SET_BYTES = 256 * 1024;

/** A key set has types of its own (RFC 7517, section 8.5), and comes under plainer ones too. */
const JSON_TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/jwk-set+json',
  'application/jwk+json',
  'application/octet-stream',
  'text/plain',
]);

interface KeySetDownloadOptions {
  readonly issuer: string;
  readonly url: string;
  readonly discovery: string | null;
  /** Whether the certificates of the keys will be judged, so that their revocation lists are needed. */
  readonly withCrls: boolean;
  readonly fetch: Fetch;
  readonly log: Log;
}

/** What one fetch brought. */
export interface DownloadedKeys {
  readonly keys: TokenKeySet['keys'];
  readonly crls: CrlsByUri;
  /** Whether every revocation list came. */
  readonly complete: boolean;
}

/** Fetches the key set of one issuer, from the configured place only. What a token names is never looked at. */
export class KeySetDownload {
  readonly #options: KeySetDownloadOptions;
  readonly #origin: string;

  constructor(options: KeySetDownloadOptions) {
    this.#options = options;
    this.#origin = new URL(options.url).origin;
  }

  /**
   * @param before what the last fetch brought
   * @throws {FetchError} nothing came, or not what was asked for
   * @throws {FormatError} what came is of no use
   */
  async get(before: DownloadedKeys | null, signal: AbortSignal): Promise<DownloadedKeys> {
    const { issuer, withCrls, fetch, log } = this.#options;
    const { keys, leftOut } = parseKeySet(await this.#keySet(signal));
    log.info({ issuer, keys: keys.size, leftOut }, 'key set of a token issuer fetched');
    if (!withCrls) return { keys, crls: new Map(), complete: true };
    return {
      keys,
      ...(await downloadCrls(keys, before?.crls ?? new Map(), { fetch, log, origin: this.#origin, signal })),
    };
  }

  async #keySet(signal: AbortSignal): Promise<Uint8Array> {
    const { url, discovery, issuer } = this.#options;
    try {
      return await this.#get(url, parseKeySet, signal, discovery !== null);
    } catch (error) {
      if (discovery === null || !(error instanceof FetchError && error.notFound)) throw error;
      const parse = (document: Uint8Array) => parseKeySetUrl(document, issuer, this.#origin);
      return this.#get(parse(await this.#get(discovery, parse, signal)), parseKeySet, signal);
    }
  }

  /** @param parse throws where what came is of no use */
  async #get(
    url: string,
    parse: (body: Uint8Array) => unknown,
    signal: AbortSignal,
    mayBeRefused = false,
  ): Promise<Uint8Array> {
    const { pathname, search } = new URL(url);
    const { body } = await this.#options.fetch.get({
      origin: this.#origin,
      path: `${pathname}${search}`,
      maximumBytes: KEY_SET_BYTES,
      mediaTypes: JSON_TYPES,
      signal,
      check: ({ body }) => parse(body),
      mayBeRefused,
    });
    return body;
  }
}
