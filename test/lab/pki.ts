import { createHash } from 'node:crypto';
import {
  bitString,
  boolean,
  der,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  set,
  tagged,
  time,
  utf8String,
} from './der-writer.js';
import type { LabKey } from './lab-keys.js';
import { algorithmIdentifier, type LabAlgorithm, signAs } from './signing.js';

/** An extension of a certificate, a CRL, or an entry of one. */
export interface LabExtension {
  readonly oid: string;
  readonly critical?: boolean;
  readonly value: Uint8Array;
}

/** A builder's extension, or a whole encoding that stands for one. */
export type ExtensionOrDer = LabExtension | Uint8Array;

/** A date, or the whole encoding of a Time. */
export type TimeOrDer = Date | Uint8Array;

/** Members of both kinds of signed objects. */
interface SignedOptions {
  readonly signer: LabKey;
  readonly algorithm: LabAlgorithm;
  /** AlgorithmIdentifiers that say something else than how it is signed. */
  readonly innerAlgorithm?: Uint8Array;
  readonly outerAlgorithm?: Uint8Array;
  /** Changes the signed part before it is signed. */
  readonly beforeSigning?: (tbs: Uint8Array) => Uint8Array;
  /** Changes the signed part after it was signed: a forgery. */
  readonly afterSigning?: (tbs: Uint8Array) => Uint8Array;
  /** Changes the signature. */
  readonly signature?: (signature: Uint8Array) => Uint8Array;
}

export interface CertificateOptions extends SignedOptions {
  /** 1, 2 or 3; another number is written as it is. */
  readonly version?: number;
  /** A number, or the content octets of the INTEGER. */
  readonly serial: number | bigint | Uint8Array;
  /** Names, DER. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: TimeOrDer;
  readonly notAfter: TimeOrDer;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** Null leaves the whole field out. */
  readonly extensions: readonly ExtensionOrDer[] | null;
}

export interface RevokedOptions {
  readonly serial: number | bigint | Uint8Array;
  readonly at?: TimeOrDer;
  readonly extensions?: readonly ExtensionOrDer[];
}

export interface CrlOptions extends SignedOptions {
  /** 2 unless said otherwise; 1 leaves the version out. */
  readonly version?: number;
  readonly issuer: Uint8Array;
  readonly thisUpdate: TimeOrDer;
  /** Null leaves it out. */
  readonly nextUpdate: TimeOrDer | null;
  readonly revoked: readonly RevokedOptions[];
  /** Null leaves the whole field out. */
  readonly extensions: readonly ExtensionOrDer[] | null;
}

/** Builds and signs a certificate (RFC 5280 4.1), DER. Nothing is checked: every part may be what it must not be. */
export function buildCertificate(options: CertificateOptions): Uint8Array {
  const { version = 3, extensions } = options;
  return signed(options, (algorithm) =>
    sequence(
      ...(version === 1 ? [] : [tagged(0, integer(version - 1))]),
      integer(options.serial),
      algorithm,
      options.issuer,
      sequence(timeOf(options.notBefore), timeOf(options.notAfter)),
      options.subject,
      options.spki,
      ...(extensions === null ? [] : [tagged(3, extensionList(extensions))]),
    ),
  );
}

/** Builds and signs a certificate CRL (RFC 5280 5.1), DER. Nothing is checked. */
export function buildCrl(options: CrlOptions): Uint8Array {
  const { version = 2, nextUpdate, revoked, extensions } = options;
  return signed(options, (algorithm) =>
    sequence(
      ...(version === 1 ? [] : [integer(version - 1)]),
      algorithm,
      options.issuer,
      timeOf(options.thisUpdate),
      ...(nextUpdate === null ? [] : [timeOf(nextUpdate)]),
      ...(revoked.length === 0 ? [] : [sequence(...revoked.map((entry) => crlEntry(entry, options.thisUpdate)))]),
      ...(extensions === null ? [] : [tagged(0, extensionList(extensions))]),
    ),
  );
}

function signed(options: SignedOptions, build: (innerAlgorithm: Uint8Array) => Uint8Array): Uint8Array {
  const stated = algorithmIdentifier(options.algorithm);
  const built = build(options.innerAlgorithm ?? stated);
  const tbs = options.beforeSigning?.(built) ?? built;
  const signature = signAs(options.algorithm, options.signer.privateKey, tbs);
  return sequence(
    options.afterSigning?.(tbs) ?? tbs,
    options.outerAlgorithm ?? stated,
    bitString(options.signature?.(signature) ?? signature),
  );
}

function crlEntry({ serial, at, extensions }: RevokedOptions, madeAt: TimeOrDer): Uint8Array {
  return sequence(
    integer(serial),
    timeOf(at ?? madeAt),
    ...(extensions === undefined ? [] : [extensionList(extensions)]),
  );
}

function extensionList(extensions: readonly ExtensionOrDer[]): Uint8Array {
  return sequence(...extensions.map((item) => (item instanceof Uint8Array ? item : extension(item))));
}

function extension({ oid: id, critical = false, value }: LabExtension): Uint8Array {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

function timeOf(value: TimeOrDer): Uint8Array {
  return value instanceof Uint8Array ? value : time(value);
}

/** Attribute types of names. */
export const ATTRIBUTE = {
  commonName: '2.5.4.3',
  countryName: '2.5.4.6',
  localityName: '2.5.4.7',
  stateOrProvinceName: '2.5.4.8',
  organizationName: '2.5.4.10',
  organizationalUnitName: '2.5.4.11',
} as const;

/** A Name: attribute types and their values, which are text for UTF8String or a whole encoding. */
export function nameOf(attributes: readonly (readonly [type: string, value: string | Uint8Array])[]): Uint8Array {
  return sequence(
    ...attributes.map(([type, value]) =>
      set(sequence(oid(type), typeof value === 'string' ? utf8String(value) : value)),
    ),
  );
}

/** RFC 5280 4.2.1.9. */
export function basicConstraints(
  options: { readonly ca?: boolean; readonly pathLength?: number; readonly critical?: boolean } = {},
): LabExtension {
  const { ca = true, pathLength, critical = true } = options;
  const value = sequence(...(ca ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)]));
  return { oid: '2.5.29.19', critical, value };
}

const KEY_USAGE_BIT = {
  digitalSignature: 0,
  nonRepudiation: 1,
  keyEncipherment: 2,
  keyCertSign: 5,
  crlSign: 6,
} as const;
export type LabKeyUsage = keyof typeof KEY_USAGE_BIT;

/** RFC 5280 4.2.1.3. */
export function keyUsage(uses: readonly LabKeyUsage[], critical = true): LabExtension {
  const bits: readonly number[] = uses.map((use) => KEY_USAGE_BIT[use]);
  const octet = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  const value =
    uses.length === 0 ? bitString(new Uint8Array()) : bitString(Buffer.from([octet]), 7 - Math.max(...bits));
  return { oid: '2.5.29.15', critical, value };
}

/** RFC 5280 5.2.3. */
export function crlNumber(number: number | bigint | Uint8Array, critical = false): LabExtension {
  return { oid: '2.5.29.20', critical, value: integer(number) };
}

/** RFC 5280 4.2.1.2. */
export function subjectKeyIdentifier(key: Pick<LabKey, 'spki'>): LabExtension {
  return { oid: '2.5.29.14', value: octetString(keyIdentifier(key)) };
}

/** RFC 5280 4.2.1.1. */
export function authorityKeyIdentifier(key: LabKey): LabExtension {
  return { oid: '2.5.29.35', value: sequence(der(0x80, keyIdentifier(key))) };
}

/** RFC 5280 4.2.1.2, method (1), over the whole SubjectPublicKeyInfo: any octets will do. */
function keyIdentifier(key: Pick<LabKey, 'spki'>): Uint8Array {
  return createHash('sha1').update(key.spki).digest();
}

/** One address of a CRL (RFC 5280 4.2.1.13). */
export function crlDistributionPointAt(uri: string): LabExtension {
  const generalName = der(0x86, Buffer.from(uri, 'latin1'));
  return { oid: '2.5.29.31', value: sequence(sequence(tagged(0, tagged(0, generalName)))) };
}

/** RFC 5280 4.2.1.12. */
export function extendedKeyUsage(purposes: readonly string[], critical = false): LabExtension {
  return { oid: '2.5.29.37', critical, value: sequence(...purposes.map(oid)) };
}

/** Addresses of the issuer's certificate (RFC 5280 4.2.2.1). */
export function issuerAddresses(uris: readonly string[]): LabExtension {
  const descriptions = uris.map((uri) => sequence(oid('1.3.6.1.5.5.7.48.2'), der(0x86, Buffer.from(uri, 'latin1'))));
  return { oid: '1.3.6.1.5.5.7.1.1', value: sequence(...descriptions) };
}

/** RSA SubjectPublicKeyInfo of any two numbers. */
export function rsaSpki(modulus: number | bigint | Uint8Array, exponent: number | bigint | Uint8Array): Uint8Array {
  const key = sequence(integer(modulus), integer(exponent));
  return sequence(sequence(oid('1.2.840.113549.1.1.1'), nullValue()), bitString(key));
}

/** Elliptic curve SubjectPublicKeyInfo with any parameters and any point octets. */
export function ecSpki(parameters: Uint8Array, point: Uint8Array): Uint8Array {
  return sequence(sequence(oid('1.2.840.10045.2.1'), parameters), bitString(point));
}

/** PEM of certificates, one block after the other. */
export function pemOf(...certificates: readonly Uint8Array[]): string {
  return certificates
    .map((certificate) => {
      const lines =
        Buffer.from(certificate)
          .toString('base64')
          .match(/.{1,64}/g) ?? [];
      return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
    })
    .join('');
}
