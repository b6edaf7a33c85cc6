import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { CompactSign } from 'jose';
import type { JsonObject } from '../../../../src/core/json.js';

/** A key that a client may have bound. */
export interface ClientKey {
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly jwk: JsonObject;
}

export function clientKey(alg = 'ES256', privateKey = p256()): ClientKey {
  return { alg, privateKey, jwk: createPublicKey(privateKey).export({ format: 'jwk' }) as JsonObject };
}

function p256(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** Members that differ from those of a proof that holds; undefined leaves one out. */
export interface ProofChanges {
  readonly header?: object;
  readonly claims?: object;
}

/** The target of a proof. */
export interface ProvedRequest {
  readonly htm: string;
  readonly htu: string;
  /** Seconds since 1970. */
  readonly iat: number;
  readonly receipt: string;
}

let made = 0;

/** A DPoP proof (RFC 9449, section 4.2). */
export function makeProof(key: ClientKey, request: ProvedRequest, changes: ProofChanges = {}): Promise<string> {
  const { receipt, ...claims } = request;
  made += 1;
  const ath = createHash('sha256').update(receipt).digest('base64url');
  const payload = JSON.stringify({ jti: `proof ${made}`, ...claims, ath, ...changes.claims });
  const header = { typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk, ...changes.header };
  return new CompactSign(Buffer.from(payload)).setProtectedHeader(header as { alg: string }).sign(key.privateKey);
}
