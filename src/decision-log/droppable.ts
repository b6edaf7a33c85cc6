import type { LogRecord, LogStore, RecordPosition } from '../model/decision-log.js';
import { parsedObject } from '../model/json.js';
import { releaseKindOf } from '../model/key-release-record.js';
import { isIntact } from './chain.js';
import { recordAt } from './record-at.js';
import { saidOfDecision } from './record-content.js';

/**
 * Whether the record at a place says itself that its decision is older, or is of a release by one that does. The index alone is
 * not believed: whoever changed it would have the service sign that newer content may be gone, and drop it.
 */
export async function isDroppable(
  store: Pick<LogStore, 'records' | 'find'>,
  through: RecordPosition,
  before: Date,
): Promise<boolean> {
  const record = await recordAt(store, through);
  const decided = isOfRelease(record) ? await decisionOf(store, record) : record;
  if (decided === null || decided.content === null || !isIntact(decided)) return false;
  const { decidedAt } = saidOfDecision(decided.content);
  return decidedAt !== null && Date.parse(decidedAt) < before.getTime();
}

function isOfRelease(record: LogRecord | null): record is LogRecord & { readonly content: string } {
  const content = parsedObject(record?.content ?? '');
  return content !== null && releaseKindOf(content) !== null;
}

/** The decision of the same chain that a record of a release names; null where there is none. */
async function decisionOf(
  store: Pick<LogStore, 'find'>,
  release: LogRecord & { readonly content: string },
): Promise<LogRecord | null> {
  const { decisionId } = saidOfDecision(release.content);
  if (decisionId === null || !isIntact(release)) return null;
  const found = await store.find(decisionId);
  const isItsOwn = found !== null && saidOfDecision(found.record.content ?? '').decisionId === decisionId;
  return isItsOwn && found.record.chain === release.chain ? found.record : null;
}
