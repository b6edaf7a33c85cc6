import type { ChallengePeriod, ChallengeScope, ConsumedScope, ConsumeResult } from '../../core/challenge.js';
import { fits, purposeOf } from '../challenge-scope.js';
import type { SqliteFile } from './sqlite-file.js';

/** Of each tenant, as in memory. */
export const CAPACITY = 100_000;

/** In `meta`, the first 48 bits of the fingerprint of the key that the challenges of the file were made with. */
const KEY_NAME = 'challenge_key';

/**
 * Within a transaction: makes the file one of challenges of this key, unless there are some of another key that have not
 * expired. A challenge of another key would be taken for a nonce of the caller's own, whether used or not.
 *
 * @param fingerprint the first 48 bits
 * @returns until when another key has challenges, in milliseconds since 1970; null where the file is of this key now
 */
export function admitChallengeKey(file: SqliteFile, fingerprint: number, nowMs: number): number | null {
  const kept = file.row<readonly [number]>('SELECT value FROM meta WHERE name = ?', [KEY_NAME]);
  if (kept?.[0] === fingerprint) return null;
  const [last = null] =
    file.row<readonly [number | null]>('SELECT max(expires_at) FROM challenges WHERE expires_at > ?', [nowMs]) ?? [];
  // A file of before this was kept says nothing of the key, which most often is the same.
  if (kept !== undefined && last !== null) return last;
  file.run('INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value', [
    KEY_NAME,
    fingerprint,
  ]);
  return null;
}

function isOfKey(file: SqliteFile, fingerprint: number): boolean {
  return file.row('SELECT 1 FROM meta WHERE name = ? AND value = ?', [KEY_NAME, fingerprint]) !== undefined;
}

/** The result of storing a challenge. `foreign`: the file is of another key. */
export type PutResult = 'kept' | 'full' | 'foreign';

/** Within a transaction. */
export function putChallenge(
  file: SqliteFile,
  fingerprint: number,
  id: string,
  scope: ChallengeScope,
  { issuedAt, expiresAt }: ChallengePeriod,
): PutResult {
  if (!isOfKey(file, fingerprint)) return 'foreign';
  // Kept by triggers: to count them for each challenge would hold up everybody who asks for something of the file.
  const [held = 0] =
    file.row<readonly [number]>('SELECT held FROM challenge_counts WHERE tenant = ?', [scope.tenant]) ?? [];
  if (held >= CAPACITY) return 'full';
  file.run(
    `INSERT INTO challenges (id, tenant, audience, policy, evidence_type, issued_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    [id, scope.tenant, scope.audience, scope.policy, scope.evidenceType, issuedAt.getTime(), expiresAt.getTime()],
  );
  return 'kept';
}

type ChallengeRow = readonly [
  tenant: string,
  audience: string | null,
  policy: string | null,
  evidenceType: string | null,
  used: number,
  issuedMs: number | null,
];

/** Within a transaction. Whether it has expired is for whoever knows the time. Null: the file is of another key. */
export function consumeChallenge(
  file: SqliteFile,
  fingerprint: number,
  id: string,
  asked: ConsumedScope,
): ConsumeResult | null {
  if (!isOfKey(file, fingerprint)) return null;
  const row = file.row<ChallengeRow>(
    'SELECT tenant, audience, policy, evidence_type, used, issued_at FROM challenges WHERE id = ?',
    [id],
  );
  if (row === undefined) return { state: 'unknown' };
  const [tenant, audience, policy, evidenceType, used, issuedMs] = row;
  // Asked under a foreign scope, a challenge stays what it is: nobody uses up, or learns about, another's.
  if (asked.tenant !== tenant) return { state: 'scope' };
  const purpose = purposeOf({ audience, policy, evidenceType });
  if (!fits(asked, purpose)) return { state: 'scope', purpose };
  if (used === 1) return { state: 'used' };
  file.run('UPDATE challenges SET used = 1 WHERE id = ?', [id]);
  return { state: 'consumed', issuedAt: issuedMs === null ? null : new Date(issuedMs), purpose };
}

/** Records that are dropped in one transaction, which others wait for. */
export const DROPPED_AT_ONCE = 1000;

/** Within a transaction: records go only after their expiry, a thousand at a time. @returns how many went */
export function dropExpired(file: SqliteFile, nowMs: number): number {
  return file.run(
    'DELETE FROM challenges WHERE id IN (SELECT id FROM challenges WHERE expires_at < ? ORDER BY expires_at LIMIT ?)',
    [nowMs, DROPPED_AT_ONCE],
  );
}
