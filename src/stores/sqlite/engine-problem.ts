import { StoreUnavailableError } from '../../core/decision-log.js';

/** The engine is a native module: npm may have left it out, or it does not exist for this platform. */
export function notOpened(error: Error): StoreUnavailableError {
  if (error instanceof StoreUnavailableError || !isEngineMissing(error)) {
    return new StoreUnavailableError(error.message, { cause: error });
  }
  const { platform, arch } = process;
  return new StoreUnavailableError(
    `the SQLite engine does not load on ${platform} ${arch} (${error.message}): install with npm ci without --omit=optional, or set stores.url to a postgres:// address`,
    { cause: error },
  );
}

function isEngineMissing(error: Error & { readonly code?: unknown }): boolean {
  if (error.code === 'ERR_DLOPEN_FAILED') return true;
  return ['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(String(error.code)) && error.message.includes('libsql');
}
