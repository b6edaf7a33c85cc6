import { createHash } from 'node:crypto';
import {
  DIGEST_ALGORITHM,
  type EventBank,
  type EventDigest,
  type EventLog,
} from '../../../src/boot/format/measured-event.js';
import { joinBytes, littleEndian } from '../../lab/byte-patch.js';

/** One event of the log that a test makes. */
export interface LogEvent {
  readonly index: number;
  readonly type: number;
  readonly data: Uint8Array;
  /** Of every bank the hash of these bytes; of the data if left out. */
  readonly hashed?: Uint8Array;
  /** In the place of hashes. */
  readonly digests?: readonly EventDigest[];
}

export const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

const LENGTH = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 } as const;

/** A crypto agile log (TCG PC Client PFP): its header, then an event a record, each with a digest of every bank. */
export function buildTpmLog(events: readonly LogEvent[], banks: readonly EventBank[] = ['sha256']): Uint8Array {
  const specId = joinBytes(
    latin1('Spec ID Event03\0'),
    littleEndian(0, 4),
    Uint8Array.of(0, 2, 0, 2),
    littleEndian(banks.length, 4),
    ...banks.flatMap((bank) => [littleEndian(DIGEST_ALGORITHM[bank], 2), littleEndian(LENGTH[bank], 2)]),
    Uint8Array.of(0),
  );
  return joinBytes(
    littleEndian(0, 4),
    littleEndian(3, 4),
    new Uint8Array(20),
    littleEndian(specId.byteLength, 4),
    specId,
    ...events.map((event) => record(event, banks)),
  );
}

function record(event: LogEvent, banks: readonly EventBank[]): Uint8Array {
  const digests = digestsOf(event, banks);
  return joinBytes(
    littleEndian(event.index, 4),
    littleEndian(event.type, 4),
    littleEndian(digests.length, 4),
    ...digests.flatMap(({ algorithm, value }) => [littleEndian(algorithm, 2), value]),
    littleEndian(event.data.byteLength, 4),
    event.data,
  );
}

function digestsOf(
  { type, data, hashed = data, digests }: LogEvent,
  banks: readonly EventBank[],
): readonly EventDigest[] {
  if (digests !== undefined) return digests;
  return banks.map((bank) => ({
    algorithm: DIGEST_ALGORITHM[bank],
    value: type === 3 ? new Uint8Array(LENGTH[bank]) : hashOf(bank, hashed),
  }));
}

export function hashOf(bank: EventBank, ...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(
    createHash(bank)
      .update(joinBytes(...parts))
      .digest(),
  );
}

/** The events of a log that was read, to be changed and written again. */
export function eventsOf({ events }: EventLog): readonly LogEvent[] {
  return events.map(({ index, type, data, digests }) => ({ index, type: type ?? 0, data, digests }));
}

/** UEFI_VARIABLE_DATA under a vendor GUID, written as its bytes are. */
export function efiVariable(name: string, contents: Uint8Array, guid = GLOBAL): Uint8Array {
  return joinBytes(
    Buffer.from(guid, 'hex'),
    littleEndian(name.length, 8),
    littleEndian(contents.byteLength, 8),
    Buffer.from(name, 'utf16le'),
    contents,
  );
}

const GLOBAL = '61dfe48bca93d211aa0d00e098032b8c';
export const DATABASE_GUID = 'cbb219d73a3d9645a3bcdad00e67656f';
