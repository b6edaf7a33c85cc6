import type { PrunedDecision } from '../../core/decision-log.js';
import { lockLog } from './log-lock.js';
import type { Session } from './session.js';

/** Runs within a transaction. @returns the number of decisions whose content was dropped */
export async function prune(session: Session, decisions: readonly PrunedDecision[]): Promise<number> {
  await lockLog(session);
  const ids = await droppable(session, decisions);
  if (ids.length === 0) return 0;
  for (const statement of DROPS) await session.run(statement, [ids]);
  const links = await session.rows<{ readonly sha256: string }>(
    'DELETE FROM decision_objects WHERE decision_id = ANY ($1::text[]) RETURNING sha256',
    [ids],
  );
  // Bytes are dropped with the last decision that references them.
  await session.run(
    `DELETE FROM objects b WHERE b.sha256 = ANY ($1::text[])
       AND NOT EXISTS (SELECT 1 FROM decision_objects o WHERE o.sha256 = b.sha256)`,
    [links.map(({ sha256 }) => sha256)],
  );
  return ids.length;
}

/** Finds the decisions at these positions whose last release record is no later than the given one. */
async function droppable(session: Session, decisions: readonly PrunedDecision[]): Promise<readonly string[]> {
  const rows = await session.rows<{ readonly decision_id: string }>(
    `SELECT DISTINCT d.decision_id
     FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS p (decision_id, chain, seq, through)
     JOIN decisions d ON d.decision_id = p.decision_id AND d.chain = p.chain AND d.seq = p.seq
     WHERE NOT EXISTS (
       SELECT 1 FROM releases e WHERE e.decision_id = p.decision_id AND e.chain = p.chain AND e.seq > p.through)`,
    [
      decisions.map(({ decisionId }) => decisionId),
      decisions.map(({ chain }) => chain),
      decisions.map(({ seq }) => String(seq)),
      decisions.map(({ through }) => String(through)),
    ],
  );
  return rows.map((row) => row.decision_id);
}

/** Each statement takes a list of ids. Rows that locate content are deleted after the content. */
const DROPS = [
  `UPDATE records r SET salt = NULL, content = NULL FROM releases e JOIN decisions d USING (decision_id, chain)
   WHERE d.decision_id = ANY ($1::text[]) AND r.chain = e.chain AND r.seq = e.seq`,
  `DELETE FROM releases e USING decisions d
   WHERE d.decision_id = ANY ($1::text[]) AND e.decision_id = d.decision_id AND e.chain = d.chain`,
  `UPDATE records r SET salt = NULL, content = NULL FROM decisions d
   WHERE d.decision_id = ANY ($1::text[]) AND r.chain = d.chain AND r.seq = d.seq`,
  `DELETE FROM decision_policies p USING decisions d WHERE d.decision_id = ANY ($1::text[])
   AND p.tenant = d.tenant AND p.policy = ANY (d.policies) AND p.outcome = d.outcome AND p.decision_id = d.decision_id`,
  'DELETE FROM decisions WHERE decision_id = ANY ($1::text[])',
];

/** Runs within a transaction, so that only one of several processes drops content. */
export async function claimPruning(session: Session, now: Date, everyMs: number): Promise<boolean> {
  const nowMs = now.getTime();
  const marked = await session.run('INSERT INTO pruning (marked_at_ms) VALUES ($1) ON CONFLICT DO NOTHING', [nowMs]);
  if (marked > 0) return false;
  const [row] = await session.rows<{ readonly marked_at_ms: string }>('SELECT marked_at_ms FROM pruning FOR UPDATE');
  const markMs = Number(row?.marked_at_ms);
  const isPast = markMs <= nowMs;
  if (isPast && nowMs - markMs < everyMs) return false;
  await session.run('UPDATE pruning SET marked_at_ms = $1', [nowMs]);
  return isPast;
}
