import type { FoundDecision, RecordedDecision } from '../core/decision-log.js';
import { shownRelease } from '../core/key-release-record.js';
import { ChangedDecisionError, readDecisionContent, readDecisionSummary } from '../core/recorded-decision.js';
import type { Schemas } from './schema-check.js';

/**
 * An entry of the list of decisions: what the log says of it, and whether it was withdrawn. Null where that does not have its
 * form, since somebody changed it.
 */
export function presentFoundDecision({ summary, withdrawn }: FoundDecision): Schemas['DecisionSummary'] | null {
  const shown = readDecisionSummary(summary);
  return shown === null ? null : { ...(shown as unknown as Schemas['DecisionSummary']), withdrawn };
}

/**
 * A recorded decision: the decision as it was answered, what became of the key that it releases, and its record.
 * @throws {ChangedDecisionError} where the record, or one of its release, does not have its form
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
