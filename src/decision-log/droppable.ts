import type { LogStore, RecordPosition } from '../model/decision-log.js';
import { isIntact } from './chain.js';
import { recordAt } from './record-at.js';
import { saidOfDecision } from './record-content.js';

/**
 * Whether the record at a place says itself that its decision is older. The index alone is not believed: whoever changed it
 * would have the service sign that newer content may be gone, and drop it.
 */
export async function isDroppable(
  store: Pick<LogStore, 'records'>,
  through: RecordPosition,
  before: Date,
): Promise<boolean> {
  const record = await recordAt(store, through);
  if (record === null || record.content === null || !isIntact(record)) return false;
  const { decidedAt } = saidOfDecision(record.content);
  return decidedAt !== null && Date.parse(decidedAt) < before.getTime();
}
