import type { KeptObject, LogRecord, SignedHead } from '../core/decision-log.js';
import type { JsonObject } from '../core/json.js';
import { decodeStandardBase64 } from '../formats/base64.js';
import { isDigest, isPosition } from './record-content.js';

const SALT = /^[A-Za-z0-9_-]{43}$/;

/** Reads a record; null if the value is not a record. Does not verify its hashes. */
export function readRecordLine(value: JsonObject): LogRecord | null {
  const { chain, seq, previous, contentSha256, hash, salt, content } = value;
  const position = { chain, seq };
  if (!isPosition(position) || !isDigest(previous) || !isDigest(contentSha256) || !isDigest(hash)) return null;
  const isDropped = salt === null && content === null;
  const isThere = typeof salt === 'string' && SALT.test(salt) && typeof content === 'string';
  if (!isDropped && !isThere) return null;
  const bytes = isThere ? new Uint8Array(Buffer.from(salt, 'base64url')) : null;
  return { ...position, previous, contentSha256, hash, salt: bytes, content: isThere ? content : null };
}

/** Reads a signed head; null if the value is not a head. */
export function readHeadLine({ chain, seq, head }: JsonObject): SignedHead | null {
  const position = { chain, seq };
  return isPosition(position) && typeof head === 'string' ? { ...position, jws: head } : null;
}

/** Reads a kept object; null if the value is not an object line. Does not verify its digest. */
export function readObjectLine({ sha256, bytes }: JsonObject): KeptObject | null {
  if (!isDigest(sha256) || typeof bytes !== 'string') return null;
  try {
    return { sha256, bytes: new Uint8Array(decodeStandardBase64(bytes)) };
  } catch {
    return null;
  }
}
