import { isSameBytes } from '../core/bytes.js';
import { DER, type DerElement, type DerReader, malformed, oidText } from './der.js';

/** A distinguished name. Two names are equal if their bytes are: string type, case and order count. */
export interface DistinguishedName {
  /** The whole encoding. */
  readonly der: Uint8Array;
  /** The common name; null unless there is exactly one, as UTF8String or PrintableString. */
  readonly commonName: string | null;
}

const COMMON_NAME = '2.5.4.3';
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** RFC 5280 sets no limit; vendors use less than ten. The attributes are read before anything is verified. */
const MAXIMUM_ATTRIBUTES = 64;
/** X.680 41.4. */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/**
 * Reads the next element as a Name (RFC 5280 4.1.2.4) of at most 64 attributes. Accepts an empty name, which only a
 * subject may have.
 *
 * @throws {FormatError} `cert_format`
 */
export function readName(reader: DerReader, what: string): DistinguishedName {
  const name = reader.read(DER.sequence, what);
  const commonNames: DerElement[] = [];
  let count = 0;
  const relativeNames = name.elements;
  while (!relativeNames.done) {
    const attributes = relativeNames.open(DER.set, what);
    do {
      count += 1;
      if (count > MAXIMUM_ATTRIBUTES) throw malformed(`more than ${MAXIMUM_ATTRIBUTES} attributes in ${what}`);
      const attribute = attributes.open(DER.sequence, what);
      const type = oidText(attribute.read(DER.oid, what).content);
      const value = attribute.any(what);
      attribute.end(what);
      if (type === COMMON_NAME) commonNames.push(value);
    } while (!attributes.done);
  }
  const [only] = commonNames;
  return {
    der: name.bytes,
    commonName: only !== undefined && commonNames.length === 1 ? directoryStringText(only, what) : null,
  };
}

/** Whether two names have the same bytes. */
export function isSameName(a: DistinguishedName, b: DistinguishedName): boolean {
  return isSameBytes(a.der, b.der);
}

function directoryStringText({ tag, content }: DerElement, what: string): string | null {
  if (tag !== DER.utf8String && tag !== DER.printableString) return null;
  const text = decodeUtf8(content, what);
  if (tag === DER.printableString && !PRINTABLE.test(text)) throw malformed(`${what} is not printable text`);
  return text;
}

function decodeUtf8(content: Uint8Array, what: string): string {
  try {
    return UTF8.decode(content);
  } catch (cause) {
    throw malformed(`${what} is not UTF-8`, cause);
  }
}
