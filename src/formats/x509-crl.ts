import { hex } from '../core/bytes.js';
import {
  DER,
  type DerElement,
  type DerReader,
  malformed,
  parseDer,
  parseDerSequence,
  smallUnsigned,
  unsignedOctets,
  wholeOctets,
} from './der.js';
import { type DistinguishedName, readName } from './distinguished-name.js';
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from './signature-algorithm.js';
import { isTimeNext, readSerial, readTime } from './x509-certificate.js';
import {
  EXTENSION,
  onlyExtension,
  readExtensions,
  readTaggedExtensions,
  type X509Extension,
} from './x509-extension.js';

/** A parsed CRL without its entries (RFC 5280 5.1). Nothing in it is verified. */
export interface CrlFrame {
  readonly der: Uint8Array;
  /** TBSCertList: the bytes that are signed. */
  readonly tbs: Uint8Array;
  readonly version: 1 | 2;
  readonly innerAlgorithm: AlgorithmIdentifier;
  readonly outerAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
  readonly issuer: DistinguishedName;
  /** Null if it is not a valid time. */
  readonly thisUpdate: Date | null;
  /** Null if it is missing, or not a valid time. */
  readonly nextUpdate: Date | null;
  /** Not parsed; null if the CRL has no entries. */
  readonly revokedCertificates: DerElement | null;
  readonly extensions: readonly X509Extension[];
  /** Null if the extension is missing or occurs twice. */
  readonly crlNumber: bigint | null;
}

/** A CRL with its entries. The type does not say whether they are verified. */
export interface X509Crl extends CrlFrame {
  readonly entries: readonly RevokedEntry[];
}

/** One revoked certificate. The date is not kept: a certificate on the CRL is revoked regardless of it. */
export interface RevokedEntry {
  /** As in a certificate: big endian, without leading zero octet. */
  readonly serial: Uint8Array;
  readonly extensions: readonly X509Extension[];
}

const V2 = 1;
/** RFC 5280 5.2.3. */
const MAXIMUM_NUMBER_OCTETS = 20;

/**
 * Parses a CRL. Checks its form only: a parsed CRL may be forged, stale, or for another issuer than
 * expected.
 *
 * @throws {FormatError} `cert_format`
 */
export function parseCrl(der: Uint8Array): X509Crl {
  return readCrlEntries(parseCrlFrame(der));
}

/**
 * Parses a CRL without its entries, which can be tens of thousands. The caller reads them after it has verified
 * the signature. Of the entries only the DER is checked.
 *
 * @throws {FormatError} `cert_format`
 */
export function parseCrlFrame(der: Uint8Array): CrlFrame {
  const crl = parseDerSequence(der, 'CRL');
  const tbs = crl.read(DER.sequence, 'signed part');
  const outerAlgorithm = readAlgorithmIdentifier(crl, 'signature algorithm');
  const signature = wholeOctets(crl.read(DER.bitString, 'signature').content, 'signature');
  crl.end('CRL');
  return { der, tbs: tbs.bytes, outerAlgorithm, signature, ...readTbs(tbs.elements) };
}

/**
 * Reads the entries of a CRL.
 *
 * @throws {FormatError} `cert_format`
 */
export function readCrlEntries(frame: CrlFrame): X509Crl {
  return { ...frame, entries: readEntries(frame.revokedCertificates) };
}

/** Counts the entries of a CRL without reading them: their signature is not verified yet. */
export function countCrlEntries({ revokedCertificates }: CrlFrame): number {
  let count = 0;
  for (const reader = revokedCertificates?.elements; reader?.done === false; count++) reader.any('revoked certificate');
  return count;
}

function readTbs(tbs: DerReader) {
  const version = readVersion(tbs);
  const innerAlgorithm = readAlgorithmIdentifier(tbs, 'signature algorithm');
  const issuer = readName(tbs, 'issuer');
  const thisUpdate = readTime(tbs, 'this update');
  const nextUpdate = isTimeNext(tbs) ? readTime(tbs, 'next update') : null;
  const revokedCertificates = tbs.optional(DER.sequence, 'revoked certificates');
  const extensions = readTaggedExtensions(tbs, 0);
  tbs.end('signed part');
  const number = onlyExtension(extensions, EXTENSION.crlNumber);
  const crlNumber = number && parseCrlNumber(number);
  return { version, innerAlgorithm, issuer, thisUpdate, nextUpdate, revokedCertificates, extensions, crlNumber };
}

/** RFC 5280 5.1.2.1: absent, or 1 for version 2. */
function readVersion(tbs: DerReader): 1 | 2 {
  const version = tbs.optional(DER.integer, 'version');
  if (version === null) return 1;
  if (smallUnsigned(version.content, V2, 'version') !== V2) throw malformed('version has its default written out');
  return 2;
}

function readEntries(list: DerElement | null): readonly RevokedEntry[] {
  if (list === null) return [];
  const reader = list.elements;
  // RFC 5280 5.1.2.6: without revoked certificates the list is absent
  if (reader.done) throw malformed('list of revoked certificates is empty');
  const entries: RevokedEntry[] = [];
  while (!reader.done) {
    const entry = reader.open(DER.sequence, 'revoked certificate');
    const serial = readSerial(entry);
    // RFC 5280 5.1.2.6: a time in the same forms as those of the CRL
    if (readTime(entry, 'revocation date') === null) throw malformed('revocation date is not a time');
    const extensions = entry.done ? [] : readExtensions(entry);
    entry.end('revoked certificate');
    entries.push({ serial, extensions });
  }
  return entries;
}

function parseCrlNumber({ value }: X509Extension): bigint {
  const element = parseDer(value);
  if (element.tag !== DER.integer) throw malformed('CRL number is not an integer');
  const octets = unsignedOctets(element.content, 'CRL number');
  if (octets.length > MAXIMUM_NUMBER_OCTETS) throw malformed('CRL number is over 20 octets');
  return BigInt(`0x${hex(octets)}`);
}
