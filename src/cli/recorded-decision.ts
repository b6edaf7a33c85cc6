import type { LogStore } from '../core/decision-log.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { presentRecordedDecision } from '../wire/present-recorded-decision.js';
import type { Schemas } from '../wire/schema-check.js';
import { noSuchDecision } from '../workbench/recorded-decisions.js';
import { decisionTable } from './decision-table.js';
import { UsageError } from './input.js';
import { EXIT_CODE, type Output, printableTexts, shownValue, styledFor } from './output.js';

export const WITHDRAWN = 'WITHDRAWN: it was stored too late, so the answer said audit_unavailable';

/**
 * Shows a decision as it was recorded.
 * @returns the exit code, which does not depend on the decision
 * @throws {UsageError} if no decision has this id
 */
export async function showDecision(store: Pick<LogStore, 'find'>, decisionId: string, output: Output): Promise<number> {
  const found = await store.find(decisionId);
  if (found === null) throw noDecisionNamed();
  const presented = presentRecordedDecision(found);
  output.write(
    output.asTable ? recordedTable(printableTexts(presented), output) : `${JSON.stringify(presented, null, 2)}\n`,
  );
  return EXIT_CODE.allow;
}

/** The message for an id without a decision. */
export function noDecisionNamed(): UsageError {
  return new UsageError([noSuchDecision().message, 'veritee decisions list shows those that there are']);
}

/** The table of `verify`, from the recorded members, then the record. */
function recordedTable(recorded: Schemas['RecordedDecision'], output: Output): string {
  const { record, release: _, ...decision } = recorded;
  // Of a passed check the log only has the id.
  const checks = recorded.checks.map((check) => ({ detail: '', expected: null, actual: null, policy: null, ...check }));
  const withdrawn = record.withdrawn ? [styledFor(output)('red', WITHDRAWN), ''] : [];
  return [
    ...withdrawn,
    decisionTable({ ...decision, checks } as unknown as Schemas['Decision'], output),
    ...recordLines(recorded).map(([name, value]) => `${name.padEnd(9)} ${value}`),
    '',
  ].join('\n');
}

/** A name, and the value beside it. */
type Line = readonly [name: string, value: string];

function recordLines(recorded: Schemas['RecordedDecision']): readonly Line[] {
  const { decisionId, decidedAt, evidence, policies, release, record } = recorded;
  const { audience, policies: asked, nonceSha256, attestationResults, obtainedTokens } = record.request as JsonObject;
  return [
    ['decision', decisionId],
    ['decided', `${decidedAt} by veritee ${shownValue(record.version)}`],
    ['asked by', `${shownValue(record.principal)} of tenant ${shownValue(record.tenant)}`],
    ...lineIfGiven('audience', audience),
    ['asked for', asked === null ? 'the default policy' : shownList(asked)],
    ['evidence', evidence.sha256],
    ...lineIfGiven('nonce', nonceSha256),
    ...tokenLines('token', attestationResults),
    ...tokenLines('obtained', obtainedTokens),
    ...policies.map(({ id, version, sha256 }): Line => ['policy', `${sha256} ${id} version ${version}`]),
    ...objects(recorded['endorsements']).map(
      ({ kind, sha256, source }): Line => [
        'rests on',
        `${shownValue(sha256)} ${shownValue(kind)} (${shownValue(source)})`,
      ],
    ),
    ...releaseLines(release),
    ['chain', record.chain],
    ['record', `${record.seq}, recorded at ${record.recordedAt}`],
    ['hash', record.hash],
    ['previous', record.previous],
    ['content', record.contentSha256],
  ];
}

function lineIfGiven(name: string, value: JsonValue = null): readonly Line[] {
  return value === null ? [] : [[name, shownValue(value)]];
}

function tokenLines(name: string, tokens: JsonValue | undefined): readonly Line[] {
  return objects(tokens).map(({ type, sha256 }) => [name, `${shownValue(sha256)} ${shownValue(type)}`]);
}

function releaseLines(release: Schemas['RecordedDecision']['release']): readonly Line[] {
  if (release === null) return [];
  const { keyId, dryRun, state, attemptedAt, endedAt, keyVersion, code } = release;
  const times = [
    ...(attemptedAt === null ? [] : [`asked for at ${attemptedAt}`]),
    ...(endedAt === null ? [] : [`ended at ${endedAt}`]),
  ];
  const said = [...(dryRun ? ['dry run'] : []), ...times, ...(keyVersion === null ? [] : [`version ${keyVersion}`])];
  const outcome = [SHOWN_STATE[state], ...(code === null ? [] : [`(${code})`])].join(' ');
  return [['key', [`${keyId} ${outcome}`, ...said].join(', ')]];
}

const SHOWN_STATE: Readonly<Record<NonNullable<Schemas['RecordedDecision']['release']>['state'], string>> = {
  not_attempted: 'not asked for',
  unknown: 'UNKNOWN: take it for released',
  released: 'released',
  refused: 'refused',
  unavailable: 'unavailable',
};

function shownList(value: JsonValue | undefined): string {
  return Array.isArray(value) ? value.map(shownValue).join(', ') : shownValue(value);
}

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
