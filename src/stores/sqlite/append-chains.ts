import type { RecordPosition } from '../../model/decision-log.js';
import type { SqliteFile } from './sqlite-file.js';

/** What became of the records of another file. */
export interface Merged {
  /** Places at which the two files do not go together, the first of them. Where there is one, nothing was taken. */
  readonly conflicts: readonly RecordPosition[];
  /** Records that were taken. */
  readonly records: number;
  /** Records that were there already. */
  readonly known: number;
  /** Heads that were taken. */
  readonly heads: number;
  /** Kept objects that were taken. */
  readonly objects: number;
}

/** Outside of a transaction. The other file has the same schema, and is right: nothing of it is verified here. */
export function attach(file: SqliteFile, path: string): void {
  file.run('ATTACH ? AS staged', [path]);
}

/** Another record at the same place, or one that does not follow the one before it. */
const CONFLICTS = `
  SELECT s.chain, s.seq FROM staged.records s JOIN main.records r ON r.chain = s.chain AND r.seq = s.seq
    WHERE r.hash <> s.hash
  UNION SELECT r.chain, r.seq FROM staged.records s JOIN main.records r ON r.chain = s.chain AND r.seq = s.seq + 1
    WHERE r.previous <> s.hash
  UNION SELECT s.chain, s.seq FROM staged.records s JOIN main.records r ON r.chain = s.chain AND r.seq = s.seq - 1
    WHERE s.previous <> r.hash
  ORDER BY 1, 2 LIMIT 16`;

const isNew = (table: string) =>
  `NOT EXISTS (SELECT 1 FROM main.records r WHERE r.chain = ${table}.chain AND r.seq = ${table}.seq)`;

/** What records are found by goes first: afterwards nothing tells which of them were there. */
const TAKE_INDEX = [
  `INSERT INTO main.decision_policies SELECT p.* FROM staged.decision_policies p
     JOIN staged.decisions d ON d.decision_id = p.decision_id WHERE ${isNew('d')}`,
  `INSERT INTO main.decisions SELECT d.* FROM staged.decisions d WHERE ${isNew('d')}`,
  `INSERT INTO main.releases SELECT e.* FROM staged.releases e WHERE ${isNew('e')}`,
];
const TAKE_RECORDS = `INSERT INTO main.records SELECT s.* FROM staged.records s WHERE ${isNew('s')}`;
const TAKE_HEADS = 'INSERT OR IGNORE INTO main.heads SELECT * FROM staged.heads';

/** Also of decisions that were there without what they rest on, unless their content was dropped. */
const TAKE_LINKS = `
  INSERT OR IGNORE INTO main.decision_objects SELECT o.* FROM staged.decision_objects o
    JOIN staged.decisions s ON s.decision_id = o.decision_id
    JOIN main.decisions d ON d.decision_id = s.decision_id AND d.chain = s.chain AND d.seq = s.seq`;
const TAKE_OBJECTS = `
  INSERT OR IGNORE INTO main.objects SELECT b.* FROM staged.objects b
    WHERE EXISTS (SELECT 1 FROM main.decision_objects o WHERE o.sha256 = b.sha256)`;

/** A decision and its withdrawal may have come in different files. */
const WITHDRAW = `
  UPDATE main.decisions SET withdrawn = 1 WHERE withdrawn = 0 AND decision_id IN (
    SELECT json_extract(content, '$.decisionId') FROM main.records r
    WHERE r.chain = decisions.chain AND r.chain IN (SELECT chain FROM staged.records) AND content LIKE '%"kind":"withdrawn"%'
      AND CASE WHEN json_valid(content) THEN json_extract(content, '$.kind') = 'withdrawn' END)`;

/** Within a transaction, once the other file is attached. */
export function merge(file: SqliteFile): Merged {
  const rows = file.rows<readonly [string, number]>(CONFLICTS, []);
  const conflicts = rows.map(([chain, seq]) => ({ chain, seq }));
  if (conflicts.length > 0) return { conflicts, records: 0, known: 0, heads: 0, objects: 0 };
  for (const sql of TAKE_INDEX) file.run(sql, []);
  const records = file.run(TAKE_RECORDS, []);
  const heads = file.run(TAKE_HEADS, []);
  file.run(TAKE_LINKS, []);
  const objects = file.run(TAKE_OBJECTS, []);
  file.run(WITHDRAW, []);
  const staged = file.number('SELECT count(*) FROM staged.records', []);
  return { conflicts, records, known: staged - records, heads, objects };
}
