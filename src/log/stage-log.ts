import type { ImportedRecord, KeptObject, LogRecord, LogStore, SignedHead } from '../core/decision-log.js';
import { isObject, type JsonObject, parsedObject } from '../core/json.js';
import { EXPORT_FORMAT, type ExportedCounts } from './export-lines.js';
import { KeptNamesReader } from './kept-names.js';
import { type Line, LogFileError } from './read-lines.js';
import { readContent } from './record-content.js';
import { readHeadLine, readObjectLine, readRecordLine } from './staged-lines.js';

/** A file of records: an export, or a copy as `decisions.copy` writes it. */
export type LogFileForm = 'export' | 'copy';

/** Where the records of a file are stored until they are verified. */
export interface StagingStore extends Pick<LogStore, 'putHead' | 'object'> {
  putObject(object: KeptObject): Promise<void>;
  stage(records: readonly ImportedRecord[]): Promise<void>;
  /** Drops objects that no record references. */
  dropStrayObjects(): Promise<void>;
}

/**
 * Reads an export or a copy into a separate store. Checks only the form of lines and their number. The caller verifies hashes,
 * digests and signatures in that store. In a copy, skips lines of the service's log and an unfinished last line. Drops kept
 * objects that no record names.
 *
 * @throws {LogFileError} if the file is neither, or is incomplete
 * @throws {StoreUnavailableError}
 */
export async function stageLog(lines: AsyncIterable<Line>, store: StagingStore): Promise<LogFileForm> {
  const staging = new Staging(store);
  for await (const line of lines) await staging.take(line);
  return staging.end();
}

/** The magic bytes of every SQLite file. */
export const DATABASE_START = 'SQLite format 3\0';

/** Most lines in one transaction. Kept objects end it earlier once they have so many bytes. */
const AT_ONCE = 256;
const BYTES_AT_ONCE = 4 * 1024 * 1024;

class Staging {
  readonly #store: StagingStore;
  readonly #names: KeptNamesReader;
  #form: LogFileForm | null = null;
  /** The content of the last line. */
  #ended: JsonObject | null = null;
  /** The last position of each chain. */
  readonly #places = new Map<string, number>();
  /** Digest of the last kept object. */
  #digest = '';
  readonly #counts = { records: 0, heads: 0, objects: 0 };
  #waitingRecords: ImportedRecord[] = [];
  #waitingHeads: SignedHead[] = [];
  #waitingObjects: KeptObject[] = [];
  #waitingBytes = 0;

  constructor(store: StagingStore) {
    this.#store = store;
    this.#names = new KeptNamesReader(store);
  }

  async take({ number, text, isEnded }: Line): Promise<void> {
    if (this.#ended !== null) throw new LogFileError(`line ${number}: stands behind the last one`);
    const value = parsedObject(text);
    if (this.#form === null) {
      this.#form = formOf(value, text);
      if (this.#form === 'export') return;
    }
    if (value === null && !isEnded) {
      if (this.#form === 'export') throw new LogFileError(`is cut: line ${number} has no end`);
      return;
    }
    if (this.#form === 'copy') await this.#takeOfCopy(value ?? {}, number);
    else await this.#takeOfExport(value ?? {}, number);
    const waiting = this.#waitingRecords.length + this.#waitingHeads.length + this.#waitingObjects.length;
    if (waiting >= AT_ONCE || this.#waitingBytes >= BYTES_AT_ONCE) await this.#write();
  }

  async end(): Promise<LogFileForm> {
    await this.#write();
    if (this.#form === null) throw new LogFileError('is empty');
    const counts = this.#counts;
    if (this.#form === 'export') requireWhole(this.#ended, counts);
    else if (counts.records === 0) throw new LogFileError('has no record');
    await this.#store.dropStrayObjects();
    return this.#form;
  }

  async #takeOfCopy(value: JsonObject, number: number): Promise<void> {
    if (isLogLine(value)) return;
    await this.#takeRecord(readRecordLine(value), number);
  }

  async #takeOfExport(value: JsonObject, number: number): Promise<void> {
    const { end } = value;
    const [object, head] = [readObjectLine(value), readHeadLine(value)];
    if (isObject(end)) this.#ended = end;
    else if (object !== null) this.#takeObject(object, number);
    else if (head !== null) this.#takeHead(head);
    else await this.#takeRecord(readRecordLine(value), number);
  }

  #takeObject(object: KeptObject, number: number): void {
    if (this.#counts.records > 0) throw new LogFileError(`line ${number}: a kept object stands behind a record`);
    if (object.sha256 <= this.#digest) {
      throw new LogFileError(`line ${number}: kept object ${object.sha256} is there twice, or not in its order`);
    }
    this.#digest = object.sha256;
    this.#waitingObjects.push(object);
    this.#waitingBytes += object.bytes.byteLength;
    this.#counts.objects += 1;
  }

  #takeHead(head: SignedHead): void {
    this.#waitingHeads.push(head);
    this.#counts.heads += 1;
  }

  async #takeRecord(record: LogRecord | null, number: number): Promise<void> {
    if (record === null) throw new LogFileError(`line ${number}: is no record`);
    const { chain, seq, content } = record;
    if (seq <= (this.#places.get(chain) ?? -1)) {
      throw new LogFileError(`line ${number}: record ${seq} of chain ${chain} is there twice, or not in its order`);
    }
    this.#places.set(chain, seq);
    // The objects of the record must be stored before it is read.
    if (this.#waitingObjects.length > 0) await this.#write();
    const read = content === null ? null : readContent(content);
    const { entry = null, withdraws = null, inputs = null } = read ?? {};
    const release = read?.release == null ? null : { decisionId: read.release.decisionId, kind: read.release.kind };
    const restsOn = inputs === null ? [] : [...(await this.#names.of(inputs)).digests];
    this.#waitingRecords.push({ ...record, entry, withdraws, release, restsOn });
    this.#counts.records += 1;
  }

  async #write(): Promise<void> {
    const [records, heads, objects] = [this.#waitingRecords, this.#waitingHeads, this.#waitingObjects];
    this.#waitingRecords = [];
    this.#waitingHeads = [];
    this.#waitingObjects = [];
    this.#waitingBytes = 0;
    // Together, so that they share a transaction.
    await Promise.all([
      this.#store.stage(records),
      ...heads.map((head) => this.#store.putHead(head)),
      ...objects.map((object) => this.#store.putObject(object)),
    ]);
  }
}

/** Whether a value is a line of the service's log, which may stand between records. */
function isLogLine(value: JsonObject): boolean {
  return typeof value['msg'] === 'string';
}

/** @throws {LogFileError} if the file is neither, or an export of another version */
function formOf(first: JsonObject | null, text: string): LogFileForm {
  if (text.startsWith(DATABASE_START)) {
    throw new LogFileError(
      'is a database, as a decision store is, and no export of one: a store is named by --config or VERITEE__STORES__URL, and veritee decisions export makes an export of it',
    );
  }
  const { format, version } = first ?? {};
  if (first !== null && format === undefined && (isLogLine(first) || readRecordLine(first) !== null)) return 'copy';
  if (format !== EXPORT_FORMAT.format) throw new LogFileError('is no export of a decision log, and no copy of one');
  if (version === EXPORT_FORMAT.version) return 'export';
  throw new LogFileError(
    `is an export of version ${JSON.stringify(version)}; this version of veritee reads ${EXPORT_FORMAT.version}`,
  );
}

/** @throws {LogFileError} */
function requireWhole(ended: JsonObject | null, { records, heads, objects }: ExportedCounts): void {
  if (ended === null) throw new LogFileError('is cut: the line that says how much there was is not there');
  if (ended['records'] === records && ended['heads'] === heads && ended['objects'] === objects) return;
  throw new LogFileError(
    `is not whole: it has ${records} records, ${heads} heads and ${objects} kept objects, and its last line says ${JSON.stringify(ended)}`,
  );
}
