import { createHash } from 'node:crypto';
import { FormatError } from '../../src/core/errors.js';
import type { PathProfile } from '../../src/crypto/path-profile.js';
import type { RevocationListProblem, RevocationListReading } from '../../src/crypto/revocation-list.js';
import { parseCertificate, type X509Certificate } from '../../src/formats/x509-certificate.js';
import { type LabKey, newEcKey } from '../lab/lab-keys.js';
import {
  ATTRIBUTE,
  basicConstraints,
  buildCertificate,
  type CertificateOptions,
  type ExtensionOrDer,
  keyUsage,
  nameOf,
} from '../lab/pki.js';
import type { LabAlgorithm } from '../lab/signing.js';

/** A PKI of P-256 keys: quick to make, so that each test breaks one thing in a path of its own. */

export type Overrides = Partial<CertificateOptions>;

export const ECDSA_SHA256: LabAlgorithm = { scheme: 'ecdsa', hash: 'sha256' };
export const AT = new Date('2026-01-15T12:00:00Z');
export const NOT_BEFORE = new Date('2025-01-01T00:00:00Z');
export const NOT_AFTER = new Date('2027-01-01T00:00:00Z');

export const KEYS = {
  root: newEcKey('prime256v1'),
  intermediate: newEcKey('prime256v1'),
  leaf: newEcKey('prime256v1'),
  other: newEcKey('prime256v1'),
} as const;

export function name(commonName: string): Uint8Array {
  return nameOf([[ATTRIBUTE.commonName, commonName]]);
}

export const CA_EXTENSIONS: readonly ExtensionOrDer[] = [basicConstraints(), keyUsage(['keyCertSign', 'crlSign'])];

export const SHAPES = {
  root: {
    serial: 0x51,
    algorithm: ECDSA_SHA256,
    signer: KEYS.root,
    issuer: name('Root'),
    subject: name('Root'),
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    spki: KEYS.root.spki,
    extensions: CA_EXTENSIONS,
  },
  intermediate: {
    serial: 0x52,
    algorithm: ECDSA_SHA256,
    signer: KEYS.root,
    issuer: name('Root'),
    subject: name('Intermediate'),
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    spki: KEYS.intermediate.spki,
    extensions: CA_EXTENSIONS,
  },
  leaf: {
    serial: 0x53,
    algorithm: ECDSA_SHA256,
    signer: KEYS.intermediate,
    issuer: name('Intermediate'),
    subject: name('Leaf'),
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    spki: KEYS.leaf.spki,
    extensions: [basicConstraints({ ca: false }), keyUsage(['digitalSignature'])],
  },
} as const satisfies { readonly [role: string]: CertificateOptions };

export type Role = keyof typeof SHAPES;
export const ROLES: readonly Role[] = ['leaf', 'intermediate', 'root'];

/** One certificate, DER, as it should be but for what is said. */
export function derOf(role: Role, overrides: Overrides = {}): Uint8Array {
  return buildCertificate({ ...SHAPES[role], ...overrides });
}

export function certificate(role: Role, overrides: Overrides = {}): X509Certificate {
  return parseCertificate(derOf(role, overrides));
}

/** Leaf, intermediate, root, as they should be but for what is said. */
export function path(overrides: { readonly [role in Role]?: Overrides } = {}): readonly X509Certificate[] {
  return ROLES.map((role) => certificate(role, overrides[role]));
}

export function pinOf(key: LabKey): string {
  return createHash('sha256').update(key.spki).digest('hex');
}

export const PROFILE: PathProfile = {
  anchors: new Set([pinOf(KEYS.root)]),
  signatureAlgorithms: new Set(['ecdsa-sha256']),
  issuerKeys: [{ kind: 'ec', curve: 'P-256' }],
  leafKeys: [{ kind: 'ec', curve: 'P-256' }],
};

/** Why a list does not hold; null if it does. */
export function problemOf(reading: RevocationListReading): RevocationListProblem | null {
  return reading.ok ? null : reading.problem;
}

/** The error of a parse, which must be a FormatError. */
export function formatErrorOf(parse: () => unknown): FormatError {
  try {
    parse();
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
