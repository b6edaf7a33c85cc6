import type { RedisSession } from './redis-session.js';

/** What has to have happened with what a script wrote. */
export interface Durability {
  /** Replicas that have it in their append-only files too. */
  readonly replicas: number;
  readonly withinMs: number;
}

/**
 * A replica that is asked before it has synced says what it had before, and by itself says more only once a second. So it is asked
 * again.
 */
const ASKED_AGAIN_MS = 20;

/**
 * Resolves once everything that was written over the connection is in append-only files, synced.
 * @throws {Error} where fewer have it in time than have to
 */
export async function confirm(session: Pick<RedisSession, 'call'>, durability: Durability): Promise<void> {
  const { replicas, withinMs } = durability;
  const limit = performance.now() + withinMs;
  for (let left = withinMs; ; left = Math.ceil(limit - performance.now())) {
    const answer = await session.call('waitaof', 1, replicas, Math.max(1, Math.min(left, ASKED_AGAIN_MS)));
    const [own, others] = Array.isArray(answer) ? answer : [];
    if (own >= 1 && others >= replicas) return;
    if (performance.now() < limit) continue;
    if (own >= 1) throw new Error(`${others} of ${replicas} replicas confirm within ${withinMs} ms`);
    throw new Error(`is not synced within ${withinMs} ms: appendfsync has to be always`);
  }
}
