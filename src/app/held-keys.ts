import type { Configuration } from '../config/configuration.js';
import type { Environment } from '../config/environment.js';
import { isLocalKey, type LocalKeyConfiguration, type VaultKeyConfiguration } from '../config/released-keys.js';
import { allOrProblems, ConfigurationError } from '../core/errors.js';
import { fileProblem, isSystemError } from '../core/file-problem.js';
import type { HeldKey } from '../core/held-key.js';
import { type ReleasableKey, releasableKey } from '../core/key-release.js';
import { type KeyPath, placedText } from '../core/places.js';
import { readTokenRoots } from '../endorsements/token-keys/configured-files.js';
import { VaultHeldKey } from '../judge/vault-held-key.js';
import { LocalKey } from '../release/local-key.js';
import type { KeyVaults } from '../release/vault/open-key-vaults.js';
import { KeyFiles } from '../stores/key-file.js';
import type { VaultOptions } from './receipt-vaults.js';

/** The keys that may be released, by id. */
export interface HeldKeys {
  readonly keys: ReadonlyMap<string, HeldKey>;
  close(): Promise<void>;
}

/**
 * Opens the keys of the configuration. Contacts no vault: a vault is contacted when a key is to be released.
 * @param environment source of workload identity settings that the configuration omits
 * @throws {ConfigurationError} if a file of a key cannot be read, or the environment lacks a setting of the credential
 */
export async function openHeldKeys(
  configuration: Configuration,
  options: VaultOptions,
  environment: Environment = process.env,
): Promise<HeldKeys> {
  const vaults = new VaultsByIdentity(configuration, options, environment);
  const files = new KeyFiles();
  const opening = Object.entries(configuration.keys).map(async ([id, key]): Promise<readonly [string, HeldKey]> => {
    return [id, isLocalKey(key) ? await openLocalKey(id, key, files) : await openVaultKey(id, key, vaults, options)];
  });
  try {
    return { keys: new Map(await allOrProblems(opening)), close: () => vaults.close() };
  } catch (error) {
    await vaults.close();
    throw error;
  }
}

async function openLocalKey(
  id: string,
  { local, policy, tenant, anyMachine }: LocalKeyConfiguration,
  files: KeyFiles,
): Promise<LocalKey> {
  const read = () => readPlacedKey(['keys', id, 'local'], local, files);
  // Reads the file now, so that the deployment fails if it is missing.
  (await read()).fill(0);
  return new LocalKey({ policy, tenant, anyMachine, read });
}

/**
 * Adds the configuration key to an error about an unreadable key file: at a start, and in the log at a release. @throws
 * {ConfigurationError}
 */
async function readPlacedKey(path: KeyPath, file: string, files: KeyFiles): Promise<Uint8Array> {
  try {
    return await files.read(file);
  } catch (cause) {
    throw new ConfigurationError([{ path, what: `${file}: ${whyNoKey(cause)}` }], { cause });
  }
}

/** Why no key can be read from a file. */
function whyNoKey(error: unknown): string {
  if (isSystemError(error)) return fileProblem(error);
  return error instanceof Error ? error.message : 'cannot be read';
}

async function openVaultKey(
  id: string,
  configured: VaultKeyConfiguration,
  vaults: VaultsByIdentity,
  { clock }: VaultOptions,
): Promise<VaultHeldKey> {
  const { policy, tenant, anyMachine, enc } = configured;
  const key = await readVaultKey(id, configured);
  return new VaultHeldKey({ policy, tenant, anyMachine, enc, key, vault: await vaults.of(id, configured), clock });
}

async function readVaultKey(
  id: string,
  { vault, name, version, roots }: VaultKeyConfiguration,
): Promise<ReleasableKey> {
  const path = ['keys', id, 'roots'];
  const read = roots === null ? null : await readTokenRoots(roots, { key: path, role: '' });
  const key = releasableKey(vault, name, version, read?.certificates ?? null);
  if (key === null) throw new Error('a key of a vault whose URL was not checked');
  return key;
}

/** Vaults, by the identities that the keys name. */
class VaultsByIdentity {
  readonly #configuration: Configuration;
  readonly #options: VaultOptions;
  readonly #environment: Environment;
  readonly #opened = new Map<string, Promise<KeyVaults>>();

  constructor(configuration: Configuration, options: VaultOptions, environment: Environment) {
    this.#configuration = configuration;
    this.#options = options;
    this.#environment = environment;
  }

  /** @throws {ConfigurationError} if the environment lacks a setting of the credential */
  of(id: string, { credential }: VaultKeyConfiguration): Promise<KeyVaults> {
    const name = JSON.stringify(credential);
    const opened = this.#opened.get(name) ?? this.#open(credential);
    this.#opened.set(name, opened);
    return placedAt(['keys', id, 'credential'], opened);
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#opened.values());
    await Promise.all(opened.map((vaults) => (vaults.status === 'fulfilled' ? vaults.value.close() : null)));
  }

  async #open(identity: VaultKeyConfiguration['credential']): Promise<KeyVaults> {
    const { clock, log, observer, connect, vaultPort } = this.#options;
    const { openKeyVaults } = await import('../release/vault/open-key-vaults.js');
    return openKeyVaults({
      keys: keysAskedBy(identity, this.#configuration),
      identity,
      environment: this.#environment,
      deadlineMs: this.#configuration.deadlineSeconds * 1000,
      clock,
      log,
      observer,
      connect,
      port: vaultPort,
    });
  }
}

/** Adds the configuration key to an error about the environment. */
async function placedAt<T>(path: KeyPath, opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    throw new ConfigurationError(
      cause.placed.map((problem) => ({ path, what: placedText(problem) })),
      { cause },
    );
  }
}

function keysAskedBy(identity: VaultKeyConfiguration['credential'], { keys }: Configuration): readonly ReleasableKey[] {
  const name = JSON.stringify(identity);
  return Object.values(keys).flatMap((key) =>
    isLocalKey(key) || JSON.stringify(key.credential) !== name ? [] : (releasableKey(key.vault, key.name, null) ?? []),
  );
}
