import type { KeyObject } from 'node:crypto';
import type { CryptographyClient, KeyClientOptions, KeyVaultKey } from '@azure/keyvault-keys';
import type { ReleaseAsk, ReleasedKey } from '../../core/key-release.js';
import type { VaultKeyId } from '../../core/key-vault-key.js';
import type { Clock, Log } from '../../core/ports.js';
import type { Exchange } from '../../outside/bounded-exchange.js';
import { unlessAborted } from '../../outside/bounded-signal.js';
import { FailureLog, loggingFailures } from '../../outside/exchange-log.js';
import type { Turns } from '../../outside/fair-turns.js';
import { FetchError } from '../../outside/fetch-error.js';
import type { EndpointHealth } from '../../outside/throttling.js';
import { clientOptions, failing, type KeyLibrary } from './key-library.js';
import type { KeyReleases } from './key-releases.js';
import { publicKeyOf } from './public-key.js';
import type { VaultCredential } from './vault-credential.js';
import { VaultTransport } from './vault-transport.js';

/** A request about a key. */
export type VaultSignatureAlgorithm = 'ES256' | 'RS256';

export interface KeyVaultOptions {
  readonly library: KeyLibrary;
  /** Origin of the vault, as `https://host`. */
  readonly origin: string;
  readonly credential: VaultCredential;
  /** For the public halves of keys, at the start and at a reload. */
  readonly reading: Exchange;
  /** For signatures, each of which delays a request. */
  readonly signing: Exchange;
  readonly releases: KeyReleases;
  readonly health: EndpointHealth;
  readonly turns: Turns;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

/** One Azure Key Vault or Managed HSM, called by Azure's library over exchanges of this service. */
export class KeyVault {
  readonly #options: KeyVaultOptions;
  readonly #failures: FailureLog;

  constructor(options: KeyVaultOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options.log, 'a key of a vault did not sign');
  }

  /**
   * Reads a version of a key.
   * @throws {FetchError} if the vault does not return it
   * @throws {UnfitError} if its kind cannot sign receipts
   */
  async read(id: VaultKeyId, signal: AbortSignal): Promise<VaultKey> {
    const { library, origin, credential, reading, signing } = this.#options;
    await credential.ready(signal);
    const client = new library.KeyClient(origin, credential, this.#clientOptions(reading));
    const key = await failing(client.getKey(id.name, { version: id.version, abortSignal: signal }));
    requireSame(key, id);
    // Uses the configured address, not the one in the answer.
    const addressed = { ...key, id: `${origin}/keys/${id.name}/${id.version}` };
    const signer = new library.CryptographyClient(addressed, credential, this.#clientOptions(signing));
    const sign: Sign = (...asked) => this.#sign(id, signer, asked);
    return new VaultKey(key, sign, this.#options.clock);
  }

  /**
   * Releases a key of the vault: see `ReleaseVault`.
   * @throws {ReleaseRefusedError}
   * @throws {ReleaseUnavailableError}
   */
  release(ask: ReleaseAsk, signal: AbortSignal): Promise<ReleasedKey> {
    return this.#options.releases.release(ask, signal);
  }

  /** Ends running calls. */
  async close(): Promise<void> {
    const { reading, signing, releases } = this.#options;
    await Promise.all([reading.close(), signing.close(), releases.close()]);
  }

  /** Waiting for a turn or a token ends with the caller, and does not count against the vault. */
  #sign(id: VaultKeyId, signer: CryptographyClient, asked: Parameters<Sign>): Promise<Uint8Array> {
    const [alg, digest, signal, principal] = asked;
    const { credential, health, turns } = this.#options;
    const sign = async () => {
      const { result } = await failing(signer.sign(alg, digest, { abortSignal: signal }));
      return result;
    };
    const inTurn = async () => {
      await credential.ready(signal);
      return loggingFailures(this.#failures, id.url, () => health.run(sign));
    };
    return unlessAborted(turns.take(signal, inTurn, { principal }), signal);
  }

  #clientOptions(exchange: Exchange): KeyClientOptions {
    return clientOptions(new VaultTransport(exchange, this.#options.credential));
  }
}

type Sign = (
  alg: VaultSignatureAlgorithm,
  digest: Uint8Array,
  signal: AbortSignal,
  principal?: string,
) => Promise<Uint8Array>;

/** A version of a key, as its vault describes it. */
export class VaultKey {
  readonly publicKey: KeyObject;
  readonly #key: KeyVaultKey;
  readonly #sign: Sign;
  readonly #clock: Pick<Clock, 'now'>;

  /** @throws {UnfitError} if its kind cannot sign receipts */
  constructor(key: KeyVaultKey, sign: Sign, clock: Pick<Clock, 'now'>) {
    this.publicKey = publicKeyOf(key.key ?? {});
    this.#key = key;
    this.#sign = sign;
    this.#clock = clock;
  }

  /** When it expires, if its vault states that. */
  get expires(): Date | null {
    return this.#key.properties.expiresOn ?? null;
  }

  /** Why it must not sign now, according to its description; null if it may. */
  get whyUnused(): string | null {
    const { keyOperations, properties } = this.#key;
    const { enabled, notBefore, expiresOn } = properties;
    const now = this.#clock.now();
    if (enabled === false) return 'is disabled';
    if (keyOperations !== undefined && !keyOperations.includes('sign')) return 'may not sign: its operations lack sign';
    if (notBefore !== undefined && now < notBefore) return `may not be used before ${notBefore.toISOString()}`;
    return expiresOn !== undefined && now >= expiresOn ? `expired at ${expiresOn.toISOString()}` : null;
  }

  /**
   * Signs a SHA-256 digest in the vault, in one attempt. The caller verifies the signature.
   *
   * @param asked the last one is the principal of the caller, for fair turns at the vault; undefined: the service itself
   * @returns for ES256 r and s, 32 bytes each
   * @throws {FetchError}
   */
  async sign(...asked: Parameters<Sign>): Promise<Uint8Array> {
    const why = this.whyUnused;
    if (why !== null) throw new FetchError('not_allowed', `the key ${why}`);
    return this.#sign(...asked);
  }
}

/** @throws {FetchError} if the answer is about another key */
function requireSame({ name, properties }: KeyVaultKey, id: VaultKeyId): void {
  const { vaultUrl, version } = properties;
  // Names of keys are compared without case (Key Vault object identifiers).
  const isNamedSo = name.toLowerCase() === id.name.toLowerCase() && version === id.version;
  if (new URL(vaultUrl).hostname !== id.host || !isNamedSo)
    throw new FetchError('content_type', 'answered with another key');
}
