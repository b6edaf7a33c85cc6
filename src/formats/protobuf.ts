import type { MalformedCode } from '../core/codes.js';
import { FormatError } from '../core/errors.js';
import { ByteReader } from './byte-reader.js';

/** Wire types VARINT and LEN (Protocol Buffers, Encoding). The supported messages have no fixed-width values or groups. */
const WIRE_TYPES = { uint32: 0, bytes: 2 } as const;

/** Seven bits a byte: 32 bits take five. */
const VARINT_BYTES = 5;
const MAXIMUM = 0xffff_ffff;

export interface ProtobufField {
  readonly number: number;
  /** `uint32` also stands for an enumeration; `bytes` also for a message or a map entry. */
  readonly kind: keyof typeof WIRE_TYPES;
  /** Most occurrences; defaults to one. */
  readonly most?: number;
}

export interface ProtobufMessage {
  /** The name in errors. */
  readonly name: string;
  /** Code of the error for malformed bytes. */
  readonly code: MalformedCode;
  readonly fields: { readonly [name: string]: ProtobufField };
}

/** The values of each field of a message, in byte order. Bytes are views. */
export type ProtobufValues<M extends ProtobufMessage> = {
  readonly [N in keyof M['fields']]: readonly (M['fields'][N]['kind'] extends 'uint32' ? number : Uint8Array)[];
};

/**
 * Reads a message in the binary encoding of Protocol Buffers, to its last byte. It is stricter than the encoding: it rejects an
 * unknown field, whose meaning is unknown, and a second value of a single field.
 *
 * @throws {FormatError} the code of the message for malformed bytes, a wrong wire type, or a number of more
 *   than 32 bits or not in its shortest form; `unknown_property`; `duplicate_key`; `schema` if a field occurs too often
 */
export function parseProtobuf<M extends ProtobufMessage>(bytes: Uint8Array, message: M): ProtobufValues<M> {
  const fields = Object.entries(message.fields);
  const values = new Map<string, (Uint8Array | number)[]>(fields.map(([name]) => [name, []]));
  const reader = new ByteReader(bytes, message.code);
  while (reader.remaining > 0) {
    const tag = readUint32(reader, message, `the tag of a field of ${message.name}`);
    const number = tag >>> 3;
    const [name, field] = fields.find(([, known]) => known.number === number) ?? [];
    const found = values.get(name ?? '');
    if (name === undefined || field === undefined || found === undefined) {
      throw new FormatError('unknown_property', `${message.name} has the field ${number}, which is not known`);
    }
    const full = `${message.name}.${name}`;
    if ((tag & 7) !== WIRE_TYPES[field.kind]) {
      throw new FormatError(message.code, `${full} has wire type ${tag & 7}, expected ${WIRE_TYPES[field.kind]}`);
    }
    requireRoom(found.length, full, field);
    const read = readUint32(reader, message, full);
    found.push(field.kind === 'uint32' ? read : reader.bytes(read, full));
  }
  // each list only has values of the kind of its field
  return Object.fromEntries(values) as unknown as ProtobufValues<M>;
}

function requireRoom(count: number, name: string, { most = 1 }: ProtobufField): void {
  if (count < most) return;
  if (most === 1) throw new FormatError('duplicate_key', `${name} is there twice`);
  throw new FormatError('schema', `${name} is there more than ${most} times`);
}

/** Reads a varint: a value, or a length. */
function readUint32(reader: ByteReader, { code }: ProtobufMessage, what: string): number {
  let value = 0;
  for (let index = 0; index < VARINT_BYTES; index++) {
    const byte = reader.u8(what);
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte >= 0x80) continue;
    if (value > MAXIMUM) break;
    if (byte === 0 && index > 0) throw new FormatError(code, `${what} is not in the shortest form`);
    return value;
  }
  throw new FormatError(code, `${what} has more than 32 bits`);
}
