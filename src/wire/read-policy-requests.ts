import { FormatError } from '../core/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import type { EvaluationRequest } from '../core/request.js';
import type { StrictJsonLimits } from '../formats/strict-json.js';
import { evidenceForm, requireEvidenceType } from './evidence-form.js';
import { parseBody } from './read-body.js';
import { readInstant, verifyRequestOf } from './read-requests.js';
import { checkSchema } from './schema-check.js';
import { MISSING_MEMBER, missingOr } from './schema-message.js';

/** @throws {FormatError} codes of `parseStrictJson`, `unknown_property`, `schema` */
export function readLintRequest(body: Uint8Array): { readonly text: string } {
  const json = parseBody(body);
  refuseBarePolicy(json);
  return checkSchema('LintRequest', json);
}

/** Rejects a body that is the policy itself. */
function refuseBarePolicy(json: JsonValue): void {
  if (!isObject(json) || Object.hasOwn(json, 'text') || !IN_POLICIES.some((name) => Object.hasOwn(json, name))) return;
  const message = `${MISSING_MEMBER}: the body is itself a policy; put the policy into text, as a JSON string`;
  throw new FormatError('schema', message, { pointer: '/text' });
}

/** Members of every policy, or every release policy, that no request has. */
const IN_POLICIES = ['apiVersion', 'anyOf'];

/**
 * Reads a /policies:evaluate body. The policy, not this function, checks the claims.
 *
 * @throws {FormatError} codes of `readVerifyRequest` for evidence; `schema` for claims and evidence together, or neither
 */
export function readEvaluationRequest(body: Uint8Array, limits?: StrictJsonLimits): EvaluationRequest {
  const json = parseBody(body, limits);
  if (!isObject(json)) throw new FormatError('schema', missingOr(json, 'an object'), { pointer: '' });
  refuseBarePolicy(json);
  const { evidence, nonce, at, ...rest } = json;
  if ((evidence === undefined) === (rest['claims'] === undefined)) {
    throw new FormatError('schema', 'must have either claims or evidence', { pointer: '' });
  }
  if (evidence === undefined) return onClaims(json);
  // Errors in the evidence refer to its own form, as in /verify.
  evidenceForm(evidence, '/evidence');
  const { text, comparison = 'strict', type } = checkSchema('EvaluationRequest', rest);
  if (type !== undefined) throw new FormatError('schema', 'goes with claims alone', { pointer: '/type' });
  const asked: JsonObject = {
    evidence,
    ...(nonce === undefined ? {} : { nonce }),
    ...(at === undefined ? {} : { at }),
  };
  return { text, comparison, on: 'evidence', request: verifyRequestOf(asked) };
}

function onClaims(json: JsonObject): EvaluationRequest {
  if (typeof json['type'] === 'string') requireEvidenceType(json['type'], '/type');
  if (json['nonce'] !== undefined) throw new FormatError('schema', 'goes with evidence alone', { pointer: '/nonce' });
  const { text, comparison = 'strict', type = null, at } = checkSchema('EvaluationRequest', json);
  const claims = json['claims'] as JsonObject;
  return { text, comparison, on: 'claims', claims, type, at: at === undefined ? null : readInstant(at, '/at') };
}
