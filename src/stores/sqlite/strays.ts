import { POLICIES } from './records.js';
import type { SqliteFile } from './sqlite-file.js';

/** Entries that belong to no record of the log. */
const STRAYS = [
  'releases e LEFT JOIN records r ON r.chain = e.chain AND r.seq = e.seq WHERE r.content IS NULL',
  `decisions d LEFT JOIN records r ON r.chain = d.chain AND r.seq = d.seq WHERE r.content IS NULL`,
  `decision_policies p WHERE NOT EXISTS (
     SELECT 1 FROM decisions d, json_each(${POLICIES}) each
     WHERE d.decision_id = p.decision_id AND d.tenant = p.tenant AND d.outcome = p.outcome AND each.value = p.policy)`,
  'heads h WHERE NOT EXISTS (SELECT 1 FROM records r WHERE r.chain = h.chain)',
  'decision_objects o WHERE NOT EXISTS (SELECT 1 FROM decisions d WHERE d.decision_id = o.decision_id)',
  'objects b WHERE NOT EXISTS (SELECT 1 FROM decision_objects o WHERE o.sha256 = b.sha256)',
];

export function strays(file: SqliteFile): number {
  return STRAYS.reduce((sum, what) => sum + file.number(`SELECT count(*) FROM ${what}`, []), 0);
}
