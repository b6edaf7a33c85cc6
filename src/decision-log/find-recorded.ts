import type { LogStore, RecordedDecision } from '../model/decision-log.js';
import { ChangedDecisionError } from '../model/recorded-decision.js';
import { isIntact } from './chain.js';
import { saidOfDecision } from './record-content.js';

/**
 * Finds a decision as it was recorded: not one whose content, or place in the index, somebody changed. Whether its record is
 * still the one that was written is for whoever verifies the whole log.
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
  if (found !== null && !holds(found, stored)) {
    throw new ChangedDecisionError('what is stored of this decision', 'is not what was recorded');
  }
  return found;
}

function holds({ record, tenant }: RecordedDecision, decisionId: string): boolean {
  if (!isIntact(record)) return false;
  if (record.content === null) return true;
  const said = saidOfDecision(record.content);
  // Of what has neither, its form tells more. The tenant of the index says who may see the decision.
  return (said.decisionId ?? decisionId) === decisionId && (said.tenant ?? tenant) === tenant;
}
