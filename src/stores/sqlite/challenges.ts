import type { ChallengeScope, ConsumedScope, ConsumeResult } from '../../model/challenge.js';
import { fits, purposeOf } from '../challenge-scope.js';
import type { SqliteFile } from './sqlite-file.js';

/** Of each tenant, as in memory. */
export const CAPACITY = 100_000;

/** Within a transaction. @returns whether there was room */
export function putChallenge(file: SqliteFile, id: string, scope: ChallengeScope, expiresMs: number): boolean {
  if (file.number('SELECT count(*) FROM challenges WHERE tenant = ?', [scope.tenant]) >= CAPACITY) return false;
  file.run(
    'INSERT INTO challenges (id, tenant, audience, policy, evidence_type, expires_at) VALUES (?, ?, ?, ?, ?, ?)',
    [id, scope.tenant, scope.audience, scope.policy, scope.evidenceType, expiresMs],
  );
  return true;
}

type ChallengeRow = readonly [
  tenant: string,
  audience: string | null,
  policy: string | null,
  evidenceType: string | null,
  used: number,
];

/** Within a transaction. Whether it has expired is for whoever knows the time. */
export function consumeChallenge(file: SqliteFile, id: string, asked: ConsumedScope): ConsumeResult {
  const row = file.row<ChallengeRow>(
    'SELECT tenant, audience, policy, evidence_type, used FROM challenges WHERE id = ?',
    [id],
  );
  if (row === undefined) return { state: 'unknown' };
  const [tenant, audience, policy, evidenceType, used] = row;
  // Asked under a foreign scope, a challenge stays what it is: nobody uses up, or learns about, another's.
  if (asked.tenant !== tenant) return { state: 'scope' };
  const purpose = purposeOf({ audience, policy, evidenceType });
  if (!fits(asked, purpose)) return { state: 'scope', purpose };
  if (used === 1) return { state: 'used' };
  file.run('UPDATE challenges SET used = 1 WHERE id = ?', [id]);
  return { state: 'consumed', purpose };
}

/** Within a transaction: records go only after their expiry. */
export function dropExpired(file: SqliteFile, nowMs: number): void {
  file.run('DELETE FROM challenges WHERE expires_at < ?', [nowMs]);
}
