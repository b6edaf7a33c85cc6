import type { CacheFolder } from './cache-folder.js';
import { ReadOnce } from './read-once.js';

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

/**
 * The newest revocation list that was ever relied on, by subject (an issuer, and a source where these are apart), so that
 * nobody can put an older one in its place by serving it (RFC 5280 5.2.3: numbers of one issuer only grow). Lives in the
 * cache folder, one small file a subject.
 */
export class CrlMemory {
  readonly #folder: CacheFolder;
  readonly #marks = new ReadOnce<CrlAge>();

  constructor(folder: CacheFolder) {
    this.#folder = folder;
  }

  /** Null where no list was relied on yet, and where the memory was lost. */
  highest(subject: string): Promise<CrlAge | null> {
    return this.#marks.get(subject, async () => parseMark(await this.#folder.read(fileOf(subject))));
  }

  /** Notes a list that is relied on. An older one changes nothing. */
  async advance(subject: string, { number, thisUpdate }: CrlAge): Promise<void> {
    await this.highest(subject);
    // Looked at after the wait, and set before the next: another list may have been noted meanwhile.
    const before = this.#marks.known(subject);
    if (before !== null && !isOlder(before, { number, thisUpdate })) return;
    this.#marks.set(subject, { number, thisUpdate });
    await this.#folder.write(fileOf(subject), `${number} ${thisUpdate.toISOString()}\n`);
  }
}

const fileOf = (subject: string) => `crl-highest-${subject}`;

function parseMark(bytes: Uint8Array | null): CrlAge | null {
  const [, number, thisUpdate] = MARK.exec(Buffer.from(bytes ?? []).toString('latin1')) ?? [];
  return number === undefined || thisUpdate === undefined
    ? null
    : { number: BigInt(number), thisUpdate: new Date(thisUpdate) };
}
