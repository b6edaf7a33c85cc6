import type { Session } from './session.js';

/** Two keys, as an advisory lock has them: the bytes of "veri", and one for the decision log. */
const LOCK = [0x76657269, 1] as const;

/** Longer, whoever waits holds up the appends of every process. */
const ALONE_TIMEOUT_MS = 50;

/**
 * Within a transaction: others may append too, and nobody drops content. A drop of kept objects would else miss the links of
 * transactions that are not committed yet.
 */
export async function shareLog(session: Session): Promise<void> {
  await session.run('SELECT pg_advisory_xact_lock_shared($1, $2)', LOCK);
}

/** Within a transaction: no other transaction appends or drops content meanwhile. @throws {Error} where others do, code 55P03 */
export async function lockLog(session: Session): Promise<void> {
  await session.run(`SET LOCAL lock_timeout = ${ALONE_TIMEOUT_MS}`);
  await session.run('SELECT pg_advisory_xact_lock($1, $2)', LOCK);
  await session.run('SET LOCAL lock_timeout = 0');
}

const LOCK_NOT_AVAILABLE = '55P03';

export function isLocked(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE;
}
