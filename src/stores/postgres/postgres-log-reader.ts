import { OUTCOMES } from '../../core/decision.js';
import type {
  ChainEnd,
  DecisionQuery,
  FoundDecision,
  KeptLink,
  KeptObject,
  LogReader,
  LogRecord,
  RecordedDecision,
  RecordPosition,
  SignedHead,
  StoredEntry,
  StoredRelease,
} from '../../core/decision-log.js';
import { leastIdAt } from '../decision-ids.js';
import type { Session, SqlValue } from './session.js';

/** Bytes of kept objects in one answer: once the answer has as many, no further object is added. */
const BYTES_AT_ONCE = 4 * 1024 * 1024;

interface RecordRow {
  readonly chain: string;
  readonly seq: string;
  readonly previous: string;
  readonly content_sha256: string;
  readonly hash: string;
  readonly salt: Uint8Array | null;
  readonly content: Buffer | null;
}

const RECORD = 'r.chain, r.seq, r.previous, r.content_sha256, r.hash, r.salt, r.content';

type EndRow = Pick<RecordRow, 'chain' | 'seq' | 'hash'>;

/** Reads the chains from the records: a chain whose row was deleted is exported all the same. One index step per chain. */
const CHAINS = `
  WITH RECURSIVE named (chain) AS (
    (SELECT chain FROM records ORDER BY chain LIMIT 1)
    UNION ALL
    SELECT (SELECT r.chain FROM records r WHERE r.chain > named.chain ORDER BY r.chain LIMIT 1)
    FROM named WHERE named.chain IS NOT NULL)
  SELECT ending.* FROM named CROSS JOIN LATERAL (
    SELECT r.chain, r.seq, r.hash FROM records r WHERE r.chain = named.chain ORDER BY r.seq DESC LIMIT 1) ending
  ORDER BY ending.chain`;

interface EntryRow extends Pick<StoredEntry, 'tenant' | 'outcome' | 'policies' | 'withdrawn'> {
  readonly seq: string;
  readonly decision_id: string;
  readonly summary: Buffer;
}

interface ReleaseRow extends Pick<StoredRelease, 'kind'> {
  readonly seq: string;
  readonly decision_id: string;
}

/** Rows that belong to no record of the log. */
const STRAYS = [
  `chains c WHERE NOT EXISTS (SELECT 1 FROM records r WHERE r.chain = c.chain AND r.seq = c.seq AND r.hash = c.hash)`,
  `records r LEFT JOIN chains c ON c.chain = r.chain WHERE c.chain IS NULL OR r.seq > c.seq`,
  'releases e LEFT JOIN records r ON r.chain = e.chain AND r.seq = e.seq WHERE r.content IS NULL',
  'decisions d LEFT JOIN records r ON r.chain = d.chain AND r.seq = d.seq WHERE r.content IS NULL',
  `decision_policies p WHERE NOT EXISTS (SELECT 1 FROM decisions d WHERE d.decision_id = p.decision_id
     AND d.tenant = p.tenant AND d.outcome = p.outcome AND p.policy = ANY (d.policies))`,
  'heads h WHERE NOT EXISTS (SELECT 1 FROM records r WHERE r.chain = h.chain)',
  'decision_objects o WHERE NOT EXISTS (SELECT 1 FROM decisions d WHERE d.decision_id = o.decision_id)',
  'objects b WHERE NOT EXISTS (SELECT 1 FROM decision_objects o WHERE o.sha256 = b.sha256)',
]
  .map((what) => `(SELECT count(*) FROM ${what})`)
  .join(' + ');

interface FoundRow {
  readonly decision_id: string;
  readonly summary: Buffer;
  readonly withdrawn: boolean;
}

/** One subquery for each index prefix, so that each reads at most LIMIT rows. */
const newestOf = (each: string) => `
  SELECT found.* FROM unnest($1::text[]) AS named (tenant) CROSS JOIN unnest($2::text[]) AS decided (outcome)
  CROSS JOIN LATERAL (${each} LIMIT $5) found ORDER BY found.decision_id DESC LIMIT $5`;

const LIST = newestOf(`
  SELECT d.decision_id, d.summary, d.withdrawn FROM decisions d
  WHERE d.tenant = named.tenant AND d.outcome = decided.outcome AND d.decision_id >= $3 AND d.decision_id < $4
  ORDER BY d.decision_id DESC`);

const LIST_OF_POLICY = newestOf(`
  SELECT d.decision_id, d.summary, d.withdrawn FROM decision_policies p JOIN decisions d USING (decision_id)
  WHERE p.tenant = named.tenant AND p.policy = $6 AND p.outcome = decided.outcome
    AND p.decision_id >= $3 AND p.decision_id < $4
  ORDER BY p.decision_id DESC`);

interface PartRow extends RecordRow {
  readonly part: number;
  readonly tenant: string;
  readonly withdrawn: boolean;
}

interface ObjectRow {
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

interface LinkRow {
  readonly seq: string;
  readonly sha256: string;
  readonly kept: boolean;
}

/** Runs work on a connection. @throws {StoreUnavailableError} */
export type Ask = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

/** Reads the decision log. */
export class PostgresLogReader implements LogReader {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async last(chain: string): Promise<ChainEnd | null> {
    const [row] = await this.#rows<EndRow>(
      'SELECT chain, seq, hash FROM records WHERE chain = $1 ORDER BY seq DESC LIMIT 1',
      [chain],
    );
    return row === undefined ? null : endOf(row);
  }

  async chains(): Promise<readonly ChainEnd[]> {
    return (await this.#rows<EndRow>(CHAINS)).map(endOf);
  }

  async records(after: RecordPosition | null, limit: number): Promise<readonly LogRecord[]> {
    const rows = await this.#rows<RecordRow>(
      `SELECT ${RECORD} FROM records r WHERE (r.chain, r.seq) > ($1, $2) ORDER BY r.chain, r.seq LIMIT $3`,
      [after?.chain ?? '', after?.seq ?? -1, limit],
    );
    return rows.map(recordOf);
  }

  async heads(chain: string, from: number, to: number): Promise<readonly SignedHead[]> {
    const rows = await this.#rows<{ readonly seq: string; readonly jws: string }>(
      'SELECT seq, jws FROM heads WHERE chain = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq',
      [chain, from, to],
    );
    return rows.map(({ seq, jws }) => ({ chain, seq: Number(seq), jws }));
  }

  async entries(chain: string, from: number, to: number): Promise<readonly StoredEntry[]> {
    // One subquery, thus one index step, for each policy: a join would read all decisions of the tenant.
    const rows = await this.#rows<EntryRow>(
      `SELECT d.seq, d.decision_id, d.tenant, d.outcome, d.summary, d.withdrawn,
         array_remove(ARRAY(
           SELECT (SELECT p.policy FROM decision_policies p WHERE p.tenant = d.tenant AND p.policy = named.policy
             AND p.outcome = d.outcome AND p.decision_id = d.decision_id)
           FROM unnest(d.policies) AS named (policy)), NULL) AS policies
       FROM decisions d WHERE d.chain = $1 AND d.seq BETWEEN $2 AND $3 ORDER BY d.seq, d.decision_id`,
      [chain, from, to],
    );
    return rows.map(({ seq, decision_id, summary, ...others }) => ({
      ...others,
      seq: Number(seq),
      decisionId: decision_id,
      summary: summary.toString(),
    }));
  }

  async releaseEntries(chain: string, from: number, to: number): Promise<readonly StoredRelease[]> {
    const rows = await this.#rows<ReleaseRow>(
      'SELECT seq, decision_id, kind FROM releases WHERE chain = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq, decision_id',
      [chain, from, to],
    );
    return rows.map(({ seq, decision_id, kind }) => ({ seq: Number(seq), decisionId: decision_id, kind }));
  }

  async strays(): Promise<number> {
    const [row] = await this.#rows<{ readonly strays: string }>(`SELECT ${STRAYS} AS strays`);
    return Number(row?.strays);
  }

  async list(query: DecisionQuery): Promise<readonly FoundDecision[]> {
    const { policy, since, cursor, limit } = query;
    const tenants = query.tenant === null ? await this.#tenants() : [query.tenant];
    const outcomes = query.decision === null ? OUTCOMES : [query.decision];
    const values = [tenants, outcomes, since === null ? '' : leastIdAt(since), cursor ?? '~', limit];
    const rows =
      policy === null
        ? await this.#rows<FoundRow>(LIST, values)
        : await this.#rows<FoundRow>(LIST_OF_POLICY, [...values, policy]);
    return rows.map(({ decision_id, summary, withdrawn }) => ({
      decisionId: decision_id,
      summary: summary.toString(),
      withdrawn,
    }));
  }

  async find(decisionId: string): Promise<RecordedDecision | null> {
    // One statement, so that all rows are of one moment.
    const [row, ...releases] = await this.#rows<PartRow>(
      `SELECT ${RECORD}, 0 AS part, d.tenant, d.withdrawn FROM decisions d JOIN records r USING (chain, seq)
       WHERE d.decision_id = $1
       UNION ALL SELECT ${RECORD}, 1, d.tenant, d.withdrawn FROM decisions d
         JOIN releases e ON e.decision_id = d.decision_id AND e.chain = d.chain
         JOIN records r ON r.chain = e.chain AND r.seq = e.seq
       WHERE d.decision_id = $1 ORDER BY part, seq`,
      [decisionId],
    );
    if (row === undefined || row.part !== 0) return null;
    const { tenant, withdrawn } = row;
    return { record: recordOf(row), tenant, withdrawn, releaseRecords: releases.map(recordOf) };
  }

  async object(sha256: string): Promise<Uint8Array | null> {
    const [row] = await this.#rows<ObjectRow>('SELECT sha256, bytes FROM objects WHERE sha256 = $1', [sha256]);
    return row === undefined ? null : Uint8Array.from(row.bytes);
  }

  async objects(after: string | null, limit: number): Promise<readonly KeptObject[]> {
    const rows = await this.#rows<ObjectRow>(
      `SELECT sha256, bytes FROM (
         SELECT sha256, bytes, sum(octet_length(bytes)) OVER (ORDER BY sha256) - octet_length(bytes) AS before
         FROM (SELECT sha256, bytes FROM objects WHERE sha256 > $1 ORDER BY sha256 LIMIT $2) page) counted
       WHERE before < $3 ORDER BY sha256`,
      [after ?? '', limit, BYTES_AT_ONCE],
    );
    return rows.map(({ sha256, bytes }) => ({ sha256, bytes: Uint8Array.from(bytes) }));
  }

  async objectsOf(chain: string, from: number, to: number): Promise<readonly KeptLink[]> {
    const rows = await this.#rows<LinkRow>(
      `SELECT d.seq, o.sha256, EXISTS (SELECT 1 FROM objects b WHERE b.sha256 = o.sha256) AS kept
       FROM decisions d JOIN decision_objects o USING (decision_id)
       WHERE d.chain = $1 AND d.seq BETWEEN $2 AND $3 ORDER BY d.seq, o.sha256`,
      [chain, from, to],
    );
    return rows.map(({ seq, sha256, kept }) => ({ seq: Number(seq), sha256, isKept: kept }));
  }

  async prunable(before: Date, after: string | null, limit: number): Promise<readonly string[]> {
    const rows = await this.#rows<{ readonly decision_id: string }>(
      'SELECT decision_id FROM decisions WHERE decision_id < $1 AND decision_id > $2 ORDER BY decision_id LIMIT $3',
      [leastIdAt(before), after ?? '', limit],
    );
    return rows.map((row) => row.decision_id);
  }

  async #tenants(): Promise<readonly string[]> {
    const rows = await this.#rows<{ readonly tenant: string }>('SELECT DISTINCT tenant FROM decisions');
    return rows.map(({ tenant }) => tenant);
  }

  #rows<R extends object>(text: string, values: readonly SqlValue[] = []): Promise<readonly R[]> {
    return this.#ask((session) => session.rows<R>(text, values));
  }
}

function endOf({ chain, seq, hash }: EndRow): ChainEnd {
  return { chain, seq: Number(seq), hash };
}

function recordOf({ chain, seq, previous, content_sha256, hash, salt, content }: RecordRow): LogRecord {
  return {
    chain,
    seq: Number(seq),
    previous,
    contentSha256: content_sha256,
    hash,
    salt: salt === null ? null : Uint8Array.from(salt),
    content: content === null ? null : content.toString(),
  };
}
