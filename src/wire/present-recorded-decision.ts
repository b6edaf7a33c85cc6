import type { FoundDecision, RecordedDecision } from '../core/decision-log.js';
import { shownRelease } from '../core/key-release-record.js';
import { ChangedDecisionError, readDecisionContent, readDecisionSummary } from '../core/recorded-decision.js';
import type { Schemas } from './schema-check.js';

/**
 * Formats an entry of the list of decisions: its summary in the log, and whether it was withdrawn. Null if the summary is
 * malformed, so that an attacker may have changed it.
 */
export function presentFoundDecision({ summary, withdrawn }: FoundDecision): Schemas['DecisionSummary'] | null {
  const shown = readDecisionSummary(summary);
  return shown === null ? null : { ...(shown as unknown as Schemas['DecisionSummary']), withdrawn };
}

/**
 * Formats a recorded decision: the decision as it was answered, its key release, and its record.
 * @throws {ChangedDecisionError} if the record, or one of its release, is malformed
 * @throws {LaterVersionError}
 */
export function presentRecordedDecision(found: RecordedDecision): Schemas['RecordedDecision'] {
  const { record, withdrawn, releaseRecords } = found;
  const { chain, seq, previous, contentSha256, hash, salt, content } = record;
  const read = readDecisionContent(content ?? '');
  if (read === null) throw new ChangedDecisionError('what is recorded of this decision');
  const { decision, time, version, principal, tenant, request } = read;
  return {
    ...(decision as unknown as Schemas['RecordedDecision']),
    release: shownRelease(read, releaseRecords),
    record: {
      chain,
      seq,
      previous,
      contentSha256,
      hash,
      salt: salt === null ? null : Buffer.from(salt).toString('base64url'),
      recordedAt: time as string,
      version: version as string,
      principal: principal as string,
      tenant: tenant as string,
      request: request as Schemas['RecordedDecision']['record']['request'],
      withdrawn,
    },
  };
}
