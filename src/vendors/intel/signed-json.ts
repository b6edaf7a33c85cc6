import { decodeHex } from '../../formats/base64.js';
import { parseStrictJson } from '../../formats/strict-json.js';
import { FormatError } from '../../model/errors.js';
import { isObject } from '../../model/json.js';

/** A JSON value as it was signed, and the signature beside it. */
export interface SignedJson {
  /** Byte for byte: what is signed is the text and not the value. */
  readonly text: string;
  readonly signature: Uint8Array;
}

/**
 * Takes the signed text out of an answer of Intel's provisioning certification service (PCS v4): an object of the
 * signed member, itself an object, and `signature` in hex, in either order.
 *
 * @throws {FormatError} `schema`, `encoding` and the others of `parseStrictJson`
 */
export function cutSignedJson(bytes: Uint8Array, member: string): SignedJson {
  const answer = parseStrictJson(bytes);
  if (!isObject(answer) || Object.keys(answer).length !== 2 || !isObject(answer[member])) {
    throw new FormatError('schema', `answer is not ${member} and its signature`);
  }
  const { signature } = answer;
  if (typeof signature !== 'string') throw new FormatError('schema', 'signature is no string');
  return { signature: decodeHex(signature), text: onlyObjectIn(Buffer.from(bytes).toString('utf8')) };
}

/** Names and signature hold no braces, so those of the one object inside come next to those of the whole. */
function onlyObjectIn(json: string): string {
  const start = json.indexOf('{', json.indexOf('{') + 1);
  const end = json.lastIndexOf('}', json.lastIndexOf('}') - 1);
  return json.slice(start, end + 1);
}
