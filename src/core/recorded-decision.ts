import { type Form, flag, integer, listOf, members, oneOf, orAbsent, orNull, text, uuid } from './content-form.js';
import { OUTCOMES } from './decision.js';
import { type JsonObject, parsedObject } from './json.js';

const outcome: Form = oneOf(OUTCOMES);

const POLICY = { id: text, version: integer, sha256: text, outcome };

/** The members of a decision in lists, which its record has as well. */
const SHOWN = {
  decisionId: uuid,
  decidedAt: text,
  decision: outcome,
  reasons: listOf(text),
  evidence: members({ type: text, sha256: text }),
  policies: listOf(members(POLICY)),
  historical: flag,
};

const WHO = { principal: text, tenant: text };

const SUMMARY = members({ ...SHOWN, ...WHO, audience: orNull(text) });

const CONTENT = members({
  ...WHO,
  time: text,
  version: text,
  request: members({ audience: orNull(text), release: orAbsent(members({ keyId: text, dryRun: flag })) }),
  decision: members({
    ...SHOWN,
    at: text,
    validUntil: text,
    retryable: flag,
    claims: members({}),
    checks: listOf(members({ id: text, result: text, about: text, detail: text, policy: orNull(text) })),
    quietChecks: listOf(members({ ids: listOf(text), result: text, about: text, policy: orAbsent(text) })),
  }),
});

/** Version of the record form; a new form gets a new number. */
export const CONTENT_VERSION = 1;

/** Whether a later version of veritee wrote a record: its unknown members are no sign of tampering. */
export function isOfLaterVersion({ v }: JsonObject): boolean {
  return typeof v === 'number' && v > CONTENT_VERSION;
}

/** Whether the content of a record has all required members of a decision, in their form. */
export function isDecisionContent(content: JsonObject): boolean {
  return CONTENT(content);
}

/**
 * Reads the record of a decision, each check as an entry of `checks`. Null for any other record.
 * @throws {LaterVersionError}
 */
export function readDecisionContent(content: string): JsonObject | null {
  const found = readRecordContent(content);
  if (found !== null && isOfLaterVersion(found)) throw new LaterVersionError();
  return found === null ? null : readable(found);
}

/** Reads the record of a decision. Null also for a record of a later version. */
export function readDecision(content: string | null): JsonObject | null {
  const found = readRecordContent(content);
  return found === null || isOfLaterVersion(found) ? null : readable(found);
}

function readable(content: JsonObject): JsonObject | null {
  return CONTENT(content) ? { ...content, decision: withEveryCheck(content['decision'] as JsonObject) } : null;
}

/** A recorded decision with an entry for each check: first those with a finding, then those that only have a result. */
export function withEveryCheck({ checks, quietChecks, ...decision }: JsonObject): JsonObject {
  const quiet = (quietChecks as readonly JsonObject[]).flatMap(({ ids, policy = null, ...group }) =>
    (ids as readonly string[]).map((id) => ({ id, ...group, policy })),
  );
  return { ...decision, checks: [...(checks as readonly JsonObject[]), ...quiet] };
}

/** The members of a decision in lists; null if the text is malformed. */
export function readDecisionSummary(summary: string): JsonObject | null {
  const found = parsedObject(summary);
  return found !== null && SUMMARY(found) ? found : null;
}

/** A later version of veritee recorded a decision, in an unknown form. The message is for the operator. */
export class LaterVersionError extends Error {
  override readonly name = 'LaterVersionError';

  constructor() {
    super('this decision was recorded by a later version of veritee: that one, or a later one, can read it');
  }
}

/** The stored decision has a form that no version of the service writes: it was changed. The message is for the operator. */
export class ChangedDecisionError extends Error {
  override readonly name = 'ChangedDecisionError';

  constructor(what: string, why = 'does not have the form of a record') {
    super(`${what} ${why}: the store was changed; veritee decisions verify says where`);
  }
}

/** Null unless the content is a JSON object. */
export function readRecordContent(content: string | null): JsonObject | null {
  return parsedObject(content ?? '');
}
