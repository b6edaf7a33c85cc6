import type { LogRecord, RecordPosition } from '../core/decision-log.js';
import { signedUpTo } from '../core/log-report.js';
import type { ChainReading } from './chain-reading.js';
import type { LogProblems } from './log-problems.js';
import type { RecordedContent } from './record-content.js';

/** Consecutive records without content, and the dates of the nearest records with content. Milliseconds since 1970. */
interface EmptyRun {
  readonly from: number;
  through: number;
  /** Date of the last dated record before the run; null if there is none. */
  readonly dateBefore: number | null;
  /** Date of the first dated record after the run; null if there is none. */
  dateBehind: number | null;
}

/** The statement of a `pruned` record that content was dropped. */
interface Statement {
  readonly by: RecordPosition;
  readonly from: number;
  readonly through: number;
  /** All dropped records have earlier dates. Milliseconds since 1970. */
  readonly beforeMs: number;
}

/** A record that names another chain, and so proves that the chain existed. */
interface Naming {
  readonly end: RecordPosition;
  readonly date: number;
}

/** A process may store decisions in another order than that of their dates, and clocks of machines differ. */
const TOLERANCE_MS = 3_600_000;

const FIRST_IS_GONE = 'its content is gone, and that of the first record of a chain is never dropped';

/** Compares records without content with the statements of `pruned` records, and both with the dates of neighbouring records. */
export class DroppedVerification {
  readonly #chains: ReadonlyMap<string, ChainReading>;
  readonly #problems: LogProblems;
  /** With keys, only records that one of them signed count. */
  readonly #hasKeys: boolean;
  readonly #runs = new Map<string, EmptyRun[]>();
  readonly #statements = new Map<string, Statement[]>();
  readonly #lastDates = new Map<string, number>();
  /** Times of `pruned` records, by their chain. */
  readonly #prunings = new Map<string, Map<number, number>>();
  readonly #namings: Naming[] = [];

  constructor(chains: ReadonlyMap<string, ChainReading>, problems: LogProblems, hasKeys: boolean) {
    this.#chains = chains;
    this.#problems = problems;
    this.#hasKeys = hasKeys;
  }

  /** Takes a record without salt and content. Called in the order of the chain, like `learn`. */
  empty({ chain, seq }: LogRecord): void {
    if (seq === 0) {
      this.#problems.add('content_missing', { chain, seq }, FIRST_IS_GONE);
      return;
    }
    const runs = listIn(this.#runs, chain);
    const last = runs.at(-1);
    if (last?.through === seq - 1) last.through = seq;
    else runs.push({ from: seq, through: seq, dateBefore: this.#lastDates.get(chain) ?? null, dateBehind: null });
  }

  /** Takes a record with intact content. */
  learn(record: RecordPosition, { date, time, began, dropped, droppedBefore }: RecordedContent): void {
    const { chain, seq } = record;
    if (date !== null) {
      for (const end of began ?? []) this.#namings.push({ end, date });
      this.#learnDate(chain, date);
    }
    if (dropped === null) return;
    for (const { chain: of, from, seq: through } of dropped) {
      listIn(this.#statements, of).push({ by: record, from, through, beforeMs: droppedBefore ?? Infinity });
    }
    const prunings = this.#prunings.get(chain) ?? new Map<number, number>();
    this.#prunings.set(chain, prunings.set(seq, Date.parse(time ?? '')));
  }

  /** Compares everything. Called once the records covered by signed heads are known. */
  end(): void {
    for (const [chain, runs] of this.#runs) for (const run of runs) this.#compareRun(chain, run);
    for (const { end, date } of this.#namings) this.#comparePrunings(end.chain, end.seq, date);
  }

  #learnDate(chain: string, date: number): void {
    const runs = this.#runs.get(chain) ?? [];
    // From the end, and without a copy: a chain can have one run per record.
    for (let at = runs.length - 1; runs[at]?.dateBehind === null; at--) (runs[at] as EmptyRun).dateBehind = date;
    this.#lastDates.set(chain, date);
    this.#comparePrunings(chain, Number.MAX_SAFE_INTEGER, date);
  }

  /** Expects rising dates, unless the clock was wrong when content was dropped. Reports each record once. */
  #comparePrunings(chain: string, through: number, date: number): void {
    for (const [seq, time] of this.#prunings.get(chain) ?? []) {
      if (seq > through || !(time > date + TOLERANCE_MS)) continue;
      this.#prunings.get(chain)?.delete(seq);
      const detail = `it says that content was dropped at ${instantText(time)}, and a later record is dated ${instantText(date)}`;
      this.#problems.add('prune_contradicted', { chain, seq }, detail);
    }
  }

  #compareRun(chain: string, run: EmptyRun): void {
    const about = listIn(this.#statements, chain).filter(
      ({ from, through }) => from <= run.through && through >= run.from,
    );
    const starts = about.flatMap(({ from, through }) => [from, through + 1]);
    const inside = starts.filter((seq) => seq > run.from && seq <= run.through);
    let [isMissing, isContradicted] = [false, false];
    // Between two of these positions, the same statements apply.
    for (const seq of [...new Set([run.from, ...inside])].sort((one, other) => one - other)) {
      const covering = about.filter(({ from, through }) => from <= seq && seq <= through);
      const counted = covering.filter(({ by }) => this.#counts(chain, by));
      if (counted.length === 0 && !isMissing) {
        isMissing = true;
        this.#problems.add('content_missing', { chain, seq }, covering.length === 0 ? NOT_SAID : NOT_SIGNED);
      }
      const why = counted.length === 0 || isContradicted ? null : whyYoung(run, counted);
      if (why === null) continue;
      isContradicted = true;
      this.#problems.add('prune_contradicted', { chain, seq }, why);
    }
  }

  /** In a signed chain, an unsigned record does not count: an attacker who removed content could have written it. */
  #counts(chain: string, by: RecordPosition): boolean {
    const isSigned = this.#hasKeys || (this.#chains.get(chain)?.vouchedFor ?? -1) >= 0;
    return !isSigned || this.#vouchedToDrop(chain, by.chain) >= by.seq;
  }

  /**
   * Returns the last record of another chain whose drop this chain may state. If that chain has heads, only its own heads
   * count: a later start names the end of every chain, including records that an attacker appended after a head.
   */
  #vouchedToDrop(chain: string, by: string): number {
    const [dropped, dropping] = [this.#chains.get(chain), this.#chains.get(by)];
    if (dropped === undefined || dropping === undefined) return -1;
    return signedUpTo(dropped) >= 0 ? signedUpTo(dropping) : dropping.vouchedFor;
  }
}

const NOT_SAID = 'its content is gone, and no record says that it was dropped';
const NOT_SIGNED = 'its content is gone, and no signed record says that it was dropped';

/** Returns null unless the neighbouring dates show that the records were younger than the statements say. */
function whyYoung({ dateBefore, dateBehind }: EmptyRun, statements: readonly Statement[]): string | null {
  const beforeMs = Math.max(...statements.map((statement) => statement.beforeMs));
  const latest = beforeMs + TOLERANCE_MS;
  if (dateBefore === null || dateBefore < latest || (dateBehind ?? Infinity) < latest) return null;
  return `its content was dropped as older than ${instantText(beforeMs)}, and the record before it is dated ${instantText(dateBefore)}`;
}

function instantText(ms: number): string {
  return new Date(ms).toISOString();
}

function listIn<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
