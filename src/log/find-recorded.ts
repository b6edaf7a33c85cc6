import type { LogRecord, LogStore, RecordedDecision } from '../core/decision-log.js';
import { ChangedDecisionError } from '../core/recorded-decision.js';
import { isIntact } from './chain.js';
import { saidOfDecision } from './record-content.js';

/**
 * Finds a decision as it was recorded, and its release: not one whose content, or place in the index, somebody changed. Whether
 * its record is still the one that was written is for whoever verifies the whole log.
 *
 * @throws {ChangedDecisionError}
 */
export async function findRecorded(
  store: Pick<LogStore, 'find'>,
  decisionId: string,
): Promise<RecordedDecision | null> {
  // A UUID may be written in capitals, and is stored without (RFC 9562 section 4).
  const stored = decisionId.toLowerCase();
  const found = await store.find(stored);
  if (found === null) return null;
  if (!holds(found.record, stored, found.tenant)) {
    throw new ChangedDecisionError('what is stored of this decision', 'is not what was recorded');
  }
  if (!found.releaseRecords.every((record) => isOfRelease(record, stored))) {
    throw new ChangedDecisionError('what is stored of its release', 'is not what was recorded');
  }
  return found;
}

/** Content that was dropped says nothing wrong. @param tenant that of the index, which says who may see the decision */
function holds(record: LogRecord, decisionId: string, tenant: string | null = null): boolean {
  if (!isIntact(record)) return false;
  if (record.content === null) return true;
  const said = saidOfDecision(record.content);
  // Of what has neither, its form tells more.
  return (said.decisionId ?? decisionId) === decisionId && (tenant === null || (said.tenant ?? tenant) === tenant);
}

/** Its content is dropped with the decision, and never alone. */
function isOfRelease(record: LogRecord, decisionId: string): boolean {
  const { content } = record;
  return content !== null && holds(record, decisionId) && saidOfDecision(content).decisionId === decisionId;
}
