import type { LogRecord, LogStore, RecordPosition } from '../core/decision-log.js';

/** Returns the record at a position; null if there is none. */
export async function recordAt(
  log: Pick<LogStore, 'records'>,
  { chain, seq }: RecordPosition,
): Promise<LogRecord | null> {
  const [record] = await log.records({ chain, seq: seq - 1 }, 1);
  return record?.chain === chain && record.seq === seq ? record : null;
}

/** Whether content was dropped meanwhile: a service may drop content while its log is read. */
export async function isDroppedByNow(log: Pick<LogStore, 'records'>, position: RecordPosition): Promise<boolean> {
  return (await recordAt(log, position))?.content === null;
}
