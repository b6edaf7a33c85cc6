import type { StrictJsonLimits } from '../formats/strict-json.js';
import { isObject } from '../model/json.js';
import type { ChallengeRequest } from '../model/request.js';
import { requireEvidenceType } from './evidence-form.js';
import { readBody } from './read-body.js';
import { checkSchema } from './schema-check.js';

/**
 * Reads a /challenges body. What it leaves out does not limit the challenge.
 *
 * @throws {FormatError} codes of `parseStrictJson`, `unknown_property`, `schema`
 * @throws {FormatError} `type_unsupported` for evidence that no later request could carry
 */
export function readChallengeRequest(body: Uint8Array, limits?: StrictJsonLimits): ChallengeRequest {
  const json = readBody(body, limits);
  const type = isObject(json) ? json['evidenceType'] : undefined;
  if (typeof type === 'string') requireEvidenceType(type, '/evidenceType');
  const request = checkSchema('ChallengeRequest', json);
  return {
    audience: request.audience ?? null,
    policy: request.policy ?? null,
    evidenceType: request.evidenceType ?? null,
  };
}
