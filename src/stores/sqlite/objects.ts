import type { KeptLink, KeptObject } from '../../core/decision-log.js';
import type { SqliteFile } from './sqlite-file.js';

/** Bytes in one answer: once it has as many, no further object is added. */
const BYTES_AT_ONCE = 4 * 1024 * 1024;

/** Runs within a transaction. */
export function putObject(file: SqliteFile, { sha256, bytes }: KeptObject): void {
  file.run('INSERT OR IGNORE INTO objects (sha256, bytes) VALUES (?, ?)', [sha256, bytes]);
}

/** Runs within a transaction. The bytes may already be there. */
export function link(file: SqliteFile, decisionId: string, sha256: string): void {
  file.run('INSERT INTO decision_objects (decision_id, sha256) VALUES (?, ?)', [decisionId, sha256]);
}

export function object(file: SqliteFile, sha256: string): Uint8Array | null {
  const row = file.row<readonly [Uint8Array]>('SELECT bytes FROM objects WHERE sha256 = ?', [sha256]);
  return row === undefined ? null : Uint8Array.from(row[0]);
}

export function objects(file: SqliteFile, after: string | null, limit: number): readonly KeptObject[] {
  const found: KeptObject[] = [];
  let [last, length] = [after ?? '', 0];
  while (found.length < limit && length < BYTES_AT_ONCE) {
    const row = file.row<readonly [string, Uint8Array]>(
      'SELECT sha256, bytes FROM objects WHERE sha256 > ? ORDER BY sha256 LIMIT 1',
      [last],
    );
    if (row === undefined) break;
    const [sha256, bytes] = row;
    found.push({ sha256, bytes: Uint8Array.from(bytes) });
    last = sha256;
    length += bytes.byteLength;
  }
  return found;
}

export function objectsOf(file: SqliteFile, chain: string, from: number, to: number): readonly KeptLink[] {
  const rows = file.rows<readonly [number, string, number]>(
    `SELECT d.seq, o.sha256, EXISTS (SELECT 1 FROM objects b WHERE b.sha256 = o.sha256)
     FROM decisions d CROSS JOIN decision_objects o ON o.decision_id = d.decision_id
     WHERE d.chain = ? AND d.seq BETWEEN ? AND ?`,
    [chain, from, to],
  );
  return rows.map(([seq, sha256, isKept]) => ({ seq, sha256, isKept: isKept === 1 }));
}

/** Runs within a transaction. Drops bytes with the last decision that references them. */
export function dropObjects(file: SqliteFile, decisionId: string): void {
  const named = file.rows<readonly [string]>('SELECT sha256 FROM decision_objects WHERE decision_id = ?', [decisionId]);
  file.run('DELETE FROM decision_objects WHERE decision_id = ?', [decisionId]);
  for (const [sha256] of named) {
    file.run(
      'DELETE FROM objects WHERE sha256 = ? AND NOT EXISTS (SELECT 1 FROM decision_objects o WHERE o.sha256 = ?)',
      [sha256, sha256],
    );
  }
}

/** Runs within a transaction. Drops the objects that no decision references. */
export function dropStrayObjects(file: SqliteFile): void {
  file.run(
    'DELETE FROM objects WHERE NOT EXISTS (SELECT 1 FROM decision_objects o WHERE o.sha256 = objects.sha256)',
    [],
  );
}
