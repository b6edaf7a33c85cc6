import type { LogRecord, LogStore, RecordedDecision } from '../core/decision-log.js';
import { ChangedDecisionError } from '../core/recorded-decision.js';
import { isIntact } from './chain.js';
import { apparentDecision } from './record-content.js';

/**
 * Finds a recorded decision and its release. Rejects records whose content or index position was changed. Only the verification
 * of the whole log shows whether a record is the original one.
 *
 * @throws {ChangedDecisionError}
 */
export async function findRecorded(
  store: Pick<LogStore, 'find'>,
  decisionId: string,
): Promise<RecordedDecision | null> {
  // A UUID in a request may have upper case; the store has lower case (RFC 9562 section 4).
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

/** Whether a record matches the decision. Dropped content matches. @param tenant from the index, which decides on access */
function holds(record: LogRecord, decisionId: string, tenant: string | null = null): boolean {
  if (!isIntact(record)) return false;
  if (record.content === null) return true;
  const said = apparentDecision(record.content);
  // If the content has neither member, its form is checked elsewhere.
  return (said.decisionId ?? decisionId) === decisionId && (tenant === null || (said.tenant ?? tenant) === tenant);
}

/** Whether a record is of the release. Its content is dropped with the decision, and never alone. */
function isOfRelease(record: LogRecord, decisionId: string): boolean {
  const { content } = record;
  return content !== null && holds(record, decisionId) && apparentDecision(content).decisionId === decisionId;
}
