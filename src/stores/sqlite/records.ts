import type {
  ChainEnd,
  DecisionQuery,
  FoundDecision,
  KeptObject,
  LogRecord,
  NewRecord,
  RecordedDecision,
  RecordPosition,
  SignedHead,
  StoredEntry,
} from '../../model/decision-log.js';
import { leastIdAt } from '../decision-ids.js';
import type { Row, SqliteFile, SqlValue } from './sqlite-file.js';

const OUTCOMES = ['allow', 'deny', 'indeterminate'] as const;

const RECORD_COLUMNS = 'chain, seq, previous, content_sha256, hash, salt, content';

/** A list, whatever somebody has made of it. */
const POLICIES = "CASE WHEN json_valid(d.policies) THEN d.policies ELSE '[]' END";

/** Within a transaction. */
export function append(file: SqliteFile, records: readonly NewRecord[]): void {
  for (const record of records) {
    const { chain, seq, previous, contentSha256, hash, salt, content } = record;
    file.run(`INSERT INTO records (${RECORD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`, [
      chain,
      seq,
      previous,
      contentSha256,
      hash,
      salt,
      content,
    ]);
    if (record.entry !== null) {
      index(file, record, record.entry);
      for (const object of record.objects) keep(file, record.entry.decisionId, object);
    }
    if (record.withdraws !== null) {
      file.run('UPDATE decisions SET withdrawn = 1 WHERE decision_id = ?', [record.withdraws]);
    }
  }
}

function index(file: SqliteFile, { chain, seq }: RecordPosition, entry: NonNullable<NewRecord['entry']>): void {
  const { decisionId, tenant, outcome, policies, summary } = entry;
  file.run(
    'INSERT INTO decisions (decision_id, chain, seq, tenant, outcome, policies, summary) VALUES (?, ?, ?, ?, ?, ?, ?)',
    [decisionId, chain, seq, tenant, outcome, JSON.stringify(policies), summary],
  );
  for (const policy of policies) {
    file.run('INSERT INTO decision_policies (tenant, policy, outcome, decision_id) VALUES (?, ?, ?, ?)', [
      tenant,
      policy,
      outcome,
      decisionId,
    ]);
  }
}

function keep(file: SqliteFile, decisionId: string, { sha256, bytes }: KeptObject): void {
  file.run('INSERT OR IGNORE INTO objects (sha256, bytes) VALUES (?, ?)', [sha256, bytes]);
  file.run('INSERT INTO decision_objects (decision_id, sha256) VALUES (?, ?)', [decisionId, sha256]);
}

export function object(file: SqliteFile, sha256: string): Uint8Array | null {
  const [bytes = null] = file.row('SELECT bytes FROM objects WHERE sha256 = ?', [sha256]) ?? [];
  return bytes === null ? null : Uint8Array.from(bytes as Uint8Array);
}

export function last(file: SqliteFile, chain: string): ChainEnd | null {
  const row = file.row('SELECT chain, seq, hash FROM records WHERE chain = ? ORDER BY seq DESC LIMIT 1', [chain]);
  return row === undefined ? null : endOf(row);
}

export function chains(file: SqliteFile): readonly ChainEnd[] {
  // Bare columns of a row with max() are those of the row that has it (SQLite, "Bare columns in an aggregate query").
  const rows = file.rows('SELECT chain, max(seq), hash FROM records GROUP BY chain', []);
  return rows.map(endOf);
}

/** Within a transaction. */
export function putHead(file: SqliteFile, { chain, seq, jws }: SignedHead): void {
  file.run('INSERT OR REPLACE INTO heads (chain, seq, jws) VALUES (?, ?, ?)', [chain, seq, jws]);
}

export function records(file: SqliteFile, after: RecordPosition | null, limit: number): readonly LogRecord[] {
  const rows = file.rows(
    `SELECT ${RECORD_COLUMNS} FROM records WHERE (chain, seq) > (?, ?) ORDER BY chain, seq LIMIT ?`,
    [after?.chain ?? '', after?.seq ?? -1, limit],
  );
  return rows.map(recordOf);
}

export function heads(file: SqliteFile, chain: string, from: number, to: number): readonly SignedHead[] {
  const rows = file.rows('SELECT chain, seq, jws FROM heads WHERE chain = ? AND seq BETWEEN ? AND ?', [
    chain,
    from,
    to,
  ]);
  return rows.map(([of, seq, jws]) => ({ chain: String(of), seq: Number(seq), jws: String(jws) }));
}

export function entries(file: SqliteFile, chain: string, from: number, to: number): readonly StoredEntry[] {
  const rows = file.rows(
    `SELECT d.seq, d.decision_id, d.tenant, d.outcome,
       (SELECT json_group_array(each.value) FROM json_each(${POLICIES}) each WHERE EXISTS (
         SELECT 1 FROM decision_policies p WHERE p.tenant = d.tenant AND p.policy = each.value
           AND p.outcome = d.outcome AND p.decision_id = d.decision_id)),
       d.summary, d.withdrawn
     FROM decisions d WHERE d.chain = ? AND d.seq BETWEEN ? AND ?`,
    [chain, from, to],
  );
  return rows.map(([seq, decisionId, tenant, outcome, policies, summary, withdrawn]) => ({
    seq: Number(seq),
    decisionId: String(decisionId),
    tenant: String(tenant),
    outcome: outcome as StoredEntry['outcome'],
    policies: JSON.parse(String(policies)),
    summary: String(summary),
    withdrawn: withdrawn === 1,
  }));
}

export function strays(file: SqliteFile): number {
  const decisions = file.row(
    `SELECT count(*) FROM decisions d LEFT JOIN records r ON r.chain = d.chain AND r.seq = d.seq WHERE r.content IS NULL`,
    [],
  );
  const policies = file.row(
    `SELECT count(*) FROM decision_policies p WHERE NOT EXISTS (
       SELECT 1 FROM decisions d, json_each(${POLICIES}) each
       WHERE d.decision_id = p.decision_id AND d.tenant = p.tenant AND d.outcome = p.outcome AND each.value = p.policy)`,
    [],
  );
  const signed = file.row(
    'SELECT count(*) FROM heads h WHERE NOT EXISTS (SELECT 1 FROM records r WHERE r.chain = h.chain)',
    [],
  );
  return Number(decisions?.[0]) + Number(policies?.[0]) + Number(signed?.[0]);
}

export function list(file: SqliteFile, query: DecisionQuery): readonly FoundDecision[] {
  const outcomes = query.decision === null ? OUTCOMES : [query.decision];
  const tenants = query.tenant === null ? tenantsOf(file) : [query.tenant];
  // By each value of what comes first in the index: so that none is longer than the answer.
  const found = tenants.flatMap((tenant) => outcomes.flatMap((outcome) => listOf(file, query, tenant, outcome)));
  found.sort((one, other) => (one.decisionId < other.decisionId ? 1 : -1));
  return found.slice(0, query.limit);
}

function tenantsOf(file: SqliteFile): readonly string[] {
  return file.rows('SELECT DISTINCT tenant FROM decisions', []).map(([tenant]) => String(tenant));
}

function listOf(
  file: SqliteFile,
  { policy, since, cursor, limit }: DecisionQuery,
  tenant: string,
  outcome: string,
): readonly FoundDecision[] {
  const from = since === null ? '' : leastIdAt(since);
  const before = cursor ?? '~';
  const rows =
    policy === null
      ? file.rows(
          `SELECT decision_id, summary, withdrawn FROM decisions
           WHERE tenant = ? AND outcome = ? AND decision_id >= ? AND decision_id < ? ORDER BY decision_id DESC LIMIT ?`,
          [tenant, outcome, from, before, limit],
        )
      : file.rows(
          `SELECT d.decision_id, d.summary, d.withdrawn FROM decision_policies p CROSS JOIN decisions d
           ON d.decision_id = p.decision_id
           WHERE p.tenant = ? AND p.policy = ? AND p.outcome = ? AND p.decision_id >= ? AND p.decision_id < ?
           ORDER BY p.decision_id DESC LIMIT ?`,
          [tenant, policy, outcome, from, before, limit],
        );
  return rows.map(([decisionId, summary, withdrawn]) => ({
    decisionId: String(decisionId),
    summary: String(summary),
    withdrawn: withdrawn === 1,
  }));
}

export function find(file: SqliteFile, decisionId: string): RecordedDecision | null {
  const row = file.row(
    `SELECT ${RECORD_COLUMNS.replaceAll(/\w+/g, 'r.$&')}, d.tenant, d.withdrawn FROM decisions d CROSS JOIN records r
     ON r.chain = d.chain AND r.seq = d.seq WHERE d.decision_id = ?`,
    [decisionId],
  );
  if (row === undefined) return null;
  const [tenant, withdrawn] = row.slice(-2);
  return { record: recordOf(row), tenant: String(tenant), withdrawn: withdrawn === 1 };
}

export function prunable(file: SqliteFile, before: Date): readonly RecordPosition[] {
  const rows = file.rows('SELECT chain, max(seq) FROM decisions WHERE decision_id < ? GROUP BY chain', [
    leastIdAt(before),
  ]);
  return rows.map(([chain, seq]) => ({ chain: String(chain), seq: Number(seq) }));
}

/** Within a transaction. */
export function prune(file: SqliteFile, { chain, seq }: RecordPosition, limit: number): number {
  const rows = file.rows(
    `SELECT seq, decision_id, tenant, outcome, policies FROM decisions
     WHERE chain = ? AND seq <= ? ORDER BY seq LIMIT ?`,
    [chain, seq, limit],
  );
  for (const [dropped = null, decisionId = null, tenant = null, outcome = null, policies = null] of rows) {
    for (const policy of JSON.parse(String(policies)) as readonly string[]) {
      file.run('DELETE FROM decision_policies WHERE tenant = ? AND policy = ? AND outcome = ? AND decision_id = ?', [
        tenant,
        policy,
        outcome,
        decisionId,
      ]);
    }
    file.run('DELETE FROM decisions WHERE decision_id = ?', [decisionId]);
    dropObjects(file, decisionId);
    file.run('UPDATE records SET salt = NULL, content = NULL WHERE chain = ? AND seq = ?', [chain, dropped]);
  }
  return rows.length;
}

/** Bytes go with the last decision that names them. */
function dropObjects(file: SqliteFile, decisionId: SqlValue): void {
  const named = file.rows('SELECT sha256 FROM decision_objects WHERE decision_id = ?', [decisionId]);
  file.run('DELETE FROM decision_objects WHERE decision_id = ?', [decisionId]);
  for (const [sha256 = null] of named) {
    file.run(
      'DELETE FROM objects WHERE sha256 = ? AND NOT EXISTS (SELECT 1 FROM decision_objects o WHERE o.sha256 = ?)',
      [sha256, sha256],
    );
  }
}

function endOf([chain, seq, hash]: Row): ChainEnd {
  return { chain: String(chain), seq: Number(seq), hash: String(hash) };
}

function recordOf([chain, seq, previous, contentSha256, hash, salt = null, content = null]: Row): LogRecord {
  return {
    chain: String(chain),
    seq: Number(seq),
    previous: String(previous),
    contentSha256: String(contentSha256),
    hash: String(hash),
    salt: salt === null ? null : Uint8Array.from(salt as Uint8Array),
    content: content === null ? null : String(content),
  };
}
