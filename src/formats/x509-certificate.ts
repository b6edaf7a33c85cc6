import { latin1 } from '../core/bytes.js';
import {
  contextTag,
  DER,
  type DerElement,
  type DerReader,
  malformed,
  parseDerSequence,
  smallUnsigned,
  unsignedOctets,
  wholeOctets,
} from './der.js';
import { type DistinguishedName, isSameName, readName } from './distinguished-name.js';
import { type PublicKey, readPublicKeyInfo } from './public-key.js';
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from './signature-algorithm.js';
import {
  type BasicConstraints,
  EXTENSION,
  type KeyUsage,
  onlyExtension,
  parseBasicConstraints,
  parseKeyUsage,
  readTaggedExtensions,
  type X509Extension,
} from './x509-extension.js';

/** A parsed certificate (RFC 5280 4.1). Nothing in it is verified. */
export interface X509Certificate {
  readonly der: Uint8Array;
  /** TBSCertificate: the bytes that are signed. */
  readonly tbs: Uint8Array;
  readonly version: 1 | 2 | 3;
  /** Big endian, without leading zero octet; zero is one zero octet. At most 20 octets. */
  readonly serial: Uint8Array;
  /** Algorithm inside the signed bytes, and beside the signature. The caller checks that they are equal. */
  readonly innerAlgorithm: AlgorithmIdentifier;
  readonly outerAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  /** Null if the certificate has no valid time: it is then never valid. */
  readonly notBefore: Date | null;
  readonly notAfter: Date | null;
  /** SubjectPublicKeyInfo, the whole encoding. */
  readonly spki: Uint8Array;
  readonly publicKey: PublicKey;
  /** In order, including duplicates. */
  readonly extensions: readonly X509Extension[];
  /** Null if the extension is missing or occurs twice. */
  readonly basicConstraints: BasicConstraints | null;
  readonly keyUsage: KeyUsage | null;
}

interface CertificateRules {
  /** Most bytes of the DER; defaults to 16 KiB. */
  readonly maximumBytes?: number;
  /** AMD gives every VCEK and VLEK the serial number 0, and so do some CAs. RFC 5280 4.1.2.2 requires a positive one. */
  readonly allowZeroSerial?: boolean;
}

/** Certificates in evidence have less than 2 KiB. They are read before anything is verified. */
const MAXIMUM_BYTES = 16 * 1024;
const MAXIMUM_SERIAL_OCTETS = 20;
const V3 = 2;

/**
 * Parses a certificate. Checks its form only: a parsed certificate may be forged, expired, of an unknown algorithm, or
 * intended for another use. Rejects issuer and subject unique ids (RFC 5280 4.1.2.8: no CA uses them).
 *
 * @throws {FormatError} `cert_format`
 */
export function parseCertificate(der: Uint8Array, rules: CertificateRules = {}): X509Certificate {
  const { maximumBytes = MAXIMUM_BYTES } = rules;
  if (der.byteLength > maximumBytes) {
    throw malformed(`certificate is ${der.byteLength} bytes, at most ${maximumBytes} are allowed`);
  }
  const certificate = parseDerSequence(der, 'certificate');
  const tbs = certificate.read(DER.sequence, 'signed part');
  const outerAlgorithm = readAlgorithmIdentifier(certificate, 'signature algorithm');
  const signature = wholeOctets(certificate.read(DER.bitString, 'signature').content, 'signature');
  certificate.end('certificate');
  const fields = readTbs(tbs.elements, rules);
  return { der, tbs: tbs.bytes, outerAlgorithm, signature, ...fields };
}

/** Whether a certificate names itself as its issuer (RFC 5280 3.2). Does not check the signature. */
export function isSelfIssued({ issuer, subject }: X509Certificate): boolean {
  return isSameName(issuer, subject);
}

function readTbs(tbs: DerReader, rules: CertificateRules) {
  const version = readVersion(tbs);
  const serial = readSerial(tbs);
  if (serial[0] === 0 && rules.allowZeroSerial !== true) throw malformed('serial number is zero');
  const innerAlgorithm = readAlgorithmIdentifier(tbs, 'signature algorithm');
  const issuer = readName(tbs, 'issuer');
  const validity = tbs.open(DER.sequence, 'validity');
  const notBefore = readTime(validity, 'start of validity');
  const notAfter = readTime(validity, 'end of validity');
  validity.end('validity');
  const subject = readName(tbs, 'subject');
  const { spki, key: publicKey } = readPublicKeyInfo(tbs);
  const extensions = readCertificateExtensions(tbs);
  tbs.end('signed part');
  return { version, serial, innerAlgorithm, issuer, notBefore, notAfter, subject, spki, publicKey, ...extensions };
}

function readVersion(tbs: DerReader): 1 | 2 | 3 {
  const wrapper = tbs.openOptional(contextTag(0), 'version');
  if (wrapper === null) return 1;
  const version = smallUnsigned(wrapper.read(DER.integer, 'version').content, V3, 'version');
  wrapper.end('version');
  // X.690 11.5: version 1 is the default, so DER leaves it out
  if (version === 0) throw malformed('version has its default written out');
  return version === V3 ? 3 : 2;
}

/** A serial number: positive or zero, at most 20 octets of value (RFC 5280 4.1.2.2). */
export function readSerial(reader: DerReader): Uint8Array {
  const serial = unsignedOctets(reader.read(DER.integer, 'serial number').content, 'serial number');
  if (serial.length > MAXIMUM_SERIAL_OCTETS) throw malformed(`serial number is over ${MAXIMUM_SERIAL_OCTETS} octets`);
  return serial;
}

function readCertificateExtensions(tbs: DerReader) {
  const extensions = readTaggedExtensions(tbs, 3);
  const basicConstraints = onlyExtension(extensions, EXTENSION.basicConstraints);
  const keyUsage = onlyExtension(extensions, EXTENSION.keyUsage);
  return {
    extensions,
    basicConstraints: basicConstraints && parseBasicConstraints(basicConstraints),
    keyUsage: keyUsage && parseKeyUsage(keyUsage),
  };
}

const UTC_TIME = /^\d{12}Z$/;
const GENERALIZED_TIME = /^\d{14}Z$/;
/** First year of a GeneralizedTime, one after the last of a UTCTime (RFC 5280 4.1.2.5). */
const FIRST_GENERALIZED_YEAR = 2050;

/** Whether the next element is a time. */
export function isTimeNext(reader: DerReader): boolean {
  return reader.nextTag === DER.utcTime || reader.nextTag === DER.generalizedTime;
}

/**
 * Reads the next element as a Time. Returns null unless it has the form of RFC 5280 4.1.2.5: UTCTime to
 * the second in Zulu before 2050, GeneralizedTime likewise from 2050 on, and a day that exists. The parser does not
 * reject it: a certificate without a time is never valid.
 *
 * @throws {FormatError} `cert_format` if the next element is not a time
 */
export function readTime(reader: DerReader, what: string): Date | null {
  const element = reader.any(what);
  if (element.tag === DER.utcTime) return utcTime(element);
  if (element.tag === DER.generalizedTime) return generalizedTime(element);
  throw malformed(`${what} is not a time`);
}

function utcTime(element: DerElement): Date | null {
  const text = derText(element);
  if (!UTC_TIME.test(text)) return null;
  return instant(`${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}`);
}

function generalizedTime(element: DerElement): Date | null {
  const text = derText(element);
  if (!GENERALIZED_TIME.test(text) || Number(text.slice(0, 4)) < FIRST_GENERALIZED_YEAR) return null;
  return instant(text);
}

/** `YYYYMMDDHHMMSSZ`. Null for a day that does not exist, such as 30 February: `Date` would return another day. */
function instant(text: string): Date | null {
  const part = (start: number, end: number) => Number(text.slice(start, end));
  const [year, month, day] = [part(0, 4), part(4, 6), part(6, 8)];
  const [hour, minute, second] = [part(8, 10), part(10, 12), part(12, 14)];
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isCarriedOver =
    date.getUTCMonth() !== month - 1 ||
    date.getUTCDate() !== day ||
    date.getUTCHours() !== hour ||
    date.getUTCMinutes() !== minute ||
    date.getUTCSeconds() !== second;
  return isCarriedOver ? null : date;
}

function derText({ content }: DerElement): string {
  return latin1(content);
}
