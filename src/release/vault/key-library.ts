import type { KeyClientOptions } from '@azure/keyvault-keys';
import type { HttpClient } from '../../outside/azure-identity/library-exchange.js';
import { FetchError } from '../../outside/fetch-error.js';
import { unusable } from './vault-refusal.js';

/**
 * Version of the Key Vault keys API. Later versions, which sovereign clouds get later, do not change reading, signing and releasing.
 * Versions before 7.3 release nothing, or with an unsigned answer.
 */
const SERVICE_VERSION = '7.4';

/** Azure's library. Loading it takes a good part of a second, so it is loaded only if a vault is configured. */
export type KeyLibrary = typeof import('@azure/keyvault-keys');

/** Creates new options each time: the library modifies them. */
export function clientOptions(httpClient: HttpClient): KeyClientOptions {
  return {
    httpClient,
    // The caller decides about retries.
    retryOptions: { maxRetries: 0 },
    serviceVersion: SERVICE_VERSION,
  };
}

/**
 * Replaces errors of the library, which may quote the answer.
 * @throws {FetchError}
 */
export async function failing<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw error instanceof FetchError ? error : unusable();
  }
}
