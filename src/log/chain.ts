import { createHash } from 'node:crypto';
import type { LogRecord, RecordPosition } from '../core/decision-log.js';

const DOMAIN = Buffer.from('veritee-log-v1\0', 'ascii');
const UUID_BYTES = 16;
const SEQ_BYTES = 8;
const DIGEST_BYTES = 32;

/** Of each record. With salts of several lengths, bytes could move between salt and content under the same digest. */
export const SALT_BYTES = 32;

/** SHA-256 of salt and content, hex: the content cannot be guessed from it once the salt is gone. */
export function contentDigest(salt: Uint8Array, content: string): string {
  return createHash('sha256').update(salt).update(content, 'utf8').digest('hex');
}

/**
 * Hash of a record, hex: SHA-256 of `veritee-log-v1`, a zero byte, the chain (UUID, 16 bytes), the place in it (8 bytes, big
 * endian), the hash of the record before and the digest of the content (32 bytes each).
 */
export function recordHash(
  { chain, seq }: RecordPosition,
  { previous, contentSha256 }: Pick<LogRecord, 'previous' | 'contentSha256'>,
): string {
  const hashed = Buffer.alloc(DOMAIN.length + UUID_BYTES + SEQ_BYTES + 2 * DIGEST_BYTES);
  let at = DOMAIN.copy(hashed);
  at += hashed.write(chain.replaceAll('-', ''), at, 'hex');
  at = hashed.writeBigUInt64BE(BigInt(seq), at);
  at += hashed.write(previous, at, 'hex');
  hashed.write(contentSha256, at, 'hex');
  return createHash('sha256').update(hashed).digest('hex');
}

/** Whether hash, salt and content go together. Content that was dropped says nothing wrong. A salt of another length does not. */
export function isIntact(record: LogRecord): boolean {
  const { salt, content, contentSha256, hash } = record;
  if (recordHash(record, record) !== hash) return false;
  if (salt === null && content === null) return true;
  if (salt?.byteLength !== SALT_BYTES || content === null) return false;
  return contentDigest(salt, content) === contentSha256;
}
