import { UnfitError } from '../../core/errors.js';
import type { Log } from '../../core/ports.js';
import type { SharedMarks } from '../../core/shared-marks.js';
import { type CrlAge, isOlder } from '../../crypto/revocation-list.js';
import type { CacheFolder } from './cache-folder.js';
import { ReadOnce } from './read-once.js';

/** Where marks are kept. */
export interface MarksOptions {
  readonly folder: CacheFolder;
  readonly log: Log;
  /** Those that replicas share; undefined where they do not. */
  readonly shared: SharedMarks | undefined;
  /** URL of the source. Names of shared marks contain its host. Null for imported material, which has no URL. */
  readonly source: string | null;
}

interface KeptMarksOptions<T> extends Omit<MarksOptions, 'source'> {
  /** The file names without the subject. */
  readonly prefix: string;
  readonly suffix?: string;
  /** The mark that a file says; null for a text that is none. */
  readonly parse: (text: string) => T | null;
  readonly format: (mark: T) => string;
  readonly isOlder: (a: T, b: T) => boolean;
  /** A value for a mark that is damaged or unreadable: everything is older than it. */
  readonly damaged: T;
}

/**
 * Marks, one small file each in the cache folder. They only grow.
 *
 * A damaged file rejects everything in its series: otherwise an attacker who can damage the file could bring back older
 * material. A repaired or removed file takes effect at the next request. Damage and a temporary fault of the system look alike
 * here, so the log advises neither.
 *
 * If replicas share marks, the higher one of file and store counts, and the lower one is raised to it. Each lookup reads the
 * store: callers keep the result until `changes` increases.
 */
class KeptMarks<T> {
  readonly #options: KeptMarksOptions<T>;
  readonly #marks: ReadOnce<T>;
  /** Files that were logged. */
  readonly #damaged = new Set<string>();

  constructor(options: KeptMarksOptions<T>) {
    this.#options = options;
    this.#marks = new ReadOnce<T>((mark) => mark !== null && mark !== options.damaged);
  }

  /** How often this process has raised a mark, or has to ask the store again. */
  get changes(): number {
    return this.#marks.changes + (this.#options.shared?.changes ?? 0);
  }

  /** Null where nothing was relied on yet, and where the file is gone. */
  async highest(subject: string): Promise<T | null> {
    const own = await this.#marks.get(subject, () => this.#read(this.#fileOf(subject)));
    return own === this.#options.damaged ? own : this.#withShared(subject, own);
  }

  /**
   * Raises a mark. An older value changes nothing, and a damaged mark is not overwritten. The file is read again before the
   * write: another process with the same folder may have raised it. There is no lock: two processes that raise a mark at the
   * same moment can still lower it.
   *
   * @param hold stores the value. Not called if the value is rejected; otherwise it begins before the mark is visible, so that a
   *   reader of the mark finds the value that raised it
   * @returns whether it is no older than anything that counted before; false if that is unknown
   */
  async advance(subject: string, value: T, hold: () => Promise<void> = async () => {}): Promise<boolean> {
    const { folder, damaged, isOlder, format } = this.#options;
    const kept = await this.#read(this.#fileOf(subject));
    if (kept === damaged) return false;
    const raised = await this.#withShared(subject, kept !== null && isOlder(value, kept) ? kept : value);
    if (raised === damaged) return false;
    // Looked at after the wait, and set before the next: another value may have been noted meanwhile.
    const noted = this.#marks.known(subject);
    const newest = kept !== null && (noted === null || isOlder(noted, kept)) ? kept : noted;
    if (newest !== null && !isOlder(newest, value)) {
      if (newest !== noted) this.#marks.set(subject, newest);
      if (isOlder(value, newest)) return false;
      await hold();
      return true;
    }
    const held = hold();
    this.#marks.set(subject, value);
    await Promise.all([held, folder.write(this.#fileOf(subject), format(value))]);
    return true;
  }

  /** The higher one of a mark and that of the store. */
  async #withShared(subject: string, own: T | null): Promise<T | null> {
    const { shared, format, parse, damaged, isOlder, folder } = this.#options;
    if (shared === undefined) return own;
    const name = this.#fileOf(subject);
    const text = await shared.raise(name, own === null ? null : format(own));
    if (text === null) return own;
    const theirs = parse(text);
    if (theirs === null) {
      this.#tell(`${name} in the database`, new UnfitError('not a rollback mark'));
      return damaged;
    }
    if (own !== null && !isOlder(own, theirs)) return own;
    const noted = this.#marks.known(subject);
    if (noted !== null && !isOlder(noted, theirs)) return noted;
    this.#marks.set(subject, theirs);
    await folder.write(name, format(theirs));
    return theirs;
  }

  #fileOf(subject: string): string {
    const { prefix, suffix = '' } = this.#options;
    return `${prefix}${subject}${suffix}`;
  }

  async #read(name: string): Promise<T | null> {
    try {
      const bytes = await this.#options.folder.readOrThrow(name);
      const mark = bytes === null ? null : this.#parse(bytes);
      this.#damaged.delete(name);
      return mark;
    } catch (error) {
      this.#tell(name, error);
      return this.#options.damaged;
    }
  }

  #parse(bytes: Uint8Array): T {
    const mark = this.#options.parse(Buffer.from(bytes).toString('latin1'));
    if (mark === null) throw new UnfitError('not a rollback mark');
    return mark;
  }

  #tell(name: string, error: unknown): void {
    if (this.#damaged.has(name)) return;
    this.#damaged.add(name);
    // A shared mark says nothing about what this replica holds, nor about what replaces an older one in use.
    const nothing = 'nothing in its series is accepted';
    const refused = this.#options.shared === undefined ? nothing : `${nothing} unless it replaces an older one in use,`;
    const what = `rollback mark cannot be relied on: ${refused} until it can be read or is removed`;
    this.#options.log.error({ file: name, err: error }, what);
  }
}

/** Marks of the newest value that was ever used; null if none was. */
export interface Marks<T> {
  /** By this replica. */
  readonly own: T | null;
  /** By this or another replica with the same source. */
  readonly highest: T | null;
}

interface RollbackMarksOptions<T>
  extends MarksOptions,
    Pick<KeptMarksOptions<T>, 'parse' | 'format' | 'isOlder' | 'damaged'> {
  /** The prefix of the file names, before `highest` or `shared`. */
  readonly kind: string;
}

/**
 * Marks of the newest values that were ever used: by this replica, and, if replicas share marks, by all replicas with the same
 * source. Sources with different hosts have separate marks, since one may lag behind another.
 *
 * Material that a replica holds is compared with its own mark: newer material at another replica does not end it before its next
 * update. If the own mark is missing, the shared one counts. Fetched and imported material must not be older than either. Only
 * material that replaces older material in use may be older than the shared mark.
 */
export class RollbackMarks<T> {
  readonly #own: KeptMarks<T>;
  readonly #shared: KeptMarks<T> | null;
  readonly #isOlder: (a: T, b: T) => boolean;

  constructor({ kind, shared, source, ...options }: RollbackMarksOptions<T>) {
    const suffix = source === null ? '' : `@${new URL(source).host}`;
    this.#own = new KeptMarks({ ...options, shared: undefined, prefix: `${kind}-highest-` });
    this.#shared =
      shared === undefined ? null : new KeptMarks({ ...options, shared, prefix: `${kind}-shared-`, suffix });
    this.#isOlder = options.isOlder;
  }

  /** How often this process has raised a mark, or has to ask the store again. */
  get changes(): number {
    return this.#own.changes + (this.#shared?.changes ?? 0);
  }

  async marks(subject: string): Promise<Marks<T>> {
    const own = await this.#own.highest(subject);
    const shared = this.#shared === null ? null : await this.#shared.highest(subject);
    return { own, highest: own === null || (shared !== null && this.#isOlder(own, shared)) ? shared : own };
  }

  async highest(subject: string): Promise<T | null> {
    return (await this.marks(subject)).highest;
  }

  /**
   * Raises both marks, unless the value is older than either.
   * @param hold stores the value, as in `KeptMarks`
   * @returns whether the value is no older than any before; false if that is unknown
   */
  async advance(subject: string, value: T, hold?: () => Promise<void>): Promise<boolean> {
    const own = await this.#own.highest(subject);
    if (own !== null && this.#isOlder(value, own)) return false;
    if (this.#shared !== null && !(await this.#shared.advance(subject, value))) return false;
    return this.#own.advance(subject, value, hold);
  }

  /**
   * Raises the own mark alone, for a value that replaces an older one in use: newer material at another replica is no reason to
   * go on with the oldest.
   * @returns whether the value is no older than the own mark; false if that is unknown
   */
  advanceOwn(subject: string, value: T, hold?: () => Promise<void>): Promise<boolean> {
    return this.#own.advance(subject, value, hold);
  }
}

const MARK = /^(\d{1,50}) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\n$/;

/** Every CRL is older: a number has at most 20 octets (RFC 5280, section 5.2.3), and none a date so late. */
const DAMAGED: CrlAge = { number: 2n ** 256n, thisUpdate: new Date(8_640_000_000_000_000) };

/** Whether the mark of the newest CRL cannot be read, so that it is not known which CRL is older. */
export function isDamaged(mark: CrlAge | null): boolean {
  return mark === DAMAGED;
}

/**
 * Remembers the number and date of the newest CRL used for each subject (an issuer, or an issuer and a source). A source
 * therefore cannot replace a CRL by an older one: CRL numbers of one issuer only grow (RFC 5280, section 5.2.3). Each
 * subject has a small file in the cache folder.
 */
export class CrlMemory extends RollbackMarks<CrlAge> {
  constructor(options: MarksOptions) {
    const format = ({ number, thisUpdate }: CrlAge) => `${number} ${thisUpdate.toISOString()}\n`;
    super({ ...options, kind: 'crl', parse: parseMark, format, isOlder, damaged: DAMAGED });
  }

  /** Of the CRL its age alone is kept. */
  override advance(subject: string, { number, thisUpdate }: CrlAge, hold?: () => Promise<void>): Promise<boolean> {
    return super.advance(subject, { number, thisUpdate }, hold);
  }

  override advanceOwn(subject: string, { number, thisUpdate }: CrlAge, hold?: () => Promise<void>): Promise<boolean> {
    return super.advanceOwn(subject, { number, thisUpdate }, hold);
  }
}

function parseMark(text: string): CrlAge | null {
  const [, number, thisUpdate] = MARK.exec(text) ?? [];
  if (number === undefined || thisUpdate === undefined || Number.isNaN(Date.parse(thisUpdate))) return null;
  return { number: BigInt(number), thisUpdate: new Date(thisUpdate) };
}
