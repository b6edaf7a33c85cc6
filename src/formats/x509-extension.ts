import {
  contextTag,
  DER,
  type DerReader,
  malformed,
  oidText,
  parseDer,
  parseDerSequence,
  smallUnsigned,
} from './der.js';

/** An extension of a certificate, a CRL, or an entry of one. */
export interface X509Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** Content of the OCTET STRING, not parsed. */
  readonly value: Uint8Array;
}

/** Extensions that this service understands, RFC 5280 4.2.1 and 5.2. */
export const EXTENSION = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
  crlDistributionPoints: '2.5.29.31',
  extendedKeyUsage: '2.5.29.37',
} as const;

export interface BasicConstraints {
  readonly critical: boolean;
  readonly ca: boolean;
  /** Most CA certificates below this one; null: any number. */
  readonly pathLength: number | null;
}

/** The key usage bits that the service checks. */
export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly keyCertSign: boolean;
  readonly crlSign: boolean;
}

/** RFC 5280 sets no limit, and defines less than twenty. Extensions are read before anything is verified. */
const MAXIMUM_EXTENSIONS = 64;
/** RFC 5280 sets no limit; attestation keys of Azure have four purposes. They are read before anything is verified. */
const MAXIMUM_PURPOSES = 16;
/** RFC 5280 sets no limit; no supported chain is longer than five certificates. */
const MAXIMUM_PATH_LENGTH = 255;

/**
 * Reads the next element as `[number] Extensions`, as in certificates and CRLs; empty if absent.
 *
 * @throws {FormatError} `cert_format`
 */
export function readTaggedExtensions(reader: DerReader, number: number): readonly X509Extension[] {
  const wrapper = reader.openOptional(contextTag(number), 'extensions');
  if (wrapper === null) return [];
  const extensions = readExtensions(wrapper);
  wrapper.end('extensions');
  return extensions;
}

/**
 * Reads the next element as `Extensions`, at most 64. Keeps duplicates: the verifier of the certificate decides about
 * them.
 *
 * @throws {FormatError} `cert_format`
 */
export function readExtensions(reader: DerReader): readonly X509Extension[] {
  const extensions = reader.open(DER.sequence, 'extensions');
  if (extensions.done) throw malformed('list of extensions is empty');
  const list: X509Extension[] = [];
  while (!extensions.done) {
    if (list.length === MAXIMUM_EXTENSIONS) throw malformed(`more than ${MAXIMUM_EXTENSIONS} extensions`);
    const extension = extensions.open(DER.sequence, 'extension');
    const oid = oidText(extension.read(DER.oid, 'extension id').content);
    const critical = extension.optional(DER.boolean, 'critical flag');
    // X.690 11.5: FALSE is the default, so DER and every vendor leave it out
    if (critical !== null && critical.content[0] === 0) throw malformed('critical flag has its default written out');
    const value = extension.read(DER.octetString, 'extension value').content;
    extension.end('extension');
    list.push({ oid, critical: critical !== null, value });
  }
  return list;
}

/** Returns the extension with this id; null if there is none or several, none of which then counts. */
export function onlyExtension(extensions: readonly X509Extension[], oid: string): X509Extension | null {
  const [only, ...others] = extensions.filter((extension) => extension.oid === oid);
  return only !== undefined && others.length === 0 ? only : null;
}

/** Returns the id of a duplicate extension (RFC 5280 4.2: at most one of each); null if there is none. */
export function repeatedExtension(extensions: readonly X509Extension[]): string | null {
  const seen = new Set<string>();
  for (const { oid } of extensions) {
    if (seen.has(oid)) return oid;
    seen.add(oid);
  }
  return null;
}

/**
 * RFC 5280 4.2.1.9.
 *
 * @throws {FormatError} `cert_format`
 */
export function parseBasicConstraints({ critical, value }: X509Extension): BasicConstraints {
  const reader = parseDerSequence(value, 'basic constraints');
  const ca = reader.optional(DER.boolean, 'CA flag');
  if (ca !== null && ca.content[0] === 0) throw malformed('CA flag has its default written out');
  const length = reader.optional(DER.integer, 'path length');
  reader.end('basic constraints');
  if (length !== null && ca === null) throw malformed('path length of a certificate that is not a CA');
  return {
    critical,
    ca: ca !== null,
    pathLength: length === null ? null : smallUnsigned(length.content, MAXIMUM_PATH_LENGTH, 'path length'),
  };
}

/**
 * RFC 5280 4.2.1.3. A bit string without bits permits no use.
 * Not checked: trailing zero bits (X.690 11.2.2), which do not change the meaning.
 *
 * @throws {FormatError} `cert_format`
 */
export function parseKeyUsage({ value }: X509Extension): KeyUsage {
  const element = parseDer(value);
  if (element.tag !== DER.bitString) throw malformed('key usage is not a bit string');
  const bits = element.content[1] ?? 0;
  return {
    digitalSignature: (bits & 0x80) !== 0,
    keyCertSign: (bits & 0x04) !== 0,
    crlSign: (bits & 0x02) !== 0,
  };
}

/**
 * The purposes that an extended key usage names, RFC 5280 4.2.1.12, at most 16.
 *
 * @throws {FormatError} `cert_format`
 */
export function parseExtendedKeyUsage({ value }: X509Extension): readonly string[] {
  const reader = parseDerSequence(value, 'extended key usage');
  const purposes: string[] = [];
  while (!reader.done) {
    if (purposes.length === MAXIMUM_PURPOSES) throw malformed(`more than ${MAXIMUM_PURPOSES} key purposes`);
    purposes.push(oidText(reader.read(DER.oid, 'key purpose').content));
  }
  if (purposes.length === 0) throw malformed('extended key usage names no purpose');
  return purposes;
}
