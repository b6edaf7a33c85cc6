import type { JsonObject } from '../core/json.js';
import type { ReleaseAttempt, ReleaseResult } from '../core/key-release-record.js';

/** The record of an attempt to release a key: the request, and the target by its digest. */
export function attemptContent({ decisionId, keyId, caller, key }: ReleaseAttempt): JsonObject {
  const { principal, tenant } = caller;
  return { decisionId, keyId, principal, tenant, key: keyContent(key) };
}

/** The record of a result: the released value by its digest alone. */
export function resultContent(result: ReleaseResult): JsonObject {
  const { decisionId, outcome, keyVersion, valueSha256, code, detail } = result;
  return { decisionId, outcome, keyVersion, valueSha256, code, detail };
}

function keyContent(key: ReleaseAttempt['key']): JsonObject {
  if (key.type === 'local') return { type: key.type };
  const { type, host, name, version, enc, targetSha256, jkt } = key;
  return { type, host, name, version, enc, targetSha256, jkt };
}
