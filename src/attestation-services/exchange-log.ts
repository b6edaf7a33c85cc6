import type { FetchError } from '../endorsements/fetch-error.js';
import type { Log } from '../model/ports.js';

/** Says in the log why nothing came, where something was asked: the rest follows from what was logged before. */
export function logFailure(log: Log, where: string, error: FetchError, message: string): void {
  const { fault, status, cause } = error;
  if (fault === 'open' || fault === 'waiting' || fault === 'busy') return;
  const reason = cause instanceof Error ? cause.message : cause;
  log.warn({ where, fault, status, ...(typeof reason === 'string' ? { reason } : {}) }, message);
}
