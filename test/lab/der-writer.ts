/** Writes DER (X.690). Nothing is checked: a test wants to write what no encoder would. */

/** One element with any identifier octet around its content. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents);
  return new Uint8Array(Buffer.concat([Buffer.from([tag]), lengthOctets(content.byteLength), content]));
}

export function sequence(...elements: readonly Uint8Array[]): Uint8Array {
  return der(0x30, ...elements);
}

export function set(...elements: readonly Uint8Array[]): Uint8Array {
  return der(0x31, ...elements);
}

/** `[number]` around elements (explicit tag). */
export function tagged(number: number, ...elements: readonly Uint8Array[]): Uint8Array {
  return der(0xa0 | number, ...elements);
}

/** An INTEGER of a number, or of content octets as they are to stand. */
export function integer(value: number | bigint | Uint8Array): Uint8Array {
  return der(0x02, value instanceof Uint8Array ? value : integerOctets(BigInt(value)));
}

export function boolean(value: boolean): Uint8Array {
  return der(0x01, Buffer.from([value ? 0xff : 0x00]));
}

export function nullValue(): Uint8Array {
  return der(0x05);
}

/** An OBJECT IDENTIFIER from dotted text; arcs may have any size. */
export function oid(text: string): Uint8Array {
  const [first = 0n, second = 0n, ...rest] = text.split('.').map(BigInt);
  return der(0x06, ...[first * 40n + second, ...rest].map(base128));
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Uint8Array {
  return der(0x03, Buffer.from([unusedBits]), bytes);
}

export function octetString(bytes: Uint8Array): Uint8Array {
  return der(0x04, bytes);
}

export function utf8String(text: string): Uint8Array {
  return der(0x0c, Buffer.from(text, 'utf8'));
}

export function printableString(text: string): Uint8Array {
  return der(0x13, Buffer.from(text, 'latin1'));
}

export function ia5String(text: string): Uint8Array {
  return der(0x16, Buffer.from(text, 'latin1'));
}

export function utcTime(text: string): Uint8Array {
  return der(0x17, Buffer.from(text, 'latin1'));
}

export function generalizedTime(text: string): Uint8Array {
  return der(0x18, Buffer.from(text, 'latin1'));
}

/** The form that RFC 5280 4.1.2.5 wants for a date: UTCTime before 2050, GeneralizedTime from then on. */
export function time(date: Date): Uint8Array {
  const digits = date.toISOString().replace(/[-:T]|\.\d+Z$/g, '');
  return date.getUTCFullYear() < 2050 ? utcTime(`${digits.slice(2)}Z`) : generalizedTime(`${digits}Z`);
}

function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Buffer.from([length]);
  const octets = integerOctets(BigInt(length));
  const minimal = octets[0] === 0 ? octets.subarray(1) : octets;
  return Buffer.concat([Buffer.from([0x80 | minimal.byteLength]), minimal]);
}

/** Two's complement, as short as it can be. */
function integerOctets(value: bigint): Uint8Array {
  let octets = 1;
  while (BigInt.asIntN(octets * 8, value) !== value) octets += 1;
  const digits = BigInt.asUintN(octets * 8, value).toString(16);
  return Buffer.from(digits.padStart(octets * 2, '0'), 'hex');
}

function base128(arc: bigint): Uint8Array {
  const octets = [Number(arc & 0x7fn)];
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) octets.unshift(Number(rest & 0x7fn) | 0x80);
  return Buffer.from(octets);
}
