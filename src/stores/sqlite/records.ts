import { OUTCOMES } from '../../core/decision.js';
import type {
  ChainEnd,
  DecisionEntry,
  DecisionQuery,
  FoundDecision,
  ImportedRecord,
  LogRecord,
  NewRecord,
  PrunedDecision,
  RecordedDecision,
  RecordPosition,
  SignedHead,
  StoredEntry,
  StoredRelease,
} from '../../core/decision-log.js';
import { leastIdAt } from '../decision-ids.js';
import { dropObjects, link, putObject } from './objects.js';
import type { SqliteFile, SqlValue } from './sqlite-file.js';

const RECORD_COLUMNS = 'chain, seq, previous, content_sha256, hash, salt, content';

/** A valid list, even if an attacker has changed the column. */
export const POLICIES = "CASE WHEN json_valid(d.policies) THEN d.policies ELSE '[]' END";

/** A row of `records`. */
type RecordRow = readonly [
  chain: string,
  seq: number,
  previous: string,
  contentSha256: string,
  hash: string,
  salt: Uint8Array | null,
  content: string | null,
  ...others: SqlValue[],
];

/** Runs within a transaction. */
export function append(file: SqliteFile, records: readonly NewRecord[]): void {
  for (const record of records) {
    insert(
      file,
      record,
      record.objects.map(({ sha256 }) => sha256),
    );
    for (const object of record.objects) putObject(file, object);
  }
}

/** Runs within a transaction. Stores records of another store, with or without content, and the bytes that they reference. */
export function stage(file: SqliteFile, records: readonly ImportedRecord[]): void {
  for (const record of records) insert(file, record, record.restsOn);
}

function insert(file: SqliteFile, record: NewRecord | ImportedRecord, restsOn: readonly string[]): void {
  const { chain, seq, previous, contentSha256, hash, salt, content, entry, withdraws, release } = record;
  file.run(`INSERT INTO records (${RECORD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`, [
    chain,
    seq,
    previous,
    contentSha256,
    hash,
    salt,
    content,
  ]);
  if (entry !== null) {
    index(file, record, entry);
    for (const sha256 of restsOn) link(file, entry.decisionId, sha256);
  }
  if (release !== null) {
    const { decisionId, kind } = release;
    file.run('INSERT INTO releases (decision_id, chain, seq, kind) VALUES (?, ?, ?, ?)', [
      decisionId,
      chain,
      seq,
      kind,
    ]);
  }
  // The chain of the decision withdraws it.
  if (withdraws !== null) {
    file.run('UPDATE decisions SET withdrawn = 1 WHERE decision_id = ? AND chain = ?', [withdraws, chain]);
  }
}

function index(file: SqliteFile, { chain, seq }: RecordPosition, entry: DecisionEntry): void {
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

export function last(file: SqliteFile, chain: string): ChainEnd | null {
  const row = file.row<EndRow>('SELECT chain, seq, hash FROM records WHERE chain = ? ORDER BY seq DESC LIMIT 1', [
    chain,
  ]);
  return row === undefined ? null : endOf(row);
}

export function chains(file: SqliteFile): readonly ChainEnd[] {
  // Bare columns of a row with max() are those of the row with the maximum (SQLite, "Bare columns in an aggregate query").
  const rows = file.rows<EndRow>('SELECT chain, max(seq), hash FROM records GROUP BY chain', []);
  return rows.map(endOf);
}

/** Runs within a transaction. */
export function putHead(file: SqliteFile, { chain, seq, jws }: SignedHead): void {
  file.run('INSERT OR REPLACE INTO heads (chain, seq, jws) VALUES (?, ?, ?)', [chain, seq, jws]);
}

export function records(file: SqliteFile, after: RecordPosition | null, limit: number): readonly LogRecord[] {
  const rows = file.rows<RecordRow>(
    `SELECT ${RECORD_COLUMNS} FROM records WHERE (chain, seq) > (?, ?) ORDER BY chain, seq LIMIT ?`,
    [after?.chain ?? '', after?.seq ?? -1, limit],
  );
  return rows.map(recordOf);
}

export function heads(file: SqliteFile, chain: string, from: number, to: number): readonly SignedHead[] {
  const rows = file.rows<readonly [string, number, string]>(
    'SELECT chain, seq, jws FROM heads WHERE chain = ? AND seq BETWEEN ? AND ?',
    [chain, from, to],
  );
  return rows.map(([of, seq, jws]) => ({ chain: of, seq, jws }));
}

export function entries(file: SqliteFile, chain: string, from: number, to: number): readonly StoredEntry[] {
  const rows = file.rows<readonly [number, string, string, StoredEntry['outcome'], string, string, number]>(
    `SELECT d.seq, d.decision_id, d.tenant, d.outcome,
       (SELECT json_group_array(each.value) FROM json_each(${POLICIES}) each WHERE EXISTS (
         SELECT 1 FROM decision_policies p WHERE p.tenant = d.tenant AND p.policy = each.value
           AND p.outcome = d.outcome AND p.decision_id = d.decision_id)),
       d.summary, d.withdrawn
     FROM decisions d WHERE d.chain = ? AND d.seq BETWEEN ? AND ?`,
    [chain, from, to],
  );
  return rows.map(([seq, decisionId, tenant, outcome, policies, summary, withdrawn]) => ({
    seq,
    decisionId,
    tenant,
    outcome,
    policies: JSON.parse(policies),
    summary,
    withdrawn: withdrawn === 1,
  }));
}

export function releaseEntries(file: SqliteFile, chain: string, from: number, to: number): readonly StoredRelease[] {
  const rows = file.rows<readonly [number, string, StoredRelease['kind']]>(
    'SELECT seq, decision_id, kind FROM releases WHERE chain = ? AND seq BETWEEN ? AND ?',
    [chain, from, to],
  );
  return rows.map(([seq, decisionId, kind]) => ({ seq, decisionId, kind }));
}

export function list(file: SqliteFile, query: DecisionQuery): readonly FoundDecision[] {
  const outcomes = query.decision === null ? OUTCOMES : [query.decision];
  const tenants = query.tenant === null ? tenantsOf(file) : [query.tenant];
  // One query for each value of the first index columns, so that no result is longer than the answer.
  const found = tenants.flatMap((tenant) => outcomes.flatMap((outcome) => listOf(file, query, tenant, outcome)));
  found.sort((one, other) => (one.decisionId < other.decisionId ? 1 : -1));
  return found.slice(0, query.limit);
}

function tenantsOf(file: SqliteFile): readonly string[] {
  return file.rows<readonly [string]>('SELECT DISTINCT tenant FROM decisions', []).map(([tenant]) => tenant);
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
      ? file.rows<FoundRow>(
          `SELECT decision_id, summary, withdrawn FROM decisions
           WHERE tenant = ? AND outcome = ? AND decision_id >= ? AND decision_id < ? ORDER BY decision_id DESC LIMIT ?`,
          [tenant, outcome, from, before, limit],
        )
      : file.rows<FoundRow>(
          `SELECT d.decision_id, d.summary, d.withdrawn FROM decision_policies p CROSS JOIN decisions d
           ON d.decision_id = p.decision_id
           WHERE p.tenant = ? AND p.policy = ? AND p.outcome = ? AND p.decision_id >= ? AND p.decision_id < ?
           ORDER BY p.decision_id DESC LIMIT ?`,
          [tenant, policy, outcome, from, before, limit],
        );
  return rows.map(([decisionId, summary, withdrawn]) => ({ decisionId, summary, withdrawn: withdrawn === 1 }));
}

type FoundRow = readonly [decisionId: string, summary: string, withdrawn: number];

const COLUMNS_OF_RECORD = RECORD_COLUMNS.replaceAll(/\w+/g, 'r.$&');

export function find(file: SqliteFile, decisionId: string): RecordedDecision | null {
  // One statement, so that all rows are of one moment.
  const rows = file.rows<RecordRow>(
    `SELECT ${COLUMNS_OF_RECORD}, 0 AS part, d.tenant, d.withdrawn FROM decisions d CROSS JOIN records r
     ON r.chain = d.chain AND r.seq = d.seq WHERE d.decision_id = ?1
     UNION ALL SELECT ${COLUMNS_OF_RECORD}, 1, NULL, NULL FROM decisions d CROSS JOIN releases e CROSS JOIN records r
     ON e.decision_id = d.decision_id AND e.chain = d.chain AND r.chain = e.chain AND r.seq = e.seq
     WHERE d.decision_id = ?1 ORDER BY part, 2`,
    [decisionId],
  );
  const [row, ...releases] = rows;
  const [part, tenant, withdrawn] = row?.slice(-3) ?? [];
  if (row === undefined || part !== 0) return null;
  const releaseRecords = releases.map(recordOf);
  return { record: recordOf(row), tenant: String(tenant), withdrawn: withdrawn === 1, releaseRecords };
}

export function prunable(file: SqliteFile, before: Date, after: string | null, limit: number): readonly string[] {
  const rows = file.rows<readonly [string]>(
    'SELECT decision_id FROM decisions WHERE decision_id < ? AND decision_id > ? ORDER BY decision_id LIMIT ?',
    [leastIdAt(before), after ?? '', limit],
  );
  return rows.map(([decisionId]) => decisionId);
}

/** Runs within a transaction. */
export function prune(file: SqliteFile, decisions: readonly PrunedDecision[]): number {
  return decisions.filter((decision) => pruneOne(file, decision)).length;
}

function pruneOne(file: SqliteFile, { decisionId, chain, seq, through }: PrunedDecision): boolean {
  const row = file.row<readonly [string, string, string]>(
    `SELECT tenant, outcome, policies FROM decisions d
     WHERE decision_id = ?1 AND chain = ?2 AND seq = ?3 AND NOT EXISTS (
       SELECT 1 FROM releases e WHERE e.decision_id = ?1 AND e.chain = ?2 AND e.seq > ?4)`,
    [decisionId, chain, seq, through],
  );
  if (row === undefined) return false;
  const [tenant, outcome, policies] = row;
  for (const policy of JSON.parse(policies) as readonly string[]) {
    file.run('DELETE FROM decision_policies WHERE tenant = ? AND policy = ? AND outcome = ? AND decision_id = ?', [
      tenant,
      policy,
      outcome,
      decisionId,
    ]);
  }
  file.run('DELETE FROM decisions WHERE decision_id = ?', [decisionId]);
  dropObjects(file, decisionId);
  dropContent(file, { chain, seq });
  dropRelease(file, chain, decisionId);
  return true;
}

/** Key in `meta`; the value is in milliseconds since 1970. */
const PRUNED_NAME = 'pruned_at';

/** Runs within a transaction, so that only one of several processes drops content. */
export function claimPruning(file: SqliteFile, now: Date, everyMs: number): boolean {
  const [markMs] = file.row<readonly [number]>('SELECT value FROM meta WHERE name = ?', [PRUNED_NAME]) ?? [];
  const nowMs = now.getTime();
  const isKnown = markMs !== undefined && markMs <= nowMs;
  if (isKnown && nowMs - markMs < everyMs) return false;
  file.run('INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value', [
    PRUNED_NAME,
    nowMs,
  ]);
  return isKnown;
}

function dropRelease(file: SqliteFile, chain: string, decisionId: string): void {
  const values = [decisionId, chain];
  const rows = file.rows<readonly [number]>('SELECT seq FROM releases WHERE decision_id = ? AND chain = ?', values);
  if (rows.length === 0) return;
  for (const [seq] of rows) dropContent(file, { chain, seq });
  file.run('DELETE FROM releases WHERE decision_id = ? AND chain = ?', values);
}

function dropContent(file: SqliteFile, { chain, seq }: RecordPosition): void {
  file.run('UPDATE records SET salt = NULL, content = NULL WHERE chain = ? AND seq = ?', [chain, seq]);
}

type EndRow = readonly [chain: string, seq: number, hash: string];

function endOf([chain, seq, hash]: EndRow): ChainEnd {
  return { chain, seq, hash };
}

function recordOf([chain, seq, previous, contentSha256, hash, salt, content]: RecordRow): LogRecord {
  const copied = salt === null ? null : Uint8Array.from(salt);
  return { chain, seq, previous, contentSha256, hash, salt: copied, content };
}
