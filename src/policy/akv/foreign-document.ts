import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';

/** Three base64url parts. The first begins as a JSON object. */
const JWS = /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/;

const WRAPPED = '{ "version": "1.0.0", "anyOf": [ { "authority": …, "allOf": [ … ] } ] }';

/**
 * Recognises a document that is related to a release policy, and returns the remedy: an import list, a JWS, or a
 * request or key of Key Vault's REST API. Null for any other document.
 */
export function foreignDocument(value: JsonValue): string | null {
  if (typeof value === 'string') {
    return JWS.test(value.trim())
      ? 'is a JWS, such as a token or the answer of a key release, and no release policy'
      : null;
  }
  if (Array.isArray(value)) return `is a list, and no release policy: write its conditions as ${WRAPPED}`;
  return isObject(value) && !Object.hasOwn(value, 'anyOf') ? foreignObject(value) : null;
}

function foreignObject(value: JsonObject): string | null {
  if (Array.isArray(value['claims'])) {
    return `is an import list, which a tool makes a release policy of: write what is in its claims as ${WRAPPED}`;
  }
  if (Object.hasOwn(value, 'release_policy')) {
    return 'is a key or a request of Key Vault: its release policy is in release_policy.data, in base64url';
  }
  if (typeof value['data'] === 'string' && !Object.hasOwn(value, 'version')) {
    return 'is a release_policy as the REST API of Key Vault has it: decode its member data, which is base64url';
  }
  return null;
}
