import type { Configuration } from '../config/configuration.js';
import type { Environment } from '../config/environment.js';
import { ConfigurationError, UnfitError } from '../core/errors.js';
import { type VaultKeyId, vaultKeyId } from '../core/key-vault-key.js';
import type { KeyPath } from '../core/places.js';
import { ReceiptUnavailableError } from '../core/receipt.js';
import { FetchError } from '../outside/fetch-error.js';
import { RemoteSigningKey, type SignDigest } from '../receipts/remote-signing-key.js';
import { algorithmOf, publishedJwk, UnusableKeyError } from '../receipts/signing-key.js';
import type { PublishedKey } from '../receipts/signing-key-file.js';
import type { VaultKey } from '../release/vault/key-vault.js';
import type { KeyVaults } from '../release/vault/open-key-vaults.js';
import type { EndorsementOptions } from './endorsements.js';

/** The dependencies of vaults that sign receipts or hold keys. */
export interface VaultOptions extends Pick<EndorsementOptions, 'clock' | 'log' | 'observer' | 'connect'> {
  /** Port of every vault, for tests. Real vaults use 443. */
  readonly vaultPort?: number;
}

/**
 * The vaults of the configured receipt keys; null if there are none. Contacts no vault.
 * @param environment source of workload identity settings that the configuration omits
 * @throws {ConfigurationError} if the environment lacks a setting of the credential
 */
export async function openReceiptVaults(
  { receipts, deadlineSeconds }: Configuration,
  { clock, log, observer, connect, vaultPort }: VaultOptions,
  environment: Environment = process.env,
): Promise<KeyVaults | null> {
  const { key, next, previous, credential } = receipts;
  const keys = [key, next, ...previous].flatMap((where) => (where === null ? [] : (vaultKeyId(where) ?? [])));
  if (keys.length === 0 || credential === null) return null;
  const { openKeyVaults } = await import('../release/vault/open-key-vaults.js');
  return openKeyVaults({
    keys,
    identity: credential,
    environment,
    deadlineMs: deadlineSeconds * 1000,
    clock,
    log,
    observer,
    connect,
    port: vaultPort,
  });
}

/** A key of a vault that has made a test signature, and its expiry in the vault. */
export interface VaultSigningKey {
  readonly key: RemoteSigningKey;
  readonly ends: Date | null;
}

/** @throws {ConfigurationError} if the vault does not return the key, or the key does not sign */
export function readSigningKeyOfVault(path: KeyPath, id: VaultKeyId, vaults: KeyVaults): Promise<VaultSigningKey> {
  return placed(path, id, async () => {
    const read = await reading(vaults, id);
    if (read.whyUnused !== null) throw new UnusableKeyError(`the key ${read.whyUnused}`);
    const key = await RemoteSigningKey.open(read.publicKey, signingWith(read), { signal: unlimited() });
    return { key, ends: read.expires };
  });
}

/** @throws {ConfigurationError} if the vault does not return the key, or receipts cannot be signed with such a key */
export function readPublishedKeyOfVault(path: KeyPath, id: VaultKeyId, vaults: KeyVaults): Promise<PublishedKey> {
  return placed(path, id, async () => {
    const { publicKey } = await reading(vaults, id);
    return publishedJwk(publicKey, algorithmOf(publicKey));
  });
}

/** Converts network errors to errors of the service. */
function signingWith(key: VaultKey): SignDigest {
  return async (...asked) => {
    try {
      return await key.sign(...asked);
    } catch (cause) {
      if (!(cause instanceof FetchError)) throw cause;
      throw new ReceiptUnavailableError(`the vault did not sign: ${cause.message}`, { cause });
    }
  };
}

/** Each attempt has its own timeout. */
const unlimited = () => new AbortController().signal;

async function reading(vaults: KeyVaults, id: VaultKeyId): Promise<VaultKey> {
  try {
    return await vaults.read(id, unlimited());
  } catch (error) {
    if (error instanceof FetchError) throw new UnusableKeyError(`cannot be read: ${whyNot(error, 'get')}`);
    throw error;
  }
}

/** Adds the configuration key to an error about a receipt key. */
async function placed<T>(path: KeyPath, { url }: VaultKeyId, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const why = whyUnusable(cause);
    if (why === null) throw cause;
    throw new ConfigurationError([{ path, what: `${url}: ${why}` }], { cause });
  }
}

/** Null if the error is a fault of the service. */
function whyUnusable(error: unknown): string | null {
  if (error instanceof UnusableKeyError || error instanceof UnfitError) return error.message;
  if (!(error instanceof ReceiptUnavailableError)) return null;
  return error.cause instanceof FetchError ? `cannot sign: ${whyNot(error.cause, 'sign')}` : error.message;
}

/** The error of the vault or of a proxy in between, with the remedy if it is known. */
function whyNot(error: FetchError, permission: 'get' | 'sign'): string {
  const said = statedBy(error);
  const why = `${error.message}${said === null ? '' : ` (${said})`}`;
  switch (error.status) {
    case 401:
      return `${why}: the vault does not know the identity of receipts.credential; is it of the tenant of the vault?`;
    case 403:
      return `${why}: the identity of receipts.credential needs the permission ${permission}, and the network of the vault has to let the service in`;
    case 404:
      return `${why}: the vault has no such version of a key`;
    default:
      return why;
  }
}

/** An error code of the server, or the innermost network error. */
function statedBy(error: Error): string | null {
  const { cause } = error;
  if (typeof cause === 'string') return cause;
  return cause instanceof Error ? (statedBy(cause) ?? cause.message) : null;
}
