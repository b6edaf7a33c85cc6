import { hkdfSync } from 'node:crypto';

const DERIVATION = 'veritee challenge key fingerprint';
const BYTES = 16;

/** What a store keeps of the MAC key of challenges that are in it, 16 bytes. It says nothing about the key. */
export function keyFingerprint(key: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', DERIVATION, BYTES));
}
