import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { LocalSigningKey } from '../../../src/receipts/signing-key.js';

export function p256(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

export function ed25519(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

export function rsa(modulusLength = 2048): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength }).privateKey;
}

export function signingKey(): LocalSigningKey {
  return new LocalSigningKey(p256());
}
