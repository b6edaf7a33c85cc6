import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { JsonObject } from '../../src/core/json.js';
import { type LabKey, namedRsaKey } from './lab-keys.js';
import { ATTRIBUTE, basicConstraints, buildCertificate, type CertificateOptions, nameOf } from './pki.js';

const DAY_MS = 24 * 60 * 60_000;

/** A key that an instance of Azure Attestation signs tokens with. */
export interface MaaSigner {
  readonly key: LabKey;
  readonly kid: string;
  /** Self-signed, CN = the instance's address. DER. */
  readonly certificate: Uint8Array;
}

export interface MaaSignerOptions {
  /** Name of the key: the same one for the same name. */
  readonly name: string;
  readonly issuer: string;
  readonly at: Date;
  /** Parts of the certificate that are to be others, as extensions with the evidence of a TEE that holds the key. */
  readonly certificate?: (key: LabKey) => Partial<CertificateOptions>;
}

/** A signer with a certificate of one year, as an instance makes it for itself. */
export function maaSigner({ name, issuer, at, certificate = () => ({}) }: MaaSignerOptions): MaaSigner {
  const key = namedRsaKey(name, 2048);
  const subject = nameOf([[ATTRIBUTE.commonName, issuer]]);
  const der = buildCertificate({
    serial: 1,
    issuer: subject,
    subject,
    spki: key.spki,
    notBefore: new Date(at.getTime() - 30 * DAY_MS),
    notAfter: new Date(at.getTime() + 335 * DAY_MS),
    extensions: [basicConstraints()],
    signer: key,
    algorithm: { scheme: 'pkcs1', hash: 'sha256' },
    ...certificate(key),
  });
  return { key, kid: maaKid(createPublicKey(key.privateKey)), certificate: der };
}

/** The key as the certs endpoint publishes it: no modulus, no algorithm, the certificate alone. */
export function maaJwk({ kid, certificate }: MaaSigner): JsonObject {
  return { x5c: [Buffer.from(certificate).toString('base64')], kid, kty: 'RSA' };
}

/** How Azure Attestation names its own keys: base64 of the SHA-256 over the PEM of the public key and a zero byte. */
export function maaKid(publicKey: KeyObject): string {
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  return createHash('sha256').update(pem).update('\0').digest('base64');
}
