import { parseStrictJson } from '../../formats/strict-json.js';
import { FormatError } from '../../model/errors.js';
import { httpsOrigin } from './token-issuer.js';

/**
 * The place of the key set as a discovery document names it (OpenID Connect Discovery 1.0, section 3). Counts only
 * where it is of the issuer's own origin: the document must not be able to send this service anywhere else.
 *
 * @param issuer must be the document's `issuer`, where it has one; the one that Azure Attestation publishes may not
 * @throws {FormatError} `schema`, and what strict JSON refuses
 */
export function parseKeySetUrl(bytes: Uint8Array, issuer: string, origin: string): string {
  const document = new Map(Object.entries(parseStrictJson(bytes) ?? {}));
  if (document.has('issuer') && document.get('issuer') !== issuer) {
    throw new FormatError('schema', 'discovery document is of another issuer');
  }
  const url = document.get('jwks_uri');
  if (typeof url !== 'string' || httpsOrigin(url) !== origin) {
    throw new FormatError('schema', 'discovery document names no key set of the same origin');
  }
  return url;
}
