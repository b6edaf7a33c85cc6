import { nullIfMalformed, UnfitError } from '../../core/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';
import type { ReleaseEnc } from '../../core/key-release.js';
import { decodeBase64 } from '../../formats/base64.js';
import { parseStrictJson } from '../../formats/strict-json.js';

const SCHEMA_VERSION = '1.0';

/** `generator` is a member of the same structure when a key is imported into Key Vault (specification of BYOK). */
const MEMBERS: ReadonlySet<string> = new Set(['schema_version', 'header', 'ciphertext', 'generator']);
const HEADER_MEMBERS: ReadonlySet<string> = new Set(['kid', 'alg', 'enc']);

/** A key that a vault releases, encrypted to another one. */
export interface WrappedKey {
  /** The id of the key that it is encrypted to, as in the token of the release call. */
  readonly kid: string;
}

/**
 * Reads `key_hsm`: base64url of JSON with a version of its own. Only known members are accepted: the guest uses them
 * to decrypt the key.
 *
 * @param enc the expected encryption
 * @throws {UnfitError} with the fault, in words of this service
 */
export function readWrappedKey(keyHsm: JsonValue | undefined, enc: ReleaseEnc): WrappedKey {
  const wrapped = parseWrappedKey(keyHsm);
  if (wrapped['schema_version'] !== SCHEMA_VERSION) throw new UnfitError(`key_hsm is not of version ${SCHEMA_VERSION}`);
  const { header, ciphertext } = wrapped;
  if (!hasOnly(wrapped, MEMBERS)) throw new UnfitError('key_hsm has a member that its version does not have');
  if (!isObject(header)) throw new UnfitError('key_hsm has no header');
  if (!hasOnly(header, HEADER_MEMBERS)) throw new UnfitError('the header of key_hsm has a member that it may not have');
  const { kid, alg, enc: stated } = header;
  if (alg !== 'dir') throw new UnfitError('key_hsm is of another algorithm than dir');
  if (stated !== enc) throw new UnfitError(`key_hsm is not wrapped by ${enc}`);
  if (typeof kid !== 'string' || kid === '')
    throw new UnfitError('key_hsm does not name the key that it is wrapped to');
  if (!isBytes(ciphertext)) throw new UnfitError('key_hsm has no ciphertext');
  return { kid };
}

function parseWrappedKey(keyHsm: JsonValue | undefined): JsonObject {
  const read = typeof keyHsm === 'string' ? nullIfMalformed(() => parseStrictJson(decodeBase64(keyHsm))) : null;
  if (!isObject(read)) throw new UnfitError('the answer has no wrapped key (key_hsm)');
  return read;
}

function hasOnly(object: JsonObject, members: ReadonlySet<string>): boolean {
  return Object.keys(object).every((name) => members.has(name));
}

function isBytes(text: JsonValue | undefined): boolean {
  return typeof text === 'string' && text !== '' && nullIfMalformed(() => decodeBase64(text)) !== null;
}
