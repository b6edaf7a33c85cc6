import { FormatError } from '../model/errors.js';
import { ByteReader } from './byte-reader.js';

/** Event types that a replay has to know (TCG PC Client Platform Firmware Profile, Event Types). */
export const EVENT_TYPE = { noAction: 0x3, separator: 0x4 } as const;

/** TPM_ALG_IDs of digests (TCG Algorithm Registry). */
export const DIGEST_ALGORITHM = { sha1: 0x0004, sha256: 0x000b, sha384: 0x000c, sha512: 0x000d } as const;

/** One event. Only its digests are measured: nothing but the log vouches for type and data. */
export interface TcgEvent {
  /** PCR; in a CCEL, measurement register: 0 is MRTD, 1 to 4 are RTMR 0 to 3. */
  readonly index: number;
  readonly type: number;
  /** Where the record starts in the log. */
  readonly offset: number;
  /** Under TPM_ALG_IDs that the log names, each at most once. */
  readonly digests: readonly EventDigest[];
  readonly data: Uint8Array;
}

export interface EventDigest {
  readonly algorithm: number;
  readonly value: Uint8Array;
}

/** A crypto agile event log, of a TPM or a TD (CCEL). Nothing in it is verified. */
export interface TcgEventLog {
  /** The EV_NO_ACTION event in the older form that says how the others are read. */
  readonly header: TcgEvent;
  /** Length of digests in bytes, by TPM_ALG_ID. */
  readonly algorithms: ReadonlyMap<number, number>;
  readonly events: readonly TcgEvent[];
}

/** A boot makes some 150. Bounds the time that a replay takes, whatever the limit of bytes. */
const MAXIMUM_EVENTS = 4096;
/** Firmware has up to five banks. */
const MAXIMUM_ALGORITHMS = 8;
const MAXIMUM_DIGEST_LENGTH = 64;
const SHA1_LENGTH = 20;

const SIGNATURE = 'Spec ID Event03\0';
const SPEC_VERSION_MAJOR = 2;

/** Other algorithms (SM3, SHA-3) have the length that the log says. */
const DIGEST_LENGTH: ReadonlyMap<number, number> = new Map([
  [DIGEST_ALGORITHM.sha1, SHA1_LENGTH],
  [DIGEST_ALGORITHM.sha256, 32],
  [DIGEST_ALGORITHM.sha384, 48],
  [DIGEST_ALGORITHM.sha512, 64],
]);

/** What sizes in a log are measured by. */
interface Bounds {
  readonly algorithms: ReadonlyMap<number, number>;
  readonly maximumBytes: number;
}

/**
 * Reads a crypto agile event log (TCG PC Client Platform Firmware Profile, Event Logging) to its end. The log area
 * behind the last event may be filled with zeros or with FF; anything else there is an event, or refused.
 * Takes time in proportion to the length, and makes views of the bytes, no copies.
 *
 * @param maximumBytes a longer log is refused unread, as is one with more than 4096 events
 * @throws {FormatError} `eventlog_limit` where the log is too long, or a size or a list of algorithms in it makes no
 *   sense; `eventlog_format` where it does not have its form, as a log of SHA-1 digests alone has not
 */
export function parseTcgEventLog(bytes: Uint8Array, maximumBytes: number): TcgEventLog {
  if (bytes.byteLength === 0 || bytes.byteLength > maximumBytes) {
    throw new FormatError(
      'eventlog_limit',
      `the event log is ${bytes.byteLength} bytes, 1 to ${maximumBytes} are allowed`,
    );
  }
  // a plain view: parts of a Buffer are Buffers, which take several times as long to make, and a log has thousands
  const reader = new ByteReader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), 'eventlog_format');
  const header = readHeader(reader, maximumBytes);
  const algorithms = parseSpecId(header.data);
  const events: TcgEvent[] = [];
  while (!isFilling(bytes, reader.offset)) {
    if (events.length === MAXIMUM_EVENTS) {
      throw new FormatError('eventlog_limit', `the event log has more than ${MAXIMUM_EVENTS} events`);
    }
    events.push(readEvent(reader, { algorithms, maximumBytes }));
  }
  return { header, algorithms, events };
}

/** The digest under an algorithm; null where the event has none. */
export function digestUnder({ digests }: TcgEvent, algorithm: number): Uint8Array | null {
  return digests.find((digest) => digest.algorithm === algorithm)?.value ?? null;
}

/**
 * TCG_PCR_EVENT. Its index is not judged: firmware writes 0 for a TPM and 0 or 1 for a TD, and nothing is extended.
 * Nor is its digest, which a caller judges as that of any EV_NO_ACTION.
 */
function readHeader(reader: ByteReader, maximumBytes: number): TcgEvent {
  const index = reader.u32le('pcrIndex of the header');
  const type = reader.u32le('eventType of the header');
  if (type !== EVENT_TYPE.noAction) {
    throw new FormatError('eventlog_format', 'the event log does not start with an event that states its format');
  }
  const value = reader.bytes(SHA1_LENGTH, 'digest of the header');
  const data = readData(reader, maximumBytes);
  return { index, type, offset: 0, digests: [{ algorithm: DIGEST_ALGORITHM.sha1, value }], data };
}

/**
 * TCG_EfiSpecIDEvent, to its last byte: length of digests by algorithm.
 * Platform class, minor version, errata, width of UINTN and vendor information are not judged: no event is read by them.
 */
function parseSpecId(bytes: Uint8Array): ReadonlyMap<number, number> {
  const reader = new ByteReader(bytes, 'eventlog_format');
  const signature = Buffer.from(reader.bytes(SIGNATURE.length, 'signature')).toString('latin1');
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

/** TCG_PCR_EVENT2. It may leave out an algorithm that the log names: a replay that needs that one says so. */
function readEvent(reader: ByteReader, { algorithms, maximumBytes }: Bounds): TcgEvent {
  const { offset } = reader;
  const index = reader.u32le('pcrIndex');
  const type = reader.u32le('eventType');
  const whose = `the event at offset ${offset}`;
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
  return { index, type, offset, digests, data: readData(reader, maximumBytes) };
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
 * Whether nothing but zeros, or nothing but FF, is left: then each byte is the one before it. Asked before every event,
 * and still linear: no event starts with 12 such bytes, since its count of digests is neither 0 nor that large.
 */
function isFilling(bytes: Uint8Array, start: number): boolean {
  const first = bytes[start];
  if (first !== 0 && first !== 0xff) return first === undefined;
  return Buffer.compare(bytes.subarray(start, -1), bytes.subarray(start + 1)) === 0;
}
