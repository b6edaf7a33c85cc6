import {
  type HttpClient,
  type LibraryRequest,
  type LibraryResponse,
  libraryResponse,
  sendForLibrary,
} from '../../outside/azure-identity/library-exchange.js';
import type { BoundedAnswer } from '../../outside/bounded-agent.js';
import type { Exchange } from '../../outside/bounded-exchange.js';
import type { VaultCredential } from './vault-credential.js';
import { readVaultRefusal, requireUse } from './vault-refusal.js';
import { ANSWER_BYTES, signalOf } from './vault-transport.js';

const UNAUTHORIZED = 401;

/**
 * Carries one release call over an exchange of this service, which only contacts one vault. The library first sends a request without a
 * token, to learn the required scope. The scope follows from the vault's domain, so this transport answers it: a release is one
 * call, and the library gets no answer that would cause another.
 */
export class ReleaseTransport implements HttpClient {
  readonly #exchange: Exchange;
  readonly #credential: Pick<VaultCredential, 'refused' | 'challenge'>;

  constructor(exchange: Exchange, credential: Pick<VaultCredential, 'refused' | 'challenge'>) {
    this.#exchange = exchange;
    this.#credential = credential;
  }

  async sendRequest(request: LibraryRequest): Promise<LibraryResponse> {
    const authorization = request.headers.get('authorization');
    if (authorization === undefined) return libraryResponse(request, this.#challenge());
    const answer = await sendForLibrary(this.#exchange, request, {
      maximumBytes: ANSWER_BYTES,
      signal: signalOf(request),
      check: requireHealth,
      mayBeRefused: true,
    });
    if (answer.status === UNAUTHORIZED) this.#credential.refused(authorization);
    requireUse(answer);
    return libraryResponse(request, answer);
  }

  #challenge(): BoundedAnswer {
    const headers = { 'www-authenticate': this.#credential.challenge };
    return { status: UNAUTHORIZED, headers, body: new Uint8Array() };
  }
}

/** A refusal of the caller's token is a healthy answer of the vault. */
function requireHealth(answer: BoundedAnswer): void {
  const { reason } = readVaultRefusal(answer);
  if (reason !== 'token_not_verified' && reason !== 'policy_not_met') requireUse(answer);
}
