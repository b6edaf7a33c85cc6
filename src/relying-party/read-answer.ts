import type { BoundedAnswer } from './bounded-exchange.js';
import { type JsonObject, type JsonValue, member, parseJsonObject } from './json-text.js';
import { type Check, NotAllowedError, type Refusal, ServiceError } from './service-errors.js';

const CODE = /^[a-z0-9_]{1,64}$/;
const DETAIL_LENGTH = 300;
const NOT_PASSED: readonly unknown[] = ['fail', 'warn', 'unavailable'];

/**
 * Reads the object of a 200.
 *
 * @throws {ServiceError} for every other status, and for a body that is no JSON object
 */
export function readObject({ status, bytes }: BoundedAnswer): JsonObject {
  const object = objectOrNull(bytes);
  if (status !== 200) throw problemOf(status, object);
  if (object === null)
    throw new ServiceError('answer_invalid', status, 'The answer of the service is not a JSON object.');
  return object;
}

/**
 * Reads the nonce of a challenge, and its expiry.
 *
 * @throws {ServiceError} `answer_invalid`
 */
export function readChallenge(answer: JsonObject): { readonly nonce: string; readonly expiresAt: string } {
  const { nonce, expiresAt } = answer;
  if (typeof nonce === 'string' && typeof expiresAt === 'string') return Object.freeze({ nonce, expiresAt });
  throw new ServiceError('answer_invalid', 200, 'The answer of the service is no challenge.');
}

/**
 * Reads the receipt of an answer with an allow. Does not verify it.
 *
 * @throws {NotAllowedError} if the decision is another, or historical
 * @throws {ServiceError} `answer_invalid`
 */
export function receiptOfAllow(answer: JsonObject): JsonValue | undefined {
  const { decision, historical } = answer;
  if (decision !== 'allow' && decision !== 'deny' && decision !== 'indeterminate') {
    throw new ServiceError('answer_invalid', 200, 'The answer of the service has no decision that is known.');
  }
  const refusal = decisionRefusal(answer, decision);
  if (decision !== 'allow') {
    throw new NotAllowedError(
      `The decision is ${decision}: ${refusal.reasons.join(', ') || 'no reason is given'}.`,
      refusal,
    );
  }
  // Any other value does not prove that the decision is current.
  if (historical !== false) throw new NotAllowedError('The decision is about the past.', refusal);
  return answer['receipt'];
}

function decisionRefusal(answer: JsonObject, decision: Refusal['decision']): Refusal {
  const { decisionId, reasons, checks, retryable } = answer;
  return {
    decision,
    decisionId: typeof decisionId === 'string' ? decisionId : null,
    reasons: listOrEmpty(reasons).filter((code) => typeof code === 'string' && CODE.test(code)) as readonly string[],
    checks: listOrEmpty(checks).filter((check) =>
      NOT_PASSED.includes(member(check, 'result')),
    ) as readonly unknown[] as Check[],
    retryable: retryable === true,
  };
}

function listOrEmpty(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function problemOf(status: number, problem: JsonObject | null): ServiceError {
  const [code, detail] = [member(problem, 'code'), member(problem, 'detail')];
  if (typeof code !== 'string' || !CODE.test(code)) {
    return new ServiceError('status_unexpected', status, `The service answered ${status}, and does not say why.`);
  }
  const why = typeof detail === 'string' ? `: ${JSON.stringify(detail.slice(0, DETAIL_LENGTH))}` : '';
  return new ServiceError(code, status, `The service answered ${status} with ${code}${why}.`);
}

function objectOrNull(bytes: Uint8Array): JsonObject | null {
  try {
    return parseJsonObject(bytes);
  } catch {
    return null;
  }
}
