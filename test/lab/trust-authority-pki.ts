import { createHash } from 'node:crypto';
import type { JsonObject } from '../../src/core/json.js';
import { type LabKey, namedRsaKey } from './lab-keys.js';
import {
  ATTRIBUTE,
  authorityKeyIdentifier,
  basicConstraints,
  buildCertificate,
  buildCrl,
  type CertificateOptions,
  type CrlOptions,
  crlDistributionPointAt,
  crlNumber,
  keyUsage,
  nameOf,
  pemOf,
  subjectKeyIdentifier,
} from './pki.js';
import type { LabAlgorithm } from './signing.js';

const DAY_MS = 24 * 60 * 60_000;
const KEY_BITS = 3072;
const ALGORITHM: LabAlgorithm = { scheme: 'pkcs1', hash: 'sha512' };

/** Algorithms that tokens are signed with, each by a key of its own. */
export const ITA_ALGORITHMS = ['PS384', 'RS256'] as const;
export type ItaAlgorithm = (typeof ITA_ALGORITHMS)[number];

/** Certificates of the PKI, by what they are for: the two keys that sign tokens, and the authority above them. */
export type ItaCertificate = ItaAlgorithm | 'signing-ca';

const SERIALS: { readonly [certificate in ItaCertificate | 'root-ca']: number } = {
  'root-ca': 1,
  'signing-ca': 2,
  PS384: 3,
  RS256: 4,
};

export interface TrustAuthorityPkiOptions {
  /** Name of the set of keys. */
  readonly keys: string;
  readonly at: Date;
  /** Origin that serves the CRLs. */
  readonly origin: string;
}

/** Root CA, signing CA, and a certificate for each key that signs tokens, with the shape of Intel Trust Authority's. */
export class TrustAuthorityPki {
  readonly #options: TrustAuthorityPkiOptions;
  readonly #root: LabKey;
  readonly #signingCa: LabKey;

  constructor(options: TrustAuthorityPkiOptions) {
    this.#options = options;
    this.#root = namedRsaKey(`${options.keys}-root-ca`, KEY_BITS);
    this.#signingCa = namedRsaKey(`${options.keys}-signing-ca`, KEY_BITS);
  }

  tokenKey(algorithm: ItaAlgorithm): LabKey {
    return namedRsaKey(`${this.#options.keys}-token-${algorithm}`, KEY_BITS);
  }

  /** A UUID, the same one for the same key. */
  kid(algorithm: ItaAlgorithm): string {
    const digits = createHash('sha256').update(this.tokenKey(algorithm).spki).digest('hex');
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
  }

  /** DER. */
  rootCertificate(overrides: Partial<CertificateOptions> = {}): Uint8Array {
    const { at } = this.#options;
    return buildCertificate({
      ...this.#issuedBy('root-ca'),
      serial: SERIALS['root-ca'],
      subject: ROOT_NAME,
      spki: this.#root.spki,
      notBefore: new Date(at.getTime() - 400 * DAY_MS),
      notAfter: new Date(at.getTime() + 7000 * DAY_MS),
      extensions: [basicConstraints(), subjectKeyIdentifier(this.#root), keyUsage(['keyCertSign', 'crlSign'])],
      ...overrides,
    });
  }

  /** DER. */
  signingCaCertificate(overrides: Partial<CertificateOptions> = {}): Uint8Array {
    const { at } = this.#options;
    return buildCertificate({
      ...this.#issuedBy('root-ca'),
      serial: SERIALS['signing-ca'],
      subject: SIGNING_CA_NAME,
      spki: this.#signingCa.spki,
      notBefore: new Date(at.getTime() - 300 * DAY_MS),
      notAfter: new Date(at.getTime() + 3000 * DAY_MS),
      extensions: [
        basicConstraints({ pathLength: 0 }),
        subjectKeyIdentifier(this.#signingCa),
        authorityKeyIdentifier(this.#root),
        keyUsage(['keyCertSign', 'crlSign']),
        this.#distributionPoint('root-ca'),
      ],
      ...overrides,
    });
  }

  /** DER: of the key that signs tokens with an algorithm. */
  tokenCertificate(algorithm: ItaAlgorithm, overrides: Partial<CertificateOptions> = {}): Uint8Array {
    const { at } = this.#options;
    const key = this.tokenKey(algorithm);
    return buildCertificate({
      ...this.#issuedBy('signing-ca'),
      serial: SERIALS[algorithm],
      subject: itaName('Lab Trust Authority Attestation Token Signing'),
      spki: key.spki,
      notBefore: new Date(at.getTime() - 30 * DAY_MS),
      notAfter: new Date(at.getTime() + 335 * DAY_MS),
      extensions: [
        basicConstraints({ ca: false }),
        subjectKeyIdentifier(key),
        authorityKeyIdentifier(this.#signingCa),
        keyUsage(['digitalSignature']),
        this.#distributionPoint('signing-ca'),
      ],
      ...overrides,
    });
  }

  /** A CRL, DER, good for 30 days. */
  crl(
    issuer: 'signing-ca' | 'root-ca',
    revoked: ReadonlySet<ItaCertificate>,
    overrides: Partial<CrlOptions> = {},
  ): Uint8Array {
    const { at } = this.#options;
    const isIssuers = (certificate: ItaCertificate) => (certificate === 'signing-ca') === (issuer === 'root-ca');
    const authority = issuer === 'root-ca' ? this.#root : this.#signingCa;
    return buildCrl({
      ...this.#issuedBy(issuer),
      thisUpdate: new Date(at.getTime() - DAY_MS),
      nextUpdate: new Date(at.getTime() + 30 * DAY_MS),
      revoked: [...revoked].filter(isIssuers).map((certificate) => ({ serial: SERIALS[certificate] })),
      extensions: [authorityKeyIdentifier(authority), crlNumber(1)],
      ...overrides,
    });
  }

  /** The root as an operator configures it. */
  rootPem(): string {
    return pemOf(this.rootCertificate());
  }

  /** The key of an algorithm as the key set publishes it, with its chain up to the root. */
  jwk(algorithm: ItaAlgorithm): JsonObject {
    const { n = '', e = '' } = this.tokenKey(algorithm).privateKey.export({ format: 'jwk' });
    const chain = [this.tokenCertificate(algorithm), this.signingCaCertificate(), this.rootCertificate()];
    const x5c = chain.map((der) => Buffer.from(der).toString('base64'));
    return { alg: algorithm, e, kid: this.kid(algorithm), kty: 'RSA', n, x5c };
  }

  /** The key set as it is published in production: one key under one name, listed once for each algorithm. */
  productionKeySet(): JsonObject {
    return { keys: ITA_ALGORITHMS.map((alg) => ({ ...this.jwk('PS384'), alg })) };
  }

  #issuedBy(issuer: 'signing-ca' | 'root-ca') {
    return issuer === 'root-ca'
      ? { signer: this.#root, issuer: ROOT_NAME, algorithm: ALGORITHM }
      : { signer: this.#signingCa, issuer: SIGNING_CA_NAME, algorithm: ALGORITHM };
  }

  #distributionPoint(issuer: 'signing-ca' | 'root-ca') {
    return crlDistributionPointAt(`${this.#options.origin}/crl/${issuer}.crl`);
  }
}

const ROOT_NAME = itaName('Lab Trust Authority Root CA');
const SIGNING_CA_NAME = itaName('Lab Trust Authority Signing CA');

function itaName(commonName: string): Uint8Array {
  return nameOf([
    [ATTRIBUTE.countryName, 'US'],
    [ATTRIBUTE.stateOrProvinceName, 'CA'],
    [ATTRIBUTE.organizationName, 'veritee lab'],
    [ATTRIBUTE.commonName, commonName],
  ]);
}
