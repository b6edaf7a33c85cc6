import type { FoundDecision, RecordedDecision } from '../model/decision-log.js';
import type { JsonObject } from '../model/json.js';
import type { Schemas } from './schema-check.js';

/** An entry of the list of decisions: what the log says of it, and whether it was withdrawn. */
export function presentFoundDecision({ summary, withdrawn }: FoundDecision): Schemas['DecisionSummary'] {
  return { ...JSON.parse(summary), withdrawn };
}

/** A recorded decision: the decision as it was answered, and its record. */
export function presentRecordedDecision({ record, withdrawn }: RecordedDecision): Schemas['RecordedDecision'] {
  const { chain, seq, previous, contentSha256, hash, salt, content } = record;
  const { decision, time, version, principal, tenant, request }: JsonObject = JSON.parse(content ?? '{}');
  return {
    ...(decision as unknown as Schemas['RecordedDecision']),
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
