import { fromUtf8 } from '../../core/bytes.js';
import { FormatError } from '../../core/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';
import { decodeHex } from '../../formats/base64.js';
import { ByteReader } from '../../formats/byte-reader.js';
import { parseStrictJson, STRICT_JSON_LIMITS } from '../../formats/strict-json.js';
import {
  BANK_LENGTH,
  DIGEST_ALGORITHM,
  type EventBank,
  type EventDigest,
  type EventLog,
  MAXIMUM_EVENTS,
  type MeasuredEvent,
} from './measured-event.js';
import { requireLogLength } from './tcg-event-log.js';

/** Types of the top-level TLVs of a record (TCG Canonical Event Log Format, section 5.1). */
const RECORD_NUMBER = 0;
const PCR = 1;
const NV_INDEX = 2;
const DIGESTS = 3;
/** Content types: the log itself, PC Client, IMA template, IMA TLV, and Google's Container-Optimized OS. */
const CONTENTS: ReadonlySet<number> = new Set([4, 5, 6, 7, 80]);

const MAXIMUM_NUMBER_LENGTH = 8;
const MAXIMUM_PCR_LENGTH = 4;
const MAXIMUM_DIGESTS = 8;

/** The character that RFC 7464 puts before each record of a JSON sequence. */
const RECORD_SEPARATOR = 0x1e;
const [OPENING_BRACKET, OPENING_BRACE] = [0x5b, 0x7b];

/** A record has a dozen values, whose names have a hundred characters in all. The limits for arrays and for lines are the same. */
const JSON_LIMITS = {
  ...STRICT_JSON_LIMITS,
  items: MAXIMUM_EVENTS,
  values: 32 * MAXIMUM_EVENTS,
  keyCharacters: 256 * MAXIMUM_EVENTS,
};

const BANK_BY_ALGORITHM: ReadonlyMap<number, EventBank> = new Map(
  Object.entries(DIGEST_ALGORITHM).map(([bank, algorithm]) => [algorithm, bank as EventBank]),
);

/**
 * Reads a Canonical Event Log to its end: TLV, or JSON as an array, as a JSON sequence (RFC 7464, as systemd writes it)
 * or one record per line. Drops digests of unknown algorithms; a record needs at least one
 * known digest. Of the content only the text is read.
 *
 * Does not check record numbers, since no digest covers them. Skips records of NV indices, which extend no PCR.
 *
 * @throws {FormatError} `eventlog_limit`, `eventlog_format`
 */
export function parseCanonicalEventLog(bytes: Uint8Array, maximumBytes: number): EventLog {
  requireLogLength(bytes, maximumBytes);
  const isJson = isCanonicalJson(bytes);
  const events = isJson ? readJson(bytes) : readTlvs(bytes, maximumBytes);
  const algorithms = new Map(
    [...BANK_BY_ALGORITHM].flatMap(([algorithm, bank]) =>
      events.some(({ digests }) => digests.some((digest) => digest.algorithm === algorithm))
        ? [[algorithm, BANK_LENGTH[bank]] as const]
        : [],
    ),
  );
  return { format: isJson ? 'cel-json' : 'cel-tlv', header: null, algorithms, events };
}

/** Whether bytes begin like the JSON form. A log of the firmware begins with the index of a PCR. */
export function isCanonicalJson([first]: Uint8Array): boolean {
  return first === RECORD_SEPARATOR || first === OPENING_BRACKET || first === OPENING_BRACE;
}

/** Whether bytes begin like the TLV form: a record number, then a PCR or an NV index. */
export function beginsAsRecord(bytes: Uint8Array): boolean {
  const reader = new ByteReader(bytes, 'eventlog_format');
  try {
    readTlv(reader, RECORD_NUMBER, MAXIMUM_NUMBER_LENGTH);
    readPcrIndex(reader);
    return true;
  } catch {
    return false;
  }
}

function readTlvs(bytes: Uint8Array, maximumBytes: number): readonly MeasuredEvent[] {
  const reader = new ByteReader(bytes, 'eventlog_format');
  const events: MeasuredEvent[] = [];
  for (let count = 0; reader.remaining > 0; count++) {
    requireRoom(count);
    const { offset } = reader;
    readTlv(reader, RECORD_NUMBER, MAXIMUM_NUMBER_LENGTH);
    const index = readPcrIndex(reader);
    const digests = readDigests(readTlv(reader, DIGESTS, maximumBytes));
    requireDigest(digests, offset);
    const data = readContent(reader);
    if (index !== null) events.push({ index, type: null, offset, digests, data });
  }
  return events;
}

/** Null for a record of an NV index. */
function readPcrIndex(reader: ByteReader): number | null {
  const { offset } = reader;
  const type = reader.u8('type');
  if (type !== PCR && type !== NV_INDEX) throw malformedTlv(offset, `type ${type} is neither a PCR nor an NV index`);
  const value = readValue(reader, offset, MAXIMUM_PCR_LENGTH);
  return type === PCR ? numberOf(value) : null;
}

/** The value of the TLV that is expected here. */
function readTlv(reader: ByteReader, type: number, maximum: number): Uint8Array {
  const { offset } = reader;
  const found = reader.u8('type');
  if (found !== type) throw malformedTlv(offset, `type ${found}, expected type ${type}`);
  return readValue(reader, offset, maximum);
}

function readValue(reader: ByteReader, offset: number, maximum: number): Uint8Array {
  const length = reader.u32be('length');
  if (length === 0 || length > maximum) {
    throw new FormatError('eventlog_limit', `the TLV at offset ${offset} is ${length} bytes`);
  }
  return reader.bytes(length, 'value');
}

/** Reads TLVs with one digest each, whose type is the TPM_ALG_ID. */
function readDigests(bytes: Uint8Array): readonly EventDigest[] {
  const reader = new ByteReader(bytes, 'eventlog_format');
  const digests: EventDigest[] = [];
  for (let read = 0; reader.remaining > 0; read++) {
    if (read === MAXIMUM_DIGESTS) throw new FormatError('eventlog_limit', `a record has more than ${read} digests`);
    const algorithm = reader.u8('algorithm');
    const value = reader.bytes(reader.u32be('digest length'), 'digest');
    addDigest(digests, algorithm, value);
  }
  return digests;
}

/** Reads the self-description of a record, of which only the digests are measured. */
function readContent(reader: ByteReader): Uint8Array {
  const { offset } = reader;
  const type = reader.u8('content type');
  if (!CONTENTS.has(type)) throw malformedTlv(offset, `content of type ${type} is not known`);
  return reader.bytes(reader.u32be('content length'), 'content');
}

function readJson(bytes: Uint8Array): readonly MeasuredEvent[] {
  const events: MeasuredEvent[] = [];
  let count = 0;
  for (const { offset, value } of jsonRecords(bytes)) {
    requireRoom(count++);
    const record = isObject(value) ? value : {};
    if (!isOfNvIndex(record)) events.push(eventOfJson(record, offset));
  }
  return events;
}

interface JsonRecord {
  readonly offset: number;
  readonly value: JsonValue;
}

function* jsonRecords(bytes: Uint8Array): Generator<JsonRecord> {
  if (bytes[0] === OPENING_BRACKET) {
    const all = parseJson(bytes, 0);
    for (const value of Array.isArray(all) ? all : [all]) yield { offset: 0, value };
    return;
  }
  const separator = bytes[0] === RECORD_SEPARATOR ? RECORD_SEPARATOR : 0x0a;
  for (let start = 0; start < bytes.byteLength; ) {
    const found = bytes.indexOf(separator, start);
    const end = found < 0 ? bytes.byteLength : found;
    // skips the empty parts before the first separator and after the last line
    if (end > start) yield { offset: start, value: parseJson(bytes.subarray(start, end), start) };
    start = end + 1;
  }
}

function parseJson(bytes: Uint8Array, offset: number): JsonValue {
  try {
    return parseStrictJson(bytes, JSON_LIMITS);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    const code = cause.code === 'too_complex' ? 'eventlog_limit' : 'eventlog_format';
    throw new FormatError(code, `the record at offset ${offset} is not JSON: ${cause.message}`, { cause });
  }
}

/** systemd extends NV indices as it extends PCRs, and logs both (systemd.pcrlock(5), systemd-pcrextend(8)). */
function isOfNvIndex(record: JsonObject): boolean {
  if (record['pcr'] !== undefined) return false;
  const content = record['content'];
  const named = content !== undefined && isObject(content) && typeof content['nvIndexName'] === 'string';
  return named || typeof record['nv_index'] === 'number';
}

function eventOfJson(record: JsonObject, offset: number): MeasuredEvent {
  const index = record['pcr'];
  if (typeof index !== 'number' || !Number.isInteger(index)) throw malformed(offset, 'it names no PCR');
  const listed = record['digests'];
  if (!Array.isArray(listed)) throw malformed(offset, 'it has no list of digests');
  if (listed.length > MAXIMUM_DIGESTS) throw new FormatError('eventlog_limit', `a record has ${listed.length} digests`);
  const digests: EventDigest[] = [];
  for (const entry of listed) addJsonDigest(digests, isObject(entry) ? entry : {}, offset);
  requireDigest(digests, offset);
  return { index, type: null, offset, digests, data: textOfContent(record['content']) };
}

function addJsonDigest(digests: EventDigest[], entry: JsonObject, offset: number): void {
  const { hashAlg, digest } = entry as { readonly hashAlg?: JsonValue; readonly digest?: JsonValue };
  if (typeof hashAlg !== 'string' || typeof digest !== 'string') throw malformed(offset, 'a digest has another form');
  const bank = Object.keys(DIGEST_ALGORITHM).find((name) => name === hashAlg) as EventBank | undefined;
  if (bank !== undefined) addDigest(digests, DIGEST_ALGORITHM[bank], hexOf(digest, offset));
}

function hexOf(text: string, offset: number): Uint8Array {
  try {
    return decodeHex(text);
  } catch (cause) {
    throw new FormatError('eventlog_format', `the record at offset ${offset}: a digest is not in hex`, { cause });
  }
}

/** systemd hashes the text that the record has beside the digest. */
function textOfContent(content: JsonValue | undefined): Uint8Array {
  const text = content !== undefined && isObject(content) ? content['string'] : undefined;
  return typeof text === 'string' ? new Uint8Array(fromUtf8(text)) : new Uint8Array();
}

function addDigest(digests: EventDigest[], algorithm: number, value: Uint8Array): void {
  const bank = BANK_BY_ALGORITHM.get(algorithm);
  if (bank === undefined) return;
  if (value.byteLength !== BANK_LENGTH[bank]) {
    throw new FormatError('eventlog_format', `a ${bank} digest is ${value.byteLength} bytes`);
  }
  if (digests.some((digest) => digest.algorithm === algorithm)) {
    throw new FormatError('eventlog_limit', `a record has a ${bank} digest twice`);
  }
  digests.push({ algorithm, value });
}

function requireDigest(digests: readonly EventDigest[], offset: number): void {
  if (digests.length === 0) throw malformed(offset, 'it has no digest that is known here');
}

function requireRoom(count: number): void {
  if (count < MAXIMUM_EVENTS) return;
  throw new FormatError('eventlog_limit', `the event log has more than ${MAXIMUM_EVENTS} events`);
}

function malformed(offset: number, what: string): FormatError {
  return new FormatError('eventlog_format', `the record at offset ${offset}: ${what}`);
}

function malformedTlv(offset: number, what: string): FormatError {
  return new FormatError('eventlog_format', `the TLV at offset ${offset}: ${what}`);
}

function numberOf(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
