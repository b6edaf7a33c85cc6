import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { JsonObject } from '../core/json.js';
import { algorithmOf, LocalSigningKey, publishedJwk, type SigningKey, UnusableKeyError } from './signing-key.js';

/** Blocks of unencrypted private keys (PKCS #8, SEC 1, PKCS #1). */
const PRIVATE_PEM = /^\s*-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[\s\S]*-----END (?:EC |RSA )?PRIVATE KEY-----\s*$/;
const PUBLIC_PEM = /^\s*-----BEGIN (?:RSA )?PUBLIC KEY-----/;
const KEY_BLOCKS = /-----BEGIN [A-Z ]*(?:PRIVATE|PUBLIC) KEY-----/g;

/**
 * Reads the key of a file that holds one private key, as PEM or JWK.
 *
 * @throws {UnusableKeyError} for anything else; the message does not repeat the content
 */
export function parseSigningKey(text: string): SigningKey {
  requireOne(text);
  return new LocalSigningKey(privateKeyOf(text));
}

/** A key that is only published: its private half may be gone. */
export interface PublishedKey {
  readonly kid: string;
  readonly jwk: JsonObject;
}

/**
 * Reads the public half of a file that holds one private or public key, as PEM or JWK.
 *
 * @throws {UnusableKeyError}
 */
export function parsePublishedKey(text: string): PublishedKey {
  requireOne(text);
  const key = PUBLIC_PEM.test(text) ? parseKeyFile(() => createPublicKey(text)) : publicHalfOf(text);
  return publishedJwk(key, algorithmOf(key));
}

/** Rejects several keys: the parser would silently use the first. */
function requireOne(text: string): void {
  if (text.trim() === '') throw new UnusableKeyError('an empty file');
  if ([...text.matchAll(KEY_BLOCKS)].length > 1) throw new UnusableKeyError('more than one key; a file has one');
}

function publicHalfOf(text: string): KeyObject {
  const jwk = jwkOf(text);
  if (jwk !== null && !('d' in jwk)) return parseKeyFile(() => createPublicKey({ key: jwk, format: 'jwk' }));
  return createPublicKey(privateKeyOf(text));
}

function privateKeyOf(text: string): KeyObject {
  const jwk = jwkOf(text);
  if (jwk !== null) {
    if (!('d' in jwk)) throw new UnusableKeyError('a JWK without the member d, which is no private key');
    return parseKeyFile(() => createPrivateKey({ key: jwk, format: 'jwk' }));
  }
  if (/ENCRYPTED/.test(text))
    throw new UnusableKeyError('an encrypted private key; only keys without passphrase are read');
  if (PUBLIC_PEM.test(text)) throw new UnusableKeyError('a public key; signing needs the private one');
  if (!PRIVATE_PEM.test(text)) throw new UnusableKeyError('neither a private key in PEM nor a JWK');
  return parseKeyFile(() => createPrivateKey(text));
}

function jwkOf(text: string): JsonWebKey | null {
  if (!text.trimStart().startsWith('{')) return null;
  // JSON with this first character is an object.
  return parseKeyFile(() => JSON.parse(text) as JsonWebKey);
}

/** Drops errors of the parsers: some repeat their input. */
function parseKeyFile<T>(parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new UnusableKeyError('a key that cannot be read');
  }
}
