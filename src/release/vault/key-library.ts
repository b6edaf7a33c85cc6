import type { KeyClientOptions } from '@azure/keyvault-keys';
import type { HttpClient } from '../../outside/azure-identity/library-exchange.js';
import { FetchError } from '../../outside/fetch-error.js';
import { unusable } from './vault-refusal.js';

/**
 * Of the Key Vault keys API. Reading, signing and releasing are as they were in later ones, which sovereign clouds get
 * later. Those before 7.3 release nothing, or with an answer that is not signed.
 */
const SERVICE_VERSION = '7.4';

/** Azure's library. Loading it takes a good part of a second, so that is done where a vault is configured. */
export type KeyLibrary = typeof import('@azure/keyvault-keys');

/** Made anew each time: the library writes into them. */
export function clientOptions(httpClient: HttpClient): KeyClientOptions {
  return {
    httpClient,
    // The caller decides about retries.
    retryOptions: { maxRetries: 0 },
    serviceVersion: SERVICE_VERSION,
  };
}

/**
 * Errors of the library may quote the answer, so nothing of them is passed on.
 * @throws {FetchError}
 */
export async function failing<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw error instanceof FetchError ? error : unusable();
  }
}
