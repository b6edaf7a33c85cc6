import type {
  KeptObject,
  LogRecord,
  RecordPosition,
  SignedHead,
  StoredEntry,
  StoredRelease,
} from '../../core/decision-log.js';
import type { Session, SqlValue } from './session.js';

/** An index field of a record in a chain. */
type InChain<T> = T & Pick<RecordPosition, 'chain'>;

export type NewEntry = InChain<StoredEntry>;
export type NewRelease = InChain<StoredRelease>;

/** A reference from a decision to a kept object. */
export interface NewLink {
  readonly decisionId: string;
  readonly sha256: string;
}

export function insertRecords(session: Session, records: readonly LogRecord[]): Promise<number> {
  return insert(
    session,
    `INSERT INTO records (chain, seq, previous, content_sha256, hash, salt, content)
     SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bytea[])`,
    records,
    [
      ({ chain }) => chain,
      ({ seq }) => String(seq),
      ({ previous }) => previous,
      ({ contentSha256 }) => contentSha256,
      ({ hash }) => hash,
      ({ salt }) => (salt === null ? null : bytea(salt)),
      ({ content }) => (content === null ? null : bytea(Buffer.from(content))),
    ],
  );
}

/** Inserts the fields by which decisions are searched. */
export function insertEntries(session: Session, entries: readonly NewEntry[]): Promise<number> {
  return insert(
    session,
    `WITH added AS (
       INSERT INTO decisions (decision_id, chain, seq, tenant, outcome, policies, summary, withdrawn)
       SELECT id, chain, seq, tenant, outcome, ARRAY(SELECT json_array_elements_text(policies::json)), summary, withdrawn
       FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::boolean[])
         AS u (id, chain, seq, tenant, outcome, policies, summary, withdrawn)
       RETURNING tenant, policies, outcome, decision_id)
     INSERT INTO decision_policies (tenant, policy, outcome, decision_id)
     SELECT tenant, unnest(policies), outcome, decision_id FROM added`,
    entries,
    [
      ({ decisionId }) => decisionId,
      ({ chain }) => chain,
      ({ seq }) => String(seq),
      ({ tenant }) => tenant,
      ({ outcome }) => outcome,
      ({ policies }) => JSON.stringify(policies),
      ({ summary }) => bytea(Buffer.from(summary)),
      ({ withdrawn }) => String(withdrawn),
    ],
  );
}

export function insertReleases(session: Session, releases: readonly NewRelease[]): Promise<number> {
  return insert(
    session,
    `INSERT INTO releases (decision_id, chain, seq, kind)
     SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[])`,
    releases,
    [({ decisionId }) => decisionId, ({ chain }) => chain, ({ seq }) => String(seq), ({ kind }) => kind],
  );
}

export function insertLinks(session: Session, links: readonly NewLink[]): Promise<number> {
  return insert(
    session,
    'INSERT INTO decision_objects (decision_id, sha256) SELECT * FROM unnest($1::text[], $2::text[])',
    links,
    [({ decisionId }) => decisionId, ({ sha256 }) => sha256],
  );
}

/** Keeps the first bytes of each digest. @returns the number of new objects */
export function insertObjects(session: Session, objects: readonly KeptObject[]): Promise<number> {
  return insert(
    session,
    // The same order in all transactions, so that no two deadlock.
    `INSERT INTO objects (sha256, bytes) SELECT * FROM unnest($1::text[], $2::bytea[]) AS u (sha256, bytes)
     ORDER BY sha256 ON CONFLICT (sha256) DO NOTHING`,
    objects,
    [({ sha256 }) => sha256, ({ bytes }) => bytea(bytes)],
  );
}

export function insertHeads(session: Session, heads: readonly SignedHead[]): Promise<number> {
  return insert(
    session,
    `INSERT INTO heads (chain, seq, jws) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
     ON CONFLICT (chain, seq) DO UPDATE SET jws = excluded.jws`,
    heads,
    [({ chain }) => chain, ({ seq }) => String(seq), ({ jws }) => jws],
  );
}

/** Inserts one row for each item. @param columns the values of each column @returns the number of rows */
async function insert<T>(
  session: Session,
  text: string,
  items: readonly T[],
  columns: readonly ((item: T) => string | null)[],
): Promise<number> {
  if (items.length === 0) return 0;
  const values: readonly SqlValue[] = columns.map((column) => items.map(column));
  return session.run(text, values);
}

/** Encodes bytes in hex, as an array parameter needs. */
function bytea(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
}
