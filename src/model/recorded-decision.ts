import { OUTCOMES } from './decision.js';
import { isObject, type JsonObject, type JsonValue, parsedObject } from './json.js';

/** Whether a value has a form. */
type Form = (value: JsonValue | undefined) => boolean;

const text: Form = (value) => typeof value === 'string';
const flag: Form = (value) => typeof value === 'boolean';
const integer: Form = (value) => Number.isSafeInteger(value);
const outcome: Form = (value) => OUTCOMES.some((known) => value === known);

const orNull = (form: Form): Form => {
  return (value) => value === null || form(value);
};
const listOf = (form: Form): Form => {
  return (value) => Array.isArray(value) && value.every(form);
};
/** Others may stand beside them: another version may write more. */
const members = (forms: Readonly<Record<string, Form>>): Form => {
  const entries = Object.entries(forms);
  return (value) => isObject(value) && entries.every(([name, form]) => form(value[name]));
};

const POLICY = { id: text, version: integer, sha256: text, outcome };

/** What lists show of a decision, and its record has as well. */
const SHOWN = {
  decisionId: isUuid,
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
  request: members({ audience: orNull(text) }),
  decision: members({
    ...SHOWN,
    at: text,
    validUntil: text,
    retryable: flag,
    claims: members({}),
    checks: listOf(members({ id: text, result: text, about: text, detail: text, policy: orNull(text) })),
  }),
});

/** Form of what is recorded; another one gets another number. */
export const CONTENT_VERSION = 1;

/** Whether a later version of veritee wrote a record: what this one does not know of it is no sign of tampering. */
export function isOfLaterVersion({ v }: JsonObject): boolean {
  return typeof v === 'number' && v > CONTENT_VERSION;
}

/** Whether the content of a record has all that is read of a decision, in its form. */
export function isDecisionContent(content: JsonObject): boolean {
  return CONTENT(content);
}

/**
 * What a record says of a decision; null for what is none.
 * @throws {LaterVersionError}
 */
export function readDecisionContent(content: string): JsonObject | null {
  const found = parsedObject(content);
  if (found !== null && isOfLaterVersion(found)) throw new LaterVersionError();
  return found !== null && CONTENT(found) ? found : null;
}

/** What lists show of a decision; null for what does not have its form. */
export function readDecisionSummary(summary: string): JsonObject | null {
  const found = parsedObject(summary);
  return found !== null && SUMMARY(found) ? found : null;
}

/** A later version of veritee recorded a decision, in a form that this one does not know. The message is for people. */
export class LaterVersionError extends Error {
  override readonly name = 'LaterVersionError';

  constructor() {
    super('this decision was recorded by a later version of veritee: that one, or a later one, can read it');
  }
}

/** The store has for a decision what no version of ours has written: somebody changed it. The message is for people. */
export class ChangedDecisionError extends Error {
  override readonly name = 'ChangedDecisionError';

  constructor(what: string, why = 'does not have the form of a record') {
    super(`${what} ${why}: the store was changed; veritee decisions verify says where`);
  }
}

/** Whether a value is the id of a chain or of a decision as they are written: in lower case. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);
}
