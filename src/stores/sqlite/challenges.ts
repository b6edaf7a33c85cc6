import type { ChallengePeriod, ChallengeScope, ConsumedScope, ConsumeResult } from '../../core/challenge.js';
import { fits, purposeOf } from '../challenge-scope.js';
import { DROPPED_AT_ONCE } from '../expired-records.js';
import type { SqliteFile } from './sqlite-file.js';

/** Key in `meta`: the first 48 bits of the fingerprint of the key that made the challenges of the file. */
const KEY_NAME = 'challenge_key';

/**
 * Runs within a transaction. Assigns the file to this key, unless it has unexpired challenges of another key.
 * Otherwise a challenge of the other key would count as a nonce of the caller, whether used or not.
 *
 * @param fingerprint the first 48 bits
 * @returns the expiry of the last challenge of another key, in milliseconds since 1970; null if the file now has this key
 */
export function admitChallengeKey(file: SqliteFile, fingerprint: number, nowMs: number): number | null {
  const kept = file.row<readonly [number]>('SELECT value FROM meta WHERE name = ?', [KEY_NAME]);
  if (kept?.[0] === fingerprint) return null;
  const [last = null] =
    file.row<readonly [number | null]>('SELECT max(expires_at) FROM challenges WHERE expires_at > ?', [nowMs]) ?? [];
  // A file from before this field does not name its key. Most often the key is the same.
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

/** The calling process: the first 48 bits of the fingerprint of its key, and a random number from its start. */
export interface ChallengeUser {
  readonly fingerprint: number;
  readonly epoch: number;
}

/** Runs within a transaction. @returns whether the challenge was stored: false if the file has another key */
export function putChallenge(
  file: SqliteFile,
  { fingerprint, epoch }: ChallengeUser,
  id: string,
  scope: ChallengeScope,
  { issuedAt, expiresAt }: ChallengePeriod,
): boolean {
  if (!isOfKey(file, fingerprint)) return false;
  file.run(
    `INSERT INTO challenges (id, epoch, tenant, audience, policy, evidence_type, issued_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      id,
      epoch,
      scope.tenant,
      scope.audience,
      scope.policy,
      scope.evidenceType,
      issuedAt.getTime(),
      expiresAt.getTime(),
    ],
  );
  return true;
}

type ChallengeRow = readonly [
  epoch: number,
  tenant: string,
  audience: string | null,
  policy: string | null,
  evidenceType: string | null,
  used: number,
  issuedMs: number,
];

/**
 * Result of consuming a challenge in a file. `foreign`: the file has another key. `void`: another process put it there, so
 * the file may be a copy from before its use.
 */
export type ConsumedInFile = Exclude<ConsumeResult, { readonly state: 'unknown' }> | 'foreign' | 'unknown' | 'void';

/** Runs within a transaction. Leaves the expiry check to the caller, which has the time. */
export function consumeChallenge(
  file: SqliteFile,
  user: ChallengeUser,
  id: string,
  asked: ConsumedScope,
): ConsumedInFile {
  if (!isOfKey(file, user.fingerprint)) return 'foreign';
  const row = file.row<ChallengeRow>(
    'SELECT epoch, tenant, audience, policy, evidence_type, used, issued_at FROM challenges WHERE id = ?',
    [id],
  );
  if (row === undefined) return 'unknown';
  const [epoch, tenant, audience, policy, evidenceType, used, issuedMs] = row;
  // A request with a foreign scope leaves the challenge unchanged: no tenant uses up, or learns about, a challenge of another.
  if (asked.tenant !== tenant) return { state: 'scope' };
  const purpose = purposeOf({ audience, policy, evidenceType });
  if (!fits(asked, purpose)) return { state: 'scope', purpose };
  if (used === 1) return { state: 'used' };
  if (epoch !== user.epoch) return 'void';
  file.run('UPDATE challenges SET used = 1 WHERE id = ?', [id]);
  return { state: 'consumed', issuedAt: new Date(issuedMs), purpose };
}

/** Runs within a transaction. Drops at most `DROPPED_AT_ONCE` expired records. @returns how many it dropped */
export function dropExpired(file: SqliteFile, nowMs: number): number {
  return file.run(
    'DELETE FROM challenges WHERE id IN (SELECT id FROM challenges WHERE expires_at < ? ORDER BY expires_at LIMIT ?)',
    [nowMs, DROPPED_AT_ONCE],
  );
}
