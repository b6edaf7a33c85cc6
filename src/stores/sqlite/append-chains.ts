import type { AppendedChains } from '../../core/decision-log.js';
import type { SqliteFile } from './sqlite-file.js';

/** Runs outside of a transaction. The other file has the same schema and is already verified: this function verifies nothing. */
export function attach(file: SqliteFile, path: string): void {
  file.run('ATTACH ? AS staged', [path]);
}

const isNew = (table: string) => `NOT EXISTS (SELECT 1 FROM main.records r WHERE r.chain = ${table}.chain)`;

const CONFLICTS = `
  SELECT s.chain, min(s.seq) FROM staged.records s WHERE NOT ${isNew('s')}
    AND NOT EXISTS (SELECT 1 FROM main.records r WHERE r.chain = s.chain AND r.seq = s.seq AND r.hash = s.hash)
  GROUP BY s.chain ORDER BY s.chain`;

const LINKS = `staged.decision_objects o JOIN staged.decisions d ON d.decision_id = o.decision_id WHERE ${isNew('d')}`;

const APPEND_OBJECTS = `
  INSERT OR IGNORE INTO main.objects SELECT b.* FROM staged.objects b WHERE b.sha256 IN (SELECT o.sha256 FROM ${LINKS})`;
const APPEND_HEADS = `INSERT OR IGNORE INTO main.heads SELECT h.* FROM staged.heads h WHERE ${isNew('h')}`;
const APPEND_INDEX = [
  `INSERT INTO main.decision_objects SELECT o.* FROM ${LINKS}`,
  `INSERT INTO main.decision_policies SELECT p.* FROM staged.decision_policies p
     JOIN staged.decisions d ON d.decision_id = p.decision_id WHERE ${isNew('d')}`,
  `INSERT INTO main.decisions SELECT d.* FROM staged.decisions d WHERE ${isNew('d')}`,
  `INSERT INTO main.releases SELECT e.* FROM staged.releases e WHERE ${isNew('e')}`,
];
const APPEND_RECORDS = `INSERT INTO main.records SELECT s.* FROM staged.records s WHERE ${isNew('s')}`;

/** Runs within a transaction, once the other file is attached. */
export function appendChains(file: SqliteFile): AppendedChains {
  const rows = file.rows<readonly [string, number]>(CONFLICTS, []);
  const conflicts = rows.map(([chain, seq]) => ({ chain, seq }));
  if (conflicts.length > 0) return { conflicts, records: 0, known: 0, heads: 0, objects: 0 };
  const objects = file.run(APPEND_OBJECTS, []);
  const heads = file.run(APPEND_HEADS, []);
  for (const sql of APPEND_INDEX) file.run(sql, []);
  // Records are last: a chain counts as new as long as it has no record.
  const records = file.run(APPEND_RECORDS, []);
  const staged = file.number('SELECT count(*) FROM staged.records', []);
  return { conflicts, records, known: staged - records, heads, objects };
}
