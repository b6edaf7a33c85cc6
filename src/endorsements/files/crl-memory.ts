import type { Log } from '../../model/ports.js';
import type { CacheFolder } from './cache-folder.js';
import { RollbackMarks } from './rollback-marks.js';

/** How new a revocation list is within its series: by number, and between equal numbers by date. */
export interface CrlAge {
  readonly number: bigint;
  readonly thisUpdate: Date;
}

/** Whether `a` is an older list than `b`. */
export function isOlder(a: CrlAge, b: CrlAge): boolean {
  return a.number === b.number ? a.thisUpdate < b.thisUpdate : a.number < b.number;
}

const MARK = /^(\d{1,50}) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\n$/;

/** Every list is older: a number has at most 20 octets (RFC 5280, section 5.2.3), and none a date so late. */
const DAMAGED: CrlAge = { number: 2n ** 256n, thisUpdate: new Date(8_640_000_000_000_000) };

/** Whether the mark of the newest list cannot be read, so that it cannot be told which list is older. */
export function isDamaged(mark: CrlAge | null): boolean {
  return mark === DAMAGED;
}

/**
 * The newest revocation list that was ever relied on, by subject (an issuer, and a source where these are apart), so that
 * nobody can put an older one in its place by serving it (RFC 5280 5.2.3: numbers of one issuer only grow). Lives in the
 * cache folder, one small file a subject.
 */
export class CrlMemory {
  readonly #marks: RollbackMarks<CrlAge>;

  constructor(folder: CacheFolder, log: Log) {
    const format = ({ number, thisUpdate }: CrlAge) => `${number} ${thisUpdate.toISOString()}\n`;
    this.#marks = new RollbackMarks({ folder, log, parse: parseMark, format, isOlder, damaged: DAMAGED });
  }

  /** Null where no list was relied on yet, and where the memory was lost. See `isDamaged` too. */
  highest(subject: string): Promise<CrlAge | null> {
    return this.#marks.highest(fileOf(subject));
  }

  /** Notes a list that is relied on. An older one changes nothing. */
  advance(subject: string, { number, thisUpdate }: CrlAge): Promise<void> {
    return this.#marks.advance(fileOf(subject), { number, thisUpdate });
  }
}

const fileOf = (subject: string) => `crl-highest-${subject}`;

function parseMark(text: string): CrlAge | null {
  const [, number, thisUpdate] = MARK.exec(text) ?? [];
  if (number === undefined || thisUpdate === undefined || Number.isNaN(Date.parse(thisUpdate))) return null;
  return { number: BigInt(number), thisUpdate: new Date(thisUpdate) };
}
