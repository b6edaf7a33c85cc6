import type { CallerDirectory, PresentedCredentials, RequestHeaders } from '../core/caller-directory.js';
import type { Caller } from '../core/request.js';
import type { ApiKeyCallers } from './api-keys.js';
import type { CertificateCallers } from './client-certificates.js';
import type { TokenCallers } from './token-callers.js';
import { unauthorized } from './unauthorized.js';

export interface ConfiguredCallersParts {
  readonly apiKeys: ApiKeyCallers;
  /** Null: tokens identify no caller. */
  readonly tokens: TokenCallers | null;
  /** Null: the listener requests no client certificates. */
  readonly certificates: CertificateCallers | null;
}

/** The callers of the configuration. */
export class ConfiguredCallers implements CallerDirectory {
  readonly asksForCredentials = true;
  readonly #parts: ConfiguredCallersParts;

  constructor(parts: ConfiguredCallersParts) {
    this.#parts = parts;
  }

  serves(): boolean {
    return true;
  }

  /** Rejects a wrong credential even beside a valid one, so that no client is authenticated as another caller by mistake. */
  async identify({ headers, clientCertificate }: PresentedCredentials): Promise<Caller> {
    const { tokens, certificates } = this.#parts;
    const noCredential = tokens === null ? NO_KEY : NO_CREDENTIAL;
    const certificate = certificates === null ? null : clientCertificate();
    const byCertificate = certificate === null ? [] : (certificates?.find(certificate) ?? []);
    const presented = presentedIn(headers);
    if (presented === 'unclear') throw unauthorized(UNCLEAR);
    const byHeaders = presented === null ? [] : await this.#byHeaders(presented);
    return onlyOne([...byHeaders, ...byCertificate], noCredential);
  }

  async #byHeaders({ text, mayBeToken }: Presented): Promise<readonly Caller[]> {
    const { apiKeys, tokens } = this.#parts;
    const byKey = apiKeys.find(text);
    if (byKey !== null) return [byKey];
    // The message about an API key only mentions keys.
    if (tokens === null || !mayBeToken) throw unauthorized('the API key is not known, or is no longer valid');
    return tokens.find(text);
  }
}

/** A token and a certificate may both identify one caller. Two callers are ambiguous. */
function onlyOne(callers: readonly Caller[], otherwise: string): Caller {
  const [caller, ...others] = new Set(callers);
  if (caller === undefined) throw unauthorized(otherwise);
  if (others.length > 0) throw unauthorized('the credentials are of more than one caller');
  return caller;
}

const UNCLEAR = 'the credential cannot be read: send one alone, as Authorization: Bearer or as X-API-Key';
const NO_KEY = 'no API key was sent: send it as Authorization: Bearer or as X-API-Key, not as both';
const NO_CREDENTIAL =
  'no credential was sent: send a token or an API key as Authorization: Bearer, or an API key as X-API-Key, not as both';

/**
 * Three parts in base64url: the JSON of a header may begin with a blank. Any text that begins like most headers also counts as a
 * token. The error then tells its sender the fault.
 */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]*$|^eyJ[^.]*\./;

interface Presented {
  readonly text: string;
  readonly mayBeToken: boolean;
}

/** The credential as sent; null if there is none. Rejects two credentials or another form as ambiguous. */
function presentedIn({ authorization, 'x-api-key': apiKey }: RequestHeaders): Presented | null | 'unclear' {
  if (authorization === undefined && apiKey === undefined) return null;
  if (authorization === undefined) {
    return typeof apiKey === 'string' && apiKey !== '' ? { text: apiKey, mayBeToken: false } : 'unclear';
  }
  if (apiKey !== undefined || typeof authorization !== 'string') return 'unclear';
  const text = /^Bearer +([^\s]+)$/i.exec(authorization)?.[1];
  return text === undefined ? 'unclear' : { text, mayBeToken: TOKEN.test(text) };
}
