import { isObject, type JsonObject, type JsonValue } from '../core/json.js';

/**
 * The keys of a token that Key Vault may wrap to: RSA, in the top-level `x-ms-runtime`, for encryption (`use: enc`, or
 * `encrypt` among `key_ops`). `HCLAkPub` is the attestation key of the vTPM, which decrypts nothing; tokens of 2022
 * give it `encrypt`.
 */
export function wrappingKeys(token: JsonObject): readonly JsonObject[] {
  return keysOf(token).filter(isForEncryption);
}

/** Whether a name identifies exactly one key of the token. The answer of Key Vault names the key that it wrapped to. */
export function isNameOfOne(token: JsonObject, kid: JsonValue | undefined): kid is string {
  return typeof kid === 'string' && kid !== '' && keysOf(token).filter((key) => key['kid'] === kid).length === 1;
}

function keysOf(token: JsonObject): readonly JsonObject[] {
  const runtime = token['x-ms-runtime'];
  const keys: JsonValue | undefined = isObject(runtime) ? runtime['keys'] : undefined;
  return Array.isArray(keys) ? keys.filter(isObject) : [];
}

function isForEncryption({ kty, kid, use, key_ops: operations }: JsonObject): boolean {
  if (kty !== 'RSA' || kid === 'HCLAkPub') return false;
  return use === 'enc' || (Array.isArray(operations) && operations.includes('encrypt'));
}
