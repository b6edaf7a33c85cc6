import type { CallerDirectory, PresentedCredentials, RequestHeaders } from '../model/caller-directory.js';
import { RefusedError } from '../model/errors.js';
import type { Caller } from '../model/request.js';
import type { ApiKeyCallers } from './api-keys.js';

/** The callers of the configuration. */
export class ConfiguredCallers implements CallerDirectory {
  readonly asksForCredentials = true;
  readonly #apiKeys: ApiKeyCallers;

  constructor(apiKeys: ApiKeyCallers) {
    this.#apiKeys = apiKeys;
  }

  serves(): boolean {
    return true;
  }

  async identify({ headers }: PresentedCredentials): Promise<Caller> {
    const text = presentedText(headers);
    if (text === null) {
      throw unauthorized('no API key was sent: send it as Authorization: Bearer or as X-API-Key, not as both');
    }
    const caller = this.#apiKeys.find(text);
    if (caller === null) throw unauthorized('the API key is not known, or is no longer valid');
    return caller;
  }
}

/** The credential as sent. Two different places at once are none: it would be unclear who asks. */
function presentedText(headers: RequestHeaders): string | null {
  const { authorization } = headers;
  const apiKey = headers['x-api-key'];
  if (authorization === undefined) return typeof apiKey === 'string' && apiKey !== '' ? apiKey : null;
  if (apiKey !== undefined || typeof authorization !== 'string') return null;
  return /^Bearer +([^\s]+)$/i.exec(authorization)?.[1] ?? null;
}

function unauthorized(detail: string): RefusedError {
  return new RefusedError('unauthorized', detail);
}
