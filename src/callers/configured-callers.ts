import type { CallerDirectory, PresentedCredentials, RequestHeaders } from '../model/caller-directory.js';
import type { Caller } from '../model/request.js';
import type { ApiKeyCallers } from './api-keys.js';
import type { TokenCallers } from './token-callers.js';
import { unauthorized } from './unauthorized.js';

export interface ConfiguredCallersParts {
  readonly apiKeys: ApiKeyCallers;
  /** Null: no caller is recognised by tokens. */
  readonly tokens: TokenCallers | null;
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

  async identify({ headers }: PresentedCredentials): Promise<Caller> {
    const { apiKeys, tokens } = this.#parts;
    const presented = presentedIn(headers);
    if (presented === null) throw unauthorized(tokens === null ? NO_KEY : NO_CREDENTIAL);
    const { text, mayBeToken } = presented;
    const byKey = apiKeys.find(text);
    if (byKey !== null) return byKey;
    // Whoever sends an API key is told of keys.
    if (tokens === null || !mayBeToken) throw unauthorized('the API key is not known, or is no longer valid');
    const [caller, ...others] = await tokens.find(text);
    if (caller === undefined || others.length > 0) throw unauthorized('the token is of more than one caller');
    return caller;
  }
}

const NO_KEY = 'no API key was sent: send it as Authorization: Bearer or as X-API-Key, not as both';
const NO_CREDENTIAL =
  'no credential was sent: send a token or an API key as Authorization: Bearer, or an API key as X-API-Key, not as both';

/** What begins as the JSON of a JOSE header does in base64url, and has another part. */
const TOKEN = /^eyJ[^.]*\./;

interface Presented {
  readonly text: string;
  readonly mayBeToken: boolean;
}

/** The credential as sent. Two different places at once are none: it would be unclear who asks. */
function presentedIn(headers: RequestHeaders): Presented | null {
  const { authorization } = headers;
  const apiKey = headers['x-api-key'];
  if (authorization === undefined) {
    return typeof apiKey === 'string' && apiKey !== '' ? { text: apiKey, mayBeToken: false } : null;
  }
  if (apiKey !== undefined || typeof authorization !== 'string') return null;
  const text = /^Bearer +([^\s]+)$/i.exec(authorization)?.[1];
  return text === undefined ? null : { text, mayBeToken: TOKEN.test(text) };
}
