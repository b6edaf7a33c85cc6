import { hkdfSync } from 'node:crypto';

const DERIVATION = 'veritee challenge key fingerprint';
const BYTES = 16;

/** The fingerprint of the MAC key of stored challenges, 16 bytes. It reveals nothing about the key. */
export function keyFingerprint(key: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', DERIVATION, BYTES));
}
