import { createHash, hash as hashAtOnce } from 'node:crypto';
import { hex } from '../core/bytes.js';
import type { HashedDer } from '../core/endorsement.js';

/** SHA-256 over the parts one after the other, 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha256', parts);
}

/** SHA-384 over the parts one after the other, 48 bytes. */
export function sha384(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha384', parts);
}

/** SHA-512 over the parts one after the other, 64 bytes. */
export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha512', parts);
}

/** SHA-256 of a text in UTF-8, lower-case hex. */
export function textDigest(text: string): string {
  return hashAtOnce('sha256', text, 'hex');
}

export function hashed(der: Uint8Array): HashedDer {
  return { der, sha256: hex(sha256(der)) };
}

/** SHA-1 is for showing what an event log has of it: nothing is decided by it. */
export type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** The named hash over the parts one after the other. */
export function digest(algorithm: HashName, parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  // Half the time of an incremental hash, and most are of one part.
  if (parts.length === 1 && first !== undefined) return new Uint8Array(hashAtOnce(algorithm, first, 'buffer'));
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
