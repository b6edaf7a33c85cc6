import type { AccessToken, TokenCredential } from '@azure/identity';
import type { AzureCredential } from '../../outside/azure-identity/azure-credential.js';
import { FetchError, requireFetchError } from '../../outside/fetch-error.js';

/** Obtaining a token is bounded by itself. Whoever waits for it leaves by a signal of his own. */
const NO_SIGNAL = new AbortController().signal;

/**
 * The library is told that each token has ended. It would hold one until two minutes before its end, and ask an issuer
 * that is out of reach every three seconds from then on, also when nobody waits. What is held, and when it is renewed, is
 * the business of AzureCredential.
 */
const ENDED = 0;

const UNAUTHORIZED = 401;

/** The service's identity in the form of the library, for vaults of one cloud. */
export class VaultCredential implements TokenCredential {
  readonly #credential: Pick<AzureCredential, 'token' | 'instead'>;
  readonly #scope: string;
  #refused: string | null = null;

  /** @param scope of the tokens that `credential` obtains */
  constructor(credential: Pick<AzureCredential, 'token' | 'instead'>, scope: string) {
    this.#credential = credential;
    this.#scope = scope;
  }

  /** How a vault says what it wants a token for, in `WWW-Authenticate`. */
  get challenge(): string {
    return `Bearer resource="${this.#scope.replace(/\/\.default$/, '')}"`;
  }

  /** Waits until there is a token. @throws {FetchError} */
  async ready(signal: AbortSignal): Promise<void> {
    try {
      await this.#credential.token(signal);
    } catch (error) {
      // Its status is not one of the vault.
      const { fault, message, cause } = requireFetchError(error);
      throw new FetchError(fault, `no access token: ${message}`, { cause });
    }
  }

  /** Notes that a vault did not take a token, so that another is obtained. @param authorization header that was sent */
  refused(authorization: string): void {
    this.#refused = authorization.replace(/^Bearer /, '');
  }

  /**
   * @param scopes what the vault wants a token for. It names that itself, so it is compared with what it may be.
   * @throws {FetchError}
   */
  async getToken(scopes: string | string[]): Promise<AccessToken> {
    if ([scopes].flat().join(' ') !== this.#scope) {
      throw new FetchError('not_allowed', 'the vault wants an access token for something else');
    }
    const held = await this.#credential.token(NO_SIGNAL);
    const token = held === this.#refused ? await this.#credential.instead(held, NO_SIGNAL) : held;
    if (token !== null) return { token, expiresOnTimestamp: ENDED };
    throw new FetchError('status', `answered with status ${UNAUTHORIZED}`, { status: UNAUTHORIZED });
  }
}
