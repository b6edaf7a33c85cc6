import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import { parseStrictJson } from '../../../../src/formats/strict-json.js';
import type { ReleasePolicy } from '../../../../src/policy/akv/policy-tree.js';
import { readReleasePolicy } from '../../../../src/policy/akv/release-policy.js';

export const ISSUER = 'https://sharedweu.weu.attest.azure.net';
export const TEE = 'x-ms-isolation-tee';

/** A policy as its author writes it: one authority that requires all of these. */
export function written(...conditions: readonly JsonValue[]): JsonObject {
  return writtenFor(ISSUER, ...conditions);
}

export function writtenFor(authority: string, ...conditions: readonly JsonValue[]): JsonObject {
  return { version: '1.0.0', anyOf: [{ authority, allOf: conditions }] };
}

export function read(value: JsonValue): ReleasePolicy {
  // As a body or a file is read, so that objects have no prototype.
  const { policy, problems } = readReleasePolicy(parseStrictJson(Buffer.from(JSON.stringify(value))));
  if (policy === null) throw new Error(`does not read: ${JSON.stringify(problems)}`);
  return policy;
}

/** The problems of a policy text, as `pointer: message`. */
export function problemsOf(value: JsonValue, prefix?: string): readonly string[] {
  const { policy, problems } = readReleasePolicy(value, prefix);
  if ((policy === null) !== problems.length > 0) throw new Error('a policy is read exactly if it has no problems');
  if (problems.some(({ code }) => code !== 'policy_schema')) throw new Error('a reading has policy_schema alone');
  return problems.map(({ pointer, message }) => `${pointer}: ${message}`);
}
