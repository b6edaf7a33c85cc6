import { createPublicKey } from 'node:crypto';
import type { TokenKey } from '../../src/core/endorsement.js';
import type { JsonObject } from '../../src/core/json.js';
import type { RsaPublicKey } from '../../src/core/rsa-public-key.js';
import { type LabKey, namedRsaKey } from '../lab/lab-keys.js';
import { buildCertificate, buildCrl, type CertificateOptions, crlNumber } from '../lab/pki.js';
import { AT, ECDSA_SHA256, KEYS, NOT_AFTER, NOT_BEFORE, name } from './small-pki.js';

/** RSA keys of token issuers: made once on a machine. */
export const TOKEN_KEYS = {
  a: namedRsaKey('token-a', 2048),
  b: namedRsaKey('token-b', 2048),
  large: namedRsaKey('token-large', 3072),
  weak: namedRsaKey('token-weak', 1024),
} as const;

/** Members `n` and `e` of a key. */
export function numbersOf({ privateKey }: LabKey): { readonly n: string; readonly e: string } {
  const { n = '', e = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { n, e };
}

/** An RSA key as it was read of a set. */
export function rsaOf({ key }: TokenKey): RsaPublicKey {
  if ('point' in key) throw new Error('not an RSA key');
  return key;
}

/** A P-256 key as a JWK. */
export function ecJwkOf({ privateKey }: Pick<LabKey, 'privateKey'>, kid: string, changes: JsonObject = {}): JsonObject {
  const { x = '', y = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { kty: 'EC', crv: 'P-256', kid, x, y, ...changes };
}

/** A key as a JWK of `kty`, `kid`, `n` and `e`, beside what is said. */
export function jwkOf(key: LabKey, kid: string, changes: JsonObject = {}): JsonObject {
  return { kty: 'RSA', kid, ...numbersOf(key), ...changes };
}

/** A self-signed certificate of a key, DER. */
export function certificateOf(key: LabKey, changes: Partial<CertificateOptions> = {}): Uint8Array {
  return buildCertificate({
    serial: 7,
    issuer: name('Signer'),
    subject: name('Signer'),
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    spki: key.spki,
    extensions: null,
    signer: key,
    algorithm: { scheme: 'pkcs1', hash: 'sha256' },
    ...changes,
  });
}

/** A CRL of who issues these certificates, DER. */
export function listOf(number: number): Uint8Array {
  return buildCrl({
    issuer: name('Signer'),
    thisUpdate: AT,
    nextUpdate: NOT_AFTER,
    revoked: [],
    extensions: [crlNumber(number)],
    signer: KEYS.root,
    algorithm: ECDSA_SHA256,
  });
}

export const base64Of = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** A key set as it comes over the network. */
export function keySetOf(...keys: readonly JsonObject[]): Uint8Array {
  return Buffer.from(JSON.stringify({ keys }));
}
