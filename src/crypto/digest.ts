import { createHash, hash as hashAtOnce } from 'node:crypto';
import { hex } from '../core/bytes.js';
import type { HashedDer } from '../core/endorsement.js';

/** SHA-256 of the concatenated parts, 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha256', parts);
}

/** SHA-384 of the concatenated parts, 48 bytes. */
export function sha384(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha384', parts);
}

/** SHA-512 of the concatenated parts, 64 bytes. */
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

/** SHA-1 only shows values of an event log: no decision uses it. */
export type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** The named hash of the concatenated parts. */
export function digest(algorithm: HashName, parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  // Takes half the time of an incremental hash, and most calls have one part.
  if (parts.length === 1 && first !== undefined) return new Uint8Array(hashAtOnce(algorithm, first, 'buffer'));
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
