import { createHash } from 'node:crypto';
import type { KeptObject } from '../core/decision-log.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';

/** Bytes with known digests: many decisions share the bytes of endorsements. */
const KEPT = new WeakMap<Uint8Array, KeptObject>();

/** Collects bytes without duplicates. */
export class KeptBytes {
  readonly #objects = new Map<string, KeptObject>();

  /** @returns the digest that identifies the bytes, hex */
  add(bytes: Uint8Array): string {
    const object = KEPT.get(bytes) ?? keptObject(bytes);
    KEPT.set(bytes, object);
    this.#objects.set(object.sha256, object);
    return object.sha256;
  }

  get objects(): readonly KeptObject[] {
    return [...this.#objects.values()];
  }
}

/** SHA-256, hex, of bytes or of a text in UTF-8. It identifies kept bytes. */
export function digestOf(value: Uint8Array | string): string {
  return createHash('sha256').update(value).digest('hex');
}

/**
 * Copies into a separate buffer: a part of a larger buffer would transfer the whole buffer to another thread.
 */
function keptObject(bytes: Uint8Array): KeptObject {
  return { sha256: digestOf(bytes), bytes: bytes.buffer.byteLength > bytes.byteLength ? new Uint8Array(bytes) : bytes };
}

/**
 * A value as JSON, for values that JSON does not have: bytes as `{ "$bytes": sha256 }`, `$date`, `$map`, `$set` and `$bigint`.
 * Functions and members that are undefined are left out.
 */
export function encodeValue(value: unknown, bytes: KeptBytes): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  if (typeof value === 'bigint') return { $bigint: value.toString() };
  if (value instanceof Uint8Array) return { $bytes: bytes.add(value) };
  if (value instanceof Date) return { $date: value.toISOString() };
  if (value instanceof Set) return { $set: [...value].map((each) => encodeValue(each, bytes)) };
  if (value instanceof Map) return { $map: [...value].map((each) => encodeValue(each, bytes)) };
  if (Array.isArray(value)) return value.map((each) => encodeValue(each, bytes));
  if (typeof value !== 'object') throw new TypeError(`a value of type ${typeof value} cannot be kept`);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined && typeof member !== 'function')
    .map(([name, member]): [string, JsonValue] => [name, encodeValue(member, bytes)]);
  const object = Object.fromEntries(members);
  return members.some(([name]) => name.startsWith('$')) ? { $object: members } : object;
}

/** Returns bytes by their digest. @throws {Error} if they are missing */
export type BytesByDigest = (sha256: string) => Uint8Array;

/** Decodes a value of `encodeValue`. */
export function decodeValue(value: JsonValue, bytesOf: BytesByDigest): unknown {
  if (Array.isArray(value)) return value.map((each) => decodeValue(each, bytesOf));
  if (!isObject(value)) return value;
  const [name, ...more] = Object.keys(value);
  const decode = name === undefined || more.length > 0 ? undefined : DECODERS.get(name);
  if (name !== undefined && decode !== undefined) return decode(value[name] as JsonValue, bytesOf);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, decodeValue(member, bytesOf)]));
}

const list = (value: JsonValue, bytesOf: BytesByDigest) =>
  (value as readonly JsonValue[]).map((each) => decodeValue(each, bytesOf));

type Decoder = (value: JsonValue, bytesOf: BytesByDigest) => unknown;

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['$bytes', (value, bytesOf) => bytesOf(String(value))],
  ['$date', (value) => new Date(String(value))],
  ['$bigint', (value) => BigInt(String(value))],
  ['$set', (value, bytesOf) => new Set(list(value, bytesOf))],
  ['$map', (value, bytesOf) => new Map(list(value, bytesOf) as [unknown, unknown][])],
  ['$object', (value, bytesOf) => Object.fromEntries(list(value, bytesOf) as [string, unknown][])],
]);

/** Digests of all bytes that an encoded value references. */
export function namedBytes(value: JsonValue): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(namedBytes);
  if (!isObject(value)) return [];
  const { $bytes } = value as JsonObject;
  if (typeof $bytes === 'string') return [$bytes];
  return Object.values(value).flatMap(namedBytes);
}
