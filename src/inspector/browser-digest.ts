import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 as hash256, sha384 as hash384, sha512 as hash512 } from '@noble/hashes/sha2.js';
import type { HashedDer } from '../core/endorsement.js';
import { fromUtf8, hex, joined } from './browser-bytes.js';

/**
 * The functions of src/crypto/digest.ts in JavaScript: WebCrypto hashes asynchronously, but the replay of event logs is
 * synchronous. The build of the inspector replaces the original functions by these.
 */

const HASHES = { sha1, sha256: hash256, sha384: hash384, sha512: hash512 } as const;

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha256', parts);
}

export function sha384(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha384', parts);
}

export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha512', parts);
}

export function textDigest(text: string): string {
  return hex(sha256(fromUtf8(text)));
}

export function hashed(der: Uint8Array): HashedDer {
  return { der, sha256: hex(sha256(der)) };
}

export function digest(algorithm: keyof typeof HASHES, parts: readonly Uint8Array[]): Uint8Array {
  return HASHES[algorithm](joined(parts));
}
