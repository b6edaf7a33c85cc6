import type { ChallengePeriod, ChallengeScope, ConsumedScope, ConsumeResult } from '../../core/challenge.js';
import { fits, purposeOf } from '../challenge-scope.js';
import { DROPPED_AT_ONCE } from '../expired-records.js';
import type { SqliteFile } from './sqlite-file.js';

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

/** Who asks: the first 48 bits of the fingerprint of its key, and a number that it drew when it opened the file. */
export interface ChallengeUser {
  readonly fingerprint: number;
  readonly epoch: number;
}

/** Within a transaction. @returns whether it was kept: false where the file is of another key */
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
 * What consuming a challenge in a file came to. `foreign`: the file is of another key. `void`: somebody else put it there, so that
 * the file may be a copy from before it was used.
 */
export type ConsumedInFile = Exclude<ConsumeResult, { readonly state: 'unknown' }> | 'foreign' | 'unknown' | 'void';

/** Within a transaction. Whether it has expired is for whoever knows the time. */
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
  // Asked under a foreign scope, a challenge stays what it is: nobody uses up, or learns about, another's.
  if (asked.tenant !== tenant) return { state: 'scope' };
  const purpose = purposeOf({ audience, policy, evidenceType });
  if (!fits(asked, purpose)) return { state: 'scope', purpose };
  if (used === 1) return { state: 'used' };
  if (epoch !== user.epoch) return 'void';
  file.run('UPDATE challenges SET used = 1 WHERE id = ?', [id]);
  return { state: 'consumed', issuedAt: new Date(issuedMs), purpose };
}

/** Within a transaction: records go only after their expiry, `DROPPED_AT_ONCE` at a time. @returns how many went */
export function dropExpired(file: SqliteFile, nowMs: number): number {
  return file.run(
    'DELETE FROM challenges WHERE id IN (SELECT id FROM challenges WHERE expires_at < ? ORDER BY expires_at LIMIT ?)',
    [nowMs, DROPPED_AT_ONCE],
  );
}
