import { type DecisionEntry, type NewRecord, NO_RECORD, type RecordPosition } from '../../core/decision-log.js';
import { placeText, seqText } from './log-keys.js';
import type { CommandArgument } from './redis-session.js';

/** Arguments of the script that appends. @param fences by chain, what its appends have to name */
export function appendArguments(
  records: readonly NewRecord[],
  fences: ReadonlyMap<string, string>,
): readonly CommandArgument[] {
  const objects = new Map(
    records.flatMap((record) => record.objects.map(({ sha256, bytes }) => [sha256, bytes] as const)),
  );
  const plan = {
    none: NO_RECORD,
    fences: Object.fromEntries(records.map(({ chain }) => [chain, fences.get(chain) ?? ''])),
    records: records.map(plannedRecord),
    objects: [...objects.keys()],
  };
  return [JSON.stringify(plan), ...records.map(saltedContent), ...objects.values()];
}

function plannedRecord(record: NewRecord) {
  const { chain, seq, previous, contentSha256, hash, entry, withdraws, release, objects } = record;
  return {
    chain,
    seq: seqText(seq),
    after: seq === 0 ? '' : seqText(seq - 1),
    previous,
    contentSha256,
    hash,
    ...(withdraws === null ? {} : { withdraws }),
    ...(release === null ? {} : { release: { id: release.decisionId, kind: release.kind } }),
    ...(entry === null
      ? {}
      : { decision: { ...plannedDecision(record, entry), objects: objects.map(({ sha256 }) => sha256) } }),
  };
}

function plannedDecision(position: RecordPosition, entry: DecisionEntry) {
  const { decisionId, tenant, outcome, policies, summary } = entry;
  return {
    id: decisionId,
    entry: JSON.stringify([placeText(position), tenant, outcome, policies, summary]),
    outcome: `${tenant} ${outcome} ${decisionId}`,
    policies: policies.map((policy) => `${tenant} ${policy} ${outcome} ${decisionId}`),
  };
}

function saltedContent({ salt, content }: NewRecord): string {
  return Buffer.from(salt).toString('hex') + content;
}
