import type { AzureIdentity } from '../../core/azure-identity.js';
import type { TurnLimits } from '../../core/fair-queue.js';
import type { ReleaseAsk, ReleasedKey, ReleaseVault } from '../../core/key-release.js';
import type { VaultKeyId } from '../../core/key-vault-key.js';
import type { Clock, Log } from '../../core/ports.js';
import type { AzureCredential } from '../../outside/azure-identity/azure-credential.js';
import type { Environment } from '../../outside/azure-identity/entra-tokens.js';
import { CREDENTIAL_TIMEOUT_MS, openCredential } from '../../outside/azure-identity/open-credential.js';
import type { ConnectOptions } from '../../outside/bounded-agent.js';
import { BoundedExchange } from '../../outside/bounded-exchange.js';
import { Turns } from '../../outside/fair-turns.js';
import { type BreakerOptions, DEFAULT_BREAKER } from '../../outside/origin-breaker.js';
import type { OriginObserver } from '../../outside/outages.js';
import { EndpointHealth } from '../../outside/throttling.js';
import type { KeyLibrary } from './key-library.js';
import { KeyReleases } from './key-releases.js';
import { KeyVault, type VaultKey } from './key-vault.js';
import { VaultCredential } from './vault-credential.js';

/** Times and sizes. The defaults are for production; tests change them. */
export interface VaultTuning {
  readonly health: BreakerOptions;
  /** Longest time of one request to Entra or the managed identity. */
  readonly credentialTimeoutMs: number;
  /** Longest time of one attempt to read a key. */
  readonly readTimeoutMs: number;
  readonly turns: TurnLimits;
  /** Pause after a 429 that names no time. */
  readonly pauseMs: number;
}

const DEFAULT_TUNING: VaultTuning = {
  health: DEFAULT_BREAKER,
  credentialTimeoutMs: CREDENTIAL_TIMEOUT_MS,
  readTimeoutMs: 5_000,
  // A signature takes some hundredths of a second, so many get their turn within the time of a request.
  turns: { concurrent: 8, queued: 256 },
  // The first pause in Key Vault's guidance on throttling.
  pauseMs: 1_000,
};

/** Share of the deadline for a signature, so that a hanging vault does not use all the time of a request. */
const SIGNING_SHARE = 0.4;

export interface OpenKeyVaultsOptions {
  /** Every key that the service reads or releases. */
  readonly keys: readonly Pick<VaultKeyId, 'host' | 'scope'>[];
  readonly identity: AzureIdentity;
  /** Variables from which workload identity completes the configuration. */
  readonly environment: Environment;
  /** Time of a request. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after each attempt to contact an origin. */
  readonly observer?: OriginObserver | undefined;
  readonly connect?: ConnectOptions | undefined;
  /** Port of every vault, for tests: real vaults use 443. */
  readonly port?: number | undefined;
  readonly tuning?: Partial<VaultTuning>;
}

/** The vaults of all configured keys, with one identity. */
export class KeyVaults implements ReleaseVault {
  readonly #vaults: ReadonlyMap<string, KeyVault>;
  readonly #credentials: readonly { close(): Promise<void> }[];

  constructor(vaults: ReadonlyMap<string, KeyVault>, credentials: readonly { close(): Promise<void> }[]) {
    this.#vaults = vaults;
    this.#credentials = credentials;
  }

  /**
   * @throws {FetchError} if the vault does not return the key
   * @throws {UnfitError} if its kind cannot sign receipts
   */
  async read(id: VaultKeyId, signal: AbortSignal): Promise<VaultKey> {
    return this.#vault(id).read(id, signal);
  }

  async release(ask: ReleaseAsk, signal: AbortSignal): Promise<ReleasedKey> {
    return this.#vault(ask.key).release(ask, signal);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#vaults.values(), ...this.#credentials].map((part) => part.close()));
  }

  #vault({ host }: { readonly host: string }): KeyVault {
    const vault = this.#vaults.get(host);
    if (vault === undefined) throw new Error('a key of a vault that was not opened');
    return vault;
  }
}

/**
 * Creates the clients. Contacts no server. Loads the library, so that a missing library is reported at the start.
 * @throws {ConfigurationError} if the environment lacks a value of the identity
 */
export async function openKeyVaults(options: OpenKeyVaultsOptions): Promise<KeyVaults> {
  const tuning = { ...DEFAULT_TUNING, ...options.tuning };
  const { health, credentialTimeoutMs: timeoutMs } = tuning;
  const library = await import('@azure/keyvault-keys');
  const credentials = new Map<string, AzureCredential>();
  const vaults = new Map<string, KeyVault>();
  for (const { host, scope } of options.keys) {
    if (vaults.has(host)) continue;
    const credential = credentials.get(scope) ?? (await openCredential({ ...options, scope, health, timeoutMs }));
    credentials.set(scope, credential);
    const asked = { library, credential: new VaultCredential(credential, scope) };
    vaults.set(host, openVault(host, asked, options, tuning));
  }
  return new KeyVaults(vaults, [...credentials.values()]);
}

function openVault(
  host: string,
  asked: { readonly library: KeyLibrary; readonly credential: VaultCredential },
  { deadlineMs, clock, log, observer, connect, port }: OpenKeyVaultsOptions,
  { health, readTimeoutMs, turns, pauseMs }: VaultTuning,
): KeyVault {
  const origin = `https://${host}${port === undefined ? '' : `:${port}`}`;
  const shared = { origins: [origin], observer, connect };
  return new KeyVault({
    ...asked,
    origin,
    reading: new BoundedExchange({ ...shared, attemptTimeoutMs: readTimeoutMs }),
    // Each decision has a signature, so connections are reused. undici keeps an idle one for four seconds, unless
    // the vault names another time.
    signing: new BoundedExchange({ ...shared, attemptTimeoutMs: deadlineMs * SIGNING_SHARE, keepAlive: true }),
    // A separate exchange: callers cause releases, whose failures must not stop the signing of receipts.
    releases: new KeyReleases({
      ...asked,
      origin,
      exchange: new BoundedExchange({ ...shared, attemptTimeoutMs: deadlineMs }),
      health: new EndpointHealth(clock, health, pauseMs),
      turns: new Turns(turns, 'releases'),
      log,
    }),
    health: new EndpointHealth(clock, health, pauseMs),
    turns: new Turns(turns, 'signatures'),
    clock,
    log,
  });
}
