import { UnfitError, unfitIfMalformed } from '../../core/errors.js';
import {
  type ReleaseAsk,
  type ReleasedKey,
  ReleaseRefusedError,
  ReleaseUnavailableError,
  type ReleaseVault,
} from '../../core/key-release.js';
import type { Log } from '../../core/ports.js';
import { parseCertificate, type X509Certificate } from '../../formats/x509-certificate.js';
import type { Exchange } from '../../outside/bounded-exchange.js';
import { unlessAborted } from '../../outside/bounded-signal.js';
import { FailureLog, loggingFailures } from '../../outside/exchange-log.js';
import type { Turns } from '../../outside/fair-turns.js';
import { FetchError, requireFetchError } from '../../outside/fetch-error.js';
import type { EndpointHealth } from '../../outside/throttling.js';
import { clientOptions, failing, type KeyLibrary } from './key-library.js';
import { publicRoots, ROOT_RULES } from './public-roots.js';
import { verifyReleaseAnswer } from './release-answer.js';
import { releaseFailure } from './release-failure.js';
import { ReleaseTransport } from './release-transport.js';
import type { VaultCredential } from './vault-credential.js';

export interface KeyReleasesOptions {
  readonly library: KeyLibrary;
  /** Origin of the vault, as `https://host`. */
  readonly origin: string;
  readonly credential: VaultCredential;
  readonly exchange: Exchange;
  readonly health: EndpointHealth;
  readonly turns: Turns;
  readonly log: Log;
}

const UNAUTHORIZED = 401;

/** Releases keys of one vault. */
export class KeyReleases implements ReleaseVault {
  readonly #options: KeyReleasesOptions;
  readonly #failures: FailureLog;

  constructor(options: KeyReleasesOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options.log, 'a vault did not release a key');
  }

  async release(ask: ReleaseAsk, signal: AbortSignal): Promise<ReleasedKey> {
    const roots = rootsOf(ask);
    const value = await this.#answer(ask, signal);
    try {
      return await verifyReleaseAnswer(value, { ...ask, roots });
    } catch (error) {
      if (!(error instanceof UnfitError)) throw error;
      const fields = { where: vaultKeyName(ask), reason: error.message };
      this.#options.log.warn(fields, 'a vault answered a release with an invalid response');
      throw new ReleaseRefusedError(`the answer of the vault does not hold: ${error.message}`, {
        remedy:
          'The operator should find out who answers for the vault, or name the roots of its cloud where Node lacks them: nothing of the answer was handed out.',
        cause: error,
      });
    }
  }

  /** Ends running calls. */
  async close(): Promise<void> {
    await this.#options.exchange.close();
  }

  /** Waiting for a turn or an access token ends with the caller, and does not count against the vault. */
  async #answer(ask: ReleaseAsk, signal: AbortSignal): Promise<string> {
    try {
      return await unlessAborted(
        this.#options.turns.take(signal, () => this.#inTurn(ask, signal), { principal: ask.principal }),
        signal,
      );
    } catch (error) {
      if (error instanceof FetchError) throw releaseFailure(error, ask);
      throw error;
    }
  }

  async #inTurn(ask: ReleaseAsk, signal: AbortSignal): Promise<string> {
    await this.#requireAccessToken(signal);
    return loggingFailures(this.#failures, vaultKeyName(ask), () => this.#calls(ask, signal));
  }

  async #requireAccessToken(signal: AbortSignal): Promise<void> {
    try {
      await this.#options.credential.ready(signal);
    } catch (error) {
      const { message } = requireFetchError(error);
      throw new ReleaseUnavailableError(`the vault was not asked: ${message}`, {
        remedy: "The operator should look in the log for why the service's own identity has no access token.",
        cause: error,
      });
    }
  }

  /** Azure sometimes rejects valid access tokens, and one may be revoked: sends the call once more with another. */
  async #calls(ask: ReleaseAsk, signal: AbortSignal): Promise<string> {
    const { health, log } = this.#options;
    const call = () => health.run(() => this.#call(ask, signal));
    try {
      return await call();
    } catch (error) {
      if (requireFetchError(error).status !== UNAUTHORIZED) throw error;
      log.warn({ where: vaultKeyName(ask) }, 'a vault rejected the access token: retried with another');
      return call();
    }
  }

  async #call({ key, target, nonce, enc }: ReleaseAsk, signal: AbortSignal): Promise<string> {
    const { library, origin, credential, exchange } = this.#options;
    // One for each call: the library keeps its request in the client until it has the token.
    const client = new library.KeyClient(origin, credential, clientOptions(new ReleaseTransport(exchange, credential)));
    const asked = client.releaseKey(key.name, target, {
      algorithm: enc,
      nonce,
      abortSignal: signal,
      ...(key.version === null ? {} : { version: key.version }),
    });
    const { value } = await failing(asked);
    // JSON without a JWS is an answer too, which the verification rejects.
    return typeof value === 'string' ? value : '';
  }
}

/** Parses the roots before any request. The configuration has parsed them already. */
function rootsOf({ key: { roots } }: ReleaseAsk): readonly X509Certificate[] {
  if (roots === null) return publicRoots();
  return unfitIfMalformed(() => roots.map((der) => parseCertificate(der, ROOT_RULES)));
}

/** The name of the key in its vault, for the log. */
function vaultKeyName({ key: { host, name, version } }: ReleaseAsk): string {
  return `https://${host}/keys/${name}${version === null ? '' : `/${version}`}`;
}
