import {
  type HttpClient,
  type LibraryRequest,
  type LibraryResponse,
  libraryResponse,
  sendForLibrary,
} from '../../outside/azure-identity/library-exchange.js';
import { type BoundedAnswer, headerOf } from '../../outside/bounded-agent.js';
import type { Exchange } from '../../outside/bounded-exchange.js';
import type { VaultCredential } from './vault-credential.js';
import { readVaultRefusal, requireUse } from './vault-refusal.js';

/** Most bytes of a vault's answer. */
export const ANSWER_BYTES = 64 * 1024;
const UNAUTHORIZED = 401;

/** If the library passes no signal, a request ends at the timeout of an attempt, or with the exchange. */
const NO_SIGNAL = new AbortController().signal;

/**
 * Carries requests of the Key Vault library over an exchange of this service, which only contacts one vault. The library only receives
 * a usable answer, or the challenge by which a vault requests a token (401). Other answers are thrown here: errors of the
 * library quote the answer.
 */
export class VaultTransport implements HttpClient {
  readonly #exchange: Exchange;
  readonly #credential: Pick<VaultCredential, 'refused'>;
  /** Requests with a challenge. The library sends the same request again, with a token. */
  readonly #challenged = new WeakSet<LibraryRequest>();

  constructor(exchange: Exchange, credential: Pick<VaultCredential, 'refused'>) {
    this.#exchange = exchange;
    this.#credential = credential;
  }

  async sendRequest(request: LibraryRequest): Promise<LibraryResponse> {
    const authorization = request.headers.get('authorization');
    const answer = await sendForLibrary(this.#exchange, request, {
      maximumBytes: ANSWER_BYTES,
      signal: signalOf(request),
      check: (answered) => {
        if (authorization !== undefined || !isChallenge(answered)) requireUse(answered);
      },
    });
    if (answer.status < 300) {
      requireUse(answer);
      return libraryResponse(request, answer);
    }
    if (answer.status === UNAUTHORIZED && authorization !== undefined) this.#credential.refused(authorization);
    if (!isChallenge(answer) || this.#challenged.has(request)) throw readVaultRefusal(answer);
    this.#challenged.add(request);
    return libraryResponse(request, answer);
  }
}

export function signalOf({ abortSignal }: LibraryRequest): AbortSignal {
  return abortSignal instanceof AbortSignal ? abortSignal : NO_SIGNAL;
}

function isChallenge({ status, headers }: BoundedAnswer): boolean {
  return status === UNAUTHORIZED && headerOf(headers, 'www-authenticate') !== undefined;
}
