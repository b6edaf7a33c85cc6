import { isSameBytes, latin1 } from '../../core/bytes.js';
import { FormatError } from '../../core/errors.js';
import { ByteReader } from '../../formats/byte-reader.js';
import {
  BANK_LENGTH,
  DIGEST_ALGORITHM,
  EVENT_TYPE,
  type EventDigest,
  type EventLog,
  MAXIMUM_EVENTS,
  type MeasuredEvent,
} from './measured-event.js';

/** A crypto agile event log of a TPM or a TD (CCEL). */
export interface TcgEventLog extends EventLog {
  readonly header: MeasuredEvent;
}

/** Firmware has up to five banks. */
const MAXIMUM_ALGORITHMS = 8;
const MAXIMUM_DIGEST_LENGTH = 64;

const SIGNATURE = 'Spec ID Event03\0';
const SPEC_VERSION_MAJOR = 2;

const DIGEST_LENGTH: ReadonlyMap<number, number> = new Map([
  [DIGEST_ALGORITHM.sha1, BANK_LENGTH.sha1],
  [DIGEST_ALGORITHM.sha256, BANK_LENGTH.sha256],
  [DIGEST_ALGORITHM.sha384, BANK_LENGTH.sha384],
  [DIGEST_ALGORITHM.sha512, BANK_LENGTH.sha512],
]);

/** The limits of sizes in a log. */
interface Bounds {
  readonly algorithms: ReadonlyMap<number, number>;
  readonly maximumBytes: number;
}

/**
 * Reads a crypto agile event log (TCG PC Client Platform Firmware Profile, Event Logging) to its end. The log area
 * after the last event may be filled with zeros or with FF; other bytes there must be an event.
 * Takes time in proportion to the length, and makes views of the bytes, no copies.
 *
 * @param maximumBytes a longer log is rejected unread, as is one with more than 2048 events
 * @throws {FormatError} `eventlog_limit` if the log is too long, or contains an invalid size or list of
 *   algorithms; `eventlog_format` for another form, such as a log with only SHA-1 digests
 */
export function parseTcgEventLog(bytes: Uint8Array, maximumBytes: number): TcgEventLog {
  const reader = openLog(bytes, maximumBytes);
  const header = readHeader(reader, maximumBytes);
  const algorithms = parseSpecId(header.data);
  const events = readEvents(reader, bytes, () => readEvent(reader, { algorithms, maximumBytes }));
  return { format: 'crypto-agile', header, algorithms, events };
}

/**
 * Reads the event log of a firmware in either format: crypto agile, or with SHA-1 digests only (TCG_PCR_EVENT
 * throughout). A log that does not begin with its digest algorithms is read as the latter.
 *
 * @throws {FormatError} as `parseTcgEventLog`
 */
export function parseFirmwareEventLog(bytes: Uint8Array, maximumBytes: number): EventLog {
  if (isCryptoAgile(bytes)) return parseTcgEventLog(bytes, maximumBytes);
  const reader = openLog(bytes, maximumBytes);
  const events = readEvents(reader, bytes, () => readSha1Event(reader, maximumBytes));
  if (events.length === 0) throw new FormatError('eventlog_format', 'the event log has no event');
  return { format: 'sha1-only', header: null, algorithms: SHA1_ALONE, events };
}

const SHA1_ALONE: ReadonlyMap<number, number> = new Map([[DIGEST_ALGORITHM.sha1, BANK_LENGTH.sha1]]);

/** Offset of the data of the first event. */
const FIRST_DATA = 32;

/** Whether a log begins with its digest algorithms (TCG_EfiSpecIDEvent). */
export function isCryptoAgile(bytes: Uint8Array): boolean {
  return latin1(bytes.subarray(FIRST_DATA, FIRST_DATA + SIGNATURE.length)) === SIGNATURE;
}

function openLog(bytes: Uint8Array, maximumBytes: number): ByteReader {
  requireLogLength(bytes, maximumBytes);
  // a plain view: views of a Buffer are Buffers, which take several times as long to make, and a log has thousands
  return new ByteReader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), 'eventlog_format');
}

/** @throws {FormatError} `eventlog_limit` */
export function requireLogLength({ byteLength }: Uint8Array, maximumBytes: number): void {
  if (byteLength > 0 && byteLength <= maximumBytes) return;
  throw new FormatError('eventlog_limit', `the event log is ${byteLength} bytes, 1 to ${maximumBytes} are allowed`);
}

function readEvents(reader: ByteReader, bytes: Uint8Array, read: () => MeasuredEvent): readonly MeasuredEvent[] {
  const events: MeasuredEvent[] = [];
  while (!isFilling(bytes, reader.offset)) {
    if (events.length === MAXIMUM_EVENTS) {
      throw new FormatError('eventlog_limit', `the event log has more than ${MAXIMUM_EVENTS} events`);
    }
    events.push(read());
  }
  return events;
}

/** Reads the common start of both forms of an event. */
function readStart(reader: ByteReader) {
  const { offset } = reader;
  return { index: reader.u32le('pcrIndex'), type: reader.u32le('eventType'), offset };
}

/** TCG_PCR_EVENT. */
function readSha1Event(reader: ByteReader, maximumBytes: number, start = readStart(reader)): MeasuredEvent {
  const value = reader.bytes(BANK_LENGTH.sha1, 'digest');
  const digests = [{ algorithm: DIGEST_ALGORITHM.sha1, value }];
  return { ...start, digests, data: readData(reader, maximumBytes) };
}

/**
 * Reads the first TCG_PCR_EVENT. Its index is not checked: firmware writes 0 for a TPM and 0 or 1 for a TD, and extends nothing.
 * The caller checks its digest like that of any EV_NO_ACTION.
 */
function readHeader(reader: ByteReader, maximumBytes: number): MeasuredEvent {
  const start = readStart(reader);
  if (start.type === EVENT_TYPE.noAction) return readSha1Event(reader, maximumBytes, start);
  throw new FormatError('eventlog_format', 'the event log does not start with an event that states its format');
}

/**
 * Reads TCG_EfiSpecIDEvent, to its last byte: length of digests by algorithm.
 * Platform class, minor version, errata, width of UINTN and vendor information are not checked: no event depends on them.
 */
function parseSpecId(bytes: Uint8Array): ReadonlyMap<number, number> {
  const reader = new ByteReader(bytes, 'eventlog_format');
  const signature = latin1(reader.bytes(SIGNATURE.length, 'signature'));
  if (signature !== SIGNATURE)
    throw new FormatError('eventlog_format', 'the event log is not in the crypto-agile format');
  reader.u32le('platformClass');
  reader.u8('specVersionMinor');
  const major = reader.u8('specVersionMajor');
  if (major !== SPEC_VERSION_MAJOR) throw new FormatError('eventlog_format', `event log version ${major} is not known`);
  reader.u8('specErrata');
  reader.u8('uintnSize');
  const algorithms = readAlgorithms(reader);
  reader.bytes(reader.u8('vendorInfoSize'), 'vendorInfo');
  reader.expectEnd();
  return algorithms;
}

function readAlgorithms(reader: ByteReader): ReadonlyMap<number, number> {
  const count = requireCount(reader.u32le('numberOfAlgorithms'), MAXIMUM_ALGORITHMS, 'the event log names');
  const algorithms = new Map<number, number>();
  for (let read = 0; read < count; read++) {
    const algorithm = reader.u16le('algorithmId');
    const length = reader.u16le('digestSize');
    requireNew(!algorithms.has(algorithm), algorithm, 'the event log');
    if (length === 0 || length > MAXIMUM_DIGEST_LENGTH || length !== (DIGEST_LENGTH.get(algorithm) ?? length)) {
      throw new FormatError('eventlog_format', `digests of algorithm ${algorithm} are not ${length} bytes`);
    }
    algorithms.set(algorithm, length);
  }
  return algorithms;
}

/** Reads a TCG_PCR_EVENT2. It may omit an algorithm of the log: a replay that needs it reports that. */
function readEvent(reader: ByteReader, { algorithms, maximumBytes }: Bounds): MeasuredEvent {
  const start = readStart(reader);
  const whose = `the event at offset ${start.offset}`;
  const count = requireCount(reader.u32le('digests.count'), algorithms.size, `${whose} has`);
  const digests: EventDigest[] = [];
  for (let read = 0; read < count; read++) {
    const algorithm = reader.u16le('algorithmId');
    const length = algorithms.get(algorithm);
    if (length === undefined) {
      throw new FormatError('eventlog_format', `${whose} has a digest whose length is not known`);
    }
    requireNew(!digests.some((digest) => digest.algorithm === algorithm), algorithm, whose);
    digests.push({ algorithm, value: reader.bytes(length, 'digest') });
  }
  return { ...start, digests, data: readData(reader, maximumBytes) };
}

function readData(reader: ByteReader, maximumBytes: number): Uint8Array {
  const { offset } = reader;
  const size = reader.u32le('eventSize');
  if (size === 0 || size > maximumBytes) {
    throw new FormatError('eventlog_limit', `the event size at offset ${offset} is ${size} bytes`);
  }
  return reader.bytes(size, 'event');
}

function requireCount(count: number, maximum: number, whose: string): number {
  if (count === 0 || count > maximum) {
    throw new FormatError('eventlog_limit', `${whose} ${count} algorithms, 1 to ${maximum} are allowed`);
  }
  return count;
}

function requireNew(isNew: boolean, algorithm: number, whose: string): void {
  if (!isNew) throw new FormatError('eventlog_limit', `${whose} has algorithm ${algorithm} twice`);
}

/**
 * Whether only zeros, or only FF, are left: then each byte equals the one before. It runs before every event,
 * and is still linear: no event starts with more than 31 such bytes, since neither its count of digests nor the size of its
 * data is 0 or that large.
 */
function isFilling(bytes: Uint8Array, start: number): boolean {
  const first = bytes[start];
  if (first !== 0 && first !== 0xff) return first === undefined;
  return isSameBytes(bytes.subarray(start, -1), bytes.subarray(start + 1));
}
