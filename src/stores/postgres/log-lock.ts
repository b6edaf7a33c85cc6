import type { Session } from './session.js';

/** The two keys of the advisory lock: the bytes of "veri", and one for the decision log. */
const LOCK = [0x76657269, 1] as const;

/** A longer wait would delay the appends of every process. */
const ALONE_TIMEOUT_MS = 50;

/**
 * Runs within a transaction: other transactions may append too, but none drops content. Otherwise a drop of kept objects would miss
 * the links of transactions that are not committed yet.
 */
export async function shareLog(session: Session): Promise<void> {
  await session.run('SELECT pg_advisory_xact_lock_shared($1, $2)', LOCK);
}

/** Runs within a transaction: no other transaction appends or drops content meanwhile. @throws {Error} code 55P03 if another does */
export async function lockLog(session: Session): Promise<void> {
  await session.run(`SET LOCAL lock_timeout = ${ALONE_TIMEOUT_MS}`);
  await session.run('SELECT pg_advisory_xact_lock($1, $2)', LOCK);
  await session.run('SET LOCAL lock_timeout = 0');
}

const LOCK_NOT_AVAILABLE = '55P03';

export function isLocked(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE;
}
