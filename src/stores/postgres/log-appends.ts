import { type ChainEnd, type NewRecord, NO_RECORD } from '../../core/decision-log.js';
import { groupedBy } from '../../core/grouped.js';
import { shareLog } from './log-lock.js';
import {
  insertEntries,
  insertLinks,
  insertObjects,
  insertRecords,
  insertReleases,
  type NewEntry,
  type NewLink,
  type NewRelease,
} from './log-rows.js';
import type { Session } from './session.js';

/** Runs within a transaction. */
export async function append(session: Session, records: readonly NewRecord[]): Promise<void> {
  await shareLog(session);
  for (const ofChain of groupedBy(records, ({ chain }) => chain).values()) await moveChain(session, ofChain);
  await insertRecords(session, records);
  await insertEntries(session, records.flatMap(newEntry));
  await insertReleases(session, records.flatMap(newRelease));
  await insertObjects(session, distinctObjects(records));
  await insertLinks(session, records.flatMap(newLinks));
  for (const { chain, withdraws } of records) {
    // Only the process that made the decision withdraws it.
    if (withdraws === null) continue;
    await session.run('UPDATE decisions SET withdrawn = true WHERE decision_id = $1 AND chain = $2', [
      withdraws,
      chain,
    ]);
  }
}

/**
 * Extends a chain only if its row has the expected end. A server that lost records, or has records unknown to this process, thus gets
 * no second record for a position.
 */
async function moveChain(session: Session, records: readonly NewRecord[]): Promise<void> {
  const [first, last] = [records[0] as NewRecord, records.at(-1) as NewRecord];
  const { chain, seq, previous } = first;
  const moved =
    seq === 0 && previous === NO_RECORD
      ? await session.run('INSERT INTO chains (chain, seq, hash) VALUES ($1, $2, $3) ON CONFLICT (chain) DO NOTHING', [
          chain,
          last.seq,
          last.hash,
        ])
      : await session.run('UPDATE chains SET seq = $2, hash = $3 WHERE chain = $1 AND seq = $4 AND hash = $5', [
          chain,
          last.seq,
          last.hash,
          seq - 1,
          previous,
        ]);
  if (moved === 0) throw new Error('the store does not have the record that this one follows');
}

function newEntry({ chain, seq, entry }: NewRecord): readonly NewEntry[] {
  return entry === null ? [] : [{ ...entry, chain, seq, withdrawn: false }];
}

function newRelease({ chain, seq, release }: NewRecord): readonly NewRelease[] {
  return release === null ? [] : [{ ...release, chain, seq }];
}

function newLinks({ entry, objects }: NewRecord): readonly NewLink[] {
  return entry === null ? [] : objects.map(({ sha256 }) => ({ decisionId: entry.decisionId, sha256 }));
}

function distinctObjects(records: readonly NewRecord[]) {
  const objects = records.flatMap((record) => record.objects);
  // Keeps the first bytes of each digest.
  return [...new Map(objects.toReversed().map((object) => [object.sha256, object])).values()];
}

interface EndRow {
  readonly seq: string;
  readonly hash: string;
}

/**
 * Returns the last record of a chain once no earlier transaction can change it any more.
 *
 * A transaction with unknown outcome was asked to commit only after it moved the row of the chain. So it has ended, or
 * it holds that row, and this function waits for it.
 *
 * @param timeoutMs longest wait
 */
export async function settledEnd(session: Session, chain: string, timeoutMs: number): Promise<ChainEnd | null> {
  await session.run(
    `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = ${timeoutMs}; SAVEPOINT absent`,
  );
  // An uncommitted row cannot be locked, but an insert of the same row waits for it.
  await session.run('INSERT INTO chains (chain, seq, hash) VALUES ($1, -1, $2) ON CONFLICT (chain) DO NOTHING', [
    chain,
    NO_RECORD,
  ]);
  await session.run('ROLLBACK TO SAVEPOINT absent');
  const [row] = await session.rows<EndRow>('SELECT seq, hash FROM chains WHERE chain = $1 FOR UPDATE', [chain]);
  // Unlike COMMIT, it waits for no standby.
  await session.run('ROLLBACK');
  return row === undefined ? null : { chain, seq: Number(row.seq), hash: row.hash };
}
