import type { AccessToken, TokenCredential } from '@azure/identity';
import type { AzureCredential } from '../../outside/azure-identity/azure-credential.js';
import { FetchError, requireFetchError } from '../../outside/fetch-error.js';

/** The token request has its own timeout. Its caller stops waiting by a separate signal. */
const NO_SIGNAL = new AbortController().signal;

/**
 * Reports each token to the library as expired. Otherwise the library would cache it until two minutes before its expiry. It would
 * then call an unreachable issuer every three seconds, even without a caller. AzureCredential caches and
 * renews tokens.
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

  /** The `WWW-Authenticate` header by which a vault requests a token. */
  get challenge(): string {
    return `Bearer resource="${this.#scope.replace(/\/\.default$/, '')}"`;
  }

  /** Waits until there is a token. @throws {FetchError} */
  async ready(signal: AbortSignal): Promise<void> {
    try {
      await this.#credential.token(signal);
    } catch (error) {
      // Its status is not a status of the vault.
      const { fault, message, cause } = requireFetchError(error);
      throw new FetchError(fault, `no access token: ${message}`, { cause });
    }
  }

  /** Notes that a vault rejected a token, so that another is fetched. @param authorization the sent header */
  refused(authorization: string): void {
    this.#refused = authorization.replace(/^Bearer /, '');
  }

  /**
   * @param scopes the scope that the vault requests. The vault chooses it, so it is compared with the expected one.
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
