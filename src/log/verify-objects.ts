import type { KeptLink, KeptObject, LogRecord, LogStore } from '../core/decision-log.js';
import { groupedBy } from '../core/grouped.js';
import { type KeptNames, KeptNamesReader } from './kept-names.js';
import { digestOf } from './kept-values.js';
import type { LogProblems } from './log-problems.js';
import { isDroppedByNow } from './record-at.js';
import type { RecordedContent } from './record-content.js';

/** Most kept objects in one read. */
export const OBJECTS_AT_ONCE = 256;

/** The kept objects of a log, and their links to decisions. */
export type KeepingLog = Pick<LogStore, 'records' | 'object' | 'objects' | 'objectsOf'>;

const NOTHING: KeptNames = { digests: new Set(), unread: [] };

/** Compares the kept objects with the inputs that decisions reference. */
export class ObjectVerification {
  objects = 0;
  readonly #log: KeepingLog;
  readonly #problems: LogProblems;
  readonly #later: Set<string>;
  readonly #names: KeptNamesReader;
  /** Digests of objects known to be missing: many decisions may reference one. */
  readonly #missing = new Set<string>();

  /** @param later collects chains whose decisions reference inputs of a later version */
  constructor(log: KeepingLog, problems: LogProblems, later: Set<string>) {
    this.#log = log;
    this.#problems = problems;
    this.#later = later;
    this.#names = new KeptNamesReader(log);
  }

  /** Takes consecutive records of one chain, with their intact contents. */
  async compare(records: readonly LogRecord[], contents: ReadonlyMap<number, RecordedContent>): Promise<void> {
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) return;
    const links = groupedBy(await this.#log.objectsOf(first.chain, first.seq, last.seq), ({ seq }) => seq);
    for (const record of records) {
      const content = contents.get(record.seq);
      if (content !== undefined && !content.isLater)
        await this.#compareOne(record, content, links.get(record.seq) ?? []);
    }
  }

  /** Verifies each object once, in the order of their digests. @param onRead called for each page */
  async end(onRead: () => void): Promise<void> {
    for (let after: string | null = null; ; ) {
      const page: readonly KeptObject[] = await this.#log.objects(after, OBJECTS_AT_ONCE);
      after = page.at(-1)?.sha256 ?? null;
      if (after === null) return;
      for (const { sha256, bytes } of page) {
        if (digestOf(bytes) === sha256) continue;
        this.#problems.add(
          'object_changed',
          null,
          `the kept object ${sha256} has other bytes than those of its digest`,
        );
      }
      this.objects += page.length;
      onRead();
    }
  }

  async #compareOne(record: LogRecord, { entry, inputs }: RecordedContent, links: readonly KeptLink[]): Promise<void> {
    const { digests, unread } = inputs === null ? NOTHING : await this.#names.of(inputs);
    if (unread.some(({ why }) => why === 'later')) this.#later.add(record.chain);
    const linked = new Set(links.map(({ sha256 }) => sha256));
    const unlinked = [...digests].filter((sha256) => !linked.has(sha256));
    const foreign = unread.length > 0 ? [] : links.filter(({ sha256 }) => !digests.has(sha256));
    const missing = [
      ...links.filter(({ isKept }) => !isKept).map(({ sha256 }) => sha256),
      ...(await this.#notKept(unlinked)),
    ];
    const malformed = unread.filter(({ why }) => why === 'malformed');
    if (unlinked.length + foreign.length + missing.length + malformed.length === 0) return;
    if (await isDroppedByNow(this.#log, record)) return;
    for (const sha256 of missing) this.#addMissing(record, sha256, entry?.decisionId);
    for (const { sha256 } of malformed) {
      const detail = `the kept object ${sha256} does not have the form of what a decision rests on`;
      this.#problems.add('object_changed', record, detail, entry?.decisionId);
    }
    if (foreign.length === 0 && unlinked.every((sha256) => missing.includes(sha256))) return;
    const detail = 'the kept objects that it is linked to are not those that it rests on';
    this.#problems.add('index_mismatch', record, detail, entry?.decisionId);
  }

  async #notKept(digests: readonly string[]): Promise<readonly string[]> {
    const missing: string[] = [];
    for (const sha256 of digests) if ((await this.#log.object(sha256)) === null) missing.push(sha256);
    return missing;
  }

  #addMissing(record: LogRecord, sha256: string, decisionId?: string): void {
    if (this.#missing.has(sha256)) return;
    this.#missing.add(sha256);
    this.#problems.add(
      'object_missing',
      record,
      `the kept object ${sha256}, which it rests on, is not there`,
      decisionId,
    );
  }
}
