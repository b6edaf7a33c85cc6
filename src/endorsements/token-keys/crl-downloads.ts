import { crlUris } from '../../formats/crl-distribution-points.js';
import { KEY_CERTIFICATE } from '../../formats/json-web-key-set.js';
import { parseCertificate } from '../../formats/x509-certificate.js';
import { parseCrl } from '../../formats/x509-crl.js';
import type { TokenKeySet } from '../../model/endorsement.js';
import { FormatError } from '../../model/errors.js';
import type { Log } from '../../model/ports.js';
import type { Fetch } from '../../outgoing/bounded-fetch.js';
import { FetchError } from '../../outgoing/fetch-error.js';
import { httpsOrigin } from './token-issuer.js';

const CRL_BYTES = 1024 * 1024;
const MAXIMUM_LISTS = 8;

/** Revocation lists, DER, by the URI that they are from. */
export type CrlsByUri = ReadonlyMap<string, Uint8Array>;

interface CrlDownload {
  readonly fetch: Fetch;
  readonly log: Log;
  /** The origin of the keys: lists of any other are not fetched, whatever a certificate says. */
  readonly origin: string;
  readonly signal: AbortSignal;
}

/**
 * Fetches the revocation lists that the certificates of a key set name. If one cannot be fetched,
 * the previous one is kept: the verifier judges whether it still counts.
 */
export async function downloadCrls(
  keys: TokenKeySet['keys'],
  before: CrlsByUri,
  download: CrlDownload,
): Promise<{ readonly crls: CrlsByUri; readonly complete: boolean }> {
  const uris = namedUris(keys, download.origin);
  const lists = await Promise.all(uris.map((uri) => listOrNull(uri, download)));
  const crls = new Map<string, Uint8Array>();
  for (const [index, uri] of uris.entries()) {
    const list = lists[index] ?? before.get(uri);
    if (list !== undefined) crls.set(uri, list);
  }
  return { crls, complete: !lists.includes(null) };
}

function namedUris(keys: TokenKeySet['keys'], origin: string): readonly string[] {
  const certificates = [...keys.values()].flat().flatMap((key) => key.certificates);
  const uris = certificates.flatMap((der) => urisOf(der)).filter((uri) => httpsOrigin(uri) === origin);
  return [...new Set(uris)].slice(0, MAXIMUM_LISTS);
}

/** A certificate whose distribution points cannot be parsed yields no CRL; the verifier then reports it as missing. */
function urisOf(der: Uint8Array): readonly string[] {
  try {
    return crlUris(parseCertificate(der, KEY_CERTIFICATE));
  } catch (error) {
    if (error instanceof FormatError) return [];
    throw error;
  }
}

async function listOrNull(uri: string, { fetch, log, origin, signal }: CrlDownload): Promise<Uint8Array | null> {
  const { pathname, search } = new URL(uri);
  try {
    const { body: list } = await fetch.get({
      origin,
      path: `${pathname}${search}`,
      maximumBytes: CRL_BYTES,
      signal,
      check: ({ body }) => parseCrl(body),
    });
    return parseCrl(list).der;
  } catch (error) {
    if (!(error instanceof FetchError) && !(error instanceof FormatError)) throw error;
    log.warn({ uri, why: error.message }, 'revocation list of a token issuer not fetched');
    return null;
  }
}
