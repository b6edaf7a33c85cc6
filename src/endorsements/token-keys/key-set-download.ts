import type { TokenKeySet, Unavailable } from '../../core/endorsement.js';
import { FormatError, nullIfMalformed } from '../../core/errors.js';
import type { Log } from '../../core/ports.js';
import { crlUris } from '../../formats/crl-distribution-points.js';
import { KEY_CERTIFICATE, type KeyKinds, parseKeySet } from '../../formats/json-web-key-set.js';
import { parseStrictJson } from '../../formats/strict-json.js';
import { parseCertificate } from '../../formats/x509-certificate.js';
import { parseCrl } from '../../formats/x509-crl.js';
import type { Fetch, FetchRequest } from '../../outside/bounded-fetch.js';
import { boundedSeconds, FetchError } from '../../outside/fetch-error.js';
import { httpsOrigin } from './token-issuer.js';

/** A key set has its own media types (RFC 7517, section 8.5), but is also served as plain JSON. */
const JSON_TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/jwk-set+json',
  'application/jwk+json',
  'application/octet-stream',
  'text/plain',
]);

const JSON_DOCUMENT = { maximumBytes: 256 * 1024, mediaTypes: JSON_TYPES } as const;
const CRL_BYTES = 1024 * 1024;
const MAXIMUM_CRLS = 8;

interface KeySetDownloadOptions {
  readonly issuer: string;
  /** URL of the key set. Null: the discovery document names it. */
  readonly url: string | null;
  /** URL of the discovery document, which is fetched without a URL, or after a 404. Null: there is none. */
  readonly discovery: string | null;
  /** The accepted keys; defaults to RSA keys. */
  readonly kinds?: KeyKinds;
  /** The credential for the server of the keys, read for each fetch. */
  readonly authorization?: () => Promise<string>;
  /** Whether the certificates of the keys are verified, so that their CRLs are needed. */
  readonly withCrls: boolean;
  readonly fetch: Fetch;
  readonly log: Log;
}

/** The result of one fetch. */
export interface DownloadedKeys {
  readonly keys: TokenKeySet['keys'];
  /** CRLs, DER, by their URI. */
  readonly crls: ReadonlyMap<string, Uint8Array>;
  /** Whether every CRL was received. */
  readonly complete: boolean;
  /** The set as received. */
  readonly keySet: Uint8Array;
}

/** Fetches the key set of one issuer, only from the configured place. Addresses in tokens are ignored. */
export class KeySetDownload {
  readonly #options: KeySetDownloadOptions;
  readonly #origin: string;

  constructor(options: KeySetDownloadOptions) {
    this.#options = options;
    const place = options.url ?? options.discovery;
    if (place === null) throw new TypeError('a key set without a place');
    this.#origin = new URL(place).origin;
  }

  /**
   * @param before the result of the last fetch
   * @throws {FetchError} if nothing was received, or not the requested object
   * @throws {FormatError} if the received data is unusable
   */
  async get(before: DownloadedKeys | null, signal: AbortSignal): Promise<DownloadedKeys> {
    const { issuer, withCrls, kinds, log } = this.#options;
    const keySet = await this.#keySet(signal);
    const { keys, leftOut } = parseKeySet(keySet, kinds);
    log.info({ issuer, keys: keys.size, leftOut }, 'key set of a token issuer fetched');
    if (!withCrls) return { keys, keySet, crls: new Map(), complete: true };
    return { keys, keySet, ...(await this.#crls(keys, before?.crls ?? new Map(), signal)) };
  }

  async #keySet(signal: AbortSignal): Promise<Uint8Array> {
    const { url, discovery, kinds } = this.#options;
    const check = parseBody((bytes) => parseKeySet(bytes, kinds));
    const keySet = { ...JSON_DOCUMENT, signal, check };
    if (url === null) return this.#get(await this.#discovered(discovery ?? '', signal), keySet);
    try {
      return await this.#get(url, { ...keySet, mayBeRefused: discovery !== null });
    } catch (error) {
      if (discovery === null || !(error instanceof FetchError && error.notFound)) throw error;
      return this.#get(await this.#discovered(discovery, signal), keySet);
    }
  }

  /** The URL of the key set in the discovery document. */
  async #discovered(discovery: string, signal: AbortSignal): Promise<string> {
    const { issuer, url } = this.#options;
    const parse = (document: Uint8Array) =>
      parseKeySetUrl(document, { issuer, origin: this.#origin, isNamed: url === null });
    return parse(await this.#get(discovery, { ...JSON_DOCUMENT, signal, check: parseBody(parse) }));
  }

  /**
   * The CRLs that the certificates of a key set name. If one cannot be fetched, the previous one is kept:
   * the verifier checks whether it is still valid.
   */
  async #crls(keys: TokenKeySet['keys'], before: DownloadedKeys['crls'], signal: AbortSignal) {
    const uris = namedUris(keys, this.#origin);
    const lists = await Promise.all(uris.map((uri) => this.#crlOrNull(uri, signal)));
    const crls = new Map<string, Uint8Array>();
    for (const [index, uri] of uris.entries()) {
      const list = lists[index] ?? before.get(uri);
      if (list !== undefined) crls.set(uri, list);
    }
    return { crls, complete: !lists.includes(null) };
  }

  async #crlOrNull(uri: string, signal: AbortSignal): Promise<Uint8Array | null> {
    try {
      const list = await this.#get(uri, { maximumBytes: CRL_BYTES, signal, check: parseBody(parseCrl) });
      return parseCrl(list).der;
    } catch (error) {
      if (!(error instanceof FetchError) && !(error instanceof FormatError)) throw error;
      this.#options.log.warn({ uri, why: error.message }, 'CRL of a token issuer not fetched');
      return null;
    }
  }

  async #get(url: string, request: Omit<FetchRequest, 'origin' | 'path'>): Promise<Uint8Array> {
    const { fetch, authorization } = this.#options;
    const { pathname, search } = new URL(url);
    const headers = authorization === undefined ? {} : { headers: { authorization: await authorization() } };
    const { body } = await fetch.get({ origin: this.#origin, path: `${pathname}${search}`, ...headers, ...request });
    return body;
  }
}

const parseBody =
  (parse: (body: Uint8Array) => unknown) =>
  ({ body }: { readonly body: Uint8Array }) =>
    parse(body);

/** CRLs at other origins than that of the keys are not fetched, even if a certificate names them. */
function namedUris(keys: TokenKeySet['keys'], origin: string): readonly string[] {
  const certificates = [...keys.values()].flat().flatMap((key) => key.certificates);
  const uris = certificates.flatMap((der) => urisOf(der)).filter((uri) => httpsOrigin(uri) === origin);
  return [...new Set(uris)].slice(0, MAXIMUM_CRLS);
}

/** A certificate whose distribution points cannot be parsed yields no CRL; the verifier then reports it as missing. */
function urisOf(der: Uint8Array): readonly string[] {
  return nullIfMalformed(() => crlUris(parseCertificate(der, KEY_CERTIFICATE))) ?? [];
}

/**
 * Reads the URL of the key set from a discovery document (OpenID Connect Discovery 1.0, section 3). It must have
 * the issuer's own origin: the document must not redirect this service elsewhere.
 *
 * @param issuer the required `issuer` of the document
 * @param isNamed whether that member is required; the document of Azure Attestation may lack it
 * @throws {FormatError} `schema`, and the codes of strict JSON
 */
function parseKeySetUrl(
  bytes: Uint8Array,
  { issuer, origin, isNamed }: { readonly issuer: string; readonly origin: string; readonly isNamed: boolean },
): string {
  const document = new Map(Object.entries(parseStrictJson(bytes) ?? {}));
  if ((isNamed || document.has('issuer')) && document.get('issuer') !== issuer) {
    throw new FormatError('schema', 'discovery document is for another issuer');
  }
  const url = document.get('jwks_uri');
  if (typeof url !== 'string' || httpsOrigin(url) !== origin) {
    throw new FormatError('schema', 'discovery document names no key set at the same origin');
  }
  return url;
}

/** The issuer answered, but not with a key set: with a web page, for example, or too long a body. */
const UNFIT_ANSWERS: ReadonlySet<FetchError['fault']> = new Set(['content_type', 'too_large']);

/**
 * Returns why there is no key set. Every such fault may be temporary, including a 404.
 * @throws {unknown} an error other than of the network or the received data
 */
export function keySetProblem(error: unknown): Unavailable {
  if (error instanceof FormatError) {
    return {
      code: 'jwks_invalid',
      detail: `the key set of the issuer cannot be used: ${error.message}`,
      retryable: true,
    };
  }
  if (!(error instanceof FetchError)) throw error;
  const code = UNFIT_ANSWERS.has(error.fault) ? 'jwks_invalid' : 'jwks_unavailable';
  const problem: Unavailable = { code, detail: `the key set of the issuer: ${error.message}`, retryable: true };
  if (!error.throttled || error.retryAfterMs === null) return problem;
  return { ...problem, retryAfterSeconds: boundedSeconds(error.retryAfterMs) };
}
