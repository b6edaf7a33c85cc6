import { createHash } from 'node:crypto';
import type { LogRecord, RecordPosition } from '../core/decision-log.js';

const DOMAIN = Buffer.from('veritee-log-v1\0', 'ascii');
const UUID_BYTES = 16;
const SEQ_BYTES = 8;
const DIGEST_BYTES = 32;

/** Length of each salt. With salts of several lengths, bytes could move between salt and content under the same digest. */
export const SALT_BYTES = 32;

/** SHA-256 of salt and content, hex. Once the salt is gone, an attacker cannot guess the content from it. */
export function contentDigest(salt: Uint8Array, content: string): string {
  return createHash('sha256').update(salt).update(content, 'utf8').digest('hex');
}

/**
 * Hash of a record, hex: SHA-256 of `veritee-log-v1`, a zero byte, the chain (UUID, 16 bytes), the position (8 bytes, big
 * endian), the hash of the previous record and the digest of the content (32 bytes each).
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

/** Whether hash, salt and content match. A record with dropped content is intact. A salt of another length is not. */
export function isIntact(record: LogRecord): boolean {
  const { salt, content, contentSha256, hash } = record;
  if (recordHash(record, record) !== hash) return false;
  if (salt === null && content === null) return true;
  if (salt?.byteLength !== SALT_BYTES || content === null) return false;
  return contentDigest(salt, content) === contentSha256;
}
