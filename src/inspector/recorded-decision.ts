import type { JsonObject, JsonValue } from '../core/json.js';
import type { Check, Decision, RecordedDecision } from './service.js';

/**
 * Converts a recorded decision to an answer, for display. The log lacks remedies, receipt, `maaView`, and the expiry and revocation
 * of endorsements: these are null here.
 */
export function asAnswer(recorded: RecordedDecision): Decision {
  const { record: _, release: __, ...decision } = recorded as RecordedDecision & JsonObject;
  return {
    ...EMPTY,
    ...decision,
    checks: recorded.checks.map(asCheck),
    endorsements: listIn(decision, 'endorsements').map((used) => ({ notAfter: null, ...(used as JsonObject) })),
  } as unknown as Decision;
}

/** Members of an answer that the log, or an earlier version of it, lacks. */
const EMPTY = {
  historical: false,
  retryable: false,
  shadow: [],
  receipt: null,
  maaView: null,
  binding: null,
  freshness: { nonce: null, bound: [], clockSkewSeconds: null },
  validUntil: '',
};

function asCheck(check: RecordedDecision['checks'][number]): Check {
  return {
    about: '',
    expected: null,
    actual: null,
    detail: '',
    waived: false,
    policy: null,
    ...check,
    remedy: null,
  } as Check;
}

function listIn(value: { readonly [name: string]: JsonValue }, name: string): readonly JsonValue[] {
  const list = value[name];
  return Array.isArray(list) ? list : [];
}
