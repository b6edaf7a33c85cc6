import { FormatError, nullIfMalformed } from '../core/errors.js';
import { isZero } from './byte-reader.js';

/** Identifier octets (X.690 8.1.2) of the types in certificates. */
export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const CONSTRUCTED = 0x20;
const CLASS = 0xc0;
const HIGH_TAG_NUMBER = 0x1f;
const MAXIMUM_DEPTH = 32;
const MAXIMUM_ARC = 0xffff_ffff;
/** Object identifiers in certificates have up to twelve arcs. They are read before anything is verified. */
const MAXIMUM_ARCS = 32;
/** Enough for a CRL with 20 000 entries that state a reason. A certificate has some hundred elements. */
const MAXIMUM_ELEMENTS = 160_000;

/** Identifier octet of a constructed context-specific tag: `[number]` around something. */
export function contextTag(number: number): number {
  return 0xa0 | number;
}

/** One element. Its members are views, made on demand, not copies: a certificate has some hundred elements. */
export class DerElement {
  readonly tag: number;
  readonly #source: Uint8Array;
  readonly #start: number;
  readonly #extent: Extent;

  constructor(source: Uint8Array, start: number, extent: Extent) {
    this.tag = source[start] ?? 0;
    this.#source = source;
    this.#start = start;
    this.#extent = extent;
  }

  /** The whole encoding. */
  get bytes(): Uint8Array {
    return this.#source.subarray(this.#start, this.#extent.end);
  }

  /** The content octets. */
  get content(): Uint8Array {
    return this.#source.subarray(this.#extent.content, this.#extent.end);
  }

  /** Reads the elements inside. Only for constructed elements. */
  get elements(): DerReader {
    return new DerReader(this.#source, this.#extent.content, this.#extent.end);
  }
}

/**
 * Reads one DER value that fills `bytes`, after checking all of it: definite and minimal lengths, at most 32
 * levels and 160 000 elements, no early end, no trailing bytes, and the content of BOOLEAN, INTEGER, NULL,
 * OBJECT IDENTIFIER and BIT STRING (X.690 8, 10 and 11). The caller parses the content of an OCTET STRING or
 * BIT STRING.
 *
 * Not checked: the order in a SET OF (names are compared byte by byte) and the characters of strings.
 *
 * @throws {FormatError} `cert_format`
 */
export function parseDer(bytes: Uint8Array): DerElement {
  // a plain view: a view of a Buffer is a Buffer, which takes several times as long to create
  const source = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const extent = elementAt(source, 0, source.length);
  if (extent.end !== source.length) throw malformed('bytes after the end of the value');
  checkElements(source);
  return new DerElement(source, 0, extent);
}

/**
 * Removes the zeros that fill a buffer after the value. Returns other bytes unchanged, including a value with other trailing
 * bytes: the parser then rejects them.
 */
export function withoutFilling(bytes: Uint8Array): Uint8Array {
  const extent = nullIfMalformed(() => elementAt(bytes, 0, bytes.length));
  return extent !== null && isZero(bytes.subarray(extent.end)) ? bytes.subarray(0, extent.end) : bytes;
}

/** Reads the elements inside a constructed element one after the other. */
export class DerReader {
  readonly #source: Uint8Array;
  readonly #end: number;
  #offset: number;

  constructor(source: Uint8Array, start: number, end: number) {
    this.#source = source;
    this.#offset = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#offset === this.#end;
  }

  /** Identifier octet of the next element; null at the end. */
  get nextTag(): number | null {
    return this.done ? null : (this.#source[this.#offset] ?? null);
  }

  /** Reads the next element. @throws {FormatError} `cert_format` at the end */
  any(what: string): DerElement {
    if (this.done) throw malformed(`${what} is missing`);
    const start = this.#offset;
    const extent = elementAt(this.#source, start, this.#end);
    this.#offset = extent.end;
    return new DerElement(this.#source, start, extent);
  }

  /** @throws {FormatError} `cert_format` unless the next element has this tag */
  read(tag: number, what: string): DerElement {
    const element = this.any(what);
    if (element.tag !== tag) throw malformed(`${what} is of another type`);
    return element;
  }

  optional(tag: number, what: string): DerElement | null {
    return this.nextTag === tag ? this.read(tag, what) : null;
  }

  /** Enters the next element. */
  open(tag: number, what: string): DerReader {
    return this.read(tag, what).elements;
  }

  openOptional(tag: number, what: string): DerReader | null {
    return this.nextTag === tag ? this.open(tag, what) : null;
  }

  /** @throws {FormatError} `cert_format` unless everything was read */
  end(what: string): void {
    if (!this.done) throw malformed(`unexpected element in ${what}`);
  }
}

/** Parses one SEQUENCE, and returns a reader of its elements. */
export function parseDerSequence(bytes: Uint8Array, what: string): DerReader {
  const wrong = bytes.byteLength === 0 ? 'empty' : 'not DER, which starts with a sequence (30)';
  if (bytes[0] !== DER.sequence) throw malformed(`${what} is ${wrong}`);
  return parseDer(bytes).elements;
}

/** Dotted text of an OBJECT IDENTIFIER. Rejects an arc over 2^32 - 1. */
export function oidText(content: Uint8Array): string {
  const [first = 0, ...rest] = oidArcs(content, 0, content.length);
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...rest].join('.');
}

/** Value octets of an INTEGER that must not be negative, without the leading zero octet. Zero is one zero octet. */
export function unsignedOctets(content: Uint8Array, what: string): Uint8Array {
  if (((content[0] ?? 0) & 0x80) !== 0) throw malformed(`${what} is negative`);
  return content.length > 1 && content[0] === 0 ? content.subarray(1) : content;
}

/** An INTEGER between 0 and `maximum`, which must be below 2^32. */
export function smallUnsigned(content: Uint8Array, maximum: number, what: string): number {
  const octets = unsignedOctets(content, what);
  const value = octets.length > 4 ? Number.POSITIVE_INFINITY : octets.reduce((sum, octet) => sum * 256 + octet, 0);
  if (value > maximum) throw malformed(`${what} is over ${maximum}`);
  return value;
}

/** The bits of a BIT STRING that must be whole octets. */
export function wholeOctets(content: Uint8Array, what: string): Uint8Array {
  if (content[0] !== 0) throw malformed(`${what} is not whole octets`);
  return content.subarray(1);
}

/** Makes the FormatError of certificates and CRLs, which have one code for all malformed bytes. */
export function malformed(message: string, cause?: unknown): FormatError {
  return new FormatError('cert_format', message, { cause });
}

interface Extent {
  /** Offset of the first content octet, and of the octet after the last. */
  readonly content: number;
  readonly end: number;
}

function elementAt(bytes: Uint8Array, start: number, limit: number): Extent {
  const tag = bytes[start];
  const first = start + 1 < limit ? bytes[start + 1] : undefined;
  if (tag === undefined || first === undefined) throw malformed('value is cut short');
  if (tag === 0 || (tag & HIGH_TAG_NUMBER) === HIGH_TAG_NUMBER) throw malformed('tag is not one of certificates');
  const length = first < 0x80 ? first : longLength(bytes, start + 2, first & 0x7f, limit);
  const content = start + 2 + (first < 0x80 ? 0 : first & 0x7f);
  if (length > limit - content) throw malformed('value is cut short');
  return { content, end: content + length };
}

function longLength(bytes: Uint8Array, start: number, octets: number, limit: number): number {
  if (octets === 0) throw malformed('indefinite length');
  if (start + octets > limit) throw malformed('length is cut short');
  const length = bytes.subarray(start, start + octets).reduce((sum, octet) => sum * 256 + octet, 0);
  if (length < 0x80 || bytes[start] === 0) throw malformed('length is not minimal');
  return length;
}

/** Checks and counts every element of a value, so that no attacker can send a value that takes long to read. */
function checkElements(bytes: Uint8Array): void {
  let count = 0;
  const check = (start: number, limit: number, depth: number): void => {
    if (depth > MAXIMUM_DEPTH) throw malformed(`more than ${MAXIMUM_DEPTH} levels`);
    for (let offset = start; offset < limit; ) {
      count += 1;
      if (count > MAXIMUM_ELEMENTS) throw malformed(`more than ${MAXIMUM_ELEMENTS} elements`);
      const { content, end } = elementAt(bytes, offset, limit);
      const tag = bytes[offset] ?? 0;
      checkForm(tag);
      if ((tag & CONSTRUCTED) !== 0) check(content, end, depth + 1);
      else checkPrimitive(tag, bytes, content, end);
      offset = end;
    }
  };
  check(0, bytes.length, 1);
}

/** Of the universal types only SEQUENCE and SET are constructed: DER has no strings in pieces (X.690 10.2). */
function checkForm(tag: number): void {
  if ((tag & CLASS) !== 0) return;
  const isConstructed = (tag & CONSTRUCTED) !== 0;
  const mustBe = (tag | CONSTRUCTED) === DER.sequence || (tag | CONSTRUCTED) === DER.set;
  if (isConstructed !== mustBe) throw malformed('value is primitive where it must be constructed, or the reverse');
}

function checkPrimitive(tag: number, bytes: Uint8Array, start: number, end: number): void {
  const length = end - start;
  const first = bytes[start] ?? 0;
  switch (tag) {
    case DER.boolean:
      if (length !== 1 || (first !== 0 && first !== 0xff)) throw malformed('boolean is neither 00 nor ff');
      return;
    case DER.integer:
    case DER.enumerated:
      checkInteger(length, first, bytes[start + 1] ?? 0);
      return;
    case DER.bitString:
      checkBitString(length, first, bytes[end - 1] ?? 0);
      return;
    case DER.null:
      if (length !== 0) throw malformed('null has content');
      return;
    case DER.oid:
      oidArcs(bytes, start, end);
      return;
  }
}

function checkInteger(length: number, first: number, second: number): void {
  if (length === 0) throw malformed('integer is empty');
  if (length === 1) return;
  const isPadded = (first === 0 && (second & 0x80) === 0) || (first === 0xff && (second & 0x80) !== 0);
  if (isPadded) throw malformed('integer is not minimal');
}

/** X.690 8.6.2 and 11.2.1. A bit string without bits has one octet, zero; without that octet it is malformed. */
function checkBitString(length: number, unused: number, last: number): void {
  if (length === 0) throw malformed('bit string has no octet for its unused bits');
  if (unused > 7 || (length === 1 && unused !== 0)) throw malformed('number of unused bits is out of range');
  if (length > 1 && (last & ((1 << unused) - 1)) !== 0) throw malformed('unused bits are not zero');
}

function oidArcs(bytes: Uint8Array, start: number, end: number): number[] {
  const arcs: number[] = [];
  let arc = 0;
  let isInside = false;
  for (let offset = start; offset < end; offset += 1) {
    const octet = bytes[offset] ?? 0;
    if (!isInside && octet === 0x80) throw malformed('object identifier is not minimal');
    arc = arc * 128 + (octet & 0x7f);
    if (arc > MAXIMUM_ARC) throw malformed('arc of an object identifier is over 2^32 - 1');
    isInside = octet >= 0x80;
    if (isInside) continue;
    arcs.push(arc);
    // the first octets hold two arcs
    if (arcs.length === MAXIMUM_ARCS) throw malformed(`object identifier has more than ${MAXIMUM_ARCS} arcs`);
    arc = 0;
  }
  if (isInside || arcs.length === 0) throw malformed('object identifier is cut short');
  return arcs;
}
