import { sha256 } from './digest.js';

/** Prefix of every X that binds a key. Nonces with it are rejected, so no caller can pass off an X as a nonce. */
const BOUND_PREFIX = Buffer.from('veritee1', 'ascii');
const BIND_LABEL = Buffer.from('veritee-bind-v1\0', 'ascii');

/**
 * X for a nonce and a key: `veritee1` and SHA-256 over label, nonce and thumbprint, 40 bytes.
 *
 * @param jkt RFC 7638 SHA-256 thumbprint, base64url
 */
export function boundValue(nonce: Uint8Array, jkt: string): Uint8Array {
  return Buffer.concat([BOUND_PREFIX, sha256(BIND_LABEL, nonce, Buffer.from(jkt, 'base64url'))]);
}
